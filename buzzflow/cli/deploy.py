"""`create`: plan, deploy, tell what was done, and stop cleanly when told to."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from pydantic import TypeAdapter, ValidationError

from buzzflow.backends.sagemaker.deploying.apply import Applied, Outside, StoppedError
from buzzflow.cli.problems import EXIT, fail, show, warn
from buzzflow.cli.stopping import INTERRUPTED, stopping
from buzzflow.config.values import Duration
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.deploy import Accounts, Planned, deploy, plan_all, ready_pipelines, refuse
from buzzflow.views import plan as view
from buzzflow.views.problems import as_data
from buzzflow.views.summary import console


@dataclass(frozen=True, slots=True)
class _Done:
    """What became of one pipeline: exactly one of *applied* and *problems* is given, or neither when it was stopped."""

    planned: Planned
    applied: Applied | None = None
    problems: tuple[Diagnostic, ...] = ()


def deploy_pipelines(targets: Sequence[Path], settings: Sequence[str], lock_timeout: str, *, as_json: bool) -> int:
    """Deploy all pipelines that *targets* name and return the exit code."""
    wait = _seconds(lock_timeout)
    accounts, stop = Accounts(), threading.Event()
    try:
        found = ready_pipelines(targets, settings)
        refuse(found, os.environ)
        warn([w for ready in found for w in ready.checked.warnings])
        with stopping(stop):
            planned, problems = plan_all(found, accounts)
            if not as_json and planned:
                plans = [view.Shown(each.ready.file, each.plan, each.cost) for each in planned]
                console(stderr=True).print(view.human(plans), soft_wrap=True)
            done = [_deployed(each, accounts, stop, wait) for each in planned if not stop.is_set()]
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    except KeyboardInterrupt:  # the second one: whoever deploys next is told by the lock and the journal
        os._exit(INTERRUPTED)
    problems += [problem for each in done for problem in each.problems]
    if as_json:
        told = {"ok": not problems, "diagnostics": as_data(problems), "pipelines": [_data(each) for each in done]}
        typer.echo(json.dumps(told, indent=2))
    else:
        show(problems)
    if stop.is_set():
        return INTERRUPTED
    return EXIT if problems else 0


def _deployed(planned: Planned, accounts: Accounts, stop: threading.Event, wait: float) -> _Done:
    name = planned.plan.deployment.name
    outside = Outside(
        contents={},
        environ=os.environ,
        tell=lambda told: typer.echo(f"{name}: {told}", err=True),
        stop=stop,
        lock_timeout=wait,
    )
    try:
        applied = deploy(planned.ready, accounts, outside)
    except PipelineError as e:
        return _Done(planned, problems=e.diagnostics)
    except StoppedError:
        typer.echo(f"{name}: stopped before anything else was written; run the same command to go on", err=True)
        return _Done(planned)
    warn(applied.warnings)
    typer.echo(f"{name}: {_outcome(applied)}", err=True)
    return _Done(planned, applied)


def _outcome(applied: Applied) -> str:
    match applied.plan.action:
        case "create":
            return f"created, {applied.arn}"
        case "update":
            return f"updated, {applied.arn}"
        case _:
            return f"{applied.uploaded} files were missing in its bucket" if applied.wrote else "nothing to do"


def _data(done: _Done) -> dict[str, Any]:
    plan = done.planned.plan
    told: dict[str, Any] = {"name": plan.deployment.name, "file": done.planned.ready.file, "done": "failed"}
    if done.applied is None:
        return told if done.problems else {**told, "done": "stopped"}
    words = {"create": "created", "update": "updated", "none": "nothing"}
    return {
        **told,
        "done": words[done.applied.plan.action],
        "arn": done.applied.arn,
        "uploaded_files": done.applied.uploaded,
        "digest": plan.deployment.digest,
    }


def _seconds(text: str) -> float:
    try:
        return TypeAdapter(Duration).validate_python(text)
    except ValidationError as e:
        raise typer.BadParameter(e.errors()[0]["msg"], param_hint="--lock-timeout") from None
