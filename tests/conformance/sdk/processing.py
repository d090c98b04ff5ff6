"""Cases of Processing steps."""

from __future__ import annotations

from typing import Any

from parts import (
    GROUPS,
    IMAGE,
    OUTPUT_KEY,
    ROLE,
    SUBNETS,
    TAGS,
    VOLUME_KEY,
    pipeline,
    processor,
    put,
    take,
)
from sagemaker.core.network import NetworkConfig
from sagemaker.core.processing import FrameworkProcessor, ScriptProcessor
from sagemaker.core.workflow.execution_variables import ExecutionVariables as Run
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.parameters import ParameterBoolean, ParameterInteger, ParameterString
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow import Pipeline, ProcessingStep


def _processing(session: Any) -> Pipeline:
    count = ParameterInteger("machines", default_value=1)
    kind = ParameterString("machine", default_value="ml.m5.xlarge")
    source = ParameterString("source", default_value="s3://example-bucket/raw/")
    isolated = ParameterBoolean("isolated", default_value=False)
    every = processor(
        session,
        entrypoint=["python3", "/opt/program/extract.py"],
        instance_type=kind,
        instance_count=count,
        volume_size_in_gb=50,
        volume_kms_key=VOLUME_KEY,
        output_kms_key=OUTPUT_KEY,
        max_runtime_in_seconds=5400,
        env={"LOG_LEVEL": "info", "SOURCE": source},
        tags=TAGS,
        network_config=NetworkConfig(
            enable_network_isolation=isolated,
            encrypt_inter_container_traffic=True,
            subnets=SUBNETS,
            security_group_ids=GROUPS,
        ),
    )
    run_folder = Join(on="/", values=["s3://example-bucket/out", Run.PIPELINE_EXECUTION_ID, "test/"])
    extract = ProcessingStep(
        "extract",
        step_args=every.run(
            inputs=[put("raw", source, "/opt/ml/processing/raw")],
            outputs=[
                take("train", "s3://example-bucket/train/", "/opt/ml/processing/train"),
                take("test", run_folder),
                take("log", "s3://example-bucket/log/", mode="Continuous"),
            ],
            arguments=["--from", source, "--depth", "6", Join(on="=", values=["--run", Run.PIPELINE_EXECUTION_ID])],
        ),
        display_name="Extract",
        description="Joins tables",
        property_files=[
            PropertyFile(name="sizes", output_name="test", path="sizes.json"),
            PropertyFile(name="shares", output_name="test", path="deep/shares.json"),
        ],
    )
    outputs = extract.properties.ProcessingOutputConfig.Outputs
    data = ProcessingStep(
        "data",
        step_args=processor(session).run(
            inputs=[
                put("train", outputs["train"].S3Output.S3Uri),
                put("sharded", outputs["test"].S3Output.S3Uri, s3_data_distribution_type="ShardedByS3Key"),
                put("manifest", "s3://example-bucket/list.manifest", s3_data_type="ManifestFile"),
                put("piped", "s3://example-bucket/big/", s3_input_mode="Pipe"),
            ]
        ),
    )
    preferred = [{"InstanceType": kind} for kind in ("ml.m5.xlarge", "ml.m5.2xlarge", "ml.c5.2xlarge")]
    fallbacks = ProcessingStep(
        "fallbacks", step_args=processor(session, instance_type=None, instance_preferences=preferred).run()
    )
    network = NetworkConfig(enable_network_isolation=True)
    alone = ProcessingStep("alone", step_args=processor(session, network_config=network).run())
    steps = (extract, data, fallbacks, alone)
    return pipeline(session, "processing", *steps, parameters=(count, kind, source, isolated))


def _processing_code(session: Any) -> Pipeline:
    given = {"image_uri": IMAGE, "role": ROLE, "instance_count": 1, "instance_type": "ml.m5.xlarge"}
    script = ScriptProcessor(command=["python3"], sagemaker_session=session, **given)
    single = script.run(
        code="clean.py",
        inputs=[put("raw", "s3://example-bucket/raw/")],
        outputs=[take("rows", "s3://example-bucket/rows/")],
        arguments=["--day", "2026-01-01"],
    )
    framework = FrameworkProcessor(command=["python3"], base_job_name="join", sagemaker_session=session, **given)
    folder = framework.run(code="join.py", source_dir="src", outputs=[take("rows", "s3://example-bucket/joined/")])
    steps = (ProcessingStep("clean", step_args=single), ProcessingStep("join", step_args=folder))
    return pipeline(session, "processing-code", *steps)


CASES = {"processing": _processing, "processing-code": _processing_code}
