"""The command line's program, and the options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from buzzflow.cli.completion import complete_pipelines

app = typer.Typer(
    name="buzzflow",
    help="Compile pipeline.yaml files for Amazon SageMaker, and run them on this machine.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

Target = Annotated[
    Path, typer.Argument(help="A folder with a pipeline.yaml, or the file.", shell_complete=complete_pipelines)
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a value: steps.train.timeout=2h.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
BackendName = Annotated[
    str | None, typer.Option("--backend", metavar="NAME", help="Default: what the pipeline is for.")
]
