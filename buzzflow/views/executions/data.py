"""Runs, steps, pipelines and log lines as JSON can hold them: stable keys, times in UTC as ISO 8601 writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from buzzflow.backends.sagemaker.executions.console import console_url
from buzzflow.backends.sagemaker.executions.delete import Doomed
from buzzflow.backends.sagemaker.executions.log_lines import LogLine
from buzzflow.backends.sagemaker.executions.overview import DeployedSummary
from buzzflow.backends.sagemaker.executions.progress import Snapshot, StepProgress
from buzzflow.backends.sagemaker.executions.runs import Run, RunSummary, run_id


def of_run(run: Run) -> dict[str, Any]:
    """Return a run without its steps."""
    return {
        "pipeline": run.pipeline,
        **of_summary(run.summary),
        "changed": iso(run.changed),
        "by": run.by,
        "parallelism": run.parallelism,
        "parameters": dict(run.parameters),
        "selected_steps": list(run.selected) or None,
        "source_run": None if run.source is None else run_id(run.source),
        "console_url": console_url(run.summary.arn),
    }


def of_summary(summary: RunSummary) -> dict[str, Any]:
    """Return a run as a list has it."""
    return {
        "run": summary.id,
        "arn": summary.arn,
        "name": summary.name,
        "state": summary.state,
        "ended": summary.ended,
        "started": iso(summary.started),
        "reason": summary.reason,
    }


def of_snapshot(seen: Snapshot, tails: Mapping[str, Sequence[LogLine]]) -> dict[str, Any]:
    """Return a run with its steps, those that failed with the last lines of their logs."""
    return of_run(seen.run) | {"steps": [_step(step, tails.get(step.name, ())) for step in seen.steps]}


def _step(step: StepProgress, tail: Sequence[LogLine]) -> dict[str, Any]:
    run = step.run
    seconds = None
    if run is not None and run.started is not None and run.ended is not None:
        seconds = round((run.ended - run.started).total_seconds(), 3)
    made = None if run is None else run.made
    return {
        "step": step.name,
        "type": step.type,
        "state": step.state.value,
        "started": iso(run.started) if run else None,
        "ended": iso(run.ended) if run else None,
        "seconds": seconds,
        "attempts": run.attempts if run else 0,
        "reason": run.reason if run else None,
        "cached_from": run_id(run.cached_from) if run and run.cached_from else None,
        "reused_from": run_id(run.reused_from) if run and run.reused_from else None,
        "outcome": run.outcome if run else None,
        "job": made.name if made else None,
        "job_arn": made.arn if made else None,
        "job_kind": made.kind if made else None,
        "log_tail": [line.text for line in tail],
    }


def of_pipeline(one: DeployedSummary) -> dict[str, Any]:
    """Return a deployed pipeline with its last run."""
    return {
        "pipeline": one.name,
        "arn": one.arn,
        "region": one.region,
        "description": one.description,
        "modified": iso(one.modified),
        "last_run": None if one.last is None else of_run(one.last),
    }


def of_doomed(what: Doomed, *, deleted: bool) -> dict[str, Any]:
    """Return what a deletion takes, or has taken."""
    schedules = [{"name": s.name, "group": s.group, "expression": s.when, "enabled": s.enabled} for s in what.schedules]
    return {"pipeline": what.name, "arn": what.arn, "deleted": deleted, "schedules": schedules}


def of_line(line: LogLine) -> dict[str, Any]:
    """Return a line of a log."""
    return {"time": iso(line.at), "step": line.step, "source": line.source, "stream": line.stream, "message": line.text}


def iso(at: datetime | None) -> str | None:
    """Return `2026-11-22T14:03:22.125Z`."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
