"""Write what docs/cli.md takes from the command line itself: `python tools/refresh_cli_docs.py`."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from buzzflow.cli.main import app

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"
_PART = re.compile(r"(<!-- commands -->\n).*?(<!-- /commands -->)", re.DOTALL)


def main() -> None:
    """Write the page if it changed."""
    text = refreshed()
    if PAGE.read_text("utf-8") != text:
        PAGE.write_text(text, "utf-8")
        print(f"wrote {PAGE.name}")


def refreshed() -> str:
    """Return what the page should hold."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Typer's, about how completion is declared
        group: Any = typer.main.get_command(app)
    sections = "\n".join(
        s for name, command in group.commands.items() if not command.hidden for s in _sections(name, command)
    )
    return _PART.sub(lambda m: f"{m[1]}\n{sections}\n{m[2]}", PAGE.read_text("utf-8"))


def _sections(name: str, command: Any) -> Iterator[str]:
    """Yield the section of a command; of a group, the sections of those in it, too."""
    if not hasattr(command, "commands"):
        yield _section(name, command)
        return
    yield f"## {name}\n\n{command.help}\n"
    yield from (_section(f"{name} {word}", inner) for word, inner in command.commands.items())


def _section(name: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    usage = " ".join(["buzzflow", name, *(_named(a) for a in arguments), *(["[OPTIONS]"] if options else [])])
    lines = [f"## {name}\n", f"{command.help}\n", f"```text\n{usage}\n```\n"]
    for title, rows in (("argument", [*map(_argument, arguments)]), ("option", [*map(_option, options)])):
        if rows:
            lines += [f"| {title} | what it is |", "| --- | --- |", *rows, ""]
    return "\n".join(lines)


def _named(argument: Any) -> str:
    metavar = argument.metavar or str(argument.name).upper()
    return metavar if argument.required or metavar.startswith("[") else f"[{metavar}]"


def _argument(argument: Any) -> str:
    return f"| `{_cell(_named(argument))}` | {_text(argument.help)} |"


def _option(option: Any) -> str:
    written = ", ".join(f"`{_cell(w)}`" for w in _written(option))
    return f"| {written} | {_text(option.help)} |"


def _written(option: Any) -> Iterator[str]:
    """Yield how an option is written: its short name first, its value after the last one."""
    names = sorted(option.opts, key=len)
    value = "" if option.is_flag else (option.metavar or "INTEGER").strip()
    yield from names[:-1]
    yield f"{names[-1]}{'' if value.startswith('[=') or not value else ' '}{value}"


def _text(told: str | None) -> str:
    return _cell(told or "").replace("<", "&lt;")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
