"""The `buzzflow` command.

Results go to stdout, all else to stderr. Exit codes: 0 done, 1 problems in the user's files, 2 wrong usage, 3 a bug in
buzzflow, 4 a step failed, 5 differences found, 130 interrupted.
"""

from __future__ import annotations

import sys
import traceback
from importlib.metadata import version
from typing import Annotated

import typer

from buzzflow.cli import deployments, history, projects, runs  # noqa: F401  # they make the commands, in this order
from buzzflow.cli.app import app

BUG = 3


def main() -> None:
    """Run the command and exit."""
    try:
        app(_with_default_executor(sys.argv[1:]))
    except Exception:  # noqa: BLE001  # the last place that can tell a bug from a mistake
        traceback.print_exc()
        told = f"this is a bug in buzzflow {version('buzzflow')}, not in your files: please report the lines above"
        print(told, file=sys.stderr)  # noqa: T201  # the command line prints
        sys.exit(BUG)


def _with_default_executor(arguments: list[str]) -> list[str]:
    """Give `--local` a value, because an option of the parser takes one always or never; `--local docker` works too."""
    given = [*arguments]
    if "--local" in given:
        at = given.index("--local")
        value = given.pop(at + 1) if given[at + 1 : at + 2] in (["docker"], ["process"]) else "auto"
        given[at] = f"--local={value}"
    return given


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"buzzflow {version('buzzflow')}")
        raise typer.Exit


@app.callback()
def _options(
    show_version: Annotated[  # the callback acts
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=lambda v: _version(wanted=v))
    ] = False,
) -> None: ...
