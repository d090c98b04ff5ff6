"""Run one step on sample data, as a local run does, and look at what it left."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from buzzflow.api.pipelines import Settings, Target, checked_pipeline, readable
from buzzflow.api.runs import as_text, step_report
from buzzflow.driver.one_step import StepRequest, run_one_step
from buzzflow.views.steps import Named

_TAIL = 30
Data = str | os.PathLike[str]


class StepFailed(AssertionError):
    """The step did not end well; *result* has all that is known."""

    def __init__(self, result: StepResult) -> None:
        tail = "".join(f"\n  | {line}" for line in result.log.splitlines()[-_TAIL:])
        super().__init__(f"step {result.name} {result.state}: {result.reason}{tail}")
        self.result = result


@dataclass(frozen=True, slots=True)
class StepResult:
    """How a step ended, and what it left.

    *outputs* are folders by the output's name. Of a training, *model_dir* is the folder that it wrote, and *model* the
    model.tar.gz that the next step gets. *log* is all that the step printed, *metrics* what was found in it, *opt_ml*
    the folder that it saw as `/opt/ml`.
    """

    name: str
    state: str
    exit_code: int | None
    reason: str | None
    log: str
    opt_ml: Path
    outputs: Mapping[str, Path] = field(default_factory=dict)
    model: Path | None = None
    model_dir: Path | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether the step ended with exit code 0, and its outputs could be kept."""
        return self.state == "succeeded"


def run_step(  # noqa: PLR0913  # all but two by keyword
    path: Target,
    step: str,
    *,
    folder: Path,
    inputs: Mapping[str, Data] | None = None,
    parameters: Mapping[str, object] | None = None,
    environment: Mapping[str, object] | None = None,
    hyperparameters: Mapping[str, object] | None = None,
    executor: Literal["process", "docker"] = "process",
    install: bool = False,
    check: bool = True,
    set: Settings = (),  # noqa: A002  # as --set
    cache: Path | None = None,
) -> StepResult:
    """Run the step called *step* of the pipeline at *path*, with everything kept below *folder*.

    Args:
        path: the pipeline.yaml, or its folder.
        step: a processing or training step.
        folder: a new folder, like pytest's tmp_path.
        inputs: a file or folder for each input that comes from another step; for others, instead of their data.
        parameters: values of the pipeline's parameters.
        environment: variables over the step's own.
        hyperparameters: over the step's own.
        executor: process, with the Python and the packages of the tests; or docker, with the step's image.
        install: whether a process gets the step's requirements, in an environment of its own, instead.
        check: whether a step that fails raises StepFailed.
        set: values that lie over the file's, as with `--set`.
        cache: where virtual environments and images' requirements are kept for the next time.

    Raises:
        StepFailed: the step failed.
        PipelineError: something is missing or wrong before it starts.
    """
    __tracebackhide__ = True  # pytest shows the line of the test
    checked = checked_pipeline(path, set, local=True, backend=None)
    request = StepRequest(
        step=step,
        state=folder,
        cache=cache or folder / "cache",
        inputs={name: Path(data) for name, data in (inputs or {}).items()},
        parameters=_texts(parameters),
        environment=_texts(environment),
        hyperparameters=_texts(hyperparameters),
        executor=executor,
        install=install,
    )
    with readable():
        done = run_one_step(checked, request, lambda _event: None)
    report = step_report(done.report.steps[step], done)
    opt_ml = done.opt_ml[step]
    model = opt_ml / "model"
    result = StepResult(
        name=step,
        state=report.state,
        exit_code=report.exit_code,
        reason=report.reason,
        log="" if report.log is None else report.log.read_text("utf-8", "replace"),
        opt_ml=opt_ml,
        outputs=report.outputs,
        model=report.model,
        model_dir=model if report.model is not None else None,
        metrics=Named("metric", report.metrics),
        warnings=report.warnings,
    )
    if check and not result.succeeded:
        raise StepFailed(result)
    return result


def _texts(values: Mapping[str, object] | None) -> dict[str, str]:
    return {name: as_text(value) for name, value in (values or {}).items()}
