"""The pipelines that are run: steps that sleep, and which of them wait for which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Graph:
    """Steps by name: how long each sleeps, in seconds, and what it waits for, which stands before it."""

    name: str
    sleeps: Mapping[str, float]
    needs: Mapping[str, tuple[str, ...]]

    @property
    def critical_seconds(self) -> float:
        """The sleep on the longest way through it: no runner can be faster."""
        ends: dict[str, float] = {}
        for step, seconds in self.sleeps.items():
            ends[step] = seconds + max((ends[need] for need in self.needs.get(step, ())), default=0.0)
        return max(ends.values())

    def write(self, folder: Path, image: str) -> Path:
        """Write it as a pipeline.yaml."""
        folder.mkdir(parents=True)
        lines = [f"name: {self.name}", f"defaults: {{image: '{image}'}}", "steps:"]
        for step, seconds in self.sleeps.items():
            needs = f", depends_on: [{', '.join(self.needs[step])}]" if step in self.needs else ""
            lines.append(f"  {step}: {{type: processing, entrypoint: [/bin/sleep, '{seconds}']{needs}}}")
        (folder / "pipeline.yaml").write_text("\n".join(lines) + "\n", "utf-8")
        return folder


_BRANCHES = ("north", "east", "south", "west")
GRAPHS = (
    Graph("one", {"only": 0}, {}),
    Graph(
        "diamond",
        {"source": 1, **dict.fromkeys(_BRANCHES, 3), "sink": 1},
        {**dict.fromkeys(_BRANCHES, ("source",)), "sink": _BRANCHES},
    ),
    Graph("twenty", {f"s{i:02}": 0.2 for i in range(20)}, {}),
)
