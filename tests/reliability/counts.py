"""Counts of a full run, as tables between two markers of docs/RELIABILITY.md."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.reliability.deployers import DEPLOYERS, Contest
from tests.reliability.sweep import Swept

_DEPLOYING = "buzzflow/backends/sagemaker/deploying"
BEGIN, END = "<!-- counts: begin -->", "<!-- counts: end -->"


@dataclass(frozen=True)
class Section:
    """One row of counts: which table it is of, its cells, and what broke."""

    table: str
    cells: tuple[str, ...]
    broken: tuple[str, ...] = ()

    @classmethod
    def of_sweep(cls, what: str, swept: Swept) -> Section:
        cells = (
            what,
            swept.name,
            str(swept.calls or "random"),
            str(swept.runs),
            str(swept.struck),
            str(swept.healed),
            str(swept.explained),
            f"{swept.slowest:.1f} s",
            str(len(swept.broken)),
        )
        return cls("sweep", cells, tuple(swept.broken))

    @classmethod
    def of_contest(cls, found: Contest, *, locked: bool) -> Section:
        """Count torn rounds; without the lock there must be some, or the count of zero would say nothing."""
        outcomes = ", ".join(f"{what} {count}" for what, count in sorted(found.outcomes.items()))
        cells = ("with the lock" if locked else "without (control)", str(found.rounds), outcomes, str(found.torn))
        right = found.torn == 0 if locked else found.torn > 0
        return cls("contest", cells, () if right else (f"{cells[0]}: {found.torn} of {found.rounds} rounds torn",))


_HEADS = {
    "sweep": (
        "what happens", "deployment", "calls", "runs", "faults", "ended well all the same", "next run told of it",
        "slowest", "invariants broken",
    ),
    "contest": (f"{DEPLOYERS} deployers at once", "rounds", "how single deployments ended", "rounds torn"),
}  # fmt: skip


def write_counts(page: Path, sections: Sequence[Section], seconds: float, options: argparse.Namespace) -> None:
    """Replace what stands between the markers of *page*."""
    before, _, rest = page.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    tables = [_table(name, [s for s in sections if s.table == name]) for name in _HEADS]
    parts = [BEGIN, *tables, _circumstances(seconds, options), END]
    page.write_text(before + "\n\n".join(parts) + after, "utf-8")


def _table(name: str, sections: Sequence[Section]) -> str:
    head = _HEADS[name]
    rows = [head, tuple("---" for _ in head), *(section.cells for section in sections)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _circumstances(seconds: float, options: argparse.Namespace) -> str:
    where = f"{os.cpu_count()} cores, {platform.system()} {platform.release().split('-')[0]}"
    versions = ", ".join(f"{name} {version(name)}" for name in ("buzzflow", "botocore", "moto"))
    asked = f"--doubles {options.doubles} --rounds {options.rounds} --seed {options.seed}"
    code = f"commit {_git('HEAD')} (`{_DEPLOYING}` is tree {_git(f'HEAD:{_DEPLOYING}')})"
    return (
        f"Written by `make reliability` (`python -m tests.reliability {asked}`) on {datetime.now(UTC):%Y-%m-%d} at "
        f"{code}, in {seconds / 60:.0f} minutes on {where}, Python {platform.python_version()}, {versions}."
    )


def _git(name: str) -> str:
    """Return the short id of a commit, or of a tree, which stays the same when commits are rebased."""
    command = ["git", "-C", str(Path(__file__).parents[2]), "rev-parse", "--short=12", name]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"
