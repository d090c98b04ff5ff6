"""Random pipelines in the IR that every backend takes.

A strategy that depends on the steps so far would be built anew for each step, which is slow. So a sketch is drawn
first, with a `Pick` wherever a reference stands, and then filled with what the steps before offer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import pytest
from hypothesis import strategies as st

from buzzflow import ir

ROLE = "arn:aws:iam::111122223333:role/R"
IMAGE = ir.ImageUri("111122223333.dkr.ecr.eu-west-1.amazonaws.com/img:1")
ENVIRONMENT = ir.Environment("research", "111122223333", "eu-west-1", "example-bucket", "research-")
CODE = ir.Code("src/main.py", "python3", ir.Bundle("0" * 64, (ir.BundleFile("entry.sh", "1" * 64, 10),)))
PARAMETERS = (
    ir.Parameter("day", "string", "2026-01-01"),
    ir.Parameter("limit", "float", 0.5),
    ir.Parameter("depth", "integer"),
    ir.Parameter("verbose", "boolean", True),
)
OF_PARAMETERS = (
    ir.ParameterReference("day", ir.Kind.TEXT),
    ir.ParameterReference("limit", ir.Kind.NUMBER),
    ir.ParameterReference("depth", ir.Kind.NUMBER),
    ir.ParameterReference("verbose", ir.Kind.BOOLEAN),
)
OF_THE_RUN = (ir.RunReference("id"), ir.RunReference("start_time"))


@pytest.fixture(scope="session")
def pipelines() -> Callable[..., st.SearchStrategy[ir.Pipeline]]:
    """Makes the strategy; *describe* allows references that only the service answers."""

    def pipelines(*, describe: bool) -> st.SearchStrategy[ir.Pipeline]:
        return SKETCHES.map(lambda sketches: _pipeline(sketches, describe=describe))

    return pipelines


# ------------------------------------------------------------------ sketches


@dataclass(frozen=True, slots=True)
class Pick:
    """The *number*-th (counted in a circle) of the references that there are, of *kinds* where there are such."""

    number: int
    kinds: tuple[type, ...] = ()


@dataclass(frozen=True, slots=True)
class Sketch:
    """A step, before it is known what the steps before it offer; numbers choose among those."""

    name: str
    work: Any
    branch: int | None
    orders: tuple[tuple[int, ir.When], ...]


def _picks(*kinds: type) -> st.SearchStrategy[Pick]:
    return st.builds(Pick, NUMBER, st.just(kinds))


def _tuples(of: st.SearchStrategy[Any], least: int = 0, most: int = 2) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(of, min_size=least, max_size=most).map(tuple)


def _job(root: str, outputs: st.SearchStrategy[tuple[ir.Output, ...]]) -> st.SearchStrategy[ir.Job]:
    return st.builds(
        ir.Job,
        image=st.just(IMAGE),
        code=st.sampled_from((CODE, None)),
        arguments=_tuples(VALUE),
        environment=PAIRS,
        inputs=_tuples(PLACE, most=3).map(
            lambda found: tuple(ir.Input(f"i{n}", source, f"{root}/i{n}") for n, source in enumerate(found))
        ),
        outputs=outputs,
        instance=st.builds(ir.Instance, count=st.just(1) | _picks(ir.ParameterReference)),
        role=st.just(ROLE),
        timeout=st.none() | st.just(60) | _picks(ir.JsonReference),
    )


def _longer(test: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = _tuples(test, least=2, most=3)
    return st.one_of(st.builds(ir.Not, test), st.builds(ir.All, several), st.builds(ir.Any, several))


def _outputs(to: Any) -> tuple[ir.Output, ...]:
    report = ir.JsonFile("report", "metrics.json")
    return (
        ir.Output("data", "/opt/ml/processing/output/data", reports=(report,)),
        ir.Output("test-set.1", "/opt/ml/processing/output/test", to=to),
    )


NAME = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,9}", fullmatch=True)
NUMBER = st.integers(0, 99)
LITERAL = st.sampled_from(("a", "--b", "c/", "/d", " = ", "Steps.a.b", "${x}"))
PICK = _picks()
VALUE = st.one_of(
    LITERAL, PICK, st.builds(ir.Text, _tuples(PICK, 1, 1)), st.builds(ir.Text, _tuples(LITERAL | PICK, 2, 4))
)
PAIRS = st.dictionaries(st.sampled_from("ABC"), VALUE, max_size=2).map(lambda found: tuple(found.items()))
ADDRESS = _picks(ir.OutputReference, ir.PropertyReference)
PLACE = st.one_of(st.just("s3://b/k/"), ADDRESS, ADDRESS.map(lambda pick: ir.Text((pick, "part/"))))
OPERAND = st.one_of(PICK, LITERAL, st.integers(-9, 9), st.booleans())
COMPARISON = st.builds(ir.Comparison, st.sampled_from(("==", "<", "<=", ">", ">=")), PICK, OPERAND)
TEST = st.recursive(COMPARISON | st.builds(ir.Membership, PICK, _tuples(OPERAND, least=1)), _longer, max_leaves=4)
TO = st.none() | _picks(ir.ParameterReference).map(lambda pick: ir.Text(("s3://b/", pick, "/")))
MODEL = st.just((ir.Output("model", "/opt/ml/model"),))
WORK = st.one_of(
    st.builds(ir.Processing, _job("/opt/ml/processing/input", TO.map(_outputs))),
    st.builds(ir.Training, _job("/opt/ml/input/data", MODEL), PAIRS, st.just((("auc", "auc=(.*)"),))),
    st.builds(ir.Condition, TEST, st.just(()), st.just(())),
    st.builds(ir.Fail, VALUE),
)
SKETCH = st.builds(Sketch, NAME, WORK, st.none() | NUMBER, _tuples(st.tuples(NUMBER, st.sampled_from(ir.When))))
SKETCHES = st.lists(SKETCH, min_size=1, max_size=7, unique_by=lambda sketch: sketch.name)


# ------------------------------------------------------------------ pipelines


def _pipeline(sketches: Sequence[Sketch], *, describe: bool) -> ir.Pipeline:
    steps: list[ir.Step] = []
    for sketch in sketches:
        steps.append(_step(sketch, steps, describe=describe))
    return ir.Pipeline("delays", tuple(_with_branches(steps)), PARAMETERS, ENVIRONMENT)


def _step(sketch: Sketch, before: Sequence[ir.Step], *, describe: bool) -> ir.Step:
    """Return the step: it may use, wait for, and belong to the steps before it."""
    work = _filled(sketch.work, [r for step in before for r in _offered(step, describe=describe)])
    needs = {ir.Need(r.step, ir.Because.REFERENCE) for r in ir.references(work) if isinstance(r, ir.StepReference)}
    if before:
        needs |= {ir.Need(before[n % len(before)].name, ir.Because.ORDER, when) for n, when in sketch.orders}
    branch = None
    conditions = [step.name for step in before if isinstance(step.work, ir.Condition)]
    if conditions and sketch.branch is not None:
        branch = ir.Branch(conditions[sketch.branch % len(conditions)], taken=sketch.branch < 50)
        needs.add(ir.Need(branch.condition, ir.Because.BRANCH))
    return ir.Step(sketch.name, work, tuple(sorted(needs)), branch)


def _filled(thing: Any, offered: Sequence[ir.Reference]) -> Any:
    match thing:
        case Pick(number=number, kinds=kinds):
            every = (*OF_PARAMETERS, *OF_THE_RUN, *offered)
            found = [r for r in every if isinstance(r, kinds)] if kinds else every
            return (found or OF_PARAMETERS)[number % len(found or OF_PARAMETERS)]
        case tuple():
            return tuple(_filled(item, offered) for item in thing)
        case _ if is_dataclass(thing) and not isinstance(thing, type):
            return replace(thing, **{f.name: _filled(getattr(thing, f.name), offered) for f in fields(thing)})
        case _:
            return thing


def _offered(step: ir.Step, *, describe: bool) -> list[ir.Reference]:
    match step.work:
        case ir.Processing(job=job):
            found: list[ir.Reference] = [ir.OutputReference(step.name, output.name) for output in job.outputs]
            found.append(ir.PropertyReference(step.name, "job_name", ir.Kind.TEXT))
            found.append(ir.JsonReference(step.name, "report", ("a", "0", "b c")))
            path = ("AppSpecification", "ImageUri")
        case ir.Training():
            words = ("model", "output_uri", "job_name", "image", "metrics.auc")
            found = [ir.PropertyReference(step.name, word, ir.Kind.TEXT) for word in words]
            path = ("HyperParameters", "a b")
        case ir.Condition():
            return [ir.PropertyReference(step.name, "outcome", ir.Kind.TEXT)]
        case ir.Fail():
            return []
    return [*found, ir.DescribeReference(step.name, path)] if describe else found


def _with_branches(steps: Sequence[ir.Step]) -> list[ir.Step]:
    """Return the steps, each condition with the names of those in its branches."""

    def named(condition: str, *, taken: bool) -> tuple[str, ...]:
        return tuple(s.name for s in steps if s.branch == ir.Branch(condition, taken))

    return [
        replace(s, work=ir.Condition(s.work.test, named(s.name, taken=True), named(s.name, taken=False)))
        if isinstance(s.work, ir.Condition)
        else s
        for s in steps
    ]
