"""Expressions and tests of a run plan: what only the run knows, as data that travels as JSON.

A parameter's value, where a step put an output, a value in its report.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class PlanData(BaseModel):
    """A part of a run plan."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, strict=True, defer_build=True)


class ParameterValue(PlanData):
    """The value of a parameter."""

    get: Literal["parameter"] = "parameter"
    name: str


class OutputAddress(PlanData):
    """Where a step put an output: `s3://…`, which the local store maps to a folder."""

    get: Literal["output"] = "output"
    step: str
    name: str


class StepProperty(PlanData):
    """What a finished step gives, by the language's word: model, job_name, metrics.auc, outcome, …"""

    get: Literal["property"] = "property"
    step: str
    word: str


class DescribePath(PlanData):
    """A raw path into what the service says of a step: known on the service only."""

    get: Literal["describe"] = "describe"
    step: str
    path: list[str]


class ReportValue(PlanData):
    """A value in a JSON report of a step."""

    get: Literal["report"] = "report"
    step: str
    report: str
    path: list[str]


class StoredValue(PlanData):
    """A value in a JSON file in the store."""

    get: Literal["stored"] = "stored"
    uri: Expression
    path: list[str]


class ItemValue(PlanData):
    """The item for which a foreach runs its steps, or a field of it; copies of the steps hold its value instead."""

    get: Literal["item"] = "item"
    path: list[str] = []


class RunValue(PlanData):
    """Something about the run."""

    get: Literal["run"] = "run"
    field: Literal["id", "arn", "pipeline", "pipeline_arn", "start_time", "now"]


class Join(PlanData):
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


class Members(PlanData):
    """A JSON object with expressions in it."""

    get: Literal["members"] = "members"
    of: dict[str, Tree] = {}


class Items(PlanData):
    """A JSON array with expressions in it."""

    get: Literal["items"] = "items"
    of: list[Tree] = []


Tree = Scalar | Members | Items | None


class Compare(PlanData):
    """`left operator right`."""

    test: Literal["compare"] = "compare"
    operator: Literal["==", "<", "<=", ">", ">="]
    left: Scalar
    right: Scalar


class Member(PlanData):
    """Whether *value* is one of *options*."""

    test: Literal["member"] = "member"
    value: Scalar
    options: list[Scalar]


class Negation(PlanData):
    """True when *of* is false."""

    test: Literal["not"] = "not"
    of: Test


class Every(PlanData):
    """True when all of them are."""

    test: Literal["all"] = "all"
    of: list[Test]


class Some(PlanData):
    """True when one of them is."""

    test: Literal["any"] = "any"
    of: list[Test]


Test = Annotated[Compare | Member | Negation | Every | Some, Field(discriminator="test")]
