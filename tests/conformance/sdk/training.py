"""Cases of Training steps, notebooks among them."""

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
    channel,
    pipeline,
    processor,
    take,
    trainer,
)
from sagemaker.core.shapes import (
    Channel,
    DataSource,
    FileSystemDataSource,
    InstanceGroup,
    InstancePreference,
    RemoteDebugConfig,
    RetryStrategy,
    S3DataSource,
    ShuffleConfig,
)
from sagemaker.core.training.configs import (
    CheckpointConfig,
    Compute,
    Networking,
    OutputDataConfig,
    SourceCode,
    StoppingCondition,
    TensorBoardOutputConfig,
)
from sagemaker.core.workflow.execution_variables import ExecutionVariables as Run
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
from sagemaker.mlops.workflow import NotebookJobStep, Pipeline, ProcessingStep, TrainingStep
from sagemaker.train.configs import MetricDefinition, Tag

ALGORITHM = "arn:aws:sagemaker:eu-west-1:111122223333:algorithm/bought"


def _training(session: Any) -> Pipeline:
    depth = ParameterInteger("depth", default_value=6)
    rate = ParameterFloat("rate", default_value=0.1)
    image = ParameterString("image", default_value=IMAGE)
    kind = ParameterString("machine", default_value="ml.m5.xlarge")
    every = trainer(
        session,
        training_image=image,
        compute=Compute(
            instance_type=kind,
            instance_count=2,
            volume_size_in_gb=50,
            volume_kms_key_id=VOLUME_KEY,
            enable_managed_spot_training=True,
        ),
        networking=Networking(
            subnets=SUBNETS,
            security_group_ids=GROUPS,
            enable_network_isolation=False,
            enable_inter_container_traffic_encryption=True,
        ),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=3600, max_wait_time_in_seconds=7200),
        output_data_config=OutputDataConfig(
            s3_output_path=Join(on="/", values=["s3://example-bucket/models", Run.PIPELINE_EXECUTION_ID, ""]),
            kms_key_id=OUTPUT_KEY,
        ),
        checkpoint_config=CheckpointConfig(s3_uri="s3://example-bucket/checkpoints/"),
        environment={"LOG_LEVEL": "info", "RATE": rate.to_string()},
        hyperparameters={
            "objective": "reg:linear",
            "rounds": 100,
            "eta": 0.25,
            "verbose": True,
            "quiet": False,
            "layers": [64, 32],
            "options": {"a": 1},
            "depth": depth,
            "rate": rate,
        },
        tags=[Tag(key="team", value="ml")],
    ).with_metric_definitions(
        [MetricDefinition(name="auc", regex="auc=([0-9.]+)"), MetricDefinition(name="loss", regex="loss=([0-9.]+)")]
    )
    train = TrainingStep("train", step_args=every.train(), display_name="Train", description="Boosted trees")
    warm = trainer(
        session,
        "keep_warm",
        compute=Compute(instance_type="ml.m5.xlarge", instance_count=1, keep_alive_period_in_seconds=600),
        checkpoint_config=CheckpointConfig(s3_uri="s3://example-bucket/warm/", local_path="/opt/ml/kept"),
        networking=Networking(enable_network_isolation=True),
    )
    types = ("ml.m5.xlarge", "ml.m5.2xlarge", "ml.c5.2xlarge")
    preferred = trainer(
        session,
        "preferred",
        compute=Compute(
            instance_count=1, instance_preferences=[InstancePreference(instance_type=kind) for kind in types]
        ),
    )
    patched = (
        trainer(
            session,
            "patched",
            compute=Compute(
                instance_groups=[
                    InstanceGroup(instance_type="ml.m5.xlarge", instance_count=1, instance_group_name="a"),
                    InstanceGroup(instance_type="ml.c5.xlarge", instance_count=2, instance_group_name="b"),
                ]
            ),
            output_data_config=OutputDataConfig(s3_output_path="s3://example-bucket/patched/", compression_type="NONE"),
        )
        .with_retry_strategy(RetryStrategy(maximum_retry_attempts=2))
        .with_tensorboard_output_config(TensorBoardOutputConfig(s3_output_path="s3://example-bucket/board/"))
        .with_remote_debug_config(RemoteDebugConfig(enable_remote_debug=True))
    )
    bought = trainer(session, "bought", algorithm_name=ALGORITHM).train(
        input_data_config=[channel("train", "s3://example-bucket/train/")]
    )
    steps = (
        train,
        TrainingStep("keep_warm", step_args=warm.train()),
        TrainingStep("preferred", step_args=preferred.train()),
        TrainingStep("patched", step_args=patched.train()),
        TrainingStep("bought", step_args=bought),
    )
    return pipeline(session, "training", *steps, parameters=(depth, rate, image, kind))


def _training_data(session: Any) -> Pipeline:
    source = ParameterString("source", default_value="s3://example-bucket/raw/")
    extract = ProcessingStep(
        "extract", step_args=processor(session).run(outputs=[take("train", "s3://example-bucket/train/")])
    )

    def s3(name: str, uri: Any, kind: str = "S3Prefix", distribution: str = "FullyReplicated", **more: Any) -> Channel:
        place = S3DataSource(s3_data_type=kind, s3_uri=uri, s3_data_distribution_type=distribution)
        return Channel(channel_name=name, data_source=DataSource(s3_data_source=place), **more)

    def folder(name: str, file_system: str, kind: str, access: str) -> Channel:
        place = FileSystemDataSource(
            file_system_id=file_system,
            file_system_type=kind,
            file_system_access_mode=access,
            directory_path=f"/{name}",
        )
        return Channel(channel_name=name, data_source=DataSource(file_system_data_source=place))

    made = extract.properties.ProcessingOutputConfig.Outputs["train"].S3Output.S3Uri
    simple = trainer(session, "simple").train(
        input_data_config=[channel("train", made, "text/csv"), channel("test", "s3://example-bucket/test/")]
    )
    modes = trainer(session, "modes").train(
        input_data_config=[
            s3("files", made, input_mode="File", content_type="text/csv"),
            s3("fast", source, input_mode="FastFile"),
            s3("piped", "s3://example-bucket/pipe/", input_mode="Pipe", compression_type="Gzip"),
            s3("shards", "s3://example-bucket/shards/", distribution="ShardedByS3Key", input_mode="File"),
            s3("listed", "s3://example-bucket/list.manifest", kind="ManifestFile", input_mode="File"),
        ]
    )
    files = trainer(session, "file_systems", networking=Networking(subnets=SUBNETS, security_group_ids=GROUPS)).train(
        input_data_config=[
            folder("efs", "fs-0123456789abcdef0", "EFS", "ro"),
            folder("fsx", "fs-0123456789abcdef1", "FSxLustre", "rw"),
        ]
    )
    named = S3DataSource(
        s3_data_type="AugmentedManifestFile",
        s3_uri="s3://example-bucket/images.manifest",
        s3_data_distribution_type="FullyReplicated",
        attribute_names=["source-ref", "label"],
    )
    augmented = trainer(session, "augmented").train(
        input_data_config=[
            Channel(
                channel_name="images",
                data_source=DataSource(s3_data_source=named),
                input_mode="Pipe",
                record_wrapper_type="RecordIO",
                shuffle_config=ShuffleConfig(seed=7),
            )
        ]
    )
    fast = trainer(session, "all_fast", training_input_mode="FastFile").train(
        input_data_config=[channel("train", "s3://example-bucket/train/")]
    )
    steps = (
        extract,
        TrainingStep("simple", step_args=simple),
        TrainingStep("modes", step_args=modes),
        TrainingStep("file_systems", step_args=files),
        TrainingStep("augmented", step_args=augmented),
        TrainingStep("all_fast", step_args=fast),
    )
    return pipeline(session, "training-data", *steps, parameters=(source,))


def _training_code(session: Any) -> Pipeline:
    given = trainer(
        session,
        source_code=SourceCode(source_dir="src", entry_script="train.py", requirements="requirements.txt"),
        hyperparameters={"depth": 6},
    )
    train = TrainingStep(
        "train", step_args=given.train(input_data_config=[channel("train", "s3://example-bucket/train/")])
    )
    return pipeline(session, "training-code", train)


def _notebook(session: Any) -> Pipeline:
    day = ParameterString("day", default_value="2026-01-01")
    every = NotebookJobStep(
        name="explore",
        notebook_job_name="explore",
        display_name="Explore",
        description="Looks around",
        input_notebook="explore.ipynb",
        image_uri=IMAGE,
        kernel_name="python3",
        role=ROLE,
        s3_root_uri="s3://example-bucket/notebooks",
        parameters={"day": day, "rows": "10"},
        environment_variables={"LOG_LEVEL": "info"},
        initialization_script="setup.sh",
        s3_kms_key=OUTPUT_KEY,
        instance_type="ml.m5.xlarge",
        volume_size=50,
        volume_kms_key=VOLUME_KEY,
        encrypt_inter_container_traffic=True,
        subnets=SUBNETS,
        security_group_ids=GROUPS,
        max_runtime_in_seconds=7200,
        tags=TAGS,
    )
    return pipeline(session, "notebook", every, parameters=(day,))


CASES = {
    "training": _training,
    "training-data": _training_data,
    "training-code": _training_code,
    "notebook": _notebook,
}
