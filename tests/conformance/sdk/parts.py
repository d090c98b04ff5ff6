"""What several cases name: a role, an image, keys, and short ways to write inputs and outputs."""

from __future__ import annotations

from typing import Any

from sagemaker.core.processing import Processor
from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output
from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig
from sagemaker.core.workflow.parameters import Parameter
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.train import ModelTrainer

ROLE = "arn:aws:iam::111122223333:role/conformance"
IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/conformance:1"
VOLUME_KEY = "arn:aws:kms:eu-west-1:111122223333:key/volume"
OUTPUT_KEY = "arn:aws:kms:eu-west-1:111122223333:key/output"
SUBNETS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
GROUPS = ["sg-0123456789abcdef0"]
TAGS = [{"Key": "team", "Value": "ml"}]


def pipeline(session: Any, name: str, *steps: Any, parameters: tuple[Parameter, ...] = (), **more: Any) -> Pipeline:
    """Return a pipeline of *steps*."""
    return Pipeline(name, parameters=[*parameters], steps=[*steps], sagemaker_session=session, **more)


def processor(session: Any, **more: Any) -> Processor:
    """Return a processor of one machine that starts what its image does."""
    given = {"role": ROLE, "image_uri": IMAGE, "instance_count": 1, "instance_type": "ml.m5.xlarge"}
    return Processor(sagemaker_session=session, **{**given, **more})


def trainer(session: Any, step: str = "train", **more: Any) -> ModelTrainer:
    """Return a trainer of one machine that starts what its image does; every step has a folder for its models."""
    given = {
        "role": ROLE,
        "base_job_name": "train",
        "compute": Compute(instance_type="ml.m5.xlarge", instance_count=1),
        "output_data_config": OutputDataConfig(s3_output_path=f"s3://example-bucket/{step}/"),
    }
    image = {} if "algorithm_name" in more else {"training_image": IMAGE}
    return ModelTrainer(sagemaker_session=session, **{**given, **image, **more})


def put(name: str, uri: Any, path: str | None = None, **more: Any) -> ProcessingInput:
    """Return an input of a processing job, every file of it copied to every machine."""
    given = {"s3_data_type": "S3Prefix", "s3_input_mode": "File", "s3_data_distribution_type": "FullyReplicated"}
    place = path or f"/opt/ml/processing/input/{name}"
    s3 = ProcessingS3Input(s3_uri=uri, local_path=place, s3_compression_type="None", **{**given, **more})
    return ProcessingInput(input_name=name, s3_input=s3)


def take(name: str, uri: Any, path: str | None = None, mode: str = "EndOfJob") -> ProcessingOutput:
    """Return an output of a processing job."""
    place = path or f"/opt/ml/processing/output/{name}"
    s3 = ProcessingS3Output(s3_uri=uri, local_path=place, s3_upload_mode=mode)
    return ProcessingOutput(output_name=name, s3_output=s3)


def channel(name: str, source: Any, content_type: str | None = None) -> InputData:
    """Return a channel of a training job."""
    kind = {} if content_type is None else {"content_type": content_type}
    return InputData(channel_name=name, data_source=source, **kind)
