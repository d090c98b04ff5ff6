"""References: what only a run knows, and text that holds it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Kind(StrEnum):
    """What a reference gives."""

    URI = "uri"  # a folder or object in the store
    ARTIFACT = "artifact"  # the store's address of a trained model
    MODEL = "model"  # the name of a model that can be served
    ARN = "arn"
    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    UNKNOWN = "unknown"  # a value in a report: known when it has been read


@dataclass(frozen=True, slots=True)
class ParameterReference:
    """The value that a parameter has in this run."""

    parameter: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class OutputReference:
    """Where a step put one of its declared outputs."""

    step: str
    output: str
    kind: Kind = Kind.URI


@dataclass(frozen=True, slots=True)
class PropertyReference:
    """What a step's type gives, by the language's word for it: `model`, `job_name`, `metrics.auc`."""

    step: str
    word: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class DescribeReference:
    """A raw path into what the service says of the finished step: `${step:S.properties.A.0.B}`."""

    step: str
    path: tuple[str, ...]
    kind: Kind = Kind.UNKNOWN


@dataclass(frozen=True, slots=True)
class JsonReference:
    """A value inside a JSON report of a step; *file* is the report's declared name."""

    step: str
    file: str
    path: tuple[str, ...]
    kind: Kind = Kind.UNKNOWN


@dataclass(frozen=True, slots=True)
class StoredJsonReference:
    """A value inside a JSON file in the store, whoever wrote it."""

    uri: Value
    path: tuple[str, ...]
    kind: Kind = Kind.UNKNOWN


@dataclass(frozen=True, slots=True)
class ItemReference:
    """The item of a foreach step for which its body runs, or a field of it."""

    path: tuple[str, ...]
    kind: Kind = Kind.UNKNOWN


RunField = Literal["id", "arn", "pipeline", "pipeline_arn", "start_time", "now"]


@dataclass(frozen=True, slots=True)
class RunReference:
    """Something about the run itself."""

    field: RunField
    kind: Kind = Kind.TEXT


Reference = (
    ParameterReference
    | OutputReference
    | PropertyReference
    | DescribeReference
    | JsonReference
    | StoredJsonReference
    | ItemReference
    | RunReference
)
StepReference = OutputReference | PropertyReference | DescribeReference | JsonReference


@dataclass(frozen=True, slots=True)
class Text:
    """Literals and references side by side: at least two parts, or one reference that must become text."""

    parts: tuple[str | Reference, ...]


Value = str | Reference | Text
Number = int | Reference
Pairs = tuple[tuple[str, Value], ...]  # a mapping, in the order of the YAML


@dataclass(frozen=True, slots=True)
class Mapping:
    """A JSON object whose values may hold references, in the order of the YAML."""

    items: tuple[tuple[str, Tree], ...]


@dataclass(frozen=True, slots=True)
class Sequence:
    """A JSON array whose items may hold references."""

    items: tuple[Tree, ...]


Tree = Value | int | float | bool | None | Mapping | Sequence
