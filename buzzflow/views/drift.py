"""How deployed pipelines stand to their files, for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from buzzflow.backends.sagemaker.deploying.drift import Drift, State

_STYLES = {
    State.SAME: "green",
    State.EDITED: "bold red",
    State.BEHIND: "yellow",
    State.MISSING: "yellow",
    State.GONE: "red",
}


def table(found: Sequence[Drift]) -> RenderableType:
    """Return one row for each pipeline."""
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
    for title in ("pipeline", "region", "state", "why", "from"):
        grid.add_column(title, overflow="fold", no_wrap=title == "state")
    for each in found:
        state = Text(each.state.value, _STYLES[each.state])
        grid.add_row(each.name, each.region, state, each.told, each.commit[:12])
    return grid


def verdict(found: Sequence[Drift]) -> str:
    """Return one line about all of them."""
    differ = sum(each.state is not State.SAME for each in found)
    many = "1 pipeline" if len(found) == 1 else f"{len(found)} pipelines"
    return f"{many}, {differ or 'none'} not as here"
