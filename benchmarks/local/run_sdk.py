"""`run_sdk.py GRAPH.json`: run a graph in the local mode of the SageMaker SDK 3; prints the seconds that it took.

`LocalPipelineSession` cannot start a pipeline in 3.27.0 (`create_pipeline` is gone from its client), so this calls what
`start` would have called. S3 is the server that AWS_ENDPOINT_URL names.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path

ROLE = "arn:aws:iam::123456789012:role/example"


def main(file: str) -> None:
    graph = json.loads(Path(file).read_text("utf-8"))
    begun = time.perf_counter()
    import boto3
    from sagemaker.core.processing import Processor
    from sagemaker.core.workflow.pipeline_context import LocalPipelineSession
    from sagemaker.mlops.local.pipeline_entities import _LocalPipeline
    from sagemaker.mlops.workflow.pipeline import Pipeline
    from sagemaker.mlops.workflow.steps import ProcessingStep

    logging.disable(logging.WARNING)
    session = LocalPipelineSession(
        boto3.Session(), default_bucket="example-ml", s3_endpoint_url=os.environ["AWS_ENDPOINT_URL"]
    )
    session.config = {"local": {"local_code": True, "container_root": str(Path(file).parent)}}
    imported = time.perf_counter()
    steps = {}
    for name, seconds in graph["sleeps"].items():
        processor = Processor(
            image_uri=graph["image"], role=ROLE, instance_count=1, instance_type="local",
            entrypoint=["/bin/sleep", str(seconds)], sagemaker_session=session,
        )  # fmt: skip
        needs = [steps[need] for need in graph["needs"].get(name, ())]
        steps[name] = ProcessingStep(name=name, step_args=processor.run(), depends_on=needs)
    pipeline = Pipeline(name=graph["name"], steps=[*steps.values()], sagemaker_session=session)
    execution = _LocalPipeline(pipeline=pipeline, local_session=session).start()
    status = execution.describe()["PipelineExecutionStatus"]
    ended = time.perf_counter()
    print(json.dumps({"status": status, "import": imported - begun, "run": ended - imported}))


if __name__ == "__main__":
    main(sys.argv[1])
