"""What a cached result depends on: here and in a deployment's plan the same, for a change of any field of the IR."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzzflow import ir
from buzzflow.backends.caching import compared_fields
from buzzflow.backends.local.compiling.compile import compile_plan
from buzzflow.backends.sagemaker.deploying.deployed import Deployed
from buzzflow.backends.sagemaker.deploying.deployment import Source, deployment
from buzzflow.backends.sagemaker.deploying.plan import plan

ROLE = "arn:aws:iam::111122223333:role/R"
ENVIRONMENT = ir.Environment("research", "111122223333", "eu-west-1", "example-bucket", role=ROLE)
BUNDLE = ir.Bundle("0" * 64, (ir.BundleFile("entry.sh", "1" * 64, 10), ir.BundleFile("src/main.py", "2" * 64, 20)))
EDITED = ir.Bundle("3" * 64, (ir.BundleFile("entry.sh", "1" * 64, 10), ir.BundleFile("src/main.py", "4" * 64, 20)))
CODE = ir.Code("src/main.py", "python3", BUNDLE)
JOB = ir.Job(
    image=ir.FrameworkImage("pytorch", "2.5"),
    code=CODE,
    arguments=("--rows", ir.ParameterReference("rows", ir.Kind.NUMBER)),
    environment=(("LEVEL", "info"),),
    inputs=(
        ir.Input("raw", "s3://raw/day/", "/opt/ml/processing/input/raw", mode="file"),
        ir.Input("settings", BUNDLE, "/opt/ml/processing/input/settings"),
    ),
    outputs=(ir.Output("data", "/opt/ml/processing/output/data"),),
    role=ROLE,
    timeout=3600,
)
PROCESSING = ir.Processing(JOB)
OF_A_MODEL = replace(JOB, outputs=(ir.Output("model", "/opt/ml/model"),))
TRAINING = ir.Training(
    OF_A_MODEL, (("depth", "3"),), (("auc", "auc=(.*)"),), checkpoints=ir.Checkpoints("/c", "s3://c/")
)

JOB_EDITS: dict[str, dict[str, Any]] = {
    "image": {"image": ir.FrameworkImage("pytorch", "2.4")},
    "image.accelerator": {"image": ir.FrameworkImage("pytorch", "2.5", accelerator="gpu")},
    "image.uri": {"image": ir.ImageUri("111122223333.dkr.ecr.eu-west-1.amazonaws.com/img:1")},
    "code": {"code": None, "entrypoint": ("run",)},
    "code.bundle": {"code": replace(CODE, bundle=EDITED)},
    "code.entry_point": {"code": replace(CODE, entry_point="src/other.py")},
    "code.interpreter": {"code": replace(CODE, interpreter="python3.11")},
    "code.requirements": {"code": replace(CODE, requirements="requirements.txt")},
    "code.distributed": {"code": replace(CODE, distributed="torchrun")},
    "code.inference": {"code": replace(CODE, inference=True)},
    "entrypoint": {"code": None, "entrypoint": ("run", "it")},
    "arguments": {"arguments": ("--rows", "3")},
    "environment": {"environment": (("LEVEL", "debug"),)},
    "secrets": {"secrets": (("PASSWORD", "db/password"),)},
    "inputs": {"inputs": JOB.inputs[:1]},
    "inputs.source": {"inputs": (replace(JOB.inputs[0], source="s3://raw/other/"), JOB.inputs[1])},
    "inputs.files": {"inputs": (JOB.inputs[0], replace(JOB.inputs[1], source=EDITED))},
    "inputs.path": {"inputs": (replace(JOB.inputs[0], path="/opt/ml/processing/input/other"), JOB.inputs[1])},
    "inputs.content_type": {"inputs": (replace(JOB.inputs[0], content_type="text/csv"), JOB.inputs[1])},
    "inputs.distribution": {"inputs": (replace(JOB.inputs[0], distribution="shard"), JOB.inputs[1])},
    "inputs.mode": {"inputs": (replace(JOB.inputs[0], mode="fast_file"), JOB.inputs[1])},
    "inputs.data_type": {"inputs": (replace(JOB.inputs[0], data_type="manifest"), JOB.inputs[1])},
    "inputs.compression": {"inputs": (replace(JOB.inputs[0], compression="gzip"), JOB.inputs[1])},
    "inputs.extract": {"inputs": (replace(JOB.inputs[0], extract=True), JOB.inputs[1])},
    "inputs.group": {"inputs": (replace(JOB.inputs[0], group="all"), JOB.inputs[1])},
    "outputs.to": {"outputs": (ir.Output("data", "/opt/ml/processing/output/data", to="s3://mine/"),)},
    "outputs": {"outputs": (*JOB.outputs, ir.Output("more", "/opt/ml/processing/output/more"))},
    "instance.type": {"instance": ir.Instance("ml.m5.4xlarge")},
    "instance.family": {"instance": ir.Instance("ml.g5.xlarge")},
    "instance.count": {"instance": ir.Instance(count=2)},
    "instance.volume": {"instance": ir.Instance(volume_size_gb=90)},
    "network": {"network": ir.Network(("subnet-1",), ("sg-1",))},
    "encryption": {"encryption": ir.Encryption("key-1", "key-2")},
    "role": {"role": ROLE + "2"},
    "timeout": {"timeout": 7200},
    "tags": {"tags": (("team", "ads"),)},
}
TRAINING_EDITS: dict[str, dict[str, Any]] = {
    "hyperparameters": {"hyperparameters": (("depth", "4"),)},
    "metrics": {"metrics": (("auc", "AUC=(.*)"),)},
    "input_mode": {"input_mode": "fast_file"},
    "spot": {"spot": ir.Spot(600)},
    "checkpoints": {"checkpoints": None},
    "checkpoints.path": {"checkpoints": ir.Checkpoints("/d", "s3://c/")},
    "checkpoints.to": {"checkpoints": ir.Checkpoints("/c", "s3://d/")},
    "algorithm": {"algorithm": "arn:aws:sagemaker:eu-west-1:111122223333:algorithm/a"},
    "debugger": {"debugger": ir.Mapping((("DebugHookConfig", ir.Mapping((("S3OutputPath", "s3://d/"),))),))},
    "profiler": {"profiler": ir.Mapping((("ProfilerConfig", ir.Mapping((("S3OutputPath", "s3://p/"),))),))},
}
STEP_EDITS: dict[str, dict[str, Any]] = {
    "display_name": {"display_name": "Another"},
    "description": {"description": "More words"},
    "retry": {"retry": (ir.Retry(("throttling",), max_attempts=3),)},
    "cache": {"cache": ir.Cache(expire_after=3600)},
    "patch": {"patch": ir.Mapping((("Environment", ir.Mapping((("MORE", "1"),))),))},
    "patch.uncompared": {"patch": ir.Mapping((("ExperimentConfig", ir.Mapping((("TrialName", "t"),))),))},
}
IS_NO_EDIT = {"job", "name", "work", "needs", "branch", "inside", "step_patch"}  # the graph, and what holds the rest
Edited = tuple[ir.Step, ir.Step]


def step(work: ir.Work, **members: Any) -> ir.Step:
    return ir.Step("extract", work, cache=ir.Cache(expire_after=86_400), **members)


def edits() -> dict[str, Edited]:
    found: dict[str, Edited] = {}
    for name, members in JOB_EDITS.items():
        found[f"processing {name}"] = step(PROCESSING), step(ir.Processing(replace(JOB, **members)))
        training = replace(TRAINING, job=replace(OF_A_MODEL, **{**members, "outputs": OF_A_MODEL.outputs}))
        if not name.startswith("outputs"):
            found[f"training {name}"] = step(TRAINING), step(training)
    for name, members in TRAINING_EDITS.items():
        found[f"training {name}"] = step(TRAINING), step(replace(TRAINING, **members))
    for name, members in STEP_EDITS.items():
        for work in (PROCESSING, TRAINING):
            found[f"{work.type} {name}"] = step(work), replace(step(work), **members)
    return found


EDITS = edits()


def is_lost_on_the_service(before: ir.Step, after: ir.Step) -> bool:
    have, wanted = (deployment(pipeline(s), Source("p.yaml")) for s in (before, after))
    role, now = have.role, datetime(2026, 1, 1, tzinfo=UTC)
    deployed = Deployed(have.name, "arn", have.text, have.data, role, "", None, have.tags, now, "Active")
    return any(change.reruns for change in plan(wanted, deployed).steps)


def is_lost_here(before: ir.Step, after: ir.Step) -> bool:
    one, other = (compile_plan(pipeline(s)).steps[0].cache for s in (before, after))
    assert one is not None
    assert other is not None
    return one.fields != other.fields


def pipeline(*steps: ir.Step) -> ir.Pipeline:
    return ir.Pipeline("delays", steps, (ir.Parameter("rows", "integer", 3),), ENVIRONMENT)


@pytest.mark.parametrize("name", EDITS)
def test_a_change_loses_the_cache_here_when_it_does_on_the_service(name: str) -> None:
    before, after = EDITS[name]
    assert is_lost_here(before, after) == is_lost_on_the_service(before, after)


def test_some_changes_lose_it_and_some_do_not() -> None:
    lost = {name for name, edited in EDITS.items() if is_lost_here(*edited)}
    assert {"processing arguments", "processing code.bundle", "training hyperparameters"} < lost
    assert {"processing outputs.to", "processing timeout", "training instance.count"} < {*EDITS} - lost


def test_every_field_of_a_job_and_a_training_is_among_the_changes() -> None:
    assert {f.name for f in fields(ir.Job)} == {name.partition(".")[0] for name in JOB_EDITS}
    assert {f.name for f in fields(ir.Training)} - IS_NO_EDIT == {n.partition(".")[0] for n in TRAINING_EDITS}
    assert {f.name for f in fields(ir.Step)} - IS_NO_EDIT == {n.partition(".")[0] for n in STEP_EDITS}
    parts = {f"inputs.{f.name}" for f in fields(ir.Input)} | {f"code.{f.name}" for f in fields(ir.Code)}
    assert parts - {*JOB_EDITS} == {"inputs.name", "code.launcher"}  # another input; tried below


def test_the_toolkits_own_start_counts_by_its_code_and_entry_point() -> None:
    image = replace(CODE, launcher="image")
    one = step(replace(TRAINING, job=replace(OF_A_MODEL, code=image)))
    for edit in (replace(image, bundle=EDITED), replace(image, entry_point="src/other.py"), CODE):
        other = step(replace(TRAINING, job=replace(OF_A_MODEL, code=edit)))
        assert is_lost_here(one, other)
        assert is_lost_on_the_service(one, other)


@given(st.lists(st.sampled_from(sorted(JOB_EDITS)), max_size=4, unique=True))
def test_several_changes_at_once_lose_it_when_one_of_them_does(names: list[str]) -> None:
    job = JOB
    for name in names:
        job = replace(job, **JOB_EDITS[name])
    edited = step(PROCESSING), step(ir.Processing(job))
    assert is_lost_here(*edited) == is_lost_on_the_service(*edited)


def test_a_checkpoint_folder_of_the_run_is_never_the_same() -> None:
    own = step(replace(TRAINING, checkpoints=ir.Checkpoints("/c")))
    assert (compared_fields(own) or {})["checkpoints.to"] == ir.Text((ir.RunReference("id"),))


@pytest.mark.parametrize("cache", [None, ir.Cache(enabled=False)])
def test_without_a_cache_nothing_is_compared(cache: ir.Cache | None) -> None:
    assert compared_fields(ir.Step("extract", PROCESSING, cache=cache)) is None
    assert compared_fields(step(ir.Fail("no"))) is None
