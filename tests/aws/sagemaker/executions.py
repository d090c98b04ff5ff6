"""One execution of a pipeline, played from a script up to the moment at which somebody asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.aws.errors import ServiceError
from tests.aws.sagemaker.definition import Definition, Step
from tests.aws.sagemaker.scripts import SUCCEEDS, StepScript
from tests.aws.sagemaker.step_runs import StepRun

FAILED_STEP = "Step failure: One or multiple steps failed."


@dataclass
class Execution:
    """One execution. Its *clock* says up to when it has been played."""

    arn: str
    pipeline_arn: str
    text: str
    definition: Definition
    parameters: dict[str, str]
    scripts: Mapping[str, StepScript]
    request: dict[str, Any]
    started: float
    clock: float
    modified: float
    version: int = 1
    status: str = "Executing"
    reason: str | None = None
    runs: dict[str, StepRun] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.arn.rpartition("/")[2]

    @property
    def limit(self) -> int:
        """How many steps may run at a time."""
        configuration = self.request.get("ParallelismConfiguration") or {}
        return int(configuration.get("MaxParallelExecutionSteps", 200))

    @property
    def selected(self) -> frozenset[str]:
        """The steps that are to run: all, or those of a selective execution."""
        selection = self.request.get("SelectiveExecutionConfig")
        if selection is None:
            return frozenset(self.definition.steps)
        return frozenset(step["StepName"] for step in selection["SelectedSteps"])

    def play(self, now: float) -> None:
        """Let everything happen that is due until *now*."""
        while self.status in ("Executing", "Stopping"):
            if self.status == "Executing":
                self._start_ready()
            coming = [run.next_change for run in self.runs.values() if run.next_change is not None]
            if not coming:
                self._end()
                return
            if min(coming) > now:
                break
            self.clock = max(self.clock, min(coming))
            for run in self.runs.values():
                run.play(self.clock)
        for run in self.runs.values():
            run.play(now)

    def stop(self, now: float) -> None:
        """Stop what runs; what has not begun never will."""
        self.play(now)
        if self.status not in ("Executing", "Stopping"):
            raise ServiceError(
                "ValidationException", f"Pipeline execution with ARN {self.arn} is in status {self.status}."
            )
        self.status, self.modified = "Stopping", now
        for run in self.runs.values():
            run.stop(now)
        self.play(now)

    def retry(self, now: float, scripts: Mapping[str, StepScript]) -> None:
        """Run again what did not succeed, from now on by *scripts*."""
        self.play(now)
        if self.status not in ("Failed", "Stopped"):
            raise ServiceError(
                "ValidationException",
                f"Only executions in status Failed or Stopped can be retried; {self.arn} is in status {self.status}.",
            )
        self.scripts = scripts
        self.runs = {name: run for name, run in self.runs.items() if run.status == "Succeeded"}
        self.status, self.reason, self.clock, self.modified = "Executing", None, now, now
        self.play(now)

    def call_back(self, token: str, now: float, failure: str | None) -> bool:
        """End the step that waits for *token*, if it is one of this execution."""
        self.play(now)
        for run in self.runs.values():
            if run.token == token:
                if run.ended is not None:
                    raise ServiceError("ConflictException", f"The step of token {token} has ended already.")
                self.clock = now
                run.end(now, failure)
                self.play(now)
                return True
        return False

    def _start_ready(self) -> None:
        if any(run.status == "Failed" for run in self.runs.values()):
            return
        again = True
        while again:  # what takes no time makes the next step ready at the same moment
            again = False
            for step in self.definition.steps.values():
                running = sum(run.ended is None for run in self.runs.values())
                if running < self.limit and self._is_ready(step):
                    self.runs[step.name] = self._started(step)
                    again |= self.runs[step.name].ended is not None

    def _started(self, step: Step) -> StepRun:
        script = self.scripts.get(step.name, SUCCEEDS)
        run = StepRun(step, script, self.id, self.clock)
        run.play(self.clock)
        return run

    def _is_ready(self, step: Step) -> bool:
        if step.name in self.runs or step.name not in self.selected:
            return False
        needed = step.needs & self.selected
        if not all(name in self.runs and self.runs[name].status == "Succeeded" for name in needed):
            return False
        if step.branch is None or step.branch[0] not in self.selected:
            return True
        condition, outcome = step.branch
        return self.scripts.get(condition, SUCCEEDS).outcome == outcome

    def _end(self) -> None:
        """Say how it all ended; a step that was never reached does not count."""
        states = {run.status for run in self.runs.values()}
        if self.status == "Stopping":
            self.status = "Stopped"
        elif "Failed" in states:
            self.status, self.reason = "Failed", FAILED_STEP
        else:
            self.status = "Succeeded"
        self.modified = self.clock
