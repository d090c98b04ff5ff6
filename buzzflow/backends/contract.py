"""What a step's container finds, wherever it runs: folders, environment variables, and the command that starts it.

The folders are those of SageMaker's processing and training containers (Amazon SageMaker AI Developer Guide, "How
Amazon SageMaker Processing Runs Your Processing Container", "How Amazon SageMaker AI Provides Training Information").
Nothing here depends on the run, so equal steps stay equal to a cache.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache

from buzzflow import ir

PROCESSING_INPUT = "/opt/ml/processing/input"
PROCESSING_OUTPUT = "/opt/ml/processing/output"
TRAINING_INPUT = "/opt/ml/input/data"
MODEL = "/opt/ml/model"
OUTPUT_DATA = "/opt/ml/output/data"

CODE_INPUT = "code"  # the input or channel that brings a step's code
PROCESSING_CODE = f"{PROCESSING_INPUT}/{CODE_INPUT}"
TRAINING_CODE = f"{TRAINING_INPUT}/{CODE_INPUT}"
ENTRY_SCRIPT = "entry.sh"  # at the top of every bundle
SOURCE_FOLDER = "src/"  # of the step's own files in a bundle

_compact = json.JSONEncoder(separators=(",", ":")).encode
MODEL_OUTPUT = "model"  # the one output of a training step


def code_directory(step: ir.Step) -> str:
    """Return where the bundle of *step* lies in its container; ValueError for a step without a container."""
    match step.work:
        case ir.Processing():
            return PROCESSING_CODE
        case ir.Training():
            return TRAINING_CODE
        case _:
            raise ValueError(f"step {step.name!r} runs no code")


def container_entrypoint(step: ir.Step) -> tuple[ir.Value, ...] | None:
    """Return what starts in the container of *step*; None for the image's own entrypoint."""
    job = _job(step)
    code = job.code
    if code is None or code.launcher == "image":
        return job.entrypoint
    return ("/bin/sh", f"{code_directory(step)}/{ENTRY_SCRIPT}", code.distributed or code.interpreter, code.entry_point)


def container_environment(step: ir.Step) -> tuple[tuple[str, ir.Value], ...]:
    """Return the variables of the container of *step*: what the language promises to code, then the user's own."""
    return (*promised_variables(step), *_job(step).environment)


def promised_variables(step: ir.Step) -> tuple[tuple[str, ir.Value], ...]:
    """Return the variables that the language sets for *step*, and which its user may not set."""
    job = _job(step)
    return () if job.code is None else tuple(_promised(step, job))


@lru_cache(maxsize=1024)  # the same few names stand in many steps
def variable_name(name: str) -> str:
    """Return *name*, of an input or output, as the end of a variable's name: `train-set.1` is `TRAIN_SET_1`."""
    return re.sub(r"[^A-Z0-9_]", "_", name.upper())


def _promised(step: ir.Step, job: ir.Job) -> list[tuple[str, ir.Value]]:
    training = isinstance(step.work, ir.Training | ir.Tuning)
    inputs = [(i.name, i.path) for i in job.inputs]
    inputs += {i.group: i.path.rpartition("/")[0] for i in job.inputs if i.group is not None}.items()
    outputs = (
        [(MODEL_OUTPUT, MODEL)] if training else [(o.name, o.path) for o in job.outputs if o.feature_group is None]
    )
    input_names = _names(tuple(name for name, _ in inputs))
    found: list[tuple[str, ir.Value]] = [
        ("BUZZFLOW_STEP", step.name),
        ("BUZZFLOW_INPUTS", input_names),
        ("BUZZFLOW_OUTPUTS", _names(tuple(name for name, _ in outputs))),
    ]
    found += [(f"BUZZFLOW_INPUT_{variable_name(name)}", path) for name, path in inputs]
    found += [(f"BUZZFLOW_OUTPUT_{variable_name(name)}", path) for name, path in outputs]
    if training:
        found.append(("BUZZFLOW_MODEL_DIR", MODEL))
    found += [(f"SM_CHANNEL_{variable_name(name)}", path) for name, path in inputs]
    found.append(("SM_CHANNELS", input_names))
    if training:
        found += [("SM_MODEL_DIR", MODEL), ("SM_OUTPUT_DATA_DIR", OUTPUT_DATA)]
    if archives := [i.path for i in job.inputs if i.extract]:
        found.append(("BUZZFLOW_EXTRACT", _compact(archives)))
    if job.secrets:
        found.append(("BUZZFLOW_SECRETS", _secrets(job.secrets)))
    return found


def _secrets(secrets: ir.Pairs) -> ir.Value:
    """Return a JSON object of variable to the secret's name: what is in it is read when the step starts."""
    parts: list[str | ir.Reference] = ["{"]
    for i, (variable, name) in enumerate(secrets):
        parts.append(f"{',' if i else ''}{json.dumps(variable)}:")
        if isinstance(name, str):
            parts.append(json.dumps(name))
        else:
            parts += ['"', *(name.parts if isinstance(name, ir.Text) else [name]), '"']
    return joined([*parts, "}"])


def joined(parts: list[str | ir.Reference]) -> ir.Value:
    """Return text of *parts*, literals that follow one another put together."""
    found: list[str | ir.Reference] = []
    for part in parts:
        if isinstance(part, str) and found and isinstance(found[-1], str):
            found[-1] += part
        else:
            found.append(part)
    return found[0] if len(found) == 1 and isinstance(found[0], str) else ir.Text(tuple(found))


@lru_cache(maxsize=1024)  # the same few names stand in many steps
def _names(names: tuple[str, ...]) -> str:
    """Return a JSON list without blanks: the service allows a variable 256 characters."""
    return _compact(names)


def _job(step: ir.Step) -> ir.Job:
    job = ir.job_of(step)
    if job is None:
        raise ValueError(f"step {step.name!r} runs no container")
    return job
