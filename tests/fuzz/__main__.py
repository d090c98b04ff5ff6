"""`make fuzz`: more mutants than CI has time for. `--mutants 100000 --seed 7`, or `--show 7:4711` for one of them."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.fuzz.judge import Projects, judge
from tests.fuzz.mutate import make_mutant
from tests.fuzz.run import fuzz
from tests.fuzz.shrink import keep, shrunk

HERE = Path(__file__).parent


def main() -> int:
    """Fuzz, and keep what fails, as small as it gets, beside the regression cases."""
    parser = argparse.ArgumentParser(prog="make fuzz ARGS=…", description=__doc__)
    parser.add_argument("--mutants", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--workers", type=int)
    parser.add_argument("--show", metavar="SEED:NUMBER", help="print one mutant and what becomes of it")
    given = parser.parse_args()
    if given.show:
        return _show(*map(int, given.show.split(":")))
    print(f"seed {given.seed}", flush=True)
    tally = fuzz(given.seed, given.mutants, given.workers)
    print(tally)
    seen = set()
    for number, problem in sorted(tally.failures.items()):
        if number >= 0 and problem not in seen and not problem.startswith(("hangs", "died")):
            seen.add(problem)
            print(f"{problem}: {keep(shrunk(make_mutant(given.seed, number), problem), problem, HERE / 'found')}")
    return 1 if tally.failures else 0


def _show(run: int, number: int) -> int:
    mutant = make_mutant(run, number)
    for name, text in mutant.texts.items():
        print(f"--- # file: {name}\n{text}")
    print(f"settings {mutant.settings}, local {mutant.local}, of {mutant.seed.name}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        print(judge(mutant, Projects(Path(folder))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
