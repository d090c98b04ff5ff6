"""Get the definition of a Python module that builds a pipeline with the SageMaker SDK, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from buzzflow.backends.sagemaker.importing.document import Document, read_document
from buzzflow.diagnostics import Diagnostic, PipelineError, Span

RUNNER = Path(__file__).with_name("sdk_runner.py")
REGION = "us-east-1"  # where neither an option nor the environment names one
TIMEOUT = 600
_FAILED, _WRONG = 1, 2  # how the runner ends
_SHOWN = 400  # characters of what a module printed last
_CREDENTIALS = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE")


def read_module(source: str, *, python: str | None, region: str | None) -> Document:
    """Return the definition that `file.py`, or `file.py:name`, builds; the file is executed.

    *python* is the interpreter that has the SDK: that of the active virtual environment by default. PipelineError
    says what went wrong.
    """
    file, _, name = source.partition(".py")
    path = f"{file}.py"
    if not Path(path).is_file():
        raise PipelineError([Diagnostic("BF656", f"there is no file {path}")])
    with tempfile.TemporaryDirectory(prefix="buzzflow-import-") as made:
        answer = Path(made) / "answer.json"
        told = _run(python or _interpreter(), path, name.removeprefix(":"), answer, _environment(region))
        if not answer.is_file():
            what = f"{path} ended without a pipeline"
            raise PipelineError([Diagnostic("BF656", what, hint=told.strip()[-_SHOWN:] or None)])
        found = json.loads(answer.read_text("utf-8"))
    if "error" in found:
        raise PipelineError([_failure(path, found)])
    document = read_document(str(found["definition"]).encode(), path)
    return replace(document, name=found.get("name") or None)


def _interpreter() -> str:
    active = os.environ.get("VIRTUAL_ENV")
    inside = Path(active, "bin", "python") if active else None
    return str(inside) if inside is not None and inside.exists() else sys.executable


def _environment(region: str | None) -> dict[str, str]:
    """Return the process variables of the child: no credentials of this machine, and a region."""
    kept = {key: value for key, value in os.environ.items() if key not in _CREDENTIALS}
    chosen = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or REGION
    return {
        **kept,
        "AWS_DEFAULT_REGION": chosen,
        "AWS_REGION": chosen,
        "AWS_ACCESS_KEY_ID": "import",
        "AWS_SECRET_ACCESS_KEY": "import",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEMAKER_VALIDATE_ROLE": "false",
        "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
    }


def _run(python: str, path: str, name: str, answer: Path, environment: dict[str, str]) -> str:
    """Run the module and return what it said on the side."""
    command = [python, "-c", RUNNER.read_text("utf-8"), path, name, str(answer)]
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        raise PipelineError([Diagnostic("BF656", f"{path} has not built a pipeline in {TIMEOUT} seconds")]) from None
    except OSError as e:
        hint = "name the interpreter that has the SageMaker SDK: --python .venv/bin/python"
        raise PipelineError([Diagnostic("BF656", f"cannot start {python}: {e.strerror}", hint=hint)]) from None
    return done.stderr.decode("utf-8", "replace")


def _failure(path: str, found: dict[str, Any]) -> Diagnostic:
    error, line = str(found["error"]), found.get("line")
    span = Span(path, line, 1) if isinstance(line, int) else None
    hint = None
    if error.startswith("ModuleNotFoundError"):
        hint = "name the interpreter that has the SageMaker SDK: --python .venv/bin/python"
    elif "several pipelines" in error or "has no" in error:
        hint = f"name one: {path}:name"
    return Diagnostic("BF656", f"{path} builds no pipeline: {error[:_SHOWN]}", hint=hint, span=span)
