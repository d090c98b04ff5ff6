"""Whatever stands in a pipeline, nothing comes out but diagnostics, each with its place, in good time.

`make fuzz` runs more mutants; what it finds is kept in `regressions`, as small as it gets.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fuzz.judge import Projects, judge
from tests.fuzz.mutate import make_mutant
from tests.fuzz.run import fuzz
from tests.fuzz.seeds import seeds
from tests.fuzz.shrink import kept

SEED = 20_261
MUTANTS = 30_000 if os.environ.get("CI") else 1_500
REGRESSIONS = sorted((Path(__file__).parent / "regressions").glob("*.json"))


@pytest.mark.slow
def test_no_mutant_makes_the_compiler_fail(capfd: pytest.CaptureFixture[str]) -> None:
    tally = fuzz(SEED, MUTANTS)

    with capfd.disabled():
        print(f"\n{tally}")
    assert tally.failures == {}
    assert tally.mutants == MUTANTS
    assert len(tally.codes) > 60
    assert tally.valid > MUTANTS // 50
    assert tally.megabytes < 1_000


@pytest.mark.parametrize("file", REGRESSIONS, ids=lambda file: file.stem)
def test_what_failed_once_does_not_fail_again(file: Path, tmp_path: Path) -> None:
    verdict = judge(kept(file), Projects(tmp_path))

    assert verdict.problem is None
    assert verdict.valid or verdict.codes


def test_a_mutant_follows_from_its_seed_and_number() -> None:
    assert make_mutant(3, 17) == make_mutant(3, 17)
    assert make_mutant(3, 17) != make_mutant(4, 17)


def test_every_right_pipeline_and_every_wrong_one_is_a_seed() -> None:
    kinds = {seed.name.partition("/")[0] for seed in seeds()}
    assert kinds == {"folder", "docs", "corpus", "cases"}
    assert len(seeds()) > 300


def test_a_worker_that_dies_is_named_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUZZFLOW_FUZZ_DIE_AT", "3")

    tally = fuzz(1, 6, workers=2)

    assert tally.failures == {3: "died with -9"}
    assert tally.mutants == 5
