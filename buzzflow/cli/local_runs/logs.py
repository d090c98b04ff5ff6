"""`logs` of a run of this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

import typer

from buzzflow.cli.executions.common import INTERRUPTED, interruptible, notice
from buzzflow.cli.problems import fail
from buzzflow.diagnostics import PipelineError
from buzzflow.driver.run_logs import StepText, all_lines, chosen_steps, follow, readers
from buzzflow.driver.runs import find_run, manifest_of, state_folder

_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")


def is_local(wanted: str | None) -> bool:
    """Whether *wanted* is the id of a run of this machine, kept or not: those of the service look otherwise."""
    return wanted is not None and _ID.fullmatch(wanted) is not None


def show_local_logs(
    names: Sequence[str], wanted: str, *, follow_every: float | None, tail: int | None, as_json: bool
) -> int:
    """Print what the steps of a run have printed, and return the exit code; *follow_every* goes on until its end."""
    try:
        folder = find_run(state_folder(Path()), wanted)
        manifest = manifest_of(folder)
        found = readers(folder, chosen_steps(folder.name, manifest, names))
        _tell_without([reader.step for reader in found if names and not reader.file.exists()])
        lines = all_lines(found, tail)
        if follow_every is not None:
            lines = chain(lines, follow(folder, found, follow_every))
        with interruptible():
            _print(lines, named=len(names) != 1, as_json=as_json)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _tell_without(names: Iterable[str]) -> None:
    for name in names:
        notice(f"{name} has no log: it has not run")


def _print(lines: Iterable[StepText], *, named: bool, as_json: bool) -> None:
    for line in lines:
        before = f"{line.step} | " if named else ""
        typer.echo(json.dumps({"step": line.step, "message": line.text}) if as_json else f"{before}{line.text}")
