from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzzflow import ir
from buzzflow.config.parse import parse, parse_environment
from buzzflow.diagnostics import Diagnostic, PipelineError, Severity, Span
from buzzflow.loader.interpolate import interpolate
from buzzflow.loader.nodes import from_plain
from buzzflow.loader.shorthands import expand_shorthands, list_arguments
from buzzflow.lower import lower
from buzzflow.lower.lower import Lowered

STOP = {"type": "fail", "message": "stop"}


def lowered(data: dict[str, Any], code: dict[str, ir.Code] | None = None, environment: Any = None) -> Lowered:
    tree = list_arguments(expand_shorthands(interpolate(from_plain(data, Span("f", 1, 1)))))
    config = parse(tree.plain(), name="ctr")
    return lower(config, code=code or {}, environment=None if environment is None else parse_environment(environment))


def pipeline(data: dict[str, Any], **given: Any) -> ir.Pipeline:
    return lowered(data, **given).pipeline


def job(**fields: Any) -> ir.Job:
    found = ir.job_of(pipeline({"steps": {"s": {"type": "processing", "image": "i", **fields}}}).step("s"))
    assert found is not None
    return found


def problems(data: dict[str, Any]) -> tuple[Diagnostic, ...]:
    with pytest.raises(PipelineError) as error:
        lowered(data)
    return error.value.diagnostics


# ------------------------------------------------------------------ order


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    """Draw the needs of each step, without a circle, in an order of the YAML that is any."""
    names = [f"s{i}" for i in range(draw(st.integers(1, 9)))]
    needs = {n: draw(st.lists(st.sampled_from(names[:i]), unique=True)) if i else [] for i, n in enumerate(names)}
    return {n: needs[n] for n in draw(st.permutations(names))}


def _steps(needs: dict[str, list[str]]) -> dict[str, Any]:
    return {"steps": {n: {**STOP, "depends_on": list(others)} for n, others in needs.items()}}


@given(graphs())
def test_every_step_comes_after_the_steps_it_needs(needs):
    order = [s.name for s in pipeline(_steps(needs)).steps]

    assert sorted(order) == sorted(needs)
    assert all(order.index(other) < order.index(name) for name, others in needs.items() for other in others)


@given(graphs())
def test_otherwise_the_order_is_that_of_the_yaml(needs):
    expected: list[str] = []
    while len(expected) < len(needs):
        expected.append(next(n for n, others in needs.items() if n not in expected and set(others) <= set(expected)))

    assert [s.name for s in pipeline(_steps(needs)).steps] == expected


@given(graphs(), st.data())
def test_a_circle_is_told_whole(needs, data):
    names = data.draw(
        st.lists(st.sampled_from(list(needs)), min_size=2, unique=True) if len(needs) > 1 else st.nothing()
    )
    circle = {n: [*others] for n, others in needs.items()}
    for before, after in zip(names, [*names[1:], names[0]], strict=True):
        circle[after] = sorted({*circle[after], before})

    (found,) = problems(_steps(circle))
    told = found.summary.partition(": ")[2].split(" -> ")
    assert found.code == "BF307"
    assert told[0] == told[-1]
    assert all(before in circle[after] for before, after in pairwise(told))


def test_a_step_needs_what_it_refers_to_waits_for_and_is_chosen_by():
    steps = {
        "report": {"type": "processing", "image": "i", "inputs": {"m": "${step:train.model}"}, "depends_on": [{"step": "check", "when": "failed"}]},  # noqa: E501
        "if": {"type": "condition", "if": "${step:train.metrics.auc} > 0.5", "then": ["report"]},
        "check": STOP,
        "train": {"type": "training", "image": "i", "metrics": {"auc": "auc=(.*)"}},
    }  # fmt: skip
    found = pipeline({"steps": steps})

    assert [s.name for s in found.steps] == ["check", "train", "if", "report"]
    assert set(found.step("report").needs) == {
        ir.Need("train", ir.Because.REFERENCE),
        ir.Need("check", ir.Because.ORDER, ir.When.FAILED),
        ir.Need("if", ir.Because.BRANCH),
    }
    assert found.step("report").branch == ir.Branch("if", taken=True)
    assert found.step("if").needs == (ir.Need("train", ir.Because.REFERENCE),)


# ------------------------------------------------------------------ values


def test_a_reference_alone_is_itself_and_in_text_a_part():
    found = job(
        inputs={"a": "s3://b/${run:id}/x", "b": "s3://b"},
        arguments=["${run:id}", "x", "n${run:id}"],
        timeout=None,
        environment_variables={"A": "", "B": "${run:id}"},
    )

    run = ir.RunReference("id")
    assert found.inputs[0].source == ir.Text(("s3://b/", run, "/x"))
    assert found.arguments == (run, "x", ir.Text(("n", run)))
    assert found.environment == (("A", ""), ("B", run))


def test_a_number_in_text_becomes_text():
    data = {
        "parameters": {"n": 1},
        "steps": {
            "s": {"type": "processing", "image": "i", "arguments": ["${param:n}"], "instance": {"count": "${param:n}"}}
        },
    }
    found = ir.job_of(pipeline(data).step("s"))

    number = ir.ParameterReference("n", ir.Kind.NUMBER)
    assert found is not None
    assert found.arguments == (ir.Text((number,)),)
    assert found.instance.count == number


@pytest.mark.parametrize("to", ["s3://b/x", "s3://b/x/"])
def test_the_address_of_an_output_ends_in_a_slash(to):
    assert job(outputs={"o": to}).outputs[0].to == "s3://b/x/"
    assert job(outputs={"o": to.replace("b/", "b/${run:id}/")}).outputs[0].to == ir.Text(
        ("s3://b/", ir.RunReference("id"), "/x/")
    )


def test_several_conditions_all_hold():
    steps = {"c": {"type": "condition", "if": ["true", "false"], "then": ["f"]}, "f": STOP}

    work = pipeline({"steps": steps}).step("c").work
    assert isinstance(work, ir.Condition)
    assert work.test == ir.All((ir.Comparison("==", True, True), ir.Comparison("==", False, True)))


def test_a_training_stops_after_a_day_unless_it_says_otherwise():
    found = pipeline(
        {
            "steps": {
                "a": {"type": "training", "image": "i"},
                "b": {"type": "training", "image": "i", "timeout": "1h"},
                "c": {"type": "processing", "image": "i"},
            }
        }
    )

    assert [j.timeout for s in found.steps if (j := ir.job_of(s))] == [86400, 3600, None]


@pytest.mark.parametrize(
    ("default", "kind"), [(True, "boolean"), (1, "integer"), (1.5, "float"), ("x", "string"), ({}, "string")]
)
def test_the_type_of_a_parameter_follows_from_its_default(default, kind):
    (parameter,) = pipeline({"parameters": {"p": default}, "steps": {"s": STOP}}).parameters

    assert parameter.type == kind


# ------------------------------------------------------------------ tags, warnings


def test_tags_of_the_step_lie_over_the_pipelines_over_the_environments():
    data = {
        "tags": {"b": "pipeline", "c": "pipeline"},
        "steps": {"s": {"type": "processing", "image": "i", "tags": {"c": "step", "d": "${run:id}"}}},
    }
    found = pipeline(data, environment={"name": "research", "tags": {"a": "environment", "b": "environment"}})
    step = ir.job_of(found.step("s"))

    assert dict(found.tags) == {"a": "environment", "b": "pipeline", "c": "pipeline"}
    assert step is not None
    assert dict(step.tags) == {"a": "environment", "b": "pipeline", "c": "step", "d": ir.RunReference("id")}


def test_tags_of_the_pipeline_are_known_before_the_run():
    assert [d.code for d in problems({"tags": {"a": "${run:id}"}, "steps": {"s": STOP}})] == ["BF207"]


CODE = ir.Code("src/a.py", "python3", ir.Bundle("0" * 64, ()))


def test_a_default_image_is_said_aloud_once():
    step = {"type": "processing", "code": "a.py"}
    none = lowered({"steps": {"s": {**step, "image": "i"}}}, {"s": CODE})
    (one,) = lowered({"steps": {"s": step}}, {"s": CODE}).warnings
    (two,) = lowered({"steps": {"s": step, "t": step}}, {"s": CODE, "t": CODE}).warnings

    assert none.warnings == ()
    assert (one.code, one.severity, one.path) == ("BF318", Severity.WARNING, ("steps", "s"))
    assert one.summary == "step 's' names no image, so sklearn:1.4-2 is used"
    assert two.summary.startswith("2 steps name no image")


def test_every_problem_is_told():
    steps = {
        "a": {"type": "processing", "image": "i", "inputs": {"x": "${step:none.model}", "y": "b"}},
        "c": {"type": "condition", "if": "${param:p} > 1", "then": ["a", "a", "zz"]},
        "d": {"type": "fail", "message": "${json:a.r.x}", "depends_on": ["q", "d"]},
    }

    assert sorted(d.code for d in problems({"steps": steps})) == [
        "BF301", "BF301", "BF301", "BF304", "BF305", "BF307", "BF311", "BF320",
    ]  # fmt: skip


_JOB = {"type": "processing", "image": "a:1", "entrypoint": ["a"]}


@pytest.mark.parametrize(
    "wrong",
    [
        {f"step-{i}": {**_JOB, "depends_on": [f"stepp-{i}"]} for i in range(1500)},
        {"z": {**_JOB, "depends_on": [f"stepp-{i}" for i in range(1500)]}},
        {"z": {**_JOB, "arguments": [f"${{step:stepp-{i}.job_name}}" for i in range(1500)]}},
        {"z": {"type": "condition", "if": "1 == 1", "then": [f"stepp-{i}" for i in range(1500)]}},
        {"z": {"type": "condition", "if": [f"${{step:s{i}.a}} == 1" for i in range(1500)], "then": ["step-1"]}},
    ],
    ids=["steps", "depends_on", "arguments", "then", "if"],
)
def test_many_mistakes_are_told_quickly(wrong):
    steps = {f"step-{i}": _JOB for i in range(1500)}

    started = time.process_time()
    assert 200 <= len(problems({"steps": {**steps, **wrong}})) < 300
    assert time.process_time() - started < 4


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("pattern", "right"),
    [("([[a])", True), (f"({'x' * 498})", True), ("x" * 501, False), ("(a{99999999999999})", False), ("x", False)],
)
def test_a_metric_has_a_pattern_that_the_service_takes(pattern, right):
    data = {"steps": {"s": {"type": "training", "image": "a:1", "entrypoint": ["a"], "metrics": {"m": pattern}}}}

    assert right or [d.code for d in problems(data)] == ["BF324"]
    assert not right or lowered(data)


@pytest.mark.parametrize("file", ["/a.json", "../a.json", "a/../b.json", "a//b.json", "a/", "a\\b.json", "a\0"])
def test_a_report_is_a_file_inside_the_output(file):
    data = {"steps": {"s": {**_JOB, "outputs": {"o": {"json": {"r": file}}}}}}

    assert [d.code for d in problems(data)] == ["BF325"]
