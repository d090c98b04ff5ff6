"""What the services take and tell, by their own models: no network, no SDK.

`models.json` is generated from botocore's service models by `tools/refresh_service_model.py`.
"""

from buzzflow.backends.sagemaker.service.describe import DescribeTarget, UnknownPath, describe_path
from buzzflow.backends.sagemaker.service.problem import RequestProblem
from buzzflow.backends.sagemaker.service.requests import request_problems

__all__ = ["DescribeTarget", "RequestProblem", "UnknownPath", "describe_path", "request_problems"]
