"""What `field_places` tries in each field of each step type, and what must stand around it."""

from __future__ import annotations

from typing import Any

Json = Any
_SUBNETS = {"subnets": ["subnet-0123456789abcdef0"], "security_group_ids": ["sg-0123456789abcdef0"]}
_CONTAINER = {"image": {"uri": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/serve:1"}, "model": "s3://b/m.tar.gz"}
ENVIRONMENT = """\
name: research
account: "111122223333"
region: eu-west-1
bucket: example-ml
role: arn:aws:iam::111122223333:role/example
"""
SCRIPTS = ("a.py", "b.py", "folder/c.py", "folder/Dockerfile", "n.ipynb", "m.ipynb", "folder/o.ipynb", "r.txt", "x.csv")
# what other steps give that the tried one refers to
HELPERS: dict[str, Json] = {
    "first": {"type": "processing", "code": "a.py", "outputs": {"data": {}, "report": {"json": "m.json"}}},
    "second": {"type": "processing", "code": "a.py"},
    "third": {"type": "processing", "code": "a.py"},
    "model": {"type": "model", **_CONTAINER},
    "quality": {"type": "quality_check", "check": "data_quality", "inputs": {"dataset": "s3://b/d/"}},
}
# the step that is tried, as small as it may be
BASES: dict[str, Json] = {
    "processing": {"code": "a.py", "inputs": {"data": {"from": "s3://b/in/"}}, "outputs": {"data": {}}},
    "training": {"code": "a.py", "inputs": {"data": {"from": "s3://b/in/"}}},
    "tuning": {
        "image": "xgboost:1.7-1",
        "code": "a.py",
        "metrics": {"auc": "auc=(.*)"},
        "inputs": {"data": {"from": "s3://b/in/"}},
        "search": {"objective": {"maximize": "auc"}, "max_jobs": 2, "ranges": {"eta": {"continuous": [0.1, 0.3]}}},
    },
    "transform": {"model": "${step:model.name}", "inputs": {"data": {"from": "s3://b/in/"}}},
    "model": _CONTAINER,
    "register_model": {"registry": "sagemaker", "model_group": "ctr", **_CONTAINER},
    "condition": {"if": ["1 == 1"], "then": ["second"]},
    "fail": {"message": "no"},
    "foreach": {"items": "${param:days}", "steps": {"body": {"type": "processing", "code": "a.py"}}},
    "lambda": {"function": "arn:aws:lambda:eu-west-1:111122223333:function:f"},
    "callback": {"queue": "https://sqs.eu-west-1.amazonaws.com/111122223333/q"},
    "quality_check": {"check": "data_quality", "inputs": {"dataset": {"from": "s3://b/d/"}}},
    "clarify_check": {
        "check": "data_bias",
        "analysis": {"label": "a"},
        "inputs": {"dataset": {"from": "s3://b/d/"}},
    },
    "automl": {"target": "label", "inputs": {"training": {"from": "s3://b/d/"}}},
    "notebook": {"image": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/studio:1", "code": "n.ipynb"},
    "emr": {
        "arguments": {"ClusterId": "j-1", "StepConfig": {"HadoopJarStep": {"Jar": "s3://b/j.jar"}}},
    },
    "emr_serverless": {
        "arguments": {"ApplicationId": "a1", "JobConfig": {"jobDriver": {"sparkSubmit": {"entryPoint": "s3://b/j"}}}},
    },
    "endpoint_config": {
        "arguments": {
            "EndpointConfigName": "c",
            "ProductionVariants": [{"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large"}],
        }
    },
    "endpoint": {"arguments": {"EndpointName": "e", "EndpointConfigName": "c"}},
    "inference_component": {
        "arguments": {
            "InferenceComponentName": "i",
            "EndpointName": "e",
            "VariantName": "v",
            "Specification": {"ModelName": "m"},
            "RuntimeConfig": {"CopyCount": 1},
        }
    },
    "lineage": {"arguments": {"Contexts": [{"ContextName": "c", "ContextType": "t", "Source": {"SourceUri": "u"}}]}},
    "job": {
        "arguments": {
            "JobCategory": "AgentRFTEvaluation",
            "JobConfigSchemaVersion": "1.0.0",
            "JobConfigDocument": "{}",
        }
    },
    "cleanup": {"arguments": {"Resources": {"S3": [{"StepName": "first"}]}}},
    "raw": {"step_type": "Lambda", "arguments": {"a": "b"}},
}
_HUGGING = {"framework": "tensorflow", "version": "2.12.1"}
_ATHENA = {"query": "q", "database": "d", "to": "s3://b/a/"}
_REDSHIFT = {
    "query": "q",
    "cluster": "c",
    "database": "d",
    "user": "u",
    "cluster_role": "arn:aws:iam::111122223333:role/r",
    "to": "s3://b/r/",
}
_FILES = {"id": "fs-0123456789abcdef0", "type": "efs", "folder": "/a"}
# What else must stand there for a field to be tried, by the field: `None` takes away.
WITH: dict[str, dict[str, Json]] = {
    "network.isolation": {"network": {"isolation": False}},
    "network.encrypt_traffic": {"network": {"isolation": False}},
    "network.subnets": {"network": _SUBNETS},
    "network.security_group_ids": {"network": _SUBNETS},
    "spot": {"checkpoints": {}},
    "spot.wait": {"checkpoints": {}, "spot": {"wait": "1h"}},
    "checkpoints.to": {"checkpoints": {}},
    "checkpoints.path": {"checkpoints": {}},
    "retry[].interval": {"retry": [{"errors": ["throttling"], "max_attempts": 2}]},
    "retry[].backoff": {"retry": [{"errors": ["throttling"], "max_attempts": 2}]},
    "retry[].errors": {"retry": [{"errors": ["throttling"], "max_attempts": 2}]},
    "retry[].max_attempts": {"retry": [{"errors": ["throttling"], "max_attempts": 2}]},
    "retry[].give_up_after": {"retry": [{"errors": ["throttling"], "give_up_after": "1h"}]},
    "cache.enabled": {"cache": {"enabled": True}},
    "cache.expire_after": {"cache": {"enabled": True}},
    "depends_on[].step": {"depends_on": [{"step": "first"}]},
    "depends_on[].when": {"depends_on": [{"step": "third"}]},
    "outputs.data.to": {"outputs": {"data": {}}},
    "entrypoint": {"code": None, "image": _CONTAINER["image"]},
    "image.python": {"image": {"framework": "tensorflow", "version": "1.13.1", "python": "py2"}},
    "image.uri": {"image": _CONTAINER["image"]},
    "image.build": {"image": _CONTAINER["image"]},
    "image.python:model": {"image": _HUGGING},
    "image.python:register_model": {"image": _HUGGING},
    "check:clarify_check": {"model": "some-model"},
    "image.accelerator": {"image": {"framework": "pytorch", "version": "2.6.0"}},
    "image.framework": {"image": {"framework": "sklearn", "version": "1.2-1"}},
    "image.version": {"image": {"framework": "sklearn", "version": "1.2-1"}},
    "code.source_dir": {"code": "folder/c.py"},
    "code.include": {"code": "folder/c.py"},
    "code.include:notebook": {"code": "folder/o.ipynb"},
    "code.source_dir:notebook": {"code": "folder/o.ipynb"},
    "inputs.data.compression:processing": {"inputs.data.mode": "pipe"},
    "inputs.data.content_type:processing": {},
    "analysis:quality_check": {"check": "model_quality", "analysis": {"problem_type": "Regression"}},
    "model:clarify_check": {"check": "model_bias", "model": "some-model"},
    "code.launcher": {"image": {"framework": "xgboost", "version": "1.7-1"}},
    "inputs.data.mode:processing": {},
    "outputs.data.feature_group": {"outputs": {"data": {}}},
    **{f"inputs.data.athena.{k}": {"inputs": {"data": {"athena": _ATHENA}}} for k in ("query", "database", "catalog")},
    **{f"inputs.data.athena.{k}": {"inputs": {"data": {"athena": _ATHENA}}} for k in ("work_group", "to", "format")},
    "inputs.data.athena.compression": {"inputs": {"data": {"athena": _ATHENA}}},
    "inputs.data.athena": {"inputs": {"data": {"from": "s3://b/in/"}}},
    **{
        f"inputs.data.redshift.{k}": {"inputs": {"data": {"redshift": _REDSHIFT}}}
        for k in (*_REDSHIFT, "format", "compression")
    },
    **{f"inputs.data.file_system.{k}": {"inputs": {"data": {"file_system": _FILES}}} for k in (*_FILES, "access")},
    "search.warm_start.same_data": {"search.warm_start": {"jobs": ["earlier"]}},
    "search.warm_start.jobs": {"search.warm_start": {"jobs": ["earlier"]}},
    "search.ranges.eta.integer": {"search.ranges": {"eta": {"integer": [1, 2]}}},
    "search.ranges.eta.values": {"search.ranges": {"eta": {"values": ["a"]}}},
    "containers[].image": {"model": None, "image": None, "containers": [_CONTAINER]},
    "filter.input": {"filter": {}},
    "filter.output": {"filter": {}},
    "filter.join": {"filter": {}},
    "problem": {"objective": "AUC", "problem": "binary_classification"},
    "objective": {"objective": "AUC", "problem": "binary_classification"},
    "experiment": {},
}
# What goes, or comes, together with what is tried.
ALONGSIDE: dict[str, dict[str, Json]] = {
    "image.build": {"image.uri": None},
    "algorithm": {"code": None},
    "containers": {"model": None, "image": None},
    "search.objective.minimize": {"search.objective.maximize": None},
    "else": {"then": None},
    "check:quality_check": {"analysis": {"problem_type": "Regression"}},
}
# What to try in a field, where its kind alone does not tell.
TRIES: dict[str, Json] = {
    "image": {"uri": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/other:1"},
    "image.uri": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/other:1",
    "image.build": "folder",
    "image.framework": "xgboost",
    "image.version": "1.4-2",
    "image.python": "py3",
    "image.accelerator": "gpu",
    "code": "b.py",
    "code.entry_point": "b.py",
    "code.source_dir": ".",
    "code.include": ["x.csv"],
    "code.requirements": "r.txt",
    "code.interpreter": "python3.9",
    "code.inference": "folder",
    "instance.type": "ml.m5.2xlarge",
    "instance.fallbacks": ["ml.m5.4xlarge"],
    "network": _SUBNETS,
    "network.subnets": ["subnet-00000000000000000"],
    "network.security_group_ids": ["sg-00000000000000000"],
    "role": "arn:aws:iam::111122223333:role/other",
    "depends_on": [{"step": "first"}],
    "depends_on[].step": "third",
    "retry": [{"errors": ["throttling"], "max_attempts": 3}],
    "retry[].errors": ["service_fault"],
    "cache": {"enabled": True},
    "cache.enabled": False,
    "fail_on_violation": False,
    "search.warm_start.same_data": False,
    "inputs.data.data_type": "manifest",
    "inputs.data.athena.work_group": "other",
    "outputs.data.feature_group": "other",
    "spot": {"wait": "1h"},
    "checkpoints": {},
    "metrics": {"loss": "loss=(.*)"},
    "secrets": {"PASSWORD": "ctr/db"},
    "debugger": {"DebugHookConfig": {"S3OutputPath": "s3://b/debug/"}},
    "profiler": {"ProfilerConfig": {"DisableProfiler": True}},
    "algorithm": "arn:aws:sagemaker:eu-west-1:111122223333:algorithm/a",
    "inputs.data.mode": "pipe",
    "inputs.data.athena": _ATHENA,
    "inputs.data.redshift": _REDSHIFT,
    "inputs.data.file_system": _FILES,
    "inputs.data.athena.to": "s3://b/other/",
    "inputs.data.redshift.to": "s3://b/other/",
    "inputs.data.redshift.cluster_role": "arn:aws:iam::111122223333:role/other",
    "inputs.data.file_system.id": "fs-00000000000000000",
    "inputs.data.file_system.type": "fsx",
    "inputs.data.file_system.folder": "/b",
    "inputs.data.path": "/opt/ml/processing/other",
    "outputs.data.path": "/opt/ml/processing/other",
    "search": {"objective": {"maximize": "auc"}, "max_jobs": 3, "ranges": {"eta": {"continuous": [0.1, 0.3]}}},
    "search.objective": {"minimize": "auc"},
    "search.objective.maximize:tuning": "auc",
    "search.objective.minimize": "auc",
    "search.strategy": "random",
    "search.ranges": {"eta": {"continuous": [0.2, 0.3]}},
    "search.ranges.eta.integer": [1, 3],
    "search.ranges.eta.continuous": [0.2, 0.3],
    "search.ranges.eta.values": ["a", "b"],
    "search.warm_start": {"jobs": ["earlier"]},
    "search.warm_start.jobs": ["other"],
    "containers": [_CONTAINER, {**_CONTAINER, "name": "second"}],
    "model:transform": "other-model",
    "model:clarify_check": "other-model",
    "checks": {"data_quality": "quality"},
    "drift_baselines": {"Bias": {"ConfigFile": {"S3Uri": "s3://b/c.json"}}},
    "approval": "approved",
    "problem": "multiclass_classification",
    "objective": "F1",
    "if": ["1 == 2"],
    "then": ["third"],
    "else": ["second"],
    "items": "${param:weeks}",
    "steps": {"other": {"type": "processing", "code": "a.py"}},
    "function": "arn:aws:lambda:eu-west-1:111122223333:function:g",
    "queue": "https://sqs.eu-west-1.amazonaws.com/111122223333/p",
    "analysis": {"label": "b"},
    "analysis:quality_check": {"problem_type": "BinaryClassification"},
    "check:quality_check": "model_quality",
    "check:clarify_check": "model_bias",
    "metrics:tuning": {"auc": "other=(.*)"},
    "batch.timeout": "5m",
    "model_group": "other",
    "response_types": ["text/plain"],
    "content_types": ["text/plain"],
    "code.launcher": "image",
    "arguments:notebook": {"day": "1"},
    "code:notebook": "m.ipynb",
    "code.entry_point:notebook": "m.ipynb",
    "step_type": "Callback",
    "members": {"FunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:f"},
    "arguments_patch": {"Other": "x"},
    "registry": "sagemaker",
    "realtime_instance_types": ["ml.m5.large"],
    "transform_instance_types": ["ml.m5.large"],
    "metrics:register_model": {"model_quality": "s3://b/q.json"},
}
