"""SageMaker as far as pipelines go; everything else is moto's."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from typing import Any

from tests.aws.clock import Clock
from tests.aws.errors import ServiceError
from tests.aws.exchange import Request, Response
from tests.aws.moto_app import Moto
from tests.aws.operations import Operation
from tests.aws.sagemaker import jobs
from tests.aws.sagemaker.answers import described, step_answers, summary
from tests.aws.sagemaker.executions import Execution
from tests.aws.sagemaker.pages import ordered, page
from tests.aws.sagemaker.pipelines import Pipeline, Pipelines
from tests.aws.sagemaker.scripts import StepScript
from tests.aws.sagemaker.starts import check_selection, parameters_of
from tests.aws.shapes import check_answer, check_request
from tests.aws.tokens import Tokens

_TAGGING = {"ListTags", "AddTags", "DeleteTags"}


class SageMaker:
    """Pipelines of one account, in all regions, with their executions."""

    def __init__(self, moto: Moto, clock: Clock, account: str) -> None:
        self._moto = moto
        self._clock = clock
        self._account = account
        self._lock = threading.RLock()
        self._tokens = Tokens()
        self._regions: dict[str, Pipelines] = {}
        self._executions: dict[str, Execution] = {}
        self._scripts: dict[str, Mapping[str, StepScript]] = {}
        self._logged: dict[str, int] = {}

    def reset(self) -> None:
        with self._lock:
            self._tokens.clear()
            for kept in (self._regions, self._executions, self._scripts, self._logged):
                kept.clear()

    def will_run(self, scripts: Mapping[str, StepScript], pipeline: str = "") -> None:
        """Let the executions started or retried from now on go by *scripts*; those of *pipeline* only, if given."""
        with self._lock:
            self._scripts[pipeline] = dict(scripts)

    def pipeline(self, name: str, region: str) -> Pipeline | None:
        """Return what is deployed under *name*, or None."""
        with self._lock:
            try:
                return self._of(region).find(name)
            except ServiceError:
                return None

    def executions(self) -> list[Execution]:
        """Return all executions, as of now, in the order of their start."""
        with self._lock:
            self.play()
            return [*self._executions.values()]

    def answer(self, request: Request, operation: Operation) -> Response:
        members = request.json()
        check_request("sagemaker", operation.name, members)
        with self._lock:
            act = self._action(operation, members)
            if act is None:
                return self._moto.answer(request)
            self.play()
            token = members.pop("ClientRequestToken", "")
            return self._tokens.once(operation.name, token, members, lambda: self._checked(operation, act, members))

    def play(self) -> None:
        """Bring all executions, and their logs, to the present."""
        with self._lock:
            for execution in self._executions.values():
                execution.play(self._clock.now())
                region = execution.arn.split(":")[3]
                jobs.write_logs(self._moto, region, execution, self._logged)

    def _checked(
        self, operation: Operation, act: Callable[[dict[str, Any]], dict[str, Any]], members: dict[str, Any]
    ) -> Response:
        found = act(members)
        check_answer("sagemaker", operation.name, found)
        return Response.of_json(found)

    def _of(self, region: str) -> Pipelines:
        return self._regions.setdefault(region, Pipelines(self._account, region))

    def _action(
        self, operation: Operation, members: dict[str, Any]
    ) -> Callable[[dict[str, Any]], dict[str, Any]] | None:
        pipelines, now = self._of(operation.region), self._clock.now()
        if operation.name in _TAGGING and not pipelines.has(members["ResourceArn"]):
            return None
        if operation.name in jobs.DESCRIBED and jobs.find(operation.name, members, self._executions.values()) is None:
            return None
        actions: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "CreatePipeline": lambda m: pipelines.create(m, self._text(m, required=True), now),
            "UpdatePipeline": lambda m: pipelines.update(m, self._text(m, required=False) or None, now),
            "DeletePipeline": pipelines.delete,
            "DescribePipeline": pipelines.describe,
            "ListPipelines": pipelines.list,
            "ListPipelineVersions": pipelines.list_versions,
            "ListTags": pipelines.list_tags,
            "AddTags": pipelines.add_tags,
            "DeleteTags": pipelines.delete_tags,
            "StartPipelineExecution": lambda m: self._start(pipelines, m, now),
            "ListPipelineExecutions": lambda m: self._list(pipelines, m),
            "DescribePipelineExecution": lambda m: described(self._execution(m)),
            "ListPipelineExecutionSteps": lambda m: step_answers(self._execution(m), pipelines.arn_prefix, m),
            "ListPipelineParametersForExecution": self._list_parameters,
            "DescribePipelineDefinitionForExecution": self._describe_definition,
            "StopPipelineExecution": lambda m: self._stop(m, now),
            "RetryPipelineExecution": lambda m: self._retry(m, now),
            "SendPipelineExecutionStepSuccess": lambda m: self._call_back(m, now, None),
            "SendPipelineExecutionStepFailure": lambda m: self._call_back(m, now, m.get("FailureReason", "")),
        } | {name: lambda m, name=name: self._describe_job(name, m) for name in jobs.DESCRIBED}
        return actions.get(operation.name)

    def _text(self, members: dict[str, Any], *, required: bool) -> str:
        """Return the definition of a request, from it or from S3."""
        text, place = members.get("PipelineDefinition"), members.get("PipelineDefinitionS3Location")
        if text is not None and place is not None:
            message = "Both Pipeline Definition and Pipeline Definition S3 Location shouldn't be present"
            raise ServiceError("ValidationException", message)
        if place is not None:
            return self._moto.read_object(place["Bucket"], place["ObjectKey"])
        if text is None and required:
            message = "Either Pipeline Definition or Pipeline Definition S3 location should be provided"
            raise ServiceError("ValidationException", message)
        return text or ""

    def _start(self, pipelines: Pipelines, members: dict[str, Any], now: float) -> dict[str, Any]:
        pipeline = pipelines.find(members["PipelineName"])
        version = pipeline.version(members.get("PipelineVersionId"))
        parameters = parameters_of(version.definition, members.get("PipelineParameters", []))
        if selection := members.get("SelectiveExecutionConfig"):
            check_selection(version.definition, selection, self._source(pipeline, selection))
        number = f"{pipeline.arn}/{len(self._executions)}"
        arn = f"{pipeline.arn}/execution/{hashlib.sha256(number.encode()).hexdigest()[:12]}"
        request = {"ParallelismConfiguration": pipeline.parallelism} | members
        scripts = self._scripts.get(pipeline.name, self._scripts.get("", {}))
        self._executions[arn] = Execution(
            arn, pipeline.arn, version.text, version.definition, parameters, scripts, request, now, now, now,
            version.number,
        )  # fmt: skip
        pipeline.last_run = now
        self.play()
        return {"PipelineExecutionArn": arn}

    def _source(self, pipeline: Pipeline, selection: dict[str, Any]) -> Execution | None:
        arn = selection.get("SourcePipelineExecutionArn")
        if arn is None:
            return None
        source = self._execution({"PipelineExecutionArn": arn})
        if source.pipeline_arn != pipeline.arn:
            raise ServiceError("ValidationException", f"Execution {arn} is not one of pipeline {pipeline.name}")
        return source

    def _execution(self, members: dict[str, Any]) -> Execution:
        arn = members.get("PipelineExecutionArn", "")
        if arn not in self._executions:
            raise ServiceError("ResourceNotFound", f"Pipeline execution with ARN {arn} does not exist.")
        return self._executions[arn]

    def _list(self, pipelines: Pipelines, members: dict[str, Any]) -> dict[str, Any]:
        arn = pipelines.find(members["PipelineName"]).arn
        after, before = members.get("CreatedAfter", 0), members.get("CreatedBefore", float("inf"))
        chosen = [e for e in self._executions.values() if e.pipeline_arn == arn and after <= e.started <= before]
        positions = {execution.arn: n for n, execution in enumerate(chosen)}
        shown, more = page(ordered(chosen, members, lambda e: (e.started, positions[e.arn])), members)
        return {"PipelineExecutionSummaries": [summary(execution) for execution in shown], **more}

    def _list_parameters(self, members: dict[str, Any]) -> dict[str, Any]:
        parameters = self._execution(members).parameters
        shown, more = page([{"Name": name, "Value": value} for name, value in parameters.items()], members)
        return {"PipelineParameters": shown, **more}

    def _describe_definition(self, members: dict[str, Any]) -> dict[str, Any]:
        execution = self._execution(members)
        return {"PipelineDefinition": execution.text, "CreationTime": execution.started}

    def _stop(self, members: dict[str, Any], now: float) -> dict[str, Any]:
        self._execution(members).stop(now)
        return {"PipelineExecutionArn": members["PipelineExecutionArn"]}

    def _retry(self, members: dict[str, Any], now: float) -> dict[str, Any]:
        execution = self._execution(members)
        name = execution.pipeline_arn.rpartition("/")[2]
        by_name = {known.lower(): scripts for known, scripts in self._scripts.items()}
        execution.retry(now, by_name.get(name, by_name.get("", {})))
        return {"PipelineExecutionArn": execution.arn}

    def _call_back(self, members: dict[str, Any], now: float, failure: str | None) -> dict[str, Any]:
        for execution in self._executions.values():
            if execution.call_back(members["CallbackToken"], now, failure):
                return {"PipelineExecutionArn": execution.arn}
        raise ServiceError("ResourceNotFound", f"No step waits for the token {members['CallbackToken']}.")

    def _describe_job(self, operation: str, members: dict[str, Any]) -> dict[str, Any]:
        found = jobs.find(operation, members, self._executions.values())
        assert found is not None
        return found
