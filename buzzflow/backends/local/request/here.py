"""What the user says of single steps for runs on this machine: an answer in place of the step, a function, a bound."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from buzzflow.backends.local import plan
from buzzflow.backends.local.evaluate import Plain

_QUOTED = re.compile(r"""\[(?:"([^"]*)"|'([^']*)'|(\d+))\]""")
MODEL_WORDS = ("model", "best.model", "rank.1.model")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a step answers with that is not run; paths in it start at *folder*."""

    folder: Path
    outputs: Mapping[str, Plain] = field(default_factory=dict)
    model: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    properties: Mapping[str, Plain] = field(default_factory=dict)

    def path(self, text: Plain) -> Path:
        """Return the file or folder that *text* names."""
        return (self.folder / str(text)).resolve()

    def words(self, step: plan.Step) -> Iterator[tuple[str, Plain]]:
        """Yield what it says of *step* itself, by the language's word; paths of the Describe answer are words, too."""
        for metric, figure in self.metrics.items():
            yield f"metrics.{metric}", figure
        if isinstance(step, plan.TuningStep) and step.search.metric in self.metrics:
            yield "best.metric", self.metrics[step.search.metric]
        if isinstance(step, plan.LambdaStep | plan.CallbackStep):
            for name, value in self.outputs.items():
                yield f"outputs.{name}", value
        for name, value in self.properties.items():
            dotted = _QUOTED.sub(lambda m: "." + (m[1] or m[2] or m[3]), name)
            yield dotted, value
            yield f"properties.{dotted}", value


@dataclass(frozen=True, slots=True)
class Function:
    """A function of a Python file that stands in for one of AWS Lambda."""

    file: Path
    handler: str


@dataclass(frozen=True, slots=True)
class StepHere:
    """How one step runs here."""

    result: Answer | None = None
    function: Function | None = None
    max_jobs: int | None = None
