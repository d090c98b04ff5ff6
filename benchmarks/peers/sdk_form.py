"""The pipeline as users of the SageMaker SDK 3 write it: a Python module whose `build` makes a Pipeline."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.peers.pipelines import GROUP, IMAGE, PARAMETERS, REJECTED, ROLE, SUBNET, From, Job

HEAD = f'''\
from pathlib import Path

from sagemaker.core.network import NetworkConfig
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output
from sagemaker.core.training.configs import (
    Compute, InputData, MetricDefinition, Networking, OutputDataConfig, SourceCode, StoppingCondition,
)
from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.core.workflow.functions import JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TrainingStep
from sagemaker.train import ModelTrainer

HERE = Path(__file__).parent
IMAGE, ROLE = "{IMAGE}", "{ROLE}"


def build(session):
    day = ParameterString("day", default_value={PARAMETERS["day"]!r})
    rounds = ParameterInteger("rounds", default_value={PARAMETERS["rounds"]!r})
    min_auc = ParameterFloat("min_auc", default_value={PARAMETERS["min_auc"]!r})
    cache = CacheConfig(enable_caching=True, expire_after="P30D")
    network = NetworkConfig(subnets=["{SUBNET}"], security_group_ids=["{GROUP}"])
    steps = {{}}

    def processor():
        return ScriptProcessor(
            image_uri=IMAGE, role=ROLE, command=["python3"], instance_type="ml.m5.xlarge", instance_count=1,
            max_runtime_in_seconds=3600, network_config=network, sagemaker_session=session,
        )

    def trainer(script, output):
        return ModelTrainer(
            training_image=IMAGE, role=ROLE, sagemaker_session=session,
            source_code=SourceCode(source_dir=str(HERE / "src"), entry_script=script),
            compute=Compute(instance_type="ml.m5.xlarge", instance_count=1, volume_size_in_gb=30),
            networking=Networking(subnets=["{SUBNET}"], security_group_ids=["{GROUP}"]),
            stopping_condition=StoppingCondition(max_runtime_in_seconds=3600),
            output_data_config=OutputDataConfig(s3_output_path=output),
            hyperparameters={{"depth": 6, "rounds": rounds}},
        ).with_metric_definitions([MetricDefinition(name="auc", regex="auc=([0-9.]+)")])

    def put(name, source):
        place = ProcessingS3Input(
            s3_uri=source, local_path="/opt/ml/processing/input/" + name, s3_data_type="S3Prefix", s3_input_mode="File",
        )
        return ProcessingInput(input_name=name, s3_input=place)

    def take(name, target):
        place = ProcessingS3Output(
            s3_uri=target, local_path="/opt/ml/processing/output/" + name, s3_upload_mode="EndOfJob"
        )
        return ProcessingOutput(output_name=name, s3_output=place)

'''
GATE = f"""\
    reached = ConditionGreaterThanOrEqualTo(
        left=JsonGet(step_name="evaluate", property_file=report, json_path="auc"), right=min_auc
    )
    reject = FailStep("reject", error_message={REJECTED!r})
    steps["gate"] = ConditionStep("gate", conditions=[reached], if_steps=[], else_steps=[reject])
"""
TAIL = """\
    return Pipeline(
        name={name!r}, parameters=[day, rounds, min_auc], steps=list(steps.values()), sagemaker_session=session
    )
"""


def files(name: str, jobs: Sequence[Job]) -> dict[str, str]:
    """Return the files of the pipeline, by path."""
    steps = [_processing(job) if job.kind == "processing" else _training(job) for job in jobs]
    gate = GATE if any(job.report for job in jobs) else ""
    return {"pipeline.py": f"{HEAD}{''.join(steps)}{gate}{TAIL.format(name=name)}"}


def _processing(job: Job) -> str:
    inputs = ", ".join(f"put({name!r}, {_source(source)})" for name, source in job.inputs.items())
    outputs = ", ".join(f"take({output!r}, {job.folder(output)!r})" for output in job.outputs)
    report = f'    report = PropertyFile(name="report", output_name="report", path={job.report!r})\n'
    return f"""\
{report if job.report else ""}    steps[{job.name!r}] = ProcessingStep(
        {job.name!r},
        step_args=processor().run(
            code=str(HERE / "src/{job.script}"),
            inputs=[{inputs}],
            outputs=[{outputs}],
            arguments=["--day", day],
        ),
        cache_config=cache,{" property_files=[report]," if job.report else ""}
    )
"""


def _training(job: Job) -> str:
    inputs = ", ".join(
        f"InputData(channel_name={name!r}, data_source={_source(source)})" for name, source in job.inputs.items()
    )
    return f"""\
    steps[{job.name!r}] = TrainingStep(
        {job.name!r}, step_args=trainer({job.script!r}, {job.folder("model")!r}).train(input_data_config=[{inputs}])
    )
"""


def _source(source: From | str) -> str:
    match source:
        case From(step, "model"):
            return f"steps[{step!r}].properties.ModelArtifacts.S3ModelArtifacts"
        case From(step, output):
            return f'steps[{step!r}].properties.ProcessingOutputConfig.Outputs["{output}"].S3Output.S3Uri'
        case str():
            return repr(source)
