"""Expressions and tests of a run plan: what only the run knows, as data that travels as JSON.

A parameter's value, where a step put an output, a value in its report.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

PLAIN_DATA = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, strict=True)


class _Data(BaseModel):
    model_config = PLAIN_DATA


class ParameterValue(_Data):
    """The value of a parameter."""

    get: Literal["parameter"] = "parameter"
    name: str


class OutputAddress(_Data):
    """Where a step put an output: `s3://…`, which the local store maps to a folder."""

    get: Literal["output"] = "output"
    step: str
    name: str


class StepProperty(_Data):
    """What a finished step gives, by the language's word: model, job_name, metrics.auc, outcome, …"""

    get: Literal["property"] = "property"
    step: str
    word: str


class DescribePath(_Data):
    """A raw path into what the service says of a step: known on the service only."""

    get: Literal["describe"] = "describe"
    step: str
    path: list[str]


class ReportValue(_Data):
    """A value in a JSON report of a step."""

    get: Literal["report"] = "report"
    step: str
    report: str
    path: list[str]


class StoredValue(_Data):
    """A value in a JSON file in the store."""

    get: Literal["stored"] = "stored"
    uri: Expression
    path: list[str]


class ItemValue(_Data):
    """The item for which a foreach runs its steps, or a field of it; copies of the steps hold its value instead."""

    get: Literal["item"] = "item"
    path: list[str] = []


class RunValue(_Data):
    """Something about the run."""

    get: Literal["run"] = "run"
    field: Literal["id", "arn", "pipeline", "pipeline_arn", "start_time", "now"]


class Join(_Data):
    """Text made of parts."""

    get: Literal["join"] = "join"
    parts: list[Expression]


Lookup = Annotated[
    ParameterValue
    | OutputAddress
    | StepProperty
    | DescribePath
    | ReportValue
    | StoredValue
    | ItemValue
    | RunValue
    | Join,
    Field(discriminator="get"),
]
Expression = str | Lookup
NumberExpression = int | Lookup
Scalar = str | int | float | bool | Lookup


class Members(_Data):
    """A JSON object with expressions in it."""

    get: Literal["members"] = "members"
    of: dict[str, Tree] = {}


class Items(_Data):
    """A JSON array with expressions in it."""

    get: Literal["items"] = "items"
    of: list[Tree] = []


Tree = Scalar | Members | Items | None


class Compare(_Data):
    """`left operator right`."""

    test: Literal["compare"] = "compare"
    operator: Literal["==", "<", "<=", ">", ">="]
    left: Scalar
    right: Scalar


class Member(_Data):
    """Whether *value* is one of *options*."""

    test: Literal["member"] = "member"
    value: Scalar
    options: list[Scalar]


class Negation(_Data):
    """True when *of* is false."""

    test: Literal["not"] = "not"
    of: Test


class Every(_Data):
    """True when all of them are."""

    test: Literal["all"] = "all"
    of: list[Test]


class Some(_Data):
    """True when one of them is."""

    test: Literal["any"] = "any"
    of: list[Test]


Test = Annotated[Compare | Member | Negation | Every | Some, Field(discriminator="test")]
