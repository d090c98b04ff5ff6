"""The steps of an imported definition, and how each was said, as a table."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.table import Table
from rich.text import Text


def imported_steps(rows: Iterable[tuple[str, str, str, str]]) -> Table:
    """Return a line for each step: its name, its type, how it was imported, and why so."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
    for title in ("step", "type", "imported", "because"):
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table
