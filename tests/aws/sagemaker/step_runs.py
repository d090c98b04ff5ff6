"""One step of an execution, from its start to its end, with all its tries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.aws.sagemaker.definition import Step
from tests.aws.sagemaker.scripts import Attempt, Line, StepScript

# Step type -> (member of the step's metadata, kind in the job's ARN, log group)
_JOBS = {
    "Processing": ("ProcessingJob", "processing-job", "/aws/sagemaker/ProcessingJobs"),
    "Training": ("TrainingJob", "training-job", "/aws/sagemaker/TrainingJobs"),
    "Transform": ("TransformJob", "transform-job", "/aws/sagemaker/TransformJobs"),
    "Tuning": ("TuningJob", "hyper-parameter-tuning-job", "/aws/sagemaker/TrainingJobs"),
}
_MADE = {"Model": ("Model", "model"), "RegisterModel": ("RegisterModel", "model-package")}
LONGEST_REASON = 1024


@dataclass
class StepRun:
    """A step that has begun; *attempt* counts from 1."""

    step: Step
    script: StepScript
    execution: str
    started: float
    attempt: int = 1
    status: str = "Starting"
    ended: float | None = None
    reason: str | None = None
    began: float = field(init=False)
    stops_at: float | None = None
    logged: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.began = self.started
        if self.step.type == "Fail":
            self.end(self.started, str(self.step.data["Arguments"].get("ErrorMessage", "Fail step")))
        elif self.script.cached_from or self.step.type == "Condition":
            self.end(self.started, None)

    @property
    def next_change(self) -> float | None:
        """When this step does something by itself, or None when it has ended; infinite when it waits for a call."""
        if self.ended is not None:
            return None
        if self.stops_at is not None:
            return self.stops_at
        return float("inf") if self._waits else self.began + self._now.starting + self._now.seconds

    @property
    def token(self) -> str | None:
        """The ten characters with which a callback step is ended."""
        return self._digest("token")[:10] if self._waits else None

    @property
    def job(self) -> str | None:
        """The name of the job of the current try, as the service makes it."""
        if self.step.type not in _JOBS or self.script.cached_from:
            return None
        return f"pipelines-{self.execution}-{self.step.name[:30]}-{self._digest(str(self.attempt))[:10]}"

    @property
    def log_group(self) -> str | None:
        return _JOBS[self.step.type][2] if self.step.type in _JOBS else None

    def play(self, now: float) -> None:
        """Come to the state of *now*."""
        while self.ended is None and self.began <= now:
            begins = self.began + self._now.starting
            self.status = "Executing" if now >= begins and self.stops_at is None else self.status
            self._log(now)
            if self.stops_at is not None:
                if now >= self.stops_at:
                    self.status, self.ended = "Stopped", self.stops_at
                return
            finished = begins + self._now.seconds
            if self._waits or now < finished:
                return
            self._finish(finished)

    def stop(self, now: float) -> None:
        if self.ended is None:
            self.status, self.stops_at = "Stopping", now + self.script.stopping

    def end(self, now: float, failure: str | None) -> None:
        self.status, self.ended = ("Failed" if failure is not None else "Succeeded"), now
        self.reason = failure[:LONGEST_REASON] if failure is not None else None

    def metadata(self, arn_prefix: str) -> dict[str, Any]:
        """Return the member Metadata of the step; *arn_prefix* ends with the account and a colon."""
        arguments = self.step.data.get("Arguments", {})
        match self.step.type:
            case kind if kind in _JOBS:
                member, arn_kind, _ = _JOBS[kind]
                return {member: {"Arn": f"{arn_prefix}{arn_kind}/{self.job}".lower()}} if self.job else {}
            case kind if kind in _MADE:
                member, arn_kind = _MADE[kind]
                return {member: {"Arn": f"{arn_prefix}{arn_kind}/{self.execution}-{self.step.name}".lower()}}
            case "Condition":
                return {"Condition": {"Outcome": "True" if self.script.outcome else "False"}}
            case "Fail":
                return {"Fail": {"ErrorMessage": str(arguments.get("ErrorMessage", ""))}}
            case "Callback":
                found = {"CallbackToken": self.token, "SqsQueueUrl": self.step.data.get("SqsQueueUrl")}
                return {"Callback": {key: value for key, value in found.items() if value}}
            case "Lambda":
                return {"Lambda": {"Arn": self.step.data.get("FunctionArn", "")}}
            case _:
                return {}

    @property
    def _waits(self) -> bool:
        return self.script.waits or self.step.type == "Callback"

    @property
    def _now(self) -> Attempt:
        return self.script.attempts[min(self.attempt, len(self.script.attempts)) - 1]

    def _finish(self, at: float) -> None:
        """End the current try: the step too, unless this try failed and there is another."""
        failure = self._now.failure
        if failure is None or self.attempt == len(self.script.attempts):
            self.end(at, failure)
            return
        self.reason = failure
        self.attempt += 1
        self.status, self.began = "Starting", at + self.script.pause

    def _log(self, now: float) -> None:
        """Write the lines of the current try that are due."""
        if self.job is None or not self._now.lines:
            return
        begins = self.began + self._now.starting
        found = [*_lines(self._now)]
        due = [line for line in found if begins + line.after <= now]
        if due or now >= begins:
            self.logged[self.job] = [(int((begins + line.after) * 1000), line.text) for line in due]

    def _digest(self, of: str) -> str:
        text = f"{self.execution}/{self.step.name}/{of}"
        return hashlib.sha256(text.encode()).hexdigest()


def _lines(attempt: Attempt) -> Iterator[Line]:
    for line in attempt.lines:
        yield Line(line) if isinstance(line, str) else line
