"""`doctor`: what this machine has of what buzzflow needs."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import entry_points, version

import typer

from buzzflow.backends.backend import GROUP


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; *state* is ok, warning or problem."""

    name: str
    state: str
    told: str


def examine(*, as_json: bool, today: date) -> int:
    """Print what was found; the exit code is 1 when nothing on this machine can run a step."""
    findings = [*_findings(), *table_findings(today)]
    if as_json:
        typer.echo(json.dumps([asdict(f) for f in findings], indent=2))
    else:
        for finding in findings:
            mark = {"ok": "ok     ", "warning": "warning", "problem": "problem"}[finding.state]
            typer.echo(f"{mark}  {finding.name}: {finding.told}")
    return 1 if any(f.state == "problem" for f in findings) else 0


def _findings() -> Iterator[Finding]:
    yield Finding("buzzflow", "ok", f"{version('buzzflow')}, Python {platform.python_version()}, {platform.system()}")
    yield Finding("backends", "ok", ", ".join(sorted(entry_points(group=GROUP).names)))
    docker, process = _docker(), _process()
    yield docker
    yield process
    if docker.state != "ok" and process.state == "problem":
        yield Finding("local runs", "problem", "neither Docker nor processes can run steps here")
    free = shutil.disk_usage(os.curdir).free / 2**30
    yield Finding("disk", "ok" if free > 5 else "warning", f"{free:.0f} GiB free in this folder's file system")


def table_findings(today: date) -> Iterator[Finding]:
    """Yield how old each table is that buzzflow ships about the service."""
    from buzzflow.backends.sagemaker.tables import provenances

    for table in provenances():
        told = f"{table.source} {table.version}, of {table.date}"
        if table.is_old(today):
            told += f", {table.age(today)} days old; update buzzflow, or in its repository: make refresh-data"
        yield Finding(table.table, "warning" if table.is_old(today) else "ok", told)


def _docker() -> Finding:
    from buzzflow.backends.local.containers.executor import docker_problem

    problem = docker_problem()
    if problem is not None:
        return Finding("Docker", "warning", f"{problem}; steps run as processes instead")
    import docker

    client = docker.from_env()
    try:
        about = client.version()
        cores, memory = client.info()["NCPU"], client.info()["MemTotal"] / 2**30
    finally:
        client.close()
    return Finding("Docker", "ok", f"engine {about['Version']}, {cores} cores, {memory:.1f} GiB")


def _process() -> Finding:
    from buzzflow.backends.local.processes.executor import namespace_problem

    problem = namespace_problem()
    if problem is None:
        return Finding("processes", "ok", "steps without Docker get their own /opt/ml")
    return Finding("processes", "warning", f"{problem}; steps without Docker must use the variables, not /opt/ml")
