"""`force-unlock`: end the lock of a deployment that is known to have ended."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from buzzflow.cli.problems import fail
from buzzflow.diagnostics import PipelineError
from buzzflow.driver.deploy import Accounts, end_lock_of, ready_pipelines


def end_lock(target: Path, identity: str, *, as_json: bool) -> None:
    """End the lock whose id is *identity* and tell whose it was."""
    try:
        ready = ready_pipelines([target], ())[0]
        holder = end_lock_of(ready, Accounts(), identity)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    name = ready.wanted.name
    if as_json:
        typer.echo(
            json.dumps({"name": name, "ended": holder is not None, "holder": holder and holder.as_data()}, indent=2)
        )
    else:
        typer.echo(f"{name}: the lock of {holder} is ended" if holder else f"{name} is not locked")
