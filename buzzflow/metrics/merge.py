"""Make one set of figures of two readings of the same step, and say which figure is whose."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace

from buzzflow.metrics.recorder import COUNTERS
from buzzflow.metrics.usage import Curves, Usage

_LEVELS = ("cpu_peak", "memory_mean_bytes", "working_set_peak_bytes")
_TOTALS = ("cpu_seconds", "memory_peak_bytes", "network_received_bytes", "network_sent_bytes")
_DISK = ("disk_read_bytes", "disk_written_bytes")
_CURVE_SAMPLES = 3
_EDGE_SECONDS, _EDGE_SHARE = 1.5, 0.1


def completed(own: Usage, scraped: Usage) -> Usage:
    """Return the figures of *own* readings and *scraped* ones, each from who knows it better.

    Both read the same counters of the kernel. A total only grows, so the larger reading is the later one, and nearer to
    the step's end. A level (a mean, a peak between readings) is better known by who read more often; that one is also
    the result's *source*. The disk is *own*, where it is known at all: devices that lie on one another count twice
    in what is scraped. Curves are the scraped ones if these have at least three readings and cover the step.
    """
    if not scraped.samples:
        return own
    if not own.samples:
        return scraped
    dense, sparse = (own, scraped) if own.samples >= scraped.samples else (scraped, own)
    given = {name: dense if getattr(dense, name) is not None else sparse for name in _LEVELS}
    given |= {name: sparse if _is_more(sparse, dense, name) else dense for name in _TOTALS}
    given |= {name: own if getattr(own, name) is not None else scraped for name in _DISK}
    given["curves"] = scraped if _covers(scraped) else own
    figures = {name: getattr(giver, name) for name, giver in given.items() if name != "curves"}
    cpu_mean = figures["cpu_seconds"] / own.wall_seconds if own.wall_seconds > 0 else None
    if figures["cpu_peak"] is not None:
        figures["cpu_peak"] = max(figures["cpu_peak"], cpu_mean or 0.0)
    sources = {name: giver.sources.get(name, giver.source) for name, giver in given.items()}
    known = {name for name in sources if name == "curves" or figures[name] is not None}
    return replace(
        own,
        **figures,
        cpu_mean=cpu_mean,
        source=dense.source,
        samples=dense.samples,
        sources={n: s for n, s in sources.items() if s != dense.source and n in known} | _of_gpu(own),
        curves=_filled(scraped.curves, own.curves) if given["curves"] is scraped else own.curves,
    )


def _is_more(sparse: Usage, dense: Usage, name: str) -> bool:
    known, other = getattr(sparse, name), getattr(dense, name)
    return known is not None and (other is None or known > other)


def _of_gpu(own: Usage) -> dict[str, str]:
    return {name: source for name, source in own.sources.items() if name == "gpu"}


def _covers(scraped: Usage) -> bool:
    """Tell whether the readings are enough for curves, from about the start of the step to about its end."""
    at, edge = scraped.curves.at, max(_EDGE_SECONDS, scraped.wall_seconds * _EDGE_SHARE)
    return scraped.samples >= _CURVE_SAMPLES and at[0] <= edge and scraped.wall_seconds - at[-1] <= edge


def _filled(scraped: Curves, own: Curves) -> Curves:
    """Return *scraped* with the counters that only *own* has, as they were at its times."""
    missing = [name for name in COUNTERS if not getattr(scraped, name) and getattr(own, name)]
    places = [bisect_right(own.at, at) - 1 for at in scraped.at]
    filled = {name: tuple(getattr(own, name)[i] if i >= 0 else 0 for i in places) for name in missing}
    return replace(scraped, **filled)
