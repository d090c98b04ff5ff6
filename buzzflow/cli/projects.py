"""The commands that write, check and run pipelines on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from buzzflow.cli.app import AsJson, BackendName, Settings, Target, app
from buzzflow.cli.completion import complete_key, complete_local, complete_pipelines, complete_template


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


@app.command("import")
def import_(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A definition's JSON file; module.py, or module.py:name, that builds an SDK Pipeline (it is "
            "executed); or the name or ARN of a deployed pipeline.",
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="Default: the pipeline's name.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the pipeline; default: the deployed one's, or the file's.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
    python: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Interpreter with the SageMaker SDK; default: the virtual environment's."),
    ] = None,
    region: Annotated[str | None, typer.Option(metavar="REGION", help="Of a deployed pipeline.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a project from an existing pipeline; it compiles to the same definition."""
    from buzzflow.cli.import_project import import_project

    import_project(source, output, name, force=force, python=python, region=region, as_json=as_json)


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
            metavar="PATH|CODE|cache",
            help="A pipeline, the code of a diagnostic: BF302, or the word cache.",
            shell_complete=complete_pipelines,
        ),
    ],
    key: Annotated[
        str | None,
        typer.Argument(
            metavar="[KEY|STEP]",
            help="A value of the pipeline: steps.train.instance.type; after cache, a step.",
            autocompletion=complete_key,
        ),
    ] = None,
    target: Annotated[
        Path | None,
        typer.Argument(
            metavar="[PATH]", help="After cache STEP, the pipeline; default: here.", shell_complete=complete_pipelines
        ),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option("--run", metavar="RUN", help="What became of the step in that run (cache); default: the next."),
    ] = None,
    parameters: Annotated[
        list[str] | None, typer.Option("--param", "-p", metavar="NAME=VALUE", help="Of the next run (cache).")
    ] = None,
    settings: Settings = None,
    local: Annotated[
        str | None, typer.Option("--local", metavar=" ", help="With the .local.yaml layer, as in a local run.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell where a value comes from, what a diagnostic's code means, or what a step's cache depends on."""
    from buzzflow.cli.explain import is_code, show_cache, show_code, show_value

    if what == "cache":  # a pipeline in a folder of that name is ./cache
        if key is None:
            raise typer.BadParameter("name a step too: explain cache train", param_hint="STEP")
        show_cache(key, target or Path(), run, settings or (), parameters or (), as_json=as_json)
        return
    if target is not None or run is not None or parameters:
        raise typer.BadParameter("a third word, --run and --param go with: explain cache STEP")
    if is_code(what):
        show_code(what, as_json=as_json)
    elif key is None:
        raise typer.BadParameter("name a value of the pipeline too: steps.train.instance.type", param_hint="KEY")
    else:
        show_value(Path(what), key, settings or (), local=local is not None, as_json=as_json)


@app.command()
def advise(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]",
            help="A local run: its id, what is unique of it, or the path of a pipeline for its last run; "
            "default: the last run of the pipeline here.",
            shell_complete=complete_pipelines,
        ),
    ] = None,
    step: Annotated[str | None, typer.Option("--step", metavar="STEP", help="Only this one.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Write what fits into the pipeline, and show how.")] = False,
    choose: Annotated[
        list[str] | None,
        typer.Option("--choose", metavar="STEP=TYPE", help="Write this instance type instead (--apply)."),
    ] = None,
    margin: Annotated[str, typer.Option(metavar="PERCENT", help="More than it used that must be there.")] = "30%",
    region: Annotated[
        str | None, typer.Option(metavar="REGION", help="For prices; default: what environment.yaml says.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell which instance type fits each step of a local run; or write it into the pipeline (--apply)."""
    if choose and not apply:
        raise typer.BadParameter("--choose says what --apply writes: give both")
    from buzzflow.cli.advise import apply_advice, chosen, read_margin, show_advice

    if apply:
        types = chosen(choose or ())
        raise typer.Exit(apply_advice(run, step, read_margin(margin), region, types, as_json=as_json))
    show_advice(run, step, read_margin(margin), region, as_json=as_json)


@app.command()
def reproduce(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The id of a run of this machine, its folder, or last.")],
    local: Annotated[
        str,
        typer.Option(
            "--local",
            metavar="[=docker|process]",
            help="Default: what the run ran on.",
            shell_complete=complete_local,
            show_default=False,
        ),
    ] = "auto",
    as_json: AsJson = False,
) -> None:
    """Do a run again from what its folder keeps, and tell what differs; exit with 5 when its results do."""
    if local not in ("auto", "docker", "process"):
        raise typer.BadParameter(f"{local!r} is not docker or process", param_hint="--local")
    from buzzflow.cli.local import reproduce_here

    raise typer.Exit(reproduce_here(run, local, as_json=as_json))


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Look at this machine: what buzzflow needs, what is there, what to do."""
    from datetime import datetime

    from buzzflow.cli.doctor import examine

    raise typer.Exit(examine(as_json=as_json, today=datetime.now().astimezone().date()))
