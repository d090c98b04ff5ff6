"""Do what a page of the documentation says, in its order: write its files, run its commands, compare what they print.

A block with a title is a file. `title="pipeline.yaml"` writes it whole; after a comma stands another way to take it:
`as it is` (it is there already, exactly so), `at the end`, `before steps:` (or any other line), or
`in place of train` (the lines of that key). A console block holds commands after `$ `, each with what it prints; a
line `…` stands for any lines. Figures and names that differ from run to run are not compared.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ELLIPSIS = "…"
_BLOCK = re.compile(r"^(?P<fence>```)(?P<info>[^\n`]+)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)
_ADVICE = re.compile(r"^\S+: .* fits, \d+ % cheaper$|more: buzzflow advise$")  # hangs on how busy the machine is
_TITLE = re.compile(r'\btitle="([^"]+)"')
_NOT_PASSED_ON = ("UPDATE_GOLDEN", "CI", "PYTEST_CURRENT_TEST")
_NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, the rest of its first line, its text, and where that stands in the page."""

    language: str
    info: str
    body: str
    start: int
    end: int
    line: int

    @property
    def title(self) -> str | None:
        found = _TITLE.search(self.info)
        return found[1] if found else None


def blocks(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    return [
        Block(
            m["info"].split()[0],
            m["info"],
            m["body"],
            m.start("body"),
            m.end("body"),
            text.count("\n", 0, m.start()) + 1,
        )
        for m in _BLOCK.finditer(text)
    ]


class Reader:
    """Somebody who follows a page in a folder of their own. With *update*, `told` is the page as it should be."""

    def __init__(self, page: Path, root: Path, *, update: bool = False) -> None:
        self.told = page.read_text("utf-8")
        self._name, self._root, self._here, self._update = page.name, root, root, update
        self._blocks = blocks(page)

    def follow(self) -> None:
        moved = 0
        for block in self._blocks:
            if block.language == "console":
                printed = self._typed(block)
                self.told = self.told[: block.start + moved] + printed + self.told[block.end + moved :]
                moved += len(printed) - len(block.body)
            elif block.title is not None:
                self._write(block)

    # ---- files

    def _write(self, block: Block) -> None:
        assert block.title is not None
        name, _, way = block.title.partition(", ")
        file = self._here / name
        before = file.read_text("utf-8") if file.exists() else ""
        assert not way or before, f"{self._name}:{block.line}: there is no {name} yet"
        if way == "as it is":
            assert block.body == before, f"{self._name}:{block.line}: {name} is not so:\n{before}"
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_edited(before, block.body, way), "utf-8")
        if file.suffix == ".yaml" and file.name != "environment.yaml":
            for script in scripts(yaml.safe_load(file.read_text("utf-8"))):
                _stand_in(file.parent / script)

    # ---- commands

    def _typed(self, block: Block) -> str:
        """Run the commands of a console block and return the block as it should be."""
        parts = re.split(r"^\$ (.*)\n", block.body, flags=re.MULTILINE)[1:]
        assert parts, f"{self._name}:{block.line}: a console block holds commands after '$ '"
        told = ""
        for command, expected in zip(parts[::2], parts[1::2], strict=True):
            printed = self._run(command.partition("  #")[0])
            if ELLIPSIS in expected.splitlines() or not self._update:
                compare(expected, printed, f"{self._name}:{block.line}: $ {command}")
                printed = expected
            told += f"$ {command}\n{printed}"
        return told

    def _run(self, command: str) -> str:
        argv = shlex.split(command)
        if argv[0] == "cd":
            self._here /= argv[1]
            return ""
        if argv[0] in ("buzzflow", "pytest", "python"):
            argv[0] = str(Path(sys.executable).with_name(argv[0]))
        done = subprocess.run(
            argv,
            cwd=self._here,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
            env={k: v for k, v in os.environ.items() if k not in _NOT_PASSED_ON} | {"COLUMNS": "100"},
        )
        assert done.returncode in (0, 1, 4, 5), f"{command}: exit code {done.returncode}\n{done.stdout}"
        printed = done.stdout
        if "--local" in command and "create" in command:  # progress is another screen on a terminal
            printed = printed[printed.index("\nstep ") + 1 :]
        assert str(self._root) not in printed, printed
        lines = [line.rstrip() for line in printed.strip("\n").splitlines()]
        return "".join(f"{line}\n" for line in lines)


def _edited(before: str, body: str, way: str) -> str:
    """Return the file *before* with *body* in it."""
    if not way:
        return body
    lines = before.splitlines(keepends=True)
    if way == "at the end":
        return before + body
    if way.startswith("before "):
        at = lines.index(f"{way.removeprefix('before ')}\n")
        return "".join([*lines[:at], body, *lines[at:]])
    key = way.removeprefix("in place of ")
    at = next(i for i, line in enumerate(lines) if line.strip().startswith(f"{key}:"))
    indent = len(lines[at]) - len(lines[at].lstrip())
    end = at + 1
    while end < len(lines) and lines[end].startswith(" " * (indent + 1)):
        end += 1
    return "".join([*lines[:at], body, *lines[end:]])


def scripts(tree: Any) -> list[str]:
    """Return the scripts that the steps of a pipeline, of a layer or of its groups name."""
    found = []
    for step in filter(None, (tree.get("steps") or {}).values()):
        code = step.get("code")
        if isinstance(code, str):
            found.append(code)
        elif isinstance(code, dict):
            found.append(str(Path(code.get("source_dir", "")) / code["entry_point"]))
        if step.get("type") == "foreach":
            found += scripts(step)
    return found


def _stand_in(script: Path) -> None:
    """Write an empty script where the page shows none."""
    if not script.exists():
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(json.dumps(_NOTEBOOK) if script.suffix == ".ipynb" else "")


# ------------------------------------------------------------------ comparing


def compare(expected: str, printed: str, where: str) -> None:
    """Compare a screen with what was printed, but for what differs from run to run."""
    rest = _without_figures(printed)
    chunks = [_without_figures(c) for c in re.split(rf"^{ELLIPSIS}\n", expected, flags=re.MULTILINE)]
    if len(chunks) == 1:
        assert rest == chunks[0], f"{where}\n{printed}"
        return
    assert rest[: len(chunks[0])] == chunks[0], f"{where}\n{printed}"
    assert not chunks[-1] or rest[-len(chunks[-1]) :] == chunks[-1], f"{where}\n{printed}"
    for chunk in chunks:
        at = next((i for i in range(len(rest) + 1) if rest[i : i + len(chunk)] == chunk), None)
        assert at is not None, f"{where}: {chunk} is missing in\n{printed}"
        rest = rest[at + len(chunk) :]


def _without_figures(text: str) -> list[str]:
    text = re.sub(r"\d{8}-\d{6}-[0-9a-f]{4}", "RUN", text)
    text = re.sub(r"\b(?=[0-9a-f]*\d)[0-9a-f]{12}\b", "DIGEST", text)
    text = re.sub(r"\d[\d,]* (bytes|KiB)", r"N \1", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", "WHEN", text)
    text = re.sub(r"\b\d\d:\d\d:\d\d\b", "TIME", text)
    text = re.sub(r"\b(succeeded|failed|stopped) +(\d+ min )?\d[\d.]* (s|ms) .*", r"\1", text)  # a row of the table
    text = re.sub(r"\b(after|for) (\d+ min )?\d[\d.]* ?(s|ms)\b", r"\1 N", text)
    text = re.sub(r"\bin (\d+ min )?\d[\d.]* ?(s|ms)\b", "in N", text)
    text = re.sub(r"^ +(used|needs) .*", r"\1", text, flags=re.MULTILINE)
    text = re.sub(r"<?\b\d+\.\d{4}\b", "USD", text)
    lines = [re.sub(r"─+", "─", re.sub(r"\s+", " ", line)).strip() for line in text.splitlines()]
    return [line for line in lines if line and not _ADVICE.search(line)]
