"""Make a failing mutant smaller as long as it fails in the same way, and keep it as a regression case."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.fuzz.judge import Projects, judge
from tests.fuzz.mutate import Mutant
from tests.fuzz.seeds import Seed

_MOST_TRIES = 600
_LARGEST = 2000  # characters of a script that is kept with a mutant


def shrunk(mutant: Mutant, problem: str) -> Mutant:
    """Return a mutant with fewer files, settings and lines that still has *problem*."""
    with tempfile.TemporaryDirectory() as folder:
        projects = Projects(Path(folder))
        tries = 0
        smaller = True
        while smaller:
            smaller = False
            for candidate in _smaller(mutant):
                tries += 1
                if tries > _MOST_TRIES:
                    return mutant
                if judge(candidate, projects).problem == problem:
                    mutant, smaller = candidate, True
                    break
    return mutant


def _smaller(mutant: Mutant) -> Iterator[Mutant]:
    if mutant.settings:
        yield replace(mutant, settings=())
    for name in mutant.texts:
        if name != "pipeline.yaml":
            yield replace(mutant, texts={n: t for n, t in mutant.texts.items() if n != name})
    for name, text in mutant.texts.items():
        lines = text.split("\n")
        size = len(lines) // 2
        while size:
            for start in range(0, len(lines), size):
                rest = "\n".join([*lines[:start], *lines[start + size :]])
                yield replace(mutant, texts={**mutant.texts, name: rest})
            size //= 2


def keep(mutant: Mutant, problem: str, folder: Path) -> Path:
    """Write *mutant* to a file of *folder*, called by its content, and return that."""
    data = {"problem": problem, "texts": mutant.texts, "settings": list(mutant.settings), "local": mutant.local}
    data["fixed"] = {
        name: content.decode("latin-1") for name, content in mutant.seed.fixed.items() if len(content) < 2000
    }
    content = json.dumps(data, indent=2) + "\n"
    file = folder / f"{hashlib.sha256(content.encode()).hexdigest()[:12]}.json"
    folder.mkdir(exist_ok=True)
    file.write_text(content)
    return file


def kept(file: Path) -> Mutant:
    """Return the mutant that `keep` wrote."""
    data = json.loads(file.read_text())
    fixed = {name: content.encode("latin-1") for name, content in data["fixed"].items()}
    seed = Seed(f"kept/{file.stem}", {}, fixed)
    return Mutant(seed, data["texts"], tuple(data["settings"]), data["local"])
