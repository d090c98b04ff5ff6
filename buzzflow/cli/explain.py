"""`explain`: where a value comes from, or what a code means."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import typer

from buzzflow.cli.problems import fail
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.views import explained as views

_CODE = re.compile(r"bf\d{3}", re.IGNORECASE)


def is_code(word: str) -> bool:
    """Whether *word* is a diagnostic's code, and no pipeline."""
    return _CODE.fullmatch(word) is not None


def show_code(word: str, *, as_json: bool) -> None:
    """Print the page of a code."""
    sections = _sections(catalogue().read_text("utf-8"))
    code = word.upper()
    if code not in sections:
        near = sorted(sections, key=lambda known: (abs(int(known[2:]) - int(code[2:])), known))[:3]
        found = Diagnostic("BF162", f"there is no code {code}", hint=f"did you mean {', '.join(near)}?")
        raise fail(PipelineError([found]), as_json=as_json)
    if as_json:
        typer.echo(json.dumps({"code": code, "text": sections[code]}, indent=2, ensure_ascii=False))
    else:
        typer.echo(views.page(code, sections[code], colour=sys.stdout.isatty()))


def show_value(target: Path, key: str, settings: Sequence[str], *, local: bool, as_json: bool) -> None:
    """Print where the value at *key* comes from."""
    from buzzflow.driver.explain import explain

    try:
        found = explain(target, key, settings=settings, local=local)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    if as_json:
        typer.echo(json.dumps(views.as_data(found), indent=2, ensure_ascii=False))
    else:
        typer.echo(views.values(found, colour=sys.stdout.isatty()))


def show_cache(
    step: str,
    target: Path,
    run: str | None,
    settings: Sequence[str],
    parameters: Sequence[str],
    *,
    as_json: bool,
) -> None:
    """Print whether a step takes an earlier result, and what has changed."""
    from buzzflow.cli.values import named_values
    from buzzflow.driver.step_cache import explain_cache
    from buzzflow.views import cached

    try:
        given = named_values(parameters, "BF500")
        found = explain_cache(step, target, run=run, settings=settings, parameters=given)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    if as_json:
        typer.echo(json.dumps(cached.as_data(found), indent=2, ensure_ascii=False))
    else:
        typer.echo(cached.text(found, colour=sys.stdout.isatty()))


def catalogue() -> Traversable:
    """Return the page of all codes: in the installed package, or in the repository from which it is run."""
    packaged = files("buzzflow").joinpath("errors.md")
    return packaged if packaged.is_file() else files("buzzflow").joinpath("..", "docs", "errors.md")


def _sections(text: str) -> dict[str, str]:
    parts = re.split(r"^#{2,3} (.+)$", text, flags=re.MULTILINE)
    return {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True) if is_code(name)}
