"""The options of `create` that are for local runs only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from buzzflow.cli.completion import complete_pull

if TYPE_CHECKING:
    from buzzflow.driver.local import LocalOptions

Parameters = Annotated[
    list[str] | None, typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter of this run (--local).")
]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", min=1, help="Steps side by side (--local).", show_default="4 or the cores"),
]
NoMonitoring = Annotated[
    bool, typer.Option("--no-monitoring", help="Without cAdvisor and Prometheus beside the steps (--local).")
]
From = Annotated[
    list[str] | None,
    typer.Option("--from", metavar="STEP", help="This step and all after it, on earlier results (--local)."),
]
Only = Annotated[
    list[str] | None, typer.Option("--only", metavar="STEP", help="Just these steps, on earlier results (--local).")
]
Force = Annotated[bool, typer.Option("--force", help="Take no cached result (--local).")]
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


def refuse_without_local(given: Mapping[str, Any], what: str) -> None:
    """Raise a usage error when an option was *given* that only a local run has; *what* is asked for instead."""
    names = [f"--{name.replace('_', '-')}" for name, value in given.items() if value]
    if names:
        verb = "is" if len(names) == 1 else "are"
        raise typer.BadParameter(f"{' and '.join(names)} {verb} for --local: {what} starts nothing")


def local_options(executor: str, given: Mapping[str, Any]) -> LocalOptions:
    """Return what was *given*, by the options' names; a usage error for a value that cannot be."""
    from buzzflow.driver.local import LocalOptions
    from buzzflow.driver.selecting import Part

    if executor not in ("auto", "docker", "process"):
        raise typer.BadParameter(f"{executor!r} is not docker or process", param_hint="--local")
    if (pull := given["pull"] or "missing") not in ("missing", "never", "always"):
        raise typer.BadParameter(f"{pull!r} is not missing, never or always", param_hint="--pull")
    if given["from"] and given["only"]:
        raise typer.BadParameter("--from and --only exclude each other")
    return LocalOptions(
        executor=executor,
        jobs=given["jobs"],
        monitoring=not given["no_monitoring"],
        pull=pull,
        fail=given["fail"] or (),
        interrupt=given["interrupt"] or (),
        real_time=given["real_time"],
        download=None if given["download"] is None else size_of(given["download"]),
        part=Part(tuple(given["from"] or ()), tuple(given["only"] or ())),
        force=given["force"],
    )
