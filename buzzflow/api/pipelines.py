"""Pipelines as Python objects: load them, tell what is wrong with them, compile them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.loader.files import find_pipelines, line_of
from buzzflow.views import problems
from buzzflow.views.steps import Parameter, Step, parameters_of, steps_of

if TYPE_CHECKING:
    from buzzflow.driver.stages import Checked
    from buzzflow.views.graph import TextFormat

Target = str | os.PathLike[str]
Settings = Sequence[str]


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a pipeline compiles to: the file's *name* and *content*, JSON; as text it is laid out for people.

    The same pipeline gives the same bytes anywhere.

    >>> compile("flights").name
    'run-plan.json'
    """

    name: str
    content: bytes

    def json(self) -> Any:
        """Return the content as data, new each time."""
        return json.loads(self.content)

    def step(self, name: str) -> dict[str, Any]:
        """Return what the step called *name* compiles to, also one in a branch; KeyError when there is none."""
        found = next((step for step in _objects(self.json()) if name in (step.get("Name"), step.get("name"))), None)
        if found is None:
            raise KeyError(name)
        return found

    def __str__(self) -> str:
        return f"{json.dumps(self.json(), indent=2, ensure_ascii=False)}\n"


class Pipeline:
    """A pipeline in which nothing is wrong, read once; `load` makes it. Its values are spelled as in pipeline.yaml.

    >>> pipeline = load("flights")
    >>> pipeline.steps["train"].inputs["train"].source
    '${step:extract.outputs.train}'
    """

    def __init__(self, checked: Checked) -> None:
        self._checked = checked

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return self._checked.pipeline.name

    @property
    def description(self) -> str | None:
        """What the file says that it is for."""
        return self._checked.pipeline.description

    @property
    def owner(self) -> str | None:
        """Whom the file names as owner."""
        return self._checked.pipeline.owner

    @property
    def file(self) -> Path:
        """The pipeline.yaml."""
        return self._checked.loaded.file.resolve()

    @property
    def backend(self) -> str:
        """The backend that it was checked for, and compiles for."""
        return self._checked.backend.name

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is worth a look, although it is no error."""
        return self._checked.warnings

    @cached_property
    def parameters(self) -> Mapping[str, Parameter]:
        """What may change at each start, by name."""
        return parameters_of(self._checked.pipeline)

    @cached_property
    def steps(self) -> Mapping[str, Step]:
        """The steps by name, each after those that it needs."""
        return steps_of(self._checked.pipeline, self._checked.config, lambda name: self.compile().step(name))

    def compile(self) -> Artifact:
        """Return what it compiles to."""
        return self._artifact

    @cached_property
    def _artifact(self) -> Artifact:
        from buzzflow.driver import compile_artifact

        with readable():
            made = compile_artifact(self._checked)
        return Artifact(made.name, made.content)

    def graph(self, form: TextFormat = "mermaid") -> str:
        """Return a picture as text: mermaid, dot, svg, json or text.

        >>> load("flights").graph().splitlines()[3]
        'flowchart TD'
        """
        from buzzflow.views.graph import drawn

        return drawn(self._checked.pipeline, form)

    def __repr__(self) -> str:
        return f"<Pipeline {self.name}: {', '.join(self.steps)}>"


def load(path: Target = ".", *, set: Settings = (), local: bool = False, backend: str | None = None) -> Pipeline:  # noqa: A002  # as --set
    """Read and check a pipeline.

    Args:
        path: the pipeline.yaml, or its folder.
        set: values that lie over the file's, as with `--set`: `["steps.train.timeout=2h"]`.
        local: with the `.local.yaml` layer, as in a local run.
        backend: what it is checked for; None is what it is for, see `create --backend`.

    Raises:
        PipelineError: something is wrong. Its text is what the command line prints, `diagnostics` has it as data.

    >>> load("flights").steps["train"].type
    'training'
    """
    return Pipeline(checked_pipeline(path, set, local=local, backend=backend))


def validate(
    path: Target | Iterable[Target] = ".",
    *,
    set: Settings = (),  # noqa: A002  # as --set
    backend: str | None = None,
) -> list[Diagnostic]:
    """Return everything that is wrong with one pipeline, or with all below the folders that are named.

    A mistake raises nothing, not even a path that names no pipeline. Warnings are in the list, too: of an error,
    `is_error` is true.

    >>> validate("flights")
    []
    >>> [problem.code for problem in validate("flights", set=["steps.train.timeout=soon"])]
    ['BF206']
    """
    from buzzflow.driver.tree import validate_all

    found: dict[Diagnostic, None] = {}
    for target in [path] if isinstance(path, str | os.PathLike) else path:
        try:
            for file in find_pipelines(Path(target)):
                tree = validate_all([file], backend=backend, settings=_settings(set), cached=False)
                found |= dict.fromkeys(d for result in tree.results for d in result.diagnostics)
        except PipelineError as e:
            found |= dict.fromkeys(e.diagnostics)
    return [*found]


def compile(path: Target = ".", *, backend: str | None = None, set: Settings = ()) -> Artifact:  # noqa: A001, A002
    """Return what a pipeline compiles to: for `sagemaker` its definition, for `local` a run plan.

    Needs no credentials and no network. *backend* None is the one that the pipeline is for.

    Raises:
        PipelineError: something is wrong.

    >>> compile("flights", backend="local").json()["pipeline"]
    'flights'
    """
    return load(path, set=set, backend=backend).compile()


# ------------------------------------------------------------------ what they share


def checked_pipeline(path: Target, settings: Settings, *, local: bool, backend: str | None) -> Checked:
    """Return the pipeline with all that its stages made of it; the text of a PipelineError is a screen."""
    from buzzflow.driver import check

    with readable():
        return check(Path(path), backend=backend, settings=_settings(settings), local=local)


@contextmanager
def readable() -> Iterator[None]:
    """Let the text of an error be the screen that the command line shows."""
    try:
        yield
    except PipelineError as e:
        screen = f"{problems.human(e.diagnostics, line_of)}\n\n{problems.count(e.diagnostics)}"
        raise PipelineError(e.diagnostics, screen=screen) from None


def _settings(given: Settings) -> list[str]:
    return [given] if isinstance(given, str) else [*given]


def _objects(data: object) -> Iterator[dict[str, Any]]:
    """Yield the steps in compiled data, those of branches and bodies after the one that they are in."""
    if isinstance(data, dict):
        if "Type" in data or "type" in data:
            yield data
        data = list(data.values())
    if isinstance(data, list):
        for item in data:
            yield from _objects(item)
