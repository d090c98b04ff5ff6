"""Everything in full: all jobs, spread over processes that each have an account of their own, and their sums."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from functools import reduce
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TypeVar

from tests.aws.faults import SWEEP, Fault
from tests.reliability.counts import Section, write_counts
from tests.reliability.deployers import Contest, contest
from tests.reliability.invariants import SCENARIOS, Scenario
from tests.reliability.sweep import Swept, doubles, sweep
from tests.reliability.world import World, world

Counted = TypeVar("Counted", Swept, Contest)
PAGE = Path(__file__).parents[2] / "docs" / "RELIABILITY.md"
_KINDS = {
    "one fault": SWEEP,
    "killed": (Fault.KILL_BEFORE, Fault.KILL_AFTER),
    "stopped": (Fault.INTERRUPT, Fault.TERMINATE),
}
_PORTION = 50  # runs or rounds that one job has
_worlds: list[World] = []


def main() -> int:
    """Run everything, write the counts into docs/RELIABILITY.md, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=main.__doc__)
    parser.add_argument("--doubles", type=int, default=300, help="runs with two faults")
    parser.add_argument("--rounds", type=int, default=500, help="rounds of concurrent deployers")
    parser.add_argument("--seed", type=int, default=1, help="of the runs with two faults")
    parser.add_argument("--workers", type=int, default=2, help="accounts that are broken side by side")
    options = parser.parse_args()
    begun = time.monotonic()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.workers, context, initializer=_open_world) as pool:
        sections = [_told(section()) for section in [*_sections(pool, options)]]
    write_counts(PAGE, sections, time.monotonic() - begun, options)
    return 1 if any(section.broken for section in sections) else 0


def _sections(pool: ProcessPoolExecutor, options: argparse.Namespace) -> Iterator[Callable[[], Section]]:
    """Start all jobs, and yield for each row of the tables what waits for its jobs."""
    for what, kinds in _KINDS.items():
        for scenario in SCENARIOS:
            jobs = [pool.submit(_sweep, scenario, kind) for kind in kinds]
            yield lambda what=what, jobs=jobs: Section.of_sweep(what, _sum(jobs))
    seeds = range(options.seed, options.seed + options.doubles // _PORTION)
    two = [pool.submit(_doubles, seed) for seed in seeds]
    yield lambda: Section.of_sweep("two faults", _sum(two))
    rounds = options.rounds // _PORTION
    with_lock = [pool.submit(_contest, locked=True) for _ in range(rounds)]
    yield lambda: Section.of_contest(_sum(with_lock), locked=True)
    control = [pool.submit(_contest, locked=False) for _ in range(max(1, rounds // 5))]
    yield lambda: Section.of_contest(_sum(control), locked=False)


def _sum(jobs: list[Future[Counted]]) -> Counted:
    return reduce(lambda a, b: a + b, (job.result() for job in jobs))


def _told(section: Section) -> Section:
    print(*section.cells, *section.broken, sep=" | ", file=sys.stderr, flush=True)
    return section


# ------------------------------------------------------------------ in a process with a world of its own


def _open_world() -> None:
    stack = ExitStack()
    _worlds.append(stack.enter_context(world()))
    Finalize(None, stack.close, exitpriority=10)


def _sweep(scenario: Scenario, kind: Fault) -> Swept:
    return sweep(_worlds[0], scenario, [kind])


def _doubles(seed: int) -> Swept:
    return doubles(_worlds[0], SCENARIOS, SWEEP, _PORTION, seed)


def _contest(*, locked: bool) -> Contest:
    return contest(_worlds[0], _PORTION, locked=locked)
