"""What an advice rests on, and what it cannot know: said beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from buzzflow.instances.need import Need, Used
from buzzflow.instances.offers import Offer

SHORT_SECONDS = 1.0
_FEW_SAMPLES = 5
_MOST_NAMES = 3


def confidence(used: Used, need: Need, count: int, *, sampled: bool) -> str:
    """Return how much the figures carry: `low`, `medium` or `good`."""
    if used.seconds < SHORT_SECONDS or used.cores_mean is None:
        return "low"
    guessed = sampled or count > 1 or need.accelerator is not None or used.samples < _FEW_SAMPLES
    return "medium" if guessed else "good"


def caveats(
    sample_data: Mapping[str, int],
    after_samples: Sequence[str],
    count: int,
    asks: Offer,
    used: Used,
    need: Need,
    best: Offer | None,
) -> Iterator[str]:
    """Yield what is to be said with the advice, in words."""
    yield from _of_data(sample_data, after_samples)
    yield from _of_figures(used)
    if count > 1:
        yield f"asks {count} machines, and the figures are of the work of all: each may need less"
    yield from _of_gpu(asks, used, need)
    if asks.machine is None:
        yield f"the table does not say what {asks.instance} has"
    elif best is None:
        yield "no instance type in the table has so much"
    else:
        yield from _of_speed(best, used)


def _of_data(sample_data: Mapping[str, int], after_samples: Sequence[str]) -> Iterator[str]:
    if sample_data:
        size = size_text(sum(sample_data.values()))
        yield f"measured with sample data ({size}): memory and time grow with the data, how much is unknown"
    elif after_samples:
        shown = ", ".join(after_samples[:_MOST_NAMES]) + (", …" if len(after_samples) > _MOST_NAMES else "")
        yield f"comes after sample data (in {shown}): memory and time grow with the data, how much is unknown"


def _of_figures(used: Used) -> Iterator[str]:
    if used.seconds < SHORT_SECONDS:
        yield f"ran for {used.seconds:.1f} s, too short to tell much"
    elif used.samples < _FEW_SAMPLES:
        yield f"was looked at {used.samples} times only: a peak may be missing"
    if used.cores_mean is None:
        yield "nobody could read its CPU here: it gets as many cores as it asks for"
    if used.with_cached_files:
        yield "the memory is with files that the system would drop when it needs room: the step may need less"


def _of_gpu(asks: Offer, used: Used, need: Need) -> Iterator[str]:
    has = asks.machine
    if need.accelerator is not None:
        yield f"no GPU could be measured here: it keeps the {need.accelerators} x {need.accelerator} that it asks for"
    elif has is not None and has.accelerators and not need.accelerators:
        yield f"did not use a GPU here, and asks for {has.accelerator}: without, its image must be one for CPU"
    elif used.gpu is not None and need.accelerators:
        yield f"measured on {used.gpu.name}: another GPU has another speed"


def _of_speed(best: Offer, used: Used) -> Iterator[str]:
    if best.slower > 1.01 and used.cores_peak is not None:
        longer = 100 * (best.slower - 1)
        yield f"up to {longer:.0f} % longer than here on {best.instance}: its peak was {used.cores_peak:.1f} cores"
    if best.is_burstable and best.baseline is not None and (used.cores_mean or 0.0) > best.baseline:
        yield (
            f"{best.instance} is burstable: more than {best.baseline:.1f} cores are on credit, and a long step may"
            " be slowed down"
        )


def size_text(count: int) -> str:
    """Return `15 bytes`, `412 KiB`, `12 MiB`, `1.5 GiB`."""
    if count < 2**10:
        return f"{count} bytes"
    if count < 1000 * 2**10:
        return f"{count / 2**10:.0f} KiB"
    return f"{count / 2**20:.0f} MiB" if count < 1000 * 2**20 else f"{count / 2**30:.1f} GiB"
