"""Read `local.steps`: how single steps run here, every path from the file that names it."""

from __future__ import annotations

from pathlib import Path

from buzzflow.backends.local.request.here import Answer, Function, StepHere
from buzzflow.config.local_steps import LocalStepConfig, ResultConfig
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.diagnostics import Path as Place
from buzzflow.driver.stages import Checked, with_places


def steps_here(checked: Checked) -> dict[str, StepHere]:
    """Return what the local layer says of single steps; PipelineError when a function is not written as one."""
    problems: list[Diagnostic] = []
    found = {name: _step(name, config, checked, problems) for name, config in checked.config.local.steps.items()}
    if problems:
        raise PipelineError(with_places(problems, checked.loaded.source))
    return found


def _step(name: str, config: LocalStepConfig, checked: Checked, problems: list[Diagnostic]) -> StepHere:
    path: Place = ("local", "steps", name)
    function = None
    if config.function is not None:
        file, colon, handler = config.function.rpartition(":")
        if not colon or not file.endswith(".py") or not handler.isidentifier():
            what = f"{config.function!r} names no function of a Python file"
            problems.append(Diagnostic("BF533", what, (*path, "function"), "write file.py:handler"))
        else:
            function = Function((_folder((*path, "function"), checked) / file).resolve(), handler)
    result = None if config.result is None else _answer(config.result, (*path, "result"), checked)
    return StepHere(result, function, config.max_jobs)


def _answer(config: ResultConfig, path: Place, checked: Checked) -> Answer:
    return Answer(_folder(path, checked), config.outputs, config.model, config.metrics, config.properties)


def _folder(path: Place, checked: Checked) -> Path:
    """Return the folder of the file in which the value at *path* is written."""
    written = checked.loaded.source.file(path)
    in_file = written is not None and not written.startswith("--")
    return (Path(written).parent if written and in_file else checked.loaded.file.parent).resolve()
