"""The options of `create` that are for local runs only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from buzzflow.cli.completion import complete_pull

Pull = Annotated[
    str | None,
    typer.Option(
        "--pull",
        metavar="WHEN",
        help="Fetch images that are missing, never, or always (--local).",
        show_default="missing",
        shell_complete=complete_pull,
    ),
]

Fail = Annotated[
    list[str] | None,
    typer.Option("--fail", metavar="STEP=ERROR", help="Let a step fail, to try retry (--local): train=capacity_error."),
]
Interrupt = Annotated[
    list[str] | None,
    typer.Option("--interrupt", metavar="STEP@TIME", help="Take a spot machine away (--local): train@30s."),
]
RealTime = Annotated[bool, typer.Option("--real-time", help="Wait before retries as long as SageMaker does (--local).")]

DownloadSize = Annotated[
    str | None,
    typer.Option("--download", metavar="SIZE", help="Fetch missing data from S3, at most so much (--local): 500MB."),
]
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([kKMGT]?)(i?)B")
_POWERS = {"": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4}


def size_of(text: str) -> int:
    """Return `500MB`, `1.5GB` or `2GiB` as bytes; a usage error for other text."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter(f"{text!r} is no size: write 500MB, or 2GB", param_hint="--download")
    return int(float(match[1]) * (1024 if match[3] else 1000) ** _POWERS[match[2]])


def for_local(**given: Any) -> Mapping[str, Any]:
    """Return the options that were given; a usage error for a value that cannot be."""
    if (pull := given.get("pull")) not in (None, "missing", "never", "always"):
        raise typer.BadParameter(f"{pull!r} is not missing, never or always", param_hint="--pull")
    if (size := given.get("download")) is not None:
        given["download"] = size_of(size)
    return {name: value for name, value in given.items() if value}


def refuse_without_local(given: Mapping[str, Any], what: str) -> None:
    """Raise a usage error when an option was *given* that only a local run has; *what* is asked for instead."""
    names = [f"--{name.replace('_', '-')}" for name, value in given.items() if value]
    if names:
        verb = "is" if len(names) == 1 else "are"
        raise typer.BadParameter(f"{' and '.join(names)} {verb} for --local: {what} starts nothing")
