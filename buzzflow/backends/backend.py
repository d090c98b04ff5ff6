"""What a backend is, and how backends are found."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Protocol

from buzzflow import ir
from buzzflow.diagnostics import Diagnostic, PipelineError, did_you_mean

GROUP = "buzzflow.backends"


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a backend compiled: a file name and its bytes, JSON, as it is handed on.

    The same pipeline gives the same bytes on every machine.
    """

    name: str
    content: bytes

    def readable(self) -> str:
        """Return the content laid out for people, which takes ten times as long as to make it."""
        return f"{json.dumps(json.loads(self.content), indent=2, ensure_ascii=False)}\n"


class Backend(Protocol):
    """A place where pipelines run. Both functions are pure: no network, no credentials, no clock."""

    name: str

    def check(self, pipeline: ir.Pipeline) -> Iterable[Diagnostic]:
        """Yield what this backend cannot do, and the limits that the pipeline would break.

        A pipeline in which it finds no error has been compiled once on the way, as `validate` relies on.
        """
        ...

    def compile(self, pipeline: ir.Pipeline) -> Artifact:
        """Return the artifact of a pipeline that `check` found no error in."""
        ...


def find_backend(name: str) -> Backend:
    """Return the installed backend called *name*; PipelineError names those that there are."""
    found = entry_points(group=GROUP)
    if name not in found.names:
        hint = did_you_mean(name, found.names, label="installed")
        raise PipelineError([Diagnostic("BF400", f"no backend is called {name!r}", hint=hint)])
    backend: Backend = found[name].load()
    return backend
