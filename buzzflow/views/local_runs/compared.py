"""Two runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, assert_never

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from buzzflow.backends.local.history.compare import Row, Unit
from buzzflow.backends.local.records.manifest import Plain
from buzzflow.backends.printable import printable
from buzzflow.views.figures import cores, duration, memory

_DIGEST = 12  # characters that are shown of one


def table(rows: Sequence[Row], left: str, right: str, *, everything: bool) -> RenderableType:
    """Return the rows that differ, or with *everything* all, those that differ marked."""
    shown = [row for row in rows if everything or row.differs]
    if not shown:
        return Text("nothing differs but times and figures, and those by less than a tenth; --all shows everything")
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for title in ("", left, right, "change"):
        grid.add_column(title, overflow="fold")
    for section, members in groupby(shown, lambda row: row.section):
        grid.add_row(Text(section, "bold"))
        for row in members:
            style = "" if row.differs else "dim"
            cells = (_told(row.left, row), _told(row.right, row), _change(row))
            grid.add_row(Text(f"  {printable(row.name)}", style), *(Text(cell, style) for cell in cells))
    return Group(grid)


def _told(value: Plain | None, row: Row) -> str:
    if value is None:
        return "-"
    if row.section == "code":
        return str(value)[:_DIGEST]
    match row.unit:
        case Unit.SECONDS:
            return duration(float(value))
        case Unit.CORES:
            return cores(float(value))
        case Unit.BYTES:
            return memory(int(value))
        case Unit.NONE:
            return f"{value:.6g}" if isinstance(value, float) else printable(str(value))
        case _:
            assert_never(row.unit)


def _change(row: Row) -> str:
    """Return the difference of two numbers: of measured ones in percent, of others as it is."""
    a, b = row.left, row.right
    if not row.differs or not isinstance(a, int | float) or not isinstance(b, int | float):
        return ""
    if isinstance(a, bool) or isinstance(b, bool):
        return ""
    if row.unit is Unit.NONE:
        return f"{b - a:+.6g}"
    return f"{100 * (b - a) / a:+.0f}%" if a else ""


def as_data(rows: Sequence[Row], left: str, right: str) -> dict[str, Any]:
    """Return all rows as JSON can hold them."""
    told = [
        {"section": r.section, "name": r.name, "left": r.left, "right": r.right, "unit": r.unit.value or None}
        | {"differs": r.differs}
        for r in rows
    ]
    return {"left": left, "right": right, "rows": told}
