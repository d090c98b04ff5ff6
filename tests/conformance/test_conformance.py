"""The same pipelines by the SageMaker SDK and by buzzflow: every difference has its reason, every reason is met."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from buzzflow import ir
from buzzflow.backends.sagemaker.deploying.deployment import Source, deployment
from buzzflow.backends.sagemaker.deploying.write import create_pipeline
from buzzflow.backends.sagemaker.scope import Scope
from buzzflow.backends.sagemaker.service.requests import request_problems
from buzzflow.backends.sagemaker.services import analysis_file
from buzzflow.backends.sagemaker.verify import REQUESTS
from buzzflow.lower.services import STEP_TYPES
from tests.conformance.compare import Difference, differences
from tests.conformance.defects import DEFECTS
from tests.conformance.goldens import CASES, GOLDENS, VERSION, checked, compiled, sdk, steps
from tests.conformance.rules import RULES

_OWN_TYPES = {
    "Processing": "processing",
    "Training": "training",
    "Tuning": "tuning",
    "Transform": "transform",
    "Model": "model",
    "RegisterModel": "register_model",
    "QualityCheck": "quality_check",
    "ClarifyCheck": "clarify_check",
    **{theirs: ours for ours, theirs in STEP_TYPES.items()},
}


def _differences(case: str) -> list[Difference]:
    return differences(case, sdk(case), compiled(case))


@pytest.mark.parametrize("case", CASES)
def test_every_difference_has_one_reason(case: str) -> None:
    unexplained = {
        str(difference): reasons
        for difference in _differences(case)
        if len(reasons := [rule.name for rule in RULES if rule.explains(difference)]) != 1
    }
    assert unexplained == {}


def test_every_reason_is_met() -> None:
    found = [difference for case in CASES for difference in _differences(case)]
    assert [rule.name for rule in RULES if not any(map(rule.explains, found))] == []
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_every_case_has_a_golden_and_every_golden_a_case() -> None:
    files = {file.name.removesuffix(".json") for file in GOLDENS.glob("*.json")}
    assert files - {"attempts", "clarify-checks.analyses", "create-pipeline"} == {*CASES}


def test_every_attempt_is_told_and_every_telling_tried() -> None:
    assert [defect.attempt for defect in DEFECTS] == [*sdk("attempts")]


def test_clarify_is_configured_the_same() -> None:
    theirs = {address.split("/")[3]: content for address, content in sdk("clarify-checks.analyses").items()}
    pipeline = checked("clarify-checks").pipeline
    scope = Scope(pipeline)
    works = {step.name: step.work for step in pipeline.steps}
    ours = {name: json.loads(analysis_file(scope, w)) for name, w in works.items() if isinstance(w, ir.Check)}
    assert ours == theirs


class _Client:
    """Stands in for the client of SageMaker, and keeps what it is asked."""

    def create_pipeline(self, **members: Any) -> dict[str, str]:
        self.asked = members
        return {"PipelineArn": "arn"}


def test_a_pipeline_is_created_by_the_same_request() -> None:
    client = _Client()
    account: Any = SimpleNamespace(sagemaker=client)
    create_pipeline(account, deployment(checked("order").pipeline, Source("pipeline.yaml")), "identity")
    ours = {name: value for name, value in client.asked.items() if name in sdk("create-pipeline")}
    assert ours == sdk("create-pipeline")
    assert {*client.asked} - {*ours} == {"PipelineDefinition", "ClientRequestToken", "Tags"}


@pytest.mark.parametrize("case", ["processing", "training"])
def test_members_stand_in_the_order_of_the_sdk(case: str) -> None:
    made = {step["Name"]: step for step in steps(compiled(case))}
    for theirs in (step for step in steps(sdk(case)) if step["Name"] != "patched"):  # a patch is laid over, last
        for one, other in ((theirs, made[theirs["Name"]]), (theirs["Arguments"], made[theirs["Name"]]["Arguments"])):
            assert [member for member in other if member in one] == [member for member in one if member in other]


@pytest.mark.parametrize("case", CASES)
def test_the_services_model_takes_what_the_sdk_sends(case: str) -> None:
    found = {}
    for step in steps(sdk(case)):
        operation = REQUESTS.get(_OWN_TYPES.get(step["Type"], ""))
        request = {**step["Arguments"]}
        request.pop("TrainingJobName", None)  # of notebooks; the compiler asks without the names of jobs
        if operation and (problems := [*request_problems(operation, request)]):
            found[step["Name"]] = problems
    assert found == {}


def test_the_goldens_are_of_an_sdk_that_the_group_conformance_allows() -> None:
    assert VERSION.split(".")[0] == "3"
    assert tuple(map(int, VERSION.split(".")[:2])) >= (3, 27)
