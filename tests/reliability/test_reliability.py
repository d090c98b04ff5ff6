"""A reduced version of `make reliability`: some calls, all kinds of faults; what it checks is the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.aws.faults import SWEEP, Fault
from tests.reliability.counts import BEGIN, END, Section, write_counts
from tests.reliability.deployers import contest
from tests.reliability.invariants import SCENARIOS, broken_by
from tests.reliability.sweep import Swept, doubles, strike

PAGE = Path(__file__).parents[2] / "docs" / "RELIABILITY.md"
NEW, UPDATE, NOTHING = SCENARIOS
WRITES = ["PutObject", "UpdatePipeline", "AddTags", "DeleteTags", "DeleteObject"]


def test_without_faults_a_deployment_ends_well_and_a_second_one_writes_nothing(made):
    for scenario in SCENARIOS:
        made.put(scenario.before)
        run = made.create(scenario.wanted)
        assert run.code == 0
        assert [*broken_by(made, scenario, run, [])] == []


@pytest.mark.parametrize("kind", SWEEP, ids=lambda kind: kind.name)
def test_every_kind_of_fault_is_survived(made, kind):
    """In an update, which has the most kinds of calls; the full sweep strikes every call of all three deployments."""
    swept = Swept("update")
    for number in (10, 18 + [*SWEEP].index(kind) % 8):
        strike(made, UPDATE, [(number, kind)], swept)
    assert not swept.broken, swept.told
    assert swept.struck == 2


@pytest.mark.parametrize("kind", [Fault.KILL_AFTER, Fault.ACCESS_DENIED], ids=lambda kind: kind.name)
@pytest.mark.parametrize("operation", WRITES)
def test_every_write_may_be_the_last(made, operation, kind):
    swept = Swept("update")
    assert strike(made, UPDATE, [(operation, kind)], swept)
    assert not swept.broken, swept.told


@pytest.mark.parametrize("kind", [Fault.INTERRUPT, Fault.TERMINATE], ids=lambda kind: kind.name)
def test_who_is_stopped_leaves_no_lock(made, kind):
    swept = Swept("update")
    for operation in ("PutObject", "UpdatePipeline"):
        strike(made, UPDATE, [(operation, kind)], swept)
    assert not swept.broken, swept.told
    assert swept.slowest < 10


def test_two_faults_are_survived(made):
    swept = doubles(made, SCENARIOS, SWEEP, 8, seed=3)
    assert not swept.broken, swept.told


def test_a_lock_whose_creation_seemed_to_fail_is_ended(made):
    swept = Swept("update")
    strike(made, UPDATE, [("PutObject", Fault.LOST), ("PutObject", Fault.ACCESS_DENIED)], swept)
    assert not swept.broken, swept.told


def test_a_lock_that_was_left_by_a_killed_process_is_ended_even_where_nothing_is_to_be_written(made):
    swept = Swept("update")
    assert strike(made, UPDATE, [("DeleteObject", Fault.KILL_BEFORE)], swept)
    assert not swept.broken, swept.told


def test_of_deployers_at_once_one_after_the_other_writes(made):
    found = contest(made, 4, locked=True)
    assert found.torn == 0
    assert {*found.outcomes} <= {"wrote", "nothing to do"}


def test_without_the_lock_they_tear_the_pipeline(made):
    """The control: a test that could not fail would prove nothing."""
    for _ in range(40):  # of all rounds, 4 to 13 in a hundred are torn
        if contest(made, 5, locked=False).torn:
            return
    pytest.fail("200 rounds without a lock, and none is torn: the contest does not contend")


def test_the_page_has_the_counts_of_a_full_run_in_which_nothing_broke():
    counts = PAGE.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in counts.splitlines() if line[:1] == "|"]
    sweeps = [row for row in rows if len(row) == 9 and row[8].isdecimal()]
    assert len(sweeps) == 10
    assert {row[8] for row in sweeps} == {"0"}
    assert sum(int(row[4]) for row in sweeps) >= 1_000
    [locked, control] = [row for row in rows if len(row) == 4 and row[3].isdecimal()]
    assert (int(locked[1]) >= 500, int(locked[3]), int(control[3]) > 0) == (True, 0, True)
    assert re.search(r"commit [0-9a-f]{12}", counts)


def test_counts_are_written_between_the_markers(tmp_path):
    from argparse import Namespace

    page = tmp_path / "page.md"
    page.write_text(f"# Title\n\n{BEGIN}\nold\n{END}\n\nmore\n")
    section = Section.of_sweep("one fault", Swept("update", calls=2, runs=3, struck=2))
    write_counts(page, [section], 60.0, Namespace(doubles=1, rounds=2, seed=3))
    text = page.read_text()
    assert text.startswith(f"# Title\n\n{BEGIN}\n\n| what happens |")
    assert "| one fault | update | 2 | 3 | 2 | 0 | 0 | 0.0 s | 0 |" in text
    assert text.endswith(f"{END}\n\nmore\n")
    assert "\nold\n" not in text
