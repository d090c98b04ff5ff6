"""Find where each field of each step type lands in SageMaker's pipeline definition, by trying.

A small pipeline is compiled twice, without and with another value in one field: where the two definitions differ is
where the field lands. Nothing here says so by hand, so the tables that come of it cannot be wrong for long.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from buzzflow.backends.sagemaker.compile import definition
from buzzflow.diagnostics import PipelineError
from buzzflow.driver import check

Json = Any
NOWHERE = "not sent"
NOT_TAKEN = "not taken"
ANYWHERE = "any member of the request"
# What the compiler says of a field that a type has and the service does not take from it.
_REFUSALS = frozenset(("BF208", "BF321", "BF326", "BF327", "BF328", "BF412"))
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
_IN_THE_SERVICES_WORDS = frozenset(
    ("emr", "emr_serverless", "endpoint_config", "endpoint", "inference_component", "lineage", "job", "cleanup", "raw")
)
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


Fields = list[tuple[str, str]]  # path with <name> and [], and what the documentation calls its value


def field_places(fields: Mapping[str, Fields]) -> dict[str, dict[str, str]]:
    """Return for each step type where each of its *fields* lands: paths in the step of the definition."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made).resolve() / "projects" / "research" / "tried"
        folder.mkdir(parents=True)
        (folder.parent / "environment.yaml").write_text(ENVIRONMENT, "utf-8")
        for name in SCRIPTS:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text("", "utf-8")
        return {kind: dict(_places(kind, rows, folder)) for kind, rows in fields.items()}


def _places(kind: str, rows: Fields, folder: Path) -> Iterator[tuple[str, str]]:
    for field, value in rows:
        if field == "arguments_patch" or (field == "arguments" and kind in _IN_THE_SERVICES_WORDS):
            yield field, ANYWHERE
            continue
        key = _key(field, kind)
        base = {"type": kind, **json.loads(json.dumps(BASES[kind]))}
        for path, more in _of(WITH, key, kind, {}).items():
            _put(base, path, more)
        tried = json.loads(json.dumps(base))
        _put(tried, key, _of(TRIES, key, kind, _another(value)))
        for path, more in _of(ALONGSIDE, key, kind, {}).items():
            _put(tried, path, more)
        try:
            before, after = _compiled(base, folder), _compiled(tried, folder)
        except PipelineError as e:
            if {d.code for d in e.diagnostics} & _REFUSALS:
                yield field, NOT_TAKEN
                continue
            told = [d.summary for d in e.diagnostics]
            raise ValueError(f"{kind}.{field} cannot be tried: {told} in {tried}") from None
        yield field, _shown({*_differences(before, after)})


def _key(field: str, kind: str) -> str:
    """Return *field* with the names that the bases have: `inputs.<name>.from` is `inputs.data.from`."""
    names = {"inputs": {"automl": "training"}, "search": {}}
    first = names.get(field.partition(".")[0], {}).get(kind, "data")
    if field.startswith("search.ranges"):
        first = "eta"
    if kind in ("quality_check", "clarify_check"):
        first = {"inputs": "dataset", "outputs": "report"}.get(field.partition(".")[0], first)
    if kind == "training" or kind == "tuning":
        first = "model" if field.startswith("outputs") else first
    if field.startswith("outputs"):
        first = {"transform": "predictions", "automl": "result"}.get(kind, first)
    return field.replace("<name>", first)


def _of(table: Mapping[str, Json], key: str, kind: str, otherwise: Json) -> Json:
    return table.get(f"{key}:{kind}", table.get(key, otherwise))


def _put(data: dict[str, Json], path: str, value: Json) -> None:
    *parents, last = path.replace("[]", ".0").split(".")
    here: Json = data
    for part, following in zip(parents, [*parents, last][1:], strict=True):
        if isinstance(here, list):
            while len(here) <= int(part):
                here.append({})
            here = here[int(part)]
            continue
        if not isinstance(here.get(part), dict | list):
            short = {"image": "uri", "code": "entry_point"}.get(part)
            here[part] = (
                {short: here[part]} if isinstance(here.get(part), str) and short else [] if following == "0" else {}
            )
        here = here[part]
    if isinstance(here, list):
        here[int(last) :] = [value]
    elif value is None:
        here.pop(last, None)
    else:
        here[last] = value


def _another(value: str) -> Json:
    """Return a value of the kind that the documentation calls *value*."""
    if "`" in value:
        words = re.findall(r"`([^`]+)`", value)
        return True if words == ["true", "false"] else words[-1]
    match value.replace(" †", ""):
        case "whole number":
            return 7
        case "number":
            return 3.5
        case "duration":
            return "2h"
        case text if text.startswith("list"):
            return ["other"]
        case text if text.startswith("mapping"):
            return {"other": "x"}
        case _:
            return "s3://b/other/"


def _compiled(step: Json, folder: Path) -> Json:
    steps = {name: helper for name, helper in HELPERS.items() if name not in step.get("steps", {})}
    whole = {"parameters": {"days": "[]", "weeks": "[]"}, "steps": {**steps, "tried": step}}
    (folder / "pipeline.yaml").write_text(yaml.safe_dump(whole), "utf-8")
    found = _find(definition(check(folder, backend="sagemaker").pipeline)["Steps"])
    assert found is not None
    return found


def _find(steps: Json) -> Json:
    for step in steps:
        if step["Name"] == "tried":
            return step
        inner = step["Arguments"]
        for side in ("IfSteps", "ElseSteps", "ForEachBody") if isinstance(inner, dict) else ():
            if (found := _find(inner.get(side, []))) is not None:
                return found
    return None


def _differences(before: Json, after: Json, path: str = "") -> Iterator[str]:
    """Yield the paths at which two definitions differ; `[]` is any item of a list."""
    if isinstance(before, dict) and isinstance(after, dict) and not ({"Get", "Std:Join"} & {*before, *after}):
        for key in dict.fromkeys((*before, *after)):
            if before.get(key) != after.get(key):
                yield from _differences(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for one, other in zip(before, after, strict=True):
            if one != other:
                yield from _differences(one, other, f"{path}[]")
    else:
        yield path


def _shown(paths: set[str]) -> str:
    shown = {_generalised(p) for p in paths}
    return ", ".join(f"`{p}`" for p in sorted(shown, key=lambda p: (p.startswith("Environment"), p))) or NOWHERE


def _generalised(path: str) -> str:
    """Shorten a path: arguments are the step's request, and our own variables are one thing."""
    short = path.removeprefix("Arguments.") if path != "Arguments" else path
    return re.sub(r"^Environment\.(BUZZFLOW|SM)_\w+$", "Environment", short)


def main() -> None:
    """Print every place: for those who work on this file."""
    import refresh_docs  # which imports this

    for kind, places in field_places(refresh_docs.probed_fields()).items():
        for field, place in places.items():
            print(f"{kind:20} {field:40} {place}")


if __name__ == "__main__":
    main()
