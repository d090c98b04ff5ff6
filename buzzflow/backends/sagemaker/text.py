"""Say a value of the IR in the words of a pipeline definition: a literal, `Get`, `Std:Join` or `Std:JsonGet`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import assert_never

from buzzflow import ir
from buzzflow.backends.contract import MODEL_OUTPUT
from buzzflow.backends.sagemaker.properties import output_path, property_path

Steps = Mapping[str, ir.Step]
Object = dict[str, object]

# Amazon SageMaker AI Developer Guide, "Pipelines: Execution Variables"
RUN_FIELDS: dict[ir.RunField, str] = {
    "id": "PipelineExecutionId",
    "arn": "PipelineExecutionArn",
    "pipeline": "PipelineName",
    "pipeline_arn": "PipelineArn",
    "start_time": "StartDateTime",
    "now": "CurrentDateTime",
}
# Members of those responses whose own members have names of the user's: lists that are searched by name, and maps.
_KEYED = frozenset(("Outputs", "FinalMetricDataList", "Environment", "HyperParameters", "OutputParameters"))
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def say(value: ir.Value | float, steps: Steps) -> object:
    """Return *value* as JSON; *steps* are all of the pipeline, by name."""
    match value:
        case str() | int() | float():
            return value
        case ir.Text():
            return _join(_parts(value, steps))
        case _:
            parts = _reference(value, steps)
            return parts[0] if len(parts) == 1 else _join(parts)


def say_tree(tree: ir.Tree, steps: Steps) -> object:
    """Return a part of a request that is in the service's own words."""
    match tree:
        case ir.Mapping(items=items):
            return {key: say_tree(value, steps) for key, value in items}
        case ir.Sequence(items=items):
            return [say_tree(value, steps) for value in items]
        case None:
            return None
        case _:
            return say(tree, steps)


def _join(parts: list[object]) -> Object:
    return {"Std:Join": {"On": "", "Values": parts}}


def get(path: str) -> Object:
    """Return a reference to *path*, for example `Parameters.p`."""
    return {"Get": path}


def _parts(text: ir.Text, steps: Steps) -> list[object]:
    """Return the parts of *text*; after a folder, which ends in a slash, no part starts with another one."""
    found: list[object] = []
    slash = False
    for part in text.parts:
        if isinstance(part, str):
            literal = part[1:] if slash and part.startswith("/") else part
            if literal:
                found.append(literal)
                slash = False
        else:
            found += _reference(part, steps)
            slash = _is_folder(part, steps)
    return found


def _reference(reference: ir.Reference, steps: Steps) -> list[object]:  # one for each kind
    """Return the parts whose text is what *reference* gives: nearly always one."""
    match reference:
        case ir.ParameterReference(parameter=name):
            return [get(f"Parameters.{name}")]
        case ir.RunReference(field=field):
            return [get(f"Execution.{RUN_FIELDS[field]}")]
        case ir.ItemReference(path=path):
            return [get(".".join(("ForEach.CurrentItem", *path)))]
        case ir.OutputReference(step=step, output=output):
            return [get(f"Steps.{step}.{output_path(steps[step].work.type, output)}")]
        case ir.PropertyReference(step=step, word=word):
            return [
                part.text if part.literal else get(f"Steps.{step}.{part.text}")
                for part in property_path(steps[step].work.type, word)
            ]
        case ir.DescribeReference(step=step, path=path):
            return [get(f"Steps.{step}.{property_text(path)}")]
        case ir.JsonReference(step=step, file=file, path=path):
            file_path = get(f"Steps.{step}.PropertyFiles.{file}")
            return [{"Std:JsonGet": {"PropertyFile": file_path, "Path": property_text(path)}}]
        case ir.StoredJsonReference(uri=uri, path=path):
            address = uri if isinstance(uri, ir.Text) else ir.Text((uri,))  # the SDK takes a join only
            return [{"Std:JsonGet": {"S3Uri": _join(_parts(address, steps)), "Path": property_text(path)}}]
        case _:
            assert_never(reference)


def property_text(path: tuple[str, ...]) -> str:
    """Return `a.b[0]['c d']`; a number is a position, except where the service looks names up."""
    found = ""
    before = ""
    for part in path:
        if before in _KEYED and not part.isdecimal():
            found += f"['{part}']"
        elif part.isdecimal():
            found += f"[{part}]"
        elif _WORD.fullmatch(part):
            found += f".{part}" if found else part
        else:
            found += f"['{part}']"
        before = part
    return found


def _is_folder(value: ir.Value, steps: Steps) -> bool:
    """Whether *value* certainly ends in a slash when the pipeline runs."""
    match value:
        case str():
            return value.endswith("/")
        case ir.Text(parts=parts):
            return bool(parts) and _is_folder(parts[-1], steps)
        case ir.OutputReference(step=step, output=output) if steps[step].work.type in ("processing", "transform"):
            return _declared_folder(steps[step], output, steps)
        case ir.PropertyReference(step=step, word="output_uri"):
            return _declared_folder(steps[step], MODEL_OUTPUT, steps)
        case _:
            return False


def _declared_folder(step: ir.Step, name: str, steps: Steps) -> bool:
    job = ir.job_of(step)
    declared = [o for o in job.outputs if o.name == name] if job else []
    return all(not o.exact and (o.to is None or _is_folder(o.to, steps)) for o in declared)
