"""What must hold after every fault, whichever it was and wherever it struck."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.aws.faults import Fault
from tests.reliability.command import Run
from tests.reliability.project import CANARIES, State
from tests.reliability.world import World

# What one retry heals, so that who deploys does not see it.
HEALED = frozenset(
    (Fault.RESET, Fault.LOST, Fault.TRUNCATED, Fault.HANG, Fault.THROTTLE, Fault.INTERNAL, Fault.UNAVAILABLE)
)
KILLS = frozenset((Fault.KILL_BEFORE, Fault.KILL_AFTER))
STOPS = frozenset((Fault.TERMINATE, Fault.INTERRUPT))
_KILLED, _INTERRUPTED = -9, 130
_SLOWEST = 30.0


@dataclass(frozen=True)
class Scenario:
    """A deployment: what the account holds *before* it, and what is deployed."""

    name: str
    before: State | None
    wanted: State


SCENARIOS = (
    Scenario("create (new)", None, "new"),
    Scenario("create (update)", "old", "new"),
    Scenario("create (no change)", "new", "new"),
)


def broken_by(world: World, scenario: Scenario, run: Run, faults: Sequence[Fault]) -> Iterator[str]:
    """Yield which invariants the end of *run*, in which *faults* struck, breaks."""
    now, wanted = world.now(), world.held[scenario.wanted]
    allowed = [wanted, *([world.held[scenario.before]] if scenario.before else [])]
    if now is None and scenario.before is not None:
        yield "I1: the pipeline is gone"
    if now is not None and not any(now.is_same_pipeline(held) for held in allowed):
        yield "I1: the pipeline is neither the old nor the new one"
    if run.code == 0 and now != wanted:
        yield "I2: exit code 0, and the pipeline or its tags are not what was deployed"
    if world.aws.executions:
        yield "I3: something was started"
    if scenario.before == scenario.wanted and world.aws.calls.writing:
        yield f"I3: nothing was to be written: {world.aws.calls.writing[0]}"
    if world.locks() and run.code != _KILLED and "force-unlock" not in run.told:
        yield "I4: a lock is left, and nobody is told"
    yield from _of_the_code(run, faults)
    yield from _of_the_words(world, run)


def broken_after(world: World, scenario: Scenario, again: Run) -> Iterator[str]:
    """Yield what *again*, the same command run until it ends well, leaves broken; a third one has nothing to do."""
    if again.code != 0:
        yield f"I5: the second run ends with {again.code}: {again.told[-400:]}"
        return
    if world.now() != world.held[scenario.wanted]:
        yield "I5: the second run leaves another pipeline"
    if world.locks():
        yield "I4: the second run leaves a lock"
    world.aws.calls.clear()
    if world.deploy(scenario.wanted).wrote or world.aws.calls.writing:
        yield f"I5: a third run still writes: {[*map(str, world.aws.calls.writing)]}"
    yield from _of_the_words(world, again)


def _of_the_code(run: Run, faults: Sequence[Fault]) -> Iterator[str]:
    struck = {*faults}
    expected = {0, 1}
    if struck <= HEALED and len(faults) == 1:
        expected = {0}
    if struck & STOPS:
        expected = {0, _INTERRUPTED}  # a signal in the last call comes too late
    if struck & KILLS:
        expected |= {_KILLED}
    if run.code not in expected:
        yield f"I6: exit code {run.code} after {', '.join(f.name for f in faults)}: {run.told[-400:]}"
    if run.seconds > _SLOWEST:
        yield f"I6: it took {run.seconds:.0f} s"


def _of_the_words(world: World, run: Run) -> Iterator[str]:
    if "Traceback" in run.told:
        yield f"I6: a traceback: {run.told[-600:]}"
    stored = world.stored()
    for name, canary in CANARIES.items():
        if canary in run.told or canary in stored:
            yield f"I7: the value of {name} is told"
