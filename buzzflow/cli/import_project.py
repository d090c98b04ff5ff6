"""`import`: turn a definition into a project, and say how each step was imported."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import typer

from buzzflow.cli.problems import fail, warn
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.importing.imported import Imported, import_document
from buzzflow.driver.importing.sources import name_of, read_source, title
from buzzflow.loader.files import PIPELINE, find_root, shown
from buzzflow.scaffold import write_all
from buzzflow.views import problems

_NAME = re.compile(r"[A-Za-z0-9](?:-*[A-Za-z0-9]){0,255}")
_SCHEMA = Path("schemas", "pipeline.schema.json")


def import_project(
    source: str,
    output: Path | None,
    name: str | None,
    *,
    force: bool,
    python: str | None,
    region: str | None,
    as_json: bool,
) -> None:
    """Read the definition, write the project, and show what came of it."""
    try:
        _refuse_name(name)
        document = read_source(source, python=python, region=region)
        chosen = name or document.name or name_of(source)
        folder = output or Path(chosen)
        imported = import_document(document, folder, chosen, source=title(source), schema=_schema(folder))
        _refuse_to_overwrite(folder, imported.files, force=force)
        write_all(folder, imported.files)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    if as_json:
        typer.echo(json.dumps(_as_data(imported, folder), indent=2, ensure_ascii=False))
        return
    warn(imported.warnings)
    _show(imported, folder)


def _refuse_name(name: str | None) -> None:
    if name is not None and not _NAME.fullmatch(name):
        hint = "letters, digits and - between them"
        raise PipelineError([Diagnostic("BF141", f"{name[:80]!r} cannot be the name of a pipeline", hint=hint)])


def _refuse_to_overwrite(folder: Path, names: Iterable[str], *, force: bool) -> None:
    there = [shown(folder / name) for name in names if os.path.lexists(folder / name)]
    if there and not force:
        what = f"{' and '.join(there)} {'is' if len(there) == 1 else 'are'} there already"
        hint = "choose another folder with --output, or overwrite with --force"
        raise PipelineError([Diagnostic("BF659", what, hint=hint)])


def _schema(folder: Path) -> str | None:
    """Return where an editor finds the language's schema, from *folder*; None where the repository has none."""
    schema = find_root(folder / PIPELINE) / _SCHEMA
    return Path(os.path.relpath(schema, folder.resolve())).as_posix() if schema.is_file() else None


def _as_data(imported: Imported, folder: Path) -> dict[str, object]:
    return {
        "ok": True,
        "files": [str(folder / name) for name in imported.files],
        "steps": [asdict(step) for step in imported.steps],
        "diagnostics": problems.as_data(imported.warnings),
    }


def _show(imported: Imported, folder: Path) -> None:
    from buzzflow.views.imported import imported_steps
    from buzzflow.views.summary import console

    console().print(imported_steps((s.name, s.type, s.how, s.why or "") for s in imported.steps))
    typer.echo()
    typer.echo("\n".join(f"wrote {shown(folder / name)}" for name in imported.files))
    where = shlex.quote(shown(folder))
    typer.echo(f"\nIt compiles to the same definition: buzzflow create {where} --dry-run --json")
