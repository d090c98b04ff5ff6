"""`python -m benchmarks.plain FILE...`: read the files with PyYAML's C loader and plain OmegaConf, and resolve them.

That is the least that a program built on OmegaConf does before it looks at anything.
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml
from omegaconf import DictConfig, OmegaConf


def main(names: list[str]) -> None:
    for name in ("param", "step", "json", "run"):
        OmegaConf.register_resolver(name, lambda *parts, name=name: f"<{name} {parts}>")
    for file in map(Path, names):
        text = yaml.load(file.read_text("utf-8"), yaml.CSafeLoader)
        base = yaml.load((file.parent / text.pop("extends")).read_text("utf-8"), yaml.CSafeLoader)
        environment = yaml.load((file.parents[1] / "environment.yaml").read_text("utf-8"), yaml.CSafeLoader)
        del environment["role"]  # it names its own keys
        whole = OmegaConf.merge({"environment": environment}, base, text)
        assert isinstance(whole, DictConfig)
        OmegaConf.to_container(whole, resolve=True)


if __name__ == "__main__":
    main(sys.argv[1:])
