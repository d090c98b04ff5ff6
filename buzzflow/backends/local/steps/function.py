"""Call a Python function that stands in for one of AWS Lambda: in a container or process of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from buzzflow import entry
from buzzflow.backends.local import evaluate, plan
from buzzflow.backends.local.events import State, StepFinished
from buzzflow.backends.local.executor import End, ExecutorError, Mount, Task
from buzzflow.backends.local.request.answers import fits
from buzzflow.backends.local.request.here import Function
from buzzflow.backends.local.steps.failures import failed
from buzzflow.backends.local.steps.log import StepLog
from buzzflow.backends.local.steps.means import Means
from buzzflow.backends.local.steps.recorded import plain_tree
from buzzflow.backends.local.steps.results import Left, StepPlace
from buzzflow.backends.local.steps.staging import OPT_ML
from buzzflow.backends.local.walls import read_some

_SECONDS = 600  # the service's own limit for a lambda step (Developer Guide, "Lambda step")
_MOST_BYTES = 6 * 1024 * 1024  # Lambda's own limit for an answer


class _CallError(Exception):
    """What the function gave back is no answer of the step; the text says why."""


def call_function(place: StepPlace[plan.LambdaStep], function: Function, means: Means) -> tuple[StepFinished, Left]:
    """Call *function* with the step's arguments; what it returns holds the outputs, as on the service."""
    name, log_path = place.step.name, place.folder / "log.txt"
    how = f"{function.file.name}:{function.handler} stands in for the Lambda function"
    try:
        task = _task(place, function, means)
        with means.slot() as has_one, log_path.open("wb") as file:
            if not has_one:
                return StepFinished(name, State.STOPPED, reason="stopped", how=how), Left()
            log = StepLog(name, file, means.emit, {})
            outcome = means.executor.run(task, log.write, means.stop)
            log.close()
    except ExecutorError as e:
        reason = f"{e.summary}{f': {e.hint}' if e.hint else ''}"
        return StepFinished(name, State.FAILED, reason=reason, log=log_path, how=how), Left()
    except (evaluate.EvaluationError, OSError) as e:
        return StepFinished(name, State.FAILED, reason=f"it cannot start: {e}", how=how), Left()
    if outcome.end is not End.EXITED or outcome.exit_code != 0:
        return failed(name, outcome, log, log_path, how), Left()
    try:
        outputs = _outputs(place)
    except (_CallError, OSError) as e:
        return StepFinished(name, State.FAILED, outcome.usage, reason=str(e), log=log_path, how=how), Left()
    result = " ".join(f"{key}={value}" for key, value in outputs.items())[:200] or None
    done = StepFinished(name, State.SUCCEEDED, outcome.usage, result, log=log_path, exit_code=0, how=how)
    return done, Left(properties={(name, f"outputs.{key}"): value for key, value in outputs.items()})


def _task(place: StepPlace[plan.LambdaStep], function: Function, means: Means) -> Task:
    folder = place.stage.folder
    place.folder.mkdir(parents=True)
    (folder / "call").mkdir(parents=True)
    (folder / "function").mkdir()
    shutil.copyfile(Path(entry.__file__).with_name("call.py"), folder / "call" / "call.py")
    event = plain_tree(place.step.arguments, place.known) or {}
    (folder / "call" / "event.json").write_text(json.dumps(event), "utf-8")
    called = evaluate.text(place.step.function, place.known).rpartition(":")[2]
    inside = f"{OPT_ML}/function/{function.file.name}"
    return Task(
        run=place.request.run,
        step=place.step.name,
        setting=means.setting(place.step),
        entrypoint=("python3", f"{OPT_ML}/call/call.py"),
        arguments=(inside, function.handler, f"{OPT_ML}/call", place.job_name, str(_SECONDS)),
        environment={"AWS_LAMBDA_FUNCTION_NAME": called},
        mounts=(
            Mount(folder, OPT_ML, read_only=False),
            Mount(function.file.parent, f"{OPT_ML}/function", read_only=True),
        ),
        timeout=float(_SECONDS),
    )


def _outputs(place: StepPlace[plan.LambdaStep]) -> dict[str, evaluate.Plain]:
    """Return the declared outputs: each is a key of the object that the function returned."""
    file = place.stage.written(f"{OPT_ML}/call") / "result.json"
    content = read_some(file, _MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise _CallError("the function returned more than 6 MiB")
    try:
        returned: Any = json.loads(content)
    except ValueError as e:
        raise _CallError(f"what the function returned is no JSON: {e}") from None
    if not place.step.outputs:
        return {}
    if not isinstance(returned, Mapping):
        raise _CallError(f"the function returned no object, and so no {', '.join(place.step.outputs)}")
    found: dict[str, evaluate.Plain] = {}
    for name, kind in place.step.outputs.items():
        if name not in returned:
            raise _CallError(f"the function returned no {name!r}; it returned {', '.join(map(str, returned))}")
        if not fits(returned[name], kind):
            raise _CallError(f"the function returned {returned[name]!r} as {name!r}, which is of type {kind}")
        found[name] = returned[name]
    return found
