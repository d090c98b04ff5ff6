"""Addresses in the AWS console."""

from __future__ import annotations

# The hosts of partitions: AWS General Reference, "AWS service endpoints" (China, GovCloud)
_HOSTS = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}


def console_url(arn: str) -> str:
    """Return where a browser shows SageMaker in the region of *arn*.

    Pipelines themselves are shown in Studio, whose address needs the id of a domain, which a run does not have.
    """
    _, partition, _, region, *_ = arn.split(":", 5)
    host = _HOSTS.get(partition, f"{region}.console.aws.amazon.com")
    return f"https://{host}/sagemaker/home?region={region}"
