"""`run_sdk.py MODE OUT FOLDER...`: build each folder's pipeline.py with the SageMaker SDK 3, as its users do.

MODE `offline` answers its AWS calls in memory, `patched` besides replaces eight functions of the SDK and its session so
that nothing is asked at all, `bare` leaves it without AWS, `server` lets it talk to AWS_ENDPOINT_URL. OUT gets the last
definition.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import network

FIXED = "2026-01-01-00-00-00-000"
BUCKET = "example-ml"


def main(mode: str, out: str, *folders: str) -> None:
    network.refuse()
    if mode in ("offline", "patched"):
        network.answer()
    session = _patched() if mode == "patched" else None
    seconds, cpu, definition = [], [], ""
    for folder in folders:
        begun, used = time.perf_counter(), time.process_time()
        if session is None:
            from sagemaker.core.workflow.pipeline_context import PipelineSession

            session = PipelineSession(default_bucket=BUCKET)
        definition = _module(Path(folder, "pipeline.py")).build(session).definition()
        seconds.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - used)
    Path(out).write_text(definition, "utf-8")
    print(json.dumps({"seconds": seconds, "cpu": cpu, **network.seen()}))


def _module(file: Path) -> Any:
    spec = importlib.util.spec_from_file_location("pipeline", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _patched() -> Any:
    """Return a session that uploads nothing, after replacing what asks AWS, the clock and the telemetry server."""
    os.environ["SAGEMAKER_VALIDATE_ROLE"] = "false"
    import sagemaker.core.common_utils as common
    import sagemaker.core.processing as processing
    import sagemaker.core.telemetry.telemetry_logging as telemetry
    import sagemaker.mlops.workflow._steps_compiler as compiler
    import sagemaker.mlops.workflow.steps as steps
    import sagemaker.train.model_trainer as trainer
    from sagemaker.core.workflow.pipeline_context import PipelineSession

    telemetry._send_telemetry_request = lambda *_, **__: None
    common.sagemaker_timestamp = compiler.sagemaker_timestamp = lambda: FIXED
    common.name_from_base = processing.name_from_base = lambda base, *_, **__: f"{base}-{FIXED}"[:63]
    trainer._get_unique_name = lambda base, *_: f"{base}-20260101000000"
    trainer.ModelTrainer._resolve_staging_bucket = lambda self: (self.sagemaker_session.default_bucket(), None)

    class _LocalClient:
        def create_processing_job(self) -> None: ...

        def create_transform_job(self) -> None: ...

    class _Session(PipelineSession):
        def default_bucket(self) -> str:
            return BUCKET

        def account_id(self) -> str:
            return network.ACCOUNT

        def upload_data(self, path: str, bucket: str = "", key_prefix: str = "data", **_: Any) -> str:
            end = "" if Path(path).is_dir() else f"/{Path(path).name}"
            return f"s3://{bucket or BUCKET}/{key_prefix}{end}"

        def upload_string_as_file_body(self, body: str, bucket: str, key: str, **_: Any) -> str:  # noqa: ARG002
            return f"s3://{bucket}/{key}"

    steps.LocalSagemakerClient = _LocalClient
    return _Session()


if __name__ == "__main__":
    main(*sys.argv[1:])
