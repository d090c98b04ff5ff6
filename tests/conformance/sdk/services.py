"""Cases of steps that speak the service's own words: EMR, endpoints, lineage, jobs, clean-up."""

from __future__ import annotations

from typing import Any

from calls import tell
from models import builder
from parts import ROLE, TAGS, VOLUME_KEY, pipeline, processor, take, trainer
from sagemaker.core.lineage.action import Action
from sagemaker.core.lineage.artifact import Artifact
from sagemaker.core.lineage.context import Context
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.pipeline_capture import capture_create_job_request
from sagemaker.core.workflow.pipeline_context import runnable_by_pipeline
from sagemaker.mlops.workflow import (
    CacheConfig,
    CleanupStep,
    EMRStep,
    EMRStepConfig,
    EndpointConfigStep,
    EndpointStep,
    InferenceComponentStep,
    JobStep,
    LineageAssociation,
    LineageEntityReference,
    LineageStep,
    ModelStep,
    Pipeline,
    ProcessingStep,
    S3CleanupSource,
    StepRetryPolicy,
    TrainingStep,
)
from sagemaker.mlops.workflow import StepExceptionTypeEnum as StepError
from sagemaker.mlops.workflow.emr_serverless_step import EMRServerlessJobConfig, EMRServerlessStep

RETRY = [StepRetryPolicy([StepError.THROTTLING], max_attempts=3)]
CACHE = CacheConfig(enable_caching=True, expire_after="P7D")


def _emr(session: Any) -> Pipeline:
    extract = ProcessingStep(
        "extract", step_args=processor(session).run(outputs=[take("rows", "s3://example-bucket/rows/")])
    )
    rows = extract.properties.ProcessingOutputConfig.Outputs["rows"].S3Output.S3Uri
    job = EMRStepConfig(
        jar="s3://example-bucket/job.jar",
        args=["--in", rows],
        main_class="example.Main",
        properties=[{"Key": "memory", "Value": "4g"}],
    )
    known = EMRStep("known", "Known cluster", "Runs on it", "j-ABC", job, cache_config=CACHE, execution_role_arn=ROLE)
    cluster = {
        "ReleaseLabel": "emr-7.0.0",
        "Instances": {"InstanceGroups": [{"InstanceRole": "MASTER", "InstanceCount": 1, "InstanceType": "m5.xlarge"}]},
    }
    own = EMRStep("own", None, None, None, EMRStepConfig(jar="command-runner.jar"), cluster_config=cluster)
    serverless_job = EMRServerlessJobConfig(
        job_driver={"sparkSubmit": {"entryPoint": "s3://example-bucket/job.py", "entryPointArguments": [rows]}},
        execution_role_arn=ROLE,
        configuration_overrides={"monitoringConfiguration": {"managedPersistenceMonitoringConfiguration": {}}},
        execution_timeout_minutes=90,
        name="rows",
        tags={"team": "ml"},
    )
    known_application = EMRServerlessStep(
        "serverless",
        "Serverless",
        "Runs there",
        serverless_job,
        application_id="00abcdefgh",
        cache_config=CACHE,
        retry_policies=RETRY,
    )
    small_job = EMRServerlessJobConfig(
        job_driver={"sparkSubmit": {"entryPoint": "s3://example-bucket/job.py"}}, execution_role_arn=ROLE
    )
    application = {"name": "own", "releaseLabel": "emr-7.0.0", "type": "SPARK"}
    own_application = EMRServerlessStep("own_serverless", None, None, small_job, application_config=application)
    told = tell(session, "tell", inputs={"state": known.properties.Status.State})
    return pipeline(session, "emr", extract, known, own, known_application, own_application, told)


def _endpoints(session: Any) -> Pipeline:
    train = TrainingStep("train", step_args=trainer(session).train())
    model = ModelStep("model", step_args=builder(session, train.properties.ModelArtifacts.S3ModelArtifacts).build())
    variant = {
        "VariantName": "main",
        "ModelName": model.properties.ModelName,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    config = EndpointConfigStep(
        "config",
        step_args=session.create_endpoint_config("ctr", [variant], tags=TAGS, kms_key=VOLUME_KEY),
        display_name="Configuration",
        description="One variant",
        cache_config=CACHE,
        retry_policies=RETRY,
    )
    serve = EndpointStep(
        "serve",
        step_args=session.create_endpoint("ctr", config.properties.EndpointConfigName, tags=TAGS),
        cache_config=CACHE,
    )
    component = InferenceComponentStep(
        "component",
        step_args=session.create_inference_component(
            "ctr",
            serve.properties.EndpointName,
            "main",
            {"ModelName": model.properties.ModelName, "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 1024}},
            {"CopyCount": 2},
            tags=TAGS,
        ),
    )
    names = {
        "config": config.properties.EndpointConfigArn,
        "endpoint": serve.properties.EndpointArn,
        "component": component.properties.InferenceComponentArn,
    }
    return pipeline(session, "endpoints", train, model, config, serve, component, tell(session, "tell", inputs=names))


def _lineage(session: Any) -> Pipeline:
    train = TrainingStep("train", step_args=trainer(session).train())
    action = Action.create(
        action_name="approve",
        action_type="Approval",
        source_uri="s3://example-bucket/approval/",
        status="Completed",
        properties={"by": "ml"},
        sagemaker_session=session,
    )
    artifact = Artifact.create(
        artifact_name="clicks",
        artifact_type="DataSet",
        source_uri=train.properties.ModelArtifacts.S3ModelArtifacts,
        sagemaker_session=session,
    )
    context = Context.create(
        context_name="ctr", context_type="Project", source_uri="s3://example-bucket/", sagemaker_session=session
    )
    origin = LineageStep(
        "origin",
        actions=[action],
        artifacts=[artifact],
        contexts=[context],
        associations=[
            LineageAssociation(
                LineageEntityReference(name="clicks", type="Artifact"),
                LineageEntityReference(arn=train.properties.TrainingJobArn),
                "ContributedTo",
            ),
            LineageAssociation(
                LineageEntityReference(name="approve", type="Action"),
                LineageEntityReference(name="ctr", type="Context"),
            ),
        ],
        display_name="Origin",
        description="Where it comes from",
    )
    arns = {
        "action": origin.properties.ActionArns["approve"],
        "artifact": origin.properties.ArtifactArns["clicks"],
        "context": origin.properties.ContextArns["ctr"],
    }
    return pipeline(session, "lineage", train, origin, tell(session, "tell", inputs=arns))


class _Evaluation:
    """A producer of CreateJob: the SDK's own ask a model hub before they say anything."""

    _pipeline_caller_name = "create_job"

    def __init__(self, session: Any) -> None:
        self.sagemaker_session = session

    @runnable_by_pipeline
    def start(self) -> None:
        """Hand the request to the session, as `MultiTurnRLTrainer.train` does."""
        document = {"OutputDataConfig": {"S3OutputPath": "s3://example-bucket/jobs/"}, "Rounds": 3}
        capture_create_job_request(
            pipeline_session=self.sagemaker_session,
            job_name="evaluation",
            role_arn=ROLE,
            job_category="AgentRFTEvaluation",
            schema_version="1.0.0",
            job_config=document,
            tags=TAGS,
        )


def _jobs(session: Any) -> Pipeline:
    evaluation = JobStep(
        "evaluation",
        step_args=_Evaluation(session).start(),
        display_name="Evaluation",
        description="Of an agent",
        cache_config=CACHE,
        retry_policies=RETRY,
    )
    names = {"name": evaluation.properties.JobName, "arn": evaluation.properties.JobArn}
    return pipeline(session, "jobs", evaluation, tell(session, "tell", inputs=names))


def _cleanup(session: Any) -> Pipeline:
    folder = ParameterString("folder", default_value="s3://example-bucket/rows/")
    extract = ProcessingStep("extract", step_args=processor(session).run(outputs=[take("rows", folder)]))
    train = TrainingStep("train", step_args=trainer(session).train())
    tidy = CleanupStep(
        "tidy",
        [S3CleanupSource(extract, [folder, "s3://example-bucket/more/"]), S3CleanupSource(train)],
        display_name="Tidy",
        description="Nothing stays",
    )
    return pipeline(session, "cleanup", extract, train, tidy, parameters=(folder,))


CASES = {"emr": _emr, "endpoints": _endpoints, "lineage": _lineage, "jobs": _jobs, "cleanup": _cleanup}
