"""Which instance type fits each step of a run: for a terminal of 80 columns, as one line, and as data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, assert_never

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from buzzflow.instances.advice import Advice, RunAdvice, Verdict
from buzzflow.instances.need import RESERVED_GIB
from buzzflow.instances.offers import Offer
from buzzflow.views.figures import cores, duration, memory

OFFER_TITLES = ("instance", "vCPU", "GiB", "USD/h", "USD a run", "")
_STYLES = {
    Verdict.RIGHT: "green",
    Verdict.CHEAPER: "cyan",
    Verdict.SMALLER: "cyan",
    Verdict.SLOW: "yellow",
    Verdict.TIGHT: "yellow",
    Verdict.TOO_SMALL: "bold red",
    Verdict.UNKNOWN: "dim",
}


def details(advice: RunAdvice) -> RenderableType:
    """Return all steps of a run, each with what it used, what fits, and what the figures leave open."""
    parts: list[RenderableType] = []
    for name, one in advice.steps.items():
        parts += [_head(name, one), _table(one, advice.margin), *map(_indented, one.caveats), Text()]
    parts += [Text.assemble((name, "bold"), f"  no advice: {why}") for name, why in advice.without.items()]
    parts += [Text(note, "dim") for note in notes(advice)] if advice.steps else []
    return Group(*parts)


def _indented(told: str) -> RenderableType:
    return Padding(Text(told, "dim"), (0, 0, 0, 2), expand=False)


def _head(name: str, one: Advice) -> Text:
    return Text.assemble((name, "bold"), "  ", (verdict(one), _STYLES[one.verdict]), f"  ({one.confidence} confidence)")


def verdict(one: Advice) -> str:
    """Return what is to be said of the instance type that the step asks for."""
    best = "" if one.best is None else one.best.instance
    match one.verdict:
        case Verdict.RIGHT:
            return f"{one.asks.instance} is right"
        case Verdict.CHEAPER:
            return f"{best} fits, {one.saving} % cheaper than {one.asks.instance}"
        case Verdict.SMALLER:
            return f"{best} fits; what it saves is unknown"
        case Verdict.SLOW:
            return f"{one.asks.instance} has too few cores to be as fast as here"
        case Verdict.TIGHT:
            return f"{one.asks.instance} has less memory than the margin wants"
        case Verdict.TOO_SMALL:
            return _danger(one)
        case Verdict.UNKNOWN:
            return f"nothing can be said of {one.asks.instance}"
        case _:
            assert_never(one.verdict)


def _danger(one: Advice) -> str:
    has = one.asks.machine
    if has is not None and has.memory_gib < one.used.memory_gib + RESERVED_GIB:
        used = memory(one.used.memory_bytes)
        return f"used {used}, {one.asks.instance} has {has.memory_gib:g} GiB: it would be killed"
    return f"used a GPU, {one.asks.instance} has too few"


def _table(one: Advice, margin: float) -> RenderableType:
    used, need = one.used, one.need
    peak = "" if used.cores_peak is None else f", at most {cores(used.cores_peak)},"
    told = f"used {cores(used.cores_mean)} cores{peak} and {memory(used.memory_bytes)}"
    more = f"{100 * margin:g} % more, and {RESERVED_GIB} GiB for the instance itself"
    wants = f"needs {need.cores:.2f} cores and {need.memory_gib:.1f} GiB: {more}"
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False, header_style="dim")
    grid.add_column("  instance", no_wrap=True)
    for title in OFFER_TITLES[1:-1]:
        grid.add_column(title, justify="right", no_wrap=True)
    grid.add_column("")
    for (instance, *others), is_best in offer_rows(one):
        grid.add_row(f"{'>' if is_best else ' '} {instance}", *others)
    return Group(Text(f"  {told}, in {duration(used.seconds)}"), Text(f"  {wants}"), grid)


def offer_rows(one: Advice) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield a row for each instance type, in the columns of OFFER_TITLES, and whether it is the one to take."""
    for offer, why in _rows(one):
        is_best = one.best is not None and offer.instance == one.best.instance
        yield (*_row(offer, one), why), is_best


def _rows(one: Advice) -> Iterator[tuple[Offer, str]]:
    if one.best is not None and one.best.instance != one.asks.instance:
        yield one.best, "the cheapest that fits"
    elif one.best is not None:
        yield one.asks, "asked for; the cheapest that fits"
    for other in one.others:
        yield other.offer, other.why
    if one.best is None or one.best.instance != one.asks.instance:
        yield one.asks, "asked for"


def _row(offer: Offer, one: Advice) -> tuple[str, str, str, str, str]:
    has = offer.machine
    cpus, gib = ("-", "-") if has is None else (str(has.vcpus), f"{has.memory_gib:g}")
    price = "-" if offer.per_hour is None else f"{offer.per_hour:.3f}"
    return offer.instance, cpus, gib, price, _usd(offer.per_run(one.used.seconds, one.asked.count))


def _usd(amount: float | None) -> str:
    if amount is None:
        return "-"
    if amount < 0.0001:
        return "<0.0001"
    return f"{amount:.2f}" if amount >= 1 else f"{amount:.4f}"


def notes(advice: RunAdvice) -> Iterator[str]:
    """Yield what all prices and times of the advice rest on."""
    market = advice.market
    where = market.prices
    if not market.is_known:
        where += f", for want of those of {market.region}" if market.region else ", as no region is known"
    yield f"prices: on demand, of {advice.prices}, in {where}"
    yield "a run: as long as here, start-up and downloads not included; another CPU has another speed"


# ------------------------------------------------------------------ one line a step, after a run


def lines(advice: RunAdvice) -> Iterator[Text]:
    """Yield a line for each step that would fail on what it asks for, or cost clearly less elsewhere."""
    worth = {name: one for name, one in advice.steps.items() if one.is_worthwhile}
    for name, one in worth.items():
        told = _danger(one) if one.verdict is Verdict.TOO_SMALL else _offered(one)
        yield Text.assemble((f"{name}: ", "bold"), (told, _STYLES[one.verdict]))
    if worth:
        sampled = any(one.asked.is_sampled for one in worth.values())
        yield Text("with sample data; more: buzzflow advise" if sampled else "more: buzzflow advise", "dim")


def _offered(one: Advice) -> str:
    used = "" if one.used.cores_mean is None else f"{one.used.cores_mean:.1f} cores, "  # 80 columns: few words
    best = "" if one.best is None else one.best.instance
    return f"{used}{memory(one.used.memory_bytes)} of {one.asks.instance}: {best} fits, {one.saving} % cheaper"


# ------------------------------------------------------------------ data


def as_data(advice: RunAdvice) -> dict[str, Any]:
    """Return all of it as JSON can hold it; null is unknown."""
    return {
        "run": advice.run,
        "pipeline": advice.pipeline,
        "region": advice.market.region,
        "prices": {"region": advice.market.prices, "date": str(advice.prices)},
        "margin": advice.margin,
        "steps": {name: step_data(one) for name, one in advice.steps.items()},
        "without": dict(advice.without),
    }


def step_data(one: Advice) -> dict[str, Any]:
    """Return the advice about one step."""
    return {
        "verdict": one.verdict.value,
        "text": verdict(one),
        "kind": one.asked.kind,
        "count": one.asked.count,
        "asks": _offer(one.asks, one),
        "best": None if one.best is None else _offer(one.best, one),
        "others": [{**_offer(other.offer, one), "why": other.why} for other in one.others],
        "saving_percent": one.saving,
        "confidence": one.confidence,
        "caveats": [*one.caveats],
        "used": asdict(one.used),
        "need": asdict(one.need),
        "sample_data": {**one.asked.sample_data},
    }


def _offer(offer: Offer, one: Advice) -> dict[str, Any]:
    return {
        "instance": offer.instance,
        **({} if offer.machine is None else asdict(offer.machine)),
        "usd_per_hour": offer.per_hour,
        "usd_per_run": offer.per_run(one.used.seconds, one.asked.count),
        "slower": round(offer.slower, 3),
    }
