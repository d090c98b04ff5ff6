"""Read a case: a bad pipeline as one text file, with what is wrong marked under the place where it is wrong.

    # backend: sagemaker
    # set: steps.train.timeout=2 hours
    steps:
      train: {type: training, code: train.py, inputs: {train: "${step:extract.outputs.tran}"}}
    #                                                         ^ BF302
    --- # file: environment.yaml
    name: prod

The text up to the first `---` is pipeline.yaml, comments and all, so that its lines are those of the case. A caret
stands under the column that the diagnostic names, in the line above. Where no comment can stand, `# BF101@3:1` names
line and column from anywhere in the same file; `# BF414 nowhere` has no place. `# backend: sagemaker`
lays the usual environment.yaml beside the case, unless it brings its own; `# local: true` reads pipeline.local.yaml,
and `# run: true` also looks whether the pipeline could run on this machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PIPELINE = "pipeline.yaml"
ENVIRONMENT = "environment.yaml"
Place = tuple[str, str | None, int | None, int | None]  # code, file, line, column

_FILE = re.compile(r"^--- # file: (\S+)\n", re.MULTILINE)
_OPTION = re.compile(r"^# (backend|set|local|run): (.*)$", re.MULTILINE)
_CARET = re.compile(r"^#(\s*)\^ (BF\d{3})\b")
_MARK = re.compile(r"# (BF\d{3})@(\d+):(\d+)")
_NOWHERE = re.compile(r"^# (BF\d{3}) nowhere$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Case:
    """A bad pipeline: its files by their paths from the project's folder, how to check it, and what is to be found."""

    name: str
    files: dict[str, str]
    backend: str | None
    settings: tuple[str, ...]
    local: bool
    run: bool
    expected: frozenset[Place]

    def lay(self, project: Path, environment: str) -> None:
        """Write the files into *project*; *environment* is the usual environment.yaml."""
        for name, text in self.files.items():
            file = project / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
        if self.backend == "sagemaker" and not any(name.endswith(ENVIRONMENT) for name in self.files):
            (project / ENVIRONMENT).write_text(environment)


def read_case(file: Path) -> Case:
    """Return the case that stands in *file*, called by its folder and its name."""
    text = file.read_bytes().decode()
    first, *more = _FILE.split(text)
    files = {PIPELINE: first, **dict(zip(more[::2], more[1::2], strict=True))}
    options = _OPTION.findall(first)
    given = dict(options)
    return Case(
        name=f"{file.parent.name}/{file.stem}",
        files=files,
        backend=given.get("backend"),
        settings=tuple(value for key, value in options if key == "set"),
        local="local" in given,
        run="run" in given,
        expected=frozenset(place for name, content in files.items() for place in _places(name, content)),
    )


def _places(name: str, text: str) -> Iterator[Place]:
    yield from ((code, None, None, None) for code in _NOWHERE.findall(text))
    line = setting = 0
    options = [value for key, value in _OPTION.findall(text) if key == "set"]
    for number, content in enumerate(text.splitlines(), 1):
        if (caret := _CARET.match(content)) is None:
            line = number
            setting += content.startswith("# set: ")
            yield from ((code, name, int(at), int(column)) for code, at, column in _MARK.findall(content))
        elif text.splitlines()[line - 1].startswith("# set: "):
            key = options[setting - 1].partition("=")[0]
            yield caret[2], f"--set {key}", 1, caret.end(1) - len(f"# set: {key}=") + 1
        else:
            yield caret[2], name, line, caret.end(1) + 1
