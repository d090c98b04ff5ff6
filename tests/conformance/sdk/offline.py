"""What makes the SDK compile without credentials, without a network and to the same bytes each time.

Everything that is replaced stands here, with the reason; SDK 3.27.0. Whatever else would ask AWS, or open a
connection, is refused with an error, so that a golden says what the SDK makes of its input and of nothing else.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import types
import uuid
import warnings
from pathlib import Path
from typing import Any

ACCOUNT = "111122223333"
REGION = "eu-west-1"
BUCKET = "example-bucket"
FIXED = "2026-01-01-00-00-00-000"


def session(region: str = REGION) -> Any:
    """Return a pipeline session of the SDK, after replacing what asks AWS, the clock and random numbers."""
    socket.socket.connect = _refuse  # type: ignore[method-assign,assignment]
    _settings()
    _fixed_names()
    import boto3

    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    boto_session = boto3.Session(region_name=region)
    boto_session.events.register_first("before-send", _refuse)
    return _session_class()(boto_session=boto_session)


def _refuse(*what: object, **also: object) -> None:
    asked = str(also.get("event_name") or what[1:]).removeprefix("before-send.")
    raise ConnectionRefusedError(f"the SDK asked for {asked}")


def _settings() -> None:
    os.environ.update(
        AWS_DEFAULT_REGION=REGION,  # `import sagemaker.mlops` makes a client
        AWS_ACCESS_KEY_ID="none",
        AWS_SECRET_ACCESS_KEY="none",
        AWS_EC2_METADATA_DISABLED="true",
        SAGEMAKER_VALIDATE_ROLE="false",  # else ModelTrainer asks IAM what the role may do
    )


def _fixed_names() -> None:
    """Replace clocks, random names, questions to AWS and the telemetry."""
    import sagemaker.core.common_utils as common
    import sagemaker.core.processing as processing
    import sagemaker.core.telemetry.telemetry_logging as telemetry
    import sagemaker.mlops.workflow._steps_compiler as compiler
    import sagemaker.mlops.workflow.notebook_job_step as notebook
    import sagemaker.mlops.workflow.steps as steps
    import sagemaker.serve.model_builder as builder
    import sagemaker.train.model_trainer as trainer

    telemetry._send_telemetry_request = lambda *_, **__: None  # a request to S3, in a thread
    common.sagemaker_timestamp = compiler.sagemaker_timestamp = lambda: FIXED
    for module in (common, processing, notebook):
        module.name_from_base = lambda base, *_, **__: f"{base}-{FIXED}"[:63]
    trainer._get_unique_name = lambda base, *_: f"{base}-{FIXED}"
    # asks IAM whether the role may write to the bucket, for each training
    trainer.ModelTrainer._resolve_staging_bucket = lambda self: (self.sagemaker_session.default_bucket(), None)
    steps.LocalSagemakerClient = _LocalClient  # a real one looks for credentials only to read a method's name
    nought = uuid.UUID(int=0)  # is part of the name of a repack step
    builder.uuid = types.SimpleNamespace(uuid4=lambda: nought, uuid1=lambda: nought, UUID=uuid.UUID)


class _LocalClient:
    def create_processing_job(self) -> None:
        """Only its name is read."""

    def create_transform_job(self) -> None:
        """Only its name is read."""


def _session_class() -> Any:
    from sagemaker.core.workflow.pipeline_context import PipelineSession

    class Session(PipelineSession):
        """Knows its bucket and account, and uploads nothing; keeps what Clarify would be configured with."""

        analyses: dict[str, Any] = {}  # noqa: RUF012  # one session builds all cases

        def default_bucket(self) -> str:
            return BUCKET

        def account_id(self) -> str:
            return ACCOUNT

        def upload_data(self, path: str, bucket: str = "", key_prefix: str = "data", **_: Any) -> str:
            end = "" if Path(path).is_dir() else f"/{Path(path).name}"
            address = f"s3://{bucket or BUCKET}/{key_prefix}{end}"
            if end == "/analysis_config.json":
                self.analyses[address] = json.loads(Path(path).read_text("utf-8"))
            return address

        def upload_string_as_file_body(self, body: str, bucket: str, key: str, **_: Any) -> str:
            return f"s3://{bucket}/{key}"

    return Session
