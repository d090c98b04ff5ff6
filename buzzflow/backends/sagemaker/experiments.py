"""Which experiment of SageMaker Experiments a run belongs to."""

from __future__ import annotations

from buzzflow import ir
from buzzflow.backends.sagemaker.scope import Scope
from buzzflow.backends.sagemaker.text import Object

# SageMaker Python SDK 3.27, sagemaker.mlops.workflow._utils.EUREKA_GA_REGIONS: elsewhere it sends none unasked.
_REGIONS = frozenset(
    (
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
        *("eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2"),
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3"),
        *("ap-south-1", "ap-east-1", "af-south-1", "me-south-1", "il-central-1", "cn-north-1", "cn-northwest-1"),
    )
)


def experiment_config(scope: Scope) -> Object | None:
    """Return what the pipeline says; else one for the pipeline with a trial for each run, where there are any."""
    if scope.pipeline.experiment is not None:
        name, trial = scope.pipeline.experiment
    elif scope.region in _REGIONS or not scope.region:
        name, trial = ir.RunReference("pipeline"), ir.RunReference("id")
    else:
        return None
    return {"ExperimentName": scope.say(name), "TrialName": scope.say(trial)}
