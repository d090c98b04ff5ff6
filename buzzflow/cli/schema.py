"""`schema`: print the JSON Schemas, or wire an editor to them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import typer

from buzzflow.cli.problems import EXIT, fail, warn
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.loader.files import PIPELINE, find_root, shown
from buzzflow.scaffold import plan_editor, schema_text, write_all

KINDS = ("pipeline", "environment")


def print_schema(kind: str) -> None:
    """Print the schema of *kind* on stdout."""
    typer.echo(schema_text(kind), nl=False)


def install_schemas(folder: Path | None) -> int:
    """Write schemas and settings into *folder*, by default the repository around here; return the exit code."""
    root = find_root(Path.cwd() / PIPELINE) if folder is None else folder
    if not root.is_dir():
        hint = "name the folder of a repository"
        raise fail(PipelineError([Diagnostic("BF100", f"there is no folder {shown(root)}", hint=hint)]), as_json=False)
    try:
        plan = plan_editor(root)
        if plan.files:
            write_all(root, plan.files)
    except PipelineError as e:
        raise fail(e, as_json=False) from None
    typer.echo("\n".join(_told(root, plan.told, complete=not plan.problems)))
    warn(plan.problems)
    return EXIT if plan.problems else 0


def _told(root: Path, done: tuple[str, ...], *, complete: bool) -> Iterator[str]:
    yield from (str(Path(shown(root), line)) for line in done)
    if not done and complete:
        yield f"nothing to do: VS Code finds the schemas in {shown(root)}"
    yield "other editors: a file's first line can name its schema, by a path from the file's folder:"
    yield "  # yaml-language-server: $schema=../../../schemas/pipeline.schema.json"
