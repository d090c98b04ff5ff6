"""What the IR becomes in a run plan."""

from __future__ import annotations

import pytest

from buzzflow import ir
from buzzflow.backends.local import backend, plan
from buzzflow.backends.local.compiling.compile import compile_plan, expression

IMAGE = ir.ImageUri("img:1")


def pipeline(*steps: ir.Step, **fields: object) -> ir.Pipeline:
    return ir.Pipeline("delays", steps, **fields)


def processing(**fields: object) -> ir.Step:
    return ir.Step("extract", ir.Processing(ir.Job(**{"image": IMAGE} | fields)))


def container(step: ir.Step) -> plan.Container:
    [compiled] = compile_plan(pipeline(step)).steps
    assert isinstance(compiled, plan.ProcessingStep | plan.TrainingStep)
    return compiled.container


@pytest.mark.parametrize(
    ("value", "compiled"),
    [
        ("text", "text"),
        (ir.ParameterReference("p", ir.Kind.TEXT), plan.ParameterValue(name="p")),
        (ir.OutputReference("s", "o"), plan.OutputAddress(step="s", name="o")),
        (ir.PropertyReference("s", "model", ir.Kind.ARTIFACT), plan.StepProperty(step="s", word="model")),
        (ir.DescribeReference("s", ("A", "0")), plan.DescribePath(step="s", path=["A", "0"])),
        (ir.JsonReference("s", "f", ("a",)), plan.ReportValue(step="s", report="f", path=["a"])),
        (
            ir.StoredJsonReference(ir.Text(("s3://b/", ir.RunReference("id"))), ("a",)),
            plan.StoredValue(uri=plan.Join(parts=["s3://b/", plan.RunValue(field="id")]), path=["a"]),
        ),
        (ir.RunReference("now"), plan.RunValue(field="now")),
        (ir.Text(("a", ir.RunReference("id"))), plan.Join(parts=["a", plan.RunValue(field="id")])),
    ],
)
def test_each_value_is_text_or_a_lookup(value: ir.Value, compiled: plan.Expression) -> None:
    assert expression(value) == compiled


@pytest.mark.parametrize(
    ("environment", "prefix"),
    [
        (None, "s3://buzzflow-local/delays/"),
        (ir.Environment("research"), "s3://buzzflow-local/research/delays/"),
        (ir.Environment("research", bucket="b-1"), "s3://b-1/research/delays/"),
    ],
)
def test_outputs_lie_below_the_environments_bucket(environment: ir.Environment | None, prefix: str) -> None:
    assert compile_plan(pipeline(processing(), environment=environment)).prefix == prefix


def test_a_container_holds_code_and_isolation_and_limits() -> None:
    files = (ir.BundleFile("entry.sh", "1" * 64, 3), ir.BundleFile("requirements.txt", "2" * 64, 4))
    code = ir.Code("src/main.py", "python3", ir.Bundle("0" * 64, files), "requirements.txt")
    found = container(processing(code=code, network=ir.Network(isolation=True), timeout=60))
    assert found.code is not None
    assert (found.code.digest, found.code.requirements) == ("0" * 64, "2" * 64)
    assert found.code.path == "/opt/ml/processing/input/code"
    assert (found.isolation, found.timeout) == (True, 60)


def test_what_only_the_service_has_is_listed_once() -> None:
    network = ir.Network(("subnet-1",), ("sg-1",))
    jobs = [ir.Job(IMAGE, role="r", network=network, instance=ir.Instance(count=2)) for _ in range(2)]
    steps = [ir.Step(f"s{n}", ir.Processing(job), retry=(ir.Retry(("throttling",)),)) for n, job in enumerate(jobs)]
    assert compile_plan(pipeline(*steps)).not_tried == ["network.subnets", "role"]


def test_a_pipe_is_an_error() -> None:
    [found] = backend.check(pipeline(processing(inputs=(ir.Input("i", "s3://b/k/", "/in", mode="pipe"),))))
    assert (found.code, found.path) == ("BF421", ("steps", "extract", "inputs", "i"))
