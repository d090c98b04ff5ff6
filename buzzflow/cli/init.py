"""`init`: make a project from a template, and say what comes next."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import typer

from buzzflow.cli.problems import fail
from buzzflow.diagnostics import PipelineError, did_you_mean
from buzzflow.loader.files import ENVIRONMENT, PIPELINE, find_environment, find_root, shown
from buzzflow.scaffold import TEMPLATES, plan_project, projects_folder, write_all

_DEFAULT_TEMPLATE, _DEFAULT_ENVIRONMENT = "minimal", "research"


def make_project(
    given: str | None, template: str | None, name: str | None, environment: str | None, *, force: bool
) -> None:
    """Ask for what is missing where somebody can answer, write the project, and print what to do with it."""
    template = None if template is None else _known(template)
    if given is None:
        given, template = _asked(template)
    folder, environment = _place(given, environment)
    try:
        files = plan_project(folder, template or _DEFAULT_TEMPLATE, name=name, environment=environment, force=force)
        write_all(folder, files)
    except PipelineError as e:
        raise fail(e, as_json=False) from None
    typer.echo("\n".join(_told(folder, files)))


def _known(template: str) -> str:
    if template not in TEMPLATES:
        hint = did_you_mean(template, TEMPLATES, label="there are")
        raise typer.BadParameter(f"there is no template {template!r}; {hint}", param_hint="--template")
    return template


def _asked(template: str | None) -> tuple[str, str]:
    if not sys.stdin.isatty():
        told = f"give a folder, as in: buzzflow init churn --template sklearn (templates: {', '.join(TEMPLATES)})"
        raise typer.BadParameter(told, param_hint="FOLDER")
    given: str = typer.prompt("Name or folder of the project")
    if template is None:
        for name, what in TEMPLATES.items():
            typer.echo(f"  {name:<16} {what}")
        template = typer.prompt("Template", default=_DEFAULT_TEMPLATE, value_proc=_known)
    return given, template


def _place(given: str, environment: str | None) -> tuple[Path, str | None]:
    """Return the folder that is meant, and the environment that it is to lie in, if its name alone says so."""
    here = Path.cwd()
    projects = projects_folder(here)
    is_name = Path(given).name == given and given not in ("", ".", "..")
    if projects is None or not is_name:
        if environment is not None:
            told = "it goes with a name alone, in a repository with a folder projects"
            raise typer.BadParameter(told, param_hint="--environment")
        return Path(given), None
    below = here.relative_to(projects).parts if here.is_relative_to(projects) else ()
    chosen = environment or next(iter(below), _DEFAULT_ENVIRONMENT)
    return projects / chosen / given, chosen


def _told(folder: Path, files: dict[str, bytes]) -> Iterator[str]:
    yield from (f"wrote {shown(folder / name)}" for name in files)
    file = folder / PIPELINE
    yield ""
    yield "next:"
    if folder.resolve() != Path.cwd():
        yield f"  cd {shlex.quote(shown(folder))}"
    yield "  buzzflow validate"
    yield "  buzzflow create --local"
    root = find_root(file)
    if find_environment(file, root) is None:
        projects = projects_folder(folder)
        below = folder.resolve().relative_to(projects).parts if projects and _is_below(folder, projects) else ()
        place = projects / below[0] if projects is not None and len(below) > 1 else folder
        yield ""
        yield f"for SageMaker, add {shown(place / ENVIRONMENT)} with name, region, bucket and role;"
        yield "a run on this machine needs none"


def _is_below(folder: Path, projects: Path) -> bool:
    return folder.resolve().is_relative_to(projects)
