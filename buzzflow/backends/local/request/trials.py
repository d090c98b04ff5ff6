"""What a caller lets go wrong on purpose: `--fail train=capacity_error,n=2`, `--interrupt train@30s`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from buzzflow.backends.local import plan
from buzzflow.backends.service import JOB_ERRORS, STEP_ERRORS
from buzzflow.diagnostics import Diagnostic, did_you_mean

RETRIED = (*STEP_ERRORS, *JOB_ERRORS)  # what a retry policy may name
OUT_OF_MEMORY, TIMEOUT, EXIT = "out_of_memory", "timeout", "exit="
_SHORT = {"internal_error": "job_internal_error"}
_FAIL = re.compile(r"(?P<step>[^=]+)=(?P<error>exit=\d{1,3}|[a-z_]+)(?:,n=(?P<count>\d{1,2}))?")
_INTERRUPT = re.compile(r"(?P<step>[^@]+)@(?P<number>\d+(?:\.\d+)?)(?P<unit>s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_HOW_TO_FAIL = "write --fail train=capacity_error, or --fail train=exit=3,n=2 for two attempts"
_HOW_TO_INTERRUPT = "write --interrupt train@30s"


@dataclass(frozen=True, slots=True)
class Trial:
    """What happens to one step: *failures* of its first attempts, and *interruptions* of those that run, in seconds."""

    failures: tuple[str, ...] = ()
    interruptions: tuple[float, ...] = ()


def read_trials(
    steps: Iterable[plan.Step], fail: Sequence[str], interrupt: Sequence[str]
) -> tuple[dict[str, Trial], list[Diagnostic]]:
    """Return the trials by step, and what is wrong with the texts that ask for them."""
    known = {step.name: step for step in steps}
    trials: dict[str, Trial] = {}
    problems: list[Diagnostic] = []
    for text in fail:
        match = _FAIL.fullmatch(text)
        problem = _no_failure(text, match, known)
        if problem is not None or match is None:
            problems += [problem] if problem else []
            continue
        error = _SHORT.get(match["error"], match["error"])
        had = trials.get(match["step"], Trial())
        trials[match["step"]] = replace(had, failures=had.failures + (error,) * int(match["count"] or 1))
    for text in interrupt:
        match = _INTERRUPT.fullmatch(text)
        problem = _no_interruption(text, match, known)
        if problem is not None or match is None:
            problems += [problem] if problem else []
            continue
        seconds = float(match["number"]) * _SECONDS[match["unit"]]
        had = trials.get(match["step"], Trial())
        trials[match["step"]] = replace(had, interruptions=(*had.interruptions, seconds))
    return trials, problems


def _no_failure(text: str, match: re.Match[str] | None, known: dict[str, plan.Step]) -> Diagnostic | None:
    if match is None:
        return Diagnostic("BF560", f"--fail {text}: a step, = and an error are needed", hint=_HOW_TO_FAIL)
    step, error = match["step"], match["error"]
    if (problem := _no_job("BF560", f"--fail {text}", step, known)) is not None:
        return problem
    errors = (*RETRIED, *_SHORT, OUT_OF_MEMORY, TIMEOUT)
    if error not in errors and not error.startswith(EXIT):
        hint = did_you_mean(error, [*errors, "exit=1"], label="errors")
        return Diagnostic("BF560", f"--fail {text}: there is no error {error!r}", ("steps", step), hint)
    if error == f"{EXIT}0":
        hint = "with exit code 0 a step succeeds: name another one"
        return Diagnostic("BF560", f"--fail {text}: exit code 0 is no failure", ("steps", step), hint)
    return None


def _no_interruption(text: str, match: re.Match[str] | None, known: dict[str, plan.Step]) -> Diagnostic | None:
    if match is None:
        return Diagnostic("BF561", f"--interrupt {text}: a step, @ and a time are needed", hint=_HOW_TO_INTERRUPT)
    name = match["step"]
    if (problem := _no_job("BF561", f"--interrupt {text}", name, known)) is not None:
        return problem
    step = known[name]
    if not isinstance(step, plan.TrainingStep):
        what = f"--interrupt {text}: {name!r} is a {step.type} step, and only trainings run on spot machines"
        return Diagnostic("BF561", what, ("steps", name, "type"), "name a training step with checkpoints")
    if step.container.training is None or step.container.training.checkpoints is None:
        what = f"--interrupt {text}: {name!r} has no checkpoints, so it would begin again and prove nothing"
        hint = "add checkpoints: {} and let the script go on from /opt/ml/checkpoints"
        return Diagnostic("BF561", what, ("steps", name), hint)
    return None


def _no_job(code: str, option: str, name: str, known: dict[str, plan.Step]) -> Diagnostic | None:
    if name not in known:
        hint = did_you_mean(name, known, label="steps")
        return Diagnostic(code, f"{option}: there is no step {name!r}", hint=hint)
    step = known[name]
    if not isinstance(step, plan.ProcessingStep | plan.TrainingStep):
        what = f"{option}: {name!r} is a {step.type} step, which runs no job"
        return Diagnostic(code, what, ("steps", name, "type"), "name a processing or training step")
    return None
