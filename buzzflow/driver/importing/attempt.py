"""Compile an imported pipeline the way every pipeline is, and tell what stands in its way."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from buzzflow.backends.sagemaker.check import check_pipeline
from buzzflow.backends.sagemaker.compile import define
from buzzflow.backends.sagemaker.text import Object
from buzzflow.config.parse import parse, parse_environment
from buzzflow.config.steps import default_fields
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.importing.remark import Remark
from buzzflow.driver.importing.surroundings import Surroundings
from buzzflow.loader.files import ENVIRONMENT, PIPELINE
from buzzflow.loader.load import load
from buzzflow.loader.yaml_writer import write_yaml
from buzzflow.lower import lower

_SECRETS = "# They look like secrets, and stand in the definition. Better: secrets: {NAME: secret-id} in the step.\n"
_OF_REQUESTS = "BF43"  # what the service's own model says, before the patches are known


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a pipeline.yaml: the definition, or what is wrong."""

    definition: Object | None
    problems: tuple[Diagnostic, ...] = ()


class Workshop:
    """A folder with the environment, in which pipelines are tried."""

    def __init__(self, folder: Path, around: Surroundings) -> None:
        self._folder = folder
        self._around = around
        self._secrets: dict[str, Diagnostic] = {}
        self.environment = around.text
        (folder / ENVIRONMENT).write_text(around.text, "utf-8")

    def allow(self, text: str, problem: Diagnostic) -> bool:
        """Take *text*, which looks like a secret, all the same; return whether that is possible."""
        if not self._around.made or text in self._secrets:
            return False
        self._secrets[text] = problem
        self.environment = f"{self._around.text}{_SECRETS}{write_yaml({'not_secrets': [*self._secrets]})}"
        (self._folder / ENVIRONMENT).write_text(self.environment, "utf-8")
        return True

    def secrets(self) -> Iterator[Remark]:
        """Yield what looks like a secret in plain text."""
        for problem in self._secrets.values():
            yield Remark("BF668", problem.summary, problem.path, "")

    def compiled(self, data: dict[str, Any], *, unfinished: bool = False) -> Outcome:
        """Return what *data*, of a pipeline.yaml, compiles to.

        The requests of an *unfinished* one may be what the service would refuse.
        """
        return self.compiled_text(write_yaml(data), unfinished=unfinished)

    def compiled_text(self, text: str, *, unfinished: bool = False) -> Outcome:
        """Return what the *text* of a pipeline.yaml compiles to."""
        (self._folder / PIPELINE).write_text(text, "utf-8")
        try:
            loaded = load(self._folder, fields=default_fields())
            assert loaded.environment is not None, "the folder holds one"
            environment = parse_environment(loaded.environment)
            pipeline = lower(parse(loaded.data, name=loaded.name), code={}, environment=environment).pipeline
        except PipelineError as e:
            return Outcome(None, tuple(e.diagnostics))
        problems = [d for d in check_pipeline(pipeline) if d.is_error]
        if unfinished:
            problems = [d for d in problems if not d.code.startswith(_OF_REQUESTS)]
        return Outcome(None, tuple(problems)) if problems else Outcome(define(pipeline).data)


@contextmanager
def workshop(around: Surroundings) -> Iterator[Workshop]:
    """Make a workshop, and remove it."""
    with tempfile.TemporaryDirectory(prefix="buzzflow-import-") as made:
        yield Workshop(Path(made).resolve(), around)
