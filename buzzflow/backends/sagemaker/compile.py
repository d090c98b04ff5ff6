"""Compile a pipeline to its definition: parameters, and steps nested in the branches that they belong to.

Version 2020-12-01, in the order of members of the SageMaker Python SDK 3.27.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from buzzflow import ir
from buzzflow.backends.backend import Artifact
from buzzflow.backends.sagemaker.conditions import say_conditions
from buzzflow.backends.sagemaker.experiments import experiment_config
from buzzflow.backends.sagemaker.jobs import processing_arguments, training_arguments, tuning_arguments
from buzzflow.backends.sagemaker.models import model_arguments, register_arguments, transform_arguments
from buzzflow.backends.sagemaker.patch import patched
from buzzflow.backends.sagemaker.scope import Scope
from buzzflow.backends.sagemaker.services import (
    automl_arguments,
    call_members,
    check_arguments,
    check_members,
    notebook_arguments,
    service_arguments,
)
from buzzflow.backends.sagemaker.text import Object
from buzzflow.backends.service import JOB_ERRORS, STEP_ERRORS

ARTIFACT = "pipeline-definition.json"

RUN_JOBS = frozenset(("processing", "training", "tuning", "transform", "automl", "notebook", "job", "raw"))


@dataclass(frozen=True)
class Definition:
    """What the service is given, as data, and the request of each step in it by the step's name."""

    data: Object
    requests: Mapping[str, Object]

    @cached_property
    def text(self) -> str:
        """What the service is sent: JSON in which nothing stands but what it needs."""
        return json.dumps(self.data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def artifact(definition: Definition) -> Artifact:
    """Return *definition* as a file."""
    return Artifact(ARTIFACT, definition.text.encode())


def define(pipeline: ir.Pipeline) -> Definition:
    """Return the definition of *pipeline*, and the requests in it. It is shared: nobody changes it."""
    return _define(_Same(pipeline))


class _Same:
    """A pipeline that equals itself alone: to compare two by their parts takes longer than to compile them."""

    def __init__(self, pipeline: ir.Pipeline) -> None:
        self.pipeline = pipeline

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.pipeline is self.pipeline

    def __hash__(self) -> int:
        return id(self.pipeline)


@lru_cache(maxsize=1)  # what `check` has made, `compile` takes
def _define(same: _Same) -> Definition:
    pipeline = same.pipeline
    scope = Scope(pipeline)
    steps = _Steps(scope)
    told: Object = {
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": [_parameter(p) for p in pipeline.parameters],
        "PipelineExperimentConfig": experiment_config(scope),
        "Steps": steps.of(None),
    }
    return Definition(patched(told, pipeline.patch, scope), steps.requests)


def _parameter(parameter: ir.Parameter) -> Object:
    found: Object = {"Name": parameter.name, "Type": parameter.type.capitalize()}
    if parameter.default is not None:
        found["DefaultValue"] = _typed(parameter, parameter.default)
    if parameter.choices:
        found["EnumValues"] = [_typed(parameter, choice) for choice in parameter.choices]
    return found


def _typed(parameter: ir.Parameter, value: str | float) -> str | float:
    return float(value) if parameter.type == "float" else value


class _Steps:
    """The steps of one pipeline, found by the branch or the foreach step that they belong to."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.requests: dict[str, Object] = {}
        self._nested: dict[ir.Branch | str | None, list[ir.Step]] = {}
        for step in scope.pipeline.steps:
            self._nested.setdefault(step.inside or step.branch, []).append(step)

    def of(self, parent: ir.Branch | str | None) -> list[Object]:
        """Return the steps of a branch or a foreach step, in the order of the pipeline; None is outside of all."""
        return [self._step(step) for step in self._nested.get(parent, ())]

    def _step(self, step: ir.Step) -> Object:
        kind, arguments, members = self._work(step)
        request = self.requests[step.name] = patched(arguments, step.patch, self._scope)
        found: Object = {"Name": step.name, "Type": kind, "Arguments": request}
        if order := _depends_on(step):
            found["DependsOn"] = order
        if step.display_name is not None:
            found["DisplayName"] = step.display_name
        if step.description is not None:
            found["Description"] = step.description
        if policies := [policy for retry in step.retry for policy in _retry_policies(retry, step.work)]:
            found["RetryPolicies"] = policies
        if step.cache is not None:
            found["CacheConfig"] = _cache(step.cache)
        return patched(found | members, step.step_patch, self._scope)

    def _work(self, step: ir.Step) -> tuple[str, Object, Object]:  # noqa: PLR0912  # one for each type
        """Return the type of the step in the definition, its arguments, and its members beside them."""
        scope = self._scope
        match step.work:
            case ir.Processing(job=job):
                files = _property_files(job)
                return "Processing", processing_arguments(scope, step, job), {"PropertyFiles": files} if files else {}
            case ir.Training() as work:
                return "Training", training_arguments(scope, step, work), {}
            case ir.Tuning() as work:
                return "Tuning", tuning_arguments(scope, step, work), {}
            case ir.Transform() as work:
                return "Transform", transform_arguments(scope, step, work), {}
            case ir.Model() as work:
                return "Model", model_arguments(scope, work), {}
            case ir.RegisterModel() as work:
                return "RegisterModel", register_arguments(scope, work), {}
            case ir.Condition() as work:
                return "Condition", self._condition(step, work), {}
            case ir.Fail(message=message):
                return "Fail", {"ErrorMessage": scope.say(message)}, {}
            case ir.Foreach() as work:
                return "ForEach", self._foreach(step, work), {}
            case ir.Lambda() as work:
                return "Lambda", scope.mapping(work.arguments), call_members(scope, work)
            case ir.Callback() as work:
                return "Callback", scope.mapping(work.arguments), call_members(scope, work)
            case ir.Check() as work:
                kind = {"quality_check": "QualityCheck", "clarify_check": "ClarifyCheck"}[work.type]
                return kind, check_arguments(scope, step, work), check_members(scope, work)
            case ir.AutoML() as work:
                return "AutoML", automl_arguments(scope, step, work), {}
            case ir.Notebook() as work:
                return "Training", notebook_arguments(scope, step, work), {}
            case ir.Service() as work:
                return work.step_type, service_arguments(scope, work), scope.mapping(work.members)

    def _condition(self, step: ir.Step, work: ir.Condition) -> Object:
        return {
            "Conditions": say_conditions(work.test, self._scope.steps),
            "IfSteps": self.of(ir.Branch(step.name, taken=True)),
            "ElseSteps": self.of(ir.Branch(step.name, taken=False)),
        }

    def _foreach(self, step: ir.Step, work: ir.Foreach) -> Object:
        return {
            "IterableItems": self._scope.say(work.items),
            "MaxConcurrency": work.max_concurrency,
            "ForEachBody": self.of(step.name),
        }


def _depends_on(step: ir.Step) -> list[object]:
    """Return the order that the user asked for, even where a reference says the same."""
    asked = [need for need in step.needs if need.because is ir.Because.ORDER]
    return [
        need.step if need.when is ir.When.COMPLETED else {"Step": need.step, "Trigger": need.when.capitalize()}
        for need in asked
    ]


def _retry_policies(retry: ir.Retry, work: ir.Work) -> list[Object]:
    """Return a policy for each family of errors; those of jobs only for steps that run one."""
    families = (STEP_ERRORS, JOB_ERRORS) if work.type in RUN_JOBS else (STEP_ERRORS,)
    return [_retry_policy(retry, errors) for family in families if (errors := _of(family, retry))]


def _of(family: Mapping[str, str], retry: ir.Retry) -> list[str]:
    return [family[error] for error in retry.errors if error in family]


def _retry_policy(retry: ir.Retry, errors: list[str]) -> Object:
    found: Object = {"BackoffRate": retry.backoff, "IntervalSeconds": retry.interval}
    if retry.max_attempts is not None:
        found["MaxAttempts"] = retry.max_attempts
    if retry.give_up_after is not None:
        found["ExpireAfterMin"] = -(-retry.give_up_after // 60)  # whole minutes, rounded up
    return found | {"ExceptionType": errors}


def _cache(cache: ir.Cache) -> Object:
    found: Object = {"Enabled": cache.enabled}
    return found if cache.expire_after is None else found | {"ExpireAfter": iso_duration(cache.expire_after)}


def iso_duration(seconds: int) -> str:
    """Return *seconds* as ISO 8601 writes it: `P30D`, `PT1H`, `P1DT2H3M4S`."""
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    time = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (rest, "S")) if n)
    date = f"{days}D" if days else ""
    return f"P{date}T{time}" if time else f"P{date}" if date else "PT0S"


def _property_files(job: ir.Job) -> list[Object]:
    return [
        {"PropertyFileName": report.name, "OutputName": output.name, "FilePath": report.file}
        for output in job.outputs
        for report in output.reports
    ]
