"""The `buzzflow` command.

Results go to stdout, all else to stderr. Exit codes: 0 done, 1 problems in the user's files, 2 wrong usage, 3 a bug in
buzzflow, 4 a step failed, 130 interrupted.
"""

from __future__ import annotations

import sys
import traceback
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from buzzflow.cli.completion import complete_key, complete_local, complete_pipelines, complete_template

BUG = 3

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


@app.command()
def init(
    folder: Annotated[
        str | None,
        typer.Argument(
            metavar="FOLDER", help="A path; or a name, which means projects/<environment>/<name> where that exists."
        ),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(
            "--template",
            "-t",
            metavar="NAME",
            help="minimal (default), sklearn, xgboost, pytorch, or batch-transform.",
            autocompletion=complete_template,
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Of the pipeline; default: the folder's.")] = None,
    environment: Annotated[
        str | None, typer.Option(metavar="NAME", help="Folder below projects; default: the one here, else research.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write into a folder that is not empty; other files stay.")
    ] = False,
) -> None:
    """Make a project that runs at once."""
    from buzzflow.cli.init import make_project

    make_project(folder, template, name, environment, force=force)


@app.command()
def validate(
    targets: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[PATH]...",
            help="Files, folders, or trees of them; default: here.",
            shell_complete=complete_pipelines,
        ),
    ] = None,
    settings: Settings = None,
    backend: BackendName = None,
    form: Annotated[str, typer.Option("--format", metavar="FORMAT", help="human, json, sarif, or github.")] = "human",
    as_json: AsJson = False,
    since: Annotated[
        str | None,
        typer.Option(
            "--changed-since",
            metavar="REV",
            help="Only pipelines that a change can affect: commits after HEAD left REV (REV...HEAD), "
            "uncommitted changes, and new files that Git does not ignore.",
        ),
    ] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Validate also what has not changed since it was validated.")
    ] = False,
) -> None:
    """Tell everything that is wrong with pipelines, offline."""
    from buzzflow.cli.validate import FORMATS, show_validated

    form = "json" if as_json else form
    if form not in FORMATS:
        raise typer.BadParameter(f"{form!r} is not one of {', '.join(FORMATS)}", param_hint="--format")
    raise typer.Exit(
        show_validated(targets or [Path()], settings or (), backend, form, cached=not no_cache, since=since)
    )


@app.command()
def create(
    target: Target = Path(),
    local: Annotated[
        str | None,
        typer.Option(
            "--local",
            metavar="[=docker|process]",
            help="Run here; without value, Docker when a daemon answers.",
            shell_complete=complete_local,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be deployed; needs no credentials.")
    ] = False,
    settings: Settings = None,
    parameters: Annotated[
        list[str] | None, typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter of this run (--local).")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", min=1, help="Steps side by side (--local).", show_default="4 or the cores"),
    ] = None,
    backend: BackendName = None,
    as_json: AsJson = False,
) -> None:
    """Run a pipeline on this machine (--local), or show what it compiles to (--dry-run)."""
    if (local is None) == (not dry_run):
        raise typer.BadParameter("give either --local, to run here, or --dry-run, to see the compiled pipeline")
    if dry_run and (parameters or jobs):
        raise typer.BadParameter("--param and --jobs are for --local: a dry run starts nothing")
    if local is not None:
        if local not in ("auto", "docker", "process"):
            raise typer.BadParameter(f"{local!r} is not docker or process", param_hint="--local")
        from buzzflow.cli.local import run_here

        raise typer.Exit(run_here(target, local, settings or (), parameters or (), jobs, as_json=as_json))
    from buzzflow.cli.dry_run import show_compiled

    show_compiled(target, settings or (), backend, as_json=as_json)


@app.command()
def graph(
    target: Target = Path(),
    form: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="mermaid (default), dot, svg, png, json, or text.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write there; the ending decides the format.")
    ] = None,
    settings: Settings = None,
    backend: BackendName = None,
    as_json: AsJson = False,
) -> None:
    """Draw the steps of a pipeline and what flows between them."""
    from buzzflow.cli.graph import FORMATS, format_of, show_graph

    form = "json" if as_json else form or format_of(output)
    if form not in FORMATS:
        raise typer.BadParameter(f"{form!r} is not one of {', '.join(FORMATS)}", param_hint="--format")
    show_graph(target, settings or (), backend, form, output)


@app.command()
def schema(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="pipeline|environment|FOLDER",
            help="What to print (default: pipeline); with --install, the repository (default: the one here).",
        ),
    ] = None,
    install: Annotated[bool, typer.Option("--install", help="Write the schemas, and VS Code's settings.")] = False,
) -> None:
    """Print the JSON Schema of a file, or make an editor know both."""
    from buzzflow.cli.schema import KINDS, install_schemas, print_schema

    if install:
        raise typer.Exit(install_schemas(None if what is None else Path(what)))
    if what not in (None, *KINDS):
        raise typer.BadParameter(f"{what!r} is not {' or '.join(KINDS)}; a folder goes with --install")
    print_schema(what or KINDS[0])


@app.command()
def explain(
    what: Annotated[
        str,
        typer.Argument(
            metavar="PATH|CODE",
            help="A pipeline, or the code of a diagnostic: BF302.",
            shell_complete=complete_pipelines,
        ),
    ],
    key: Annotated[
        str | None,
        typer.Argument(
            metavar="[KEY]",
            help="A value of the pipeline: steps.train.instance.type.",
            autocompletion=complete_key,
        ),
    ] = None,
    settings: Settings = None,
    local: Annotated[
        str | None, typer.Option("--local", metavar=" ", help="With the .local.yaml layer, as in a local run.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell where a value comes from, or what the code of a diagnostic means."""
    from buzzflow.cli.explain import is_code, show_code, show_value

    if is_code(what):
        show_code(what, as_json=as_json)
    elif key is None:
        raise typer.BadParameter("name a value of the pipeline too: steps.train.instance.type", param_hint="KEY")
    else:
        show_value(Path(what), key, settings or (), local=local is not None, as_json=as_json)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Look at this machine: what buzzflow needs, what is there, what to do."""
    from buzzflow.cli.doctor import examine

    raise typer.Exit(examine(as_json=as_json))
