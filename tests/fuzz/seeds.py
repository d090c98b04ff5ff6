"""What mutants are made of: every right pipeline of the repository, and every wrong one of its error cases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.errors.case import ENVIRONMENT, PIPELINE, read_case
from tests.errors.conftest import FILES as SCRIPTS

ROOT = Path(__file__).parents[2]
_ARTIFACTS = ("run-plan.json", "pipeline-definition.json")


@dataclass(frozen=True, slots=True)
class Seed:
    """A project: *texts* are its YAML files, which mutate, *fixed* its other files; by their paths in its folder."""

    name: str
    texts: dict[str, str]
    fixed: dict[str, bytes] = field(default_factory=dict)
    settings: tuple[str, ...] = ()
    local: bool = False

    @property
    def size(self) -> int:
        """How many characters may mutate."""
        return sum(map(len, self.texts.values()))


@cache
def seeds() -> tuple[Seed, ...]:
    """Return all seeds, in an order that is the same on every machine."""
    return tuple(sorted((*_folders(), *_snippets(), *_cases(), *_bad_lines()), key=lambda seed: seed.name))


def _environment() -> str:
    return (ROOT / "tests" / "errors" / ENVIRONMENT).read_text("utf-8")


def _folders() -> Iterator[Seed]:
    """Yield the pipelines that stand in folders of their own, with all that lies there."""
    for above in ("tests/goldens", "projects", "docs/examples"):
        for file in (ROOT / above).rglob(PIPELINE):
            if ".buzzflow" in file.parts:
                continue
            fixed, texts = {}, {ENVIRONMENT: _environment()}
            for other in sorted(p for p in file.parent.rglob("*") if p.is_file()):
                name = other.relative_to(file.parent).as_posix()
                if name.startswith(".buzzflow/") or "__pycache__" in name or name in _ARTIFACTS:
                    continue
                if name.endswith(".yaml"):
                    texts[name] = other.read_text("utf-8")
                else:
                    fixed[name] = other.read_bytes()
            yield Seed(f"folder/{file.parent.name}", texts, fixed)


def _snippets() -> Iterator[Seed]:
    for page in [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]:
        blocks = re.findall(r"^```yaml\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
        for number, text in enumerate(t for t in blocks if re.search(r"^steps:", t, re.MULTILINE)):
            fixed = dict.fromkeys(_scripts(yaml.safe_load(text)), b"")
            yield Seed(f"docs/{page.stem}-{number}", {PIPELINE: text, ENVIRONMENT: _environment()}, fixed)


def _scripts(pipeline: dict[str, Any]) -> Iterator[str]:
    for step in pipeline["steps"].values():
        code = step.get("code") if isinstance(step, dict) else None
        script = code.get("entry_point") if isinstance(code, dict) else code
        if isinstance(script, str):
            yield script


def _cases() -> Iterator[Seed]:
    fixed = {name: text.encode() for name, text in SCRIPTS.items()}
    for file in (ROOT / "tests" / "errors" / "corpus").rglob("*.yaml"):
        case = read_case(file)
        texts = {n: t for n, t in case.files.items() if n.endswith(".yaml") and ".." not in n}
        more = {n: t.encode() for n, t in case.files.items() if n not in texts and ".." not in n}
        texts.setdefault(ENVIRONMENT, _environment())
        yield Seed(f"corpus/{case.name}", texts, fixed | more, case.settings, case.local)


def _bad_lines() -> Iterator[Seed]:
    fixed = {name: text.encode() for name, text in SCRIPTS.items()}
    for file in (ROOT / "tests" / "errors" / "cases").glob("*.yaml"):
        yield Seed(f"cases/{file.stem}", {PIPELINE: file.read_text("utf-8"), ENVIRONMENT: _environment()}, fixed)
