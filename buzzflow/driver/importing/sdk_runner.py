"""Run in a process of its own, where the SageMaker SDK is: build the pipeline of a module, hand back its definition.

It executes the module. AWS is answered here, so that nothing is called, uploaded or made: whoever the module asks
gets an empty success, and names that the SDK makes up from the clock are always the same. This file imports nothing
of buzzflow: it is handed to another interpreter as text.

Arguments: the module's file, the name in it or an empty text, the file for the answer.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import io
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

ACCOUNT, MOMENT = "111122223333", "2020-01-01-00-00-00-000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/import"
NAMES = ("get_pipeline", "pipeline", "create_pipeline", "build_pipeline", "make_pipeline")
FAILED, WRONG = 1, 2
_STS = (
    "<GetCallerIdentityResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><GetCallerIdentityResult>"
    f"<Arn>arn:aws:sts::{ACCOUNT}:assumed-role/import/import</Arn><UserId>A:import</UserId>"
    f"<Account>{ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
)
_IAM = (
    "<GetRoleResponse xmlns='https://iam.amazonaws.com/doc/2010-05-08/'><GetRoleResult><Role><Path>/</Path>"
    f"<Arn>{ROLE}</Arn><RoleName>import</RoleName><RoleId>AROA</RoleId><CreateDate>2020-01-01T00:00:00Z</CreateDate>"
    "</Role></GetRoleResult></GetRoleResponse>"
)
_BUCKETS = (
    "<ListAllMyBucketsResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><Owner><ID>import</ID></Owner>"
    "<Buckets/></ListAllMyBucketsResult>"
)


class Wrong(Exception):
    """The module has no pipeline that can be built."""


def main(file: str, name: str, answer: str) -> int:
    """Write what came of it to *answer*; return how it ended."""
    with contextlib.redirect_stdout(sys.stderr):
        try:
            _answer_for_aws()
            _stop_the_clock()
            pipeline = _pipeline(_module(file), name)
            found = {"definition": pipeline.definition(), "name": str(getattr(pipeline, "name", ""))}
            code = 0
        except Wrong as e:
            found, code = {"error": str(e)}, WRONG
        except BaseException as e:  # noqa: BLE001  # whatever the module raises, SystemExit too
            frames = [f for f in traceback.extract_tb(e.__traceback__) if f.filename == str(Path(file).resolve())]
            found = {"error": f"{type(e).__name__}: {e}", "line": frames[-1].lineno if frames else None}
            code = FAILED
    Path(answer).write_text(json.dumps(found), "utf-8")
    return code


# ------------------------------------------------------------------ the module


def _module(file: str) -> Any:
    path = Path(file).resolve()
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location("imported_pipeline", path)
    if spec is None or spec.loader is None:
        raise Wrong(f"{file} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _pipeline(module: Any, name: str) -> Any:
    if name:
        if not hasattr(module, name):
            raise Wrong(f"the module has no {name!r}")
        return _built(getattr(module, name), name)
    found = {id(v): (k, v) for k, v in vars(module).items() if _is_pipeline(v) and not k.startswith("_")}
    if len(found) > 1:
        raise Wrong(f"the module has several pipelines: {', '.join(k for k, _ in found.values())}")
    if found:
        return next(iter(found.values()))[1]
    for candidate in NAMES:
        if callable(getattr(module, candidate, None)):
            return _built(getattr(module, candidate), candidate)
    raise Wrong(f"the module has no pipeline, and no function {NAMES[0]}()")


def _is_pipeline(value: Any) -> bool:
    return not isinstance(value, type) and callable(getattr(value, "definition", None)) and hasattr(value, "steps")


def _built(value: Any, name: str) -> Any:
    if _is_pipeline(value):
        return value
    if not callable(value):
        raise Wrong(f"{name!r} is no pipeline, and no function that makes one")
    pipeline = value(**_arguments(value, name))
    if not _is_pipeline(pipeline):
        raise Wrong(f"{name}() gives no pipeline, but {type(pipeline).__name__}")
    return pipeline


def _arguments(function: Any, name: str) -> dict[str, Any]:
    """Return values for what *function* must be given, by the names that AWS's own templates use."""
    known = {
        "region": os.environ.get("AWS_DEFAULT_REGION"),
        "region_name": os.environ.get("AWS_DEFAULT_REGION"),
        "role": ROLE,
        "role_arn": ROLE,
        "default_bucket": f"sagemaker-{os.environ.get('AWS_DEFAULT_REGION')}-{ACCOUNT}",
        "bucket": f"sagemaker-{os.environ.get('AWS_DEFAULT_REGION')}-{ACCOUNT}",
    }
    wanted = [
        p.name
        for p in inspect.signature(function).parameters.values()
        if p.default is p.empty and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    ]
    if unknown := [p for p in wanted if p not in known]:
        raise Wrong(f"{name}() needs {', '.join(unknown)}, which nobody gives it here")
    return {p: known[p] for p in wanted}


# ------------------------------------------------------------------ what is not to happen


def _answer_for_aws() -> None:
    """Let botocore answer every request by itself."""
    with contextlib.suppress(ImportError):
        from botocore.awsrequest import AWSResponse, HeadersDict
        from botocore.httpsession import URLLib3Session

        def send(_self: Any, request: Any) -> Any:
            body, kind = _body(request.method, request.url)
            headers: Any = HeadersDict({"content-type": kind, "content-length": str(len(body))})
            return AWSResponse(request.url, 200, headers, _Body(body.encode()))

        setattr(URLLib3Session, "send", send)  # noqa: B010  # of every client, those made already too


class _Body(io.BytesIO):
    def stream(self, **_: Any) -> Any:
        data = self.read()
        if data:
            yield data


def _body(method: str, url: str) -> tuple[str, str]:
    _, _, host, *path = url.split("/")
    if host.startswith("sts."):
        return _STS, "text/xml"
    if host.startswith("iam."):
        return _IAM, "text/xml"
    if host.startswith("s3.") or ".s3." in host:
        lists = method == "GET" and path in ([], [""])
        return _BUCKETS if lists else "", "application/xml"
    return "{}", "application/json"


def _stop_the_clock() -> None:
    """Replace what the SDK makes up from the clock, and what it tells its makers; as far as its version has it."""

    def named(base: str, max_length: int = 63, **_: Any) -> str:
        return f"{base}-{MOMENT}"[:max_length]

    def nothing(*_: Any, **__: Any) -> None:
        return None

    for module in ("sagemaker.telemetry.telemetry_logging", "sagemaker.core.telemetry.telemetry_logging"):
        _replace(module, "_send_telemetry_request", nothing)
    for module in ("sagemaker.utils", "sagemaker.core.common_utils"):
        _replace(module, "name_from_base", named)
        _replace(module, "sagemaker_timestamp", lambda: MOMENT)
    for module in ("sagemaker.processing", "sagemaker.estimator", "sagemaker.transformer", "sagemaker.tuner"):
        _replace(module, "name_from_base", named)
    _replace("sagemaker.core.processing", "name_from_base", named)
    _replace("sagemaker.train.model_trainer", "_get_unique_name", named)
    _replace("sagemaker.mlops.workflow._steps_compiler", "sagemaker_timestamp", lambda: MOMENT)


def _replace(module: str, name: str, value: Any) -> None:
    try:
        found = importlib.import_module(module)
    except ImportError:
        return
    if hasattr(found, name):
        setattr(found, name, value)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
