"""The pytest plugin: fixtures that compile the pipeline above a test, run its steps, and compare with kept files.

It is loaded in every run of pytest where buzzflow is installed, so nothing heavy is imported before a test asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

if TYPE_CHECKING:
    from buzzflow import Pipeline
    from buzzflow.testing.step import Data, StepResult

EXECUTORS = ("process", "docker")
MARKER = "pipeline"
_FOLDER = "golden"
_loaded: pytest.StashKey[dict[_Asked, Pipeline]] = pytest.StashKey()


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which pipeline a test is about."""

    file: Path
    settings: tuple[str, ...] = ()
    local: bool = False
    backend: str | None = None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a run."""
    group = parser.getgroup("buzzflow", "tests of buzzflow pipelines")
    group.addoption(
        "--pipeline", metavar="PATH", help="The pipeline that tests are about; default: the one above each."
    )
    group.addoption(
        "--pipeline-set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="Override a value in it, for all tests.",
    )
    group.addoption(
        "--pipeline-executor",
        choices=EXECUTORS,
        default=EXECUTORS[0],
        help="What `run_step` runs steps in: this Python (default), or their images.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, and a place for what was loaded."""
    told = "pipeline(path=None, set=(), local=False, backend=None): the pipeline of this test, and values to override"
    config.addinivalue_line("markers", told)
    config.stash[_loaded] = {}


@pytest.fixture
def pipeline(request: pytest.FixtureRequest) -> Pipeline:
    """The pipeline nearest above the test's file, checked; `@pytest.mark.pipeline` names another one or its values."""
    from buzzflow import PipelineError, load

    asked = _asked(request)
    known = request.config.stash[_loaded]
    if asked not in known:
        try:
            known[asked] = load(asked.file, set=asked.settings, local=asked.local, backend=asked.backend)
        except PipelineError as e:
            pytest.fail(str(e), pytrace=False)
    return known[asked]


@pytest.fixture
def run_step(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> RunStep:
    """Runs one step of the test's pipeline on sample data: `run_step("train", inputs={"train": folder})`."""
    return RunStep(request, tmp_path_factory)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Compares an artifact, text or data with a file in the folder `golden` beside the test."""

    def golden(found: object, name: str | None = None, *, digests: bool = False) -> None:
        __tracebackhide__ = True
        from buzzflow import Artifact
        from buzzflow.testing.golden import compare

        if isinstance(found, Artifact):
            name = name or found.name
        if name is None:
            raise TypeError("name the file: golden(text, 'name.txt')")
        compare(found, request.path.parent / _FOLDER / name, digests=digests)

    return golden


class RunStep:
    """Runs steps of one test's pipeline, each in a new folder."""

    def __init__(self, request: pytest.FixtureRequest, folders: pytest.TempPathFactory) -> None:
        self._request, self._folders = request, folders

    def __call__(
        self,
        step: str,
        *,
        inputs: Mapping[str, Data] | None = None,
        parameters: Mapping[str, object] | None = None,
        environment: Mapping[str, object] | None = None,
        hyperparameters: Mapping[str, object] | None = None,
        executor: Literal["process", "docker"] | None = None,
        install: bool = False,
        check: bool = True,
    ) -> StepResult:
        """Run *step* and return what it left: see `buzzflow.testing.run_step`."""
        __tracebackhide__ = True
        from buzzflow.testing.step import run_step

        asked, config = _asked(self._request), self._request.config
        cache = getattr(config, "cache", None)  # none with -p no:cacheprovider
        return run_step(
            asked.file,
            step,
            folder=self._folders.mktemp(f"run-{step}"),
            inputs=inputs,
            parameters=parameters,
            environment=environment,
            hyperparameters=hyperparameters,
            executor=executor or config.getoption("--pipeline-executor"),
            install=install,
            check=check,
            set=asked.settings,
            cache=None if cache is None else cache.mkdir("buzzflow"),
        )


# ------------------------------------------------------------------ which pipeline


def _asked(request: pytest.FixtureRequest) -> _Asked:
    """Return what the marker says, else the options, else what lies above the test."""
    marker = request.node.get_closest_marker(MARKER)
    named, settings, local, backend = _marked(*marker.args, **marker.kwargs) if marker else _marked()
    option = request.config.getoption("--pipeline")
    if named is not None:
        file = request.path.parent / named
    elif option is not None:
        file = request.config.invocation_params.dir / option
    else:
        file = _above(request.path)
    return _Asked(file, (*request.config.getoption("--pipeline-set"), *settings), local, backend)


def _marked(
    path: str | None = None,
    *,
    set: tuple[str, ...] | list[str] | str = (),  # noqa: A002  # as --set
    local: bool = False,
    backend: str | None = None,
) -> tuple[str | None, tuple[str, ...], bool, str | None]:
    return path, (set,) if isinstance(set, str) else tuple(set), local, backend


def _above(test: Path) -> Path:
    """Return the nearest pipeline above *test*; the fixture fails where there is none, or several."""
    from buzzflow.loader.files import PIPELINE, SUFFIX

    for folder in test.parents:
        found = sorted(p for p in folder.iterdir() if p.name == PIPELINE or p.name.endswith(SUFFIX))
        if len(found) > 1:
            names = ", ".join(p.name for p in found)
            pytest.fail(
                f"{folder} holds {names}: name one with @pytest.mark.pipeline('../{found[0].name}')", pytrace=False
            )
        if found:
            return found[0]
    pytest.fail(
        f"no {PIPELINE} in a folder above {test.name}; name one with @pytest.mark.pipeline(path)", pytrace=False
    )
    raise AssertionError  # `fail` does not return
