"""What StartPipelineExecution refuses: parameters and selections that do not fit the definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.aws.errors import ServiceError
from tests.aws.sagemaker.definition import Definition
from tests.aws.sagemaker.executions import Execution

_READERS: dict[str, Callable[[str], object]] = {"Integer": int, "Float": float}


def parameters_of(definition: Definition, given: list[dict[str, str]]) -> dict[str, str]:
    """Return the value of each parameter of an execution, in the order of the definition."""
    names = [parameter["Name"] for parameter in given]
    if len({*names}) < len(names):
        raise _refused("Parameter names in the request must be unique")
    values = {parameter["Name"]: parameter["Value"] for parameter in given}
    if unknown := sorted(values.keys() - definition.parameters.keys()):
        raise _refused(f"Unknown pipeline parameters: [{', '.join(unknown)}]")
    missing = [n for n, p in definition.parameters.items() if n not in values and "DefaultValue" not in p]
    if missing:
        raise _refused(f"Missing values of the required pipeline parameters: [{', '.join(missing)}]")
    for name, value in values.items():
        _check_value(definition.parameters[name], value)
    return {n: values.get(n, _text(p.get("DefaultValue"))) for n, p in definition.parameters.items()}


def check_selection(definition: Definition, selection: dict[str, Any], source: Execution | None) -> None:
    """Refuse a selective execution of unknown steps, or of steps whose needs no earlier execution has."""
    selected = [step["StepName"] for step in selection["SelectedSteps"]]
    if unknown := sorted({*selected} - definition.steps.keys()):
        raise _refused(f"Selected steps [{', '.join(unknown)}] are not in the pipeline")
    needed = sorted({need for name in selected for need in definition.steps[name].needs} - {*selected})
    if needed and source is None:
        arn = selection.get("SourcePipelineExecutionArn", "null")
        raise _refused(
            f"Invalid SourcePipelineExecutionArn: {arn}. "
            f"The selected steps [{', '.join(selected)}] have dependencies on [{', '.join(needed)}]"
        )
    if source is not None and source.status in ("Executing", "Stopping"):
        raise _refused(f"The source pipeline execution {source.arn} is in status {source.status}")
    for name in needed if source is not None else ():
        run = source.runs.get(name) if source else None
        if run is None or run.status != "Succeeded":
            raise _refused(f"Step {name} did not succeed in the source pipeline execution")


def _check_value(parameter: dict[str, Any], value: str) -> None:
    name, kind = parameter["Name"], parameter["Type"]
    if not value:  # as the service has been seen to say: sagemaker-python-sdk, issue 4016
        raise _refused('[string "" is too short (length: 0, required minimum: 1)]')
    if kind == "Boolean" and value.lower() not in ("true", "false"):
        raise _refused(f"Value {value!r} of the parameter {name} is not a Boolean")
    try:
        _READERS.get(kind, str)(value)
    except ValueError as e:
        raise _refused(f"Value {value!r} of the parameter {name} is not of the type {kind}") from e
    if (allowed := parameter.get("EnumValues")) and value not in map(_text, allowed):
        raise _refused(f"Value {value!r} of the parameter {name} is not one of {allowed}")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refused(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)
