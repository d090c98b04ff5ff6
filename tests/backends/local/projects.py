"""A project whose pipeline really is read, compiled and scheduled; only what runs containers is a stand-in."""

from __future__ import annotations

import tarfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from buzzflow.backends.local.events import Event, StepFinished
from buzzflow.backends.local.executor import Outcome, Task
from buzzflow.driver import check
from buzzflow.driver.local import LocalOptions, LocalRun, prepared_request, run_prepared
from tests.backends.local.test_run import StandIn

Act = Callable[[Task, Callable[[bytes], None], threading.Event], int | Outcome]


@dataclass
class Ran:
    """A run that ended."""

    run: LocalRun
    events: list[Event]
    executor: StandIn

    def __getitem__(self, step: str) -> StepFinished:
        return self.run.report.steps[step]

    @property
    def states(self) -> dict[str, str]:
        return {name: event.state.value for name, event in self.run.report.steps.items()}

    @property
    def folder(self) -> Path:
        return self.run.report.folder


class Project:
    """A folder with a pipeline."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "projects" / "research" / "ctr"
        self.folder.mkdir(parents=True)
        for name in ("extract.py", "train.py", "evaluate.py", "explore.ipynb"):
            (self.folder / name).write_text("print('hello')\n")

    def write(self, name: str, text: str) -> Path:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def run(
        self,
        pipeline: str,
        local: str = "",
        *,
        acts: Mapping[str, Act] | None = None,
        parameters: Mapping[str, str] | None = None,
        jobs: int = 4,
        stop: threading.Event | None = None,
        executor_name: str = "stand-in",
    ) -> Ran:
        self.write("pipeline.yaml", f"name: ctr\ndefaults: {{image: img}}\n{pipeline}")
        if local:
            self.write("pipeline.local.yaml", local)
        checked = check(self.folder, backend="local", local=True)
        options = LocalOptions(parameters=parameters or {}, jobs=jobs)
        events: list[Event] = []
        executor = StandIn(acts or {}, executor_name)
        prepared = prepared_request(checked, options, self.folder / ".buzzflow")
        done = run_prepared(prepared, executor, events.append, stop or threading.Event())
        return Ran(done, events, executor)


def opt_ml(task: Task) -> Path:
    return next(m.source for m in task.mounts if m.target == "/opt/ml")


def names_in(archive: Path) -> list[str]:
    with tarfile.open(archive) as tar:
        return tar.getnames()
