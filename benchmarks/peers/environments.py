"""An environment of its own for each tool, and what it took to install it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "build/peers"  # Git ignores build/
Tool = Literal["buzzflow", "sagerender", "sagemaker"]


@dataclass(frozen=True, slots=True)
class Installed:
    """A tool's environment: seconds of its first `pip install`, MB on disk and packages without pip's own."""

    tool: Tool
    seconds: float
    megabytes: float
    packages: int
    versions: dict[str, str]

    @property
    def program(self) -> Path:
        """The folder of its commands."""
        return PLACE / self.tool / "bin"

    @property
    def python(self) -> str:
        """Its Python."""
        return str(self.program / "python")


def install(tool: Tool) -> Installed:
    """Return the environment of *tool*, made when it is not there; buzzflow itself is installed anew each time."""
    place, note = PLACE / tool, PLACE / f"{tool}.json"
    if not note.exists():
        _make(tool, place, note)
    elif tool == "buzzflow":
        _pip(place, "install", "-q", "--force-reinstall", "--no-deps", str(ROOT))
    return Installed(**json.loads(note.read_text("utf-8")))


def _make(tool: Tool, place: Path, note: Path) -> None:
    print(f"installing {tool} into {place.relative_to(ROOT)}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
    before, had = _megabytes(place), _packages(place)
    wanted = [str(ROOT)] if tool == "buzzflow" else ["-r", str(Path(__file__).with_name(f"{tool}.txt"))]
    begun = time.perf_counter()
    _pip(place, "install", "-q", "--no-cache-dir", *wanted)
    seconds = time.perf_counter() - begun
    versions = {name: version for name, version in _packages(place).items() if name not in had}
    made = Installed(tool, round(seconds, 1), round(_megabytes(place) - before, 1), len(versions), versions)
    note.write_text(json.dumps(asdict(made), indent=1), "utf-8")


def _pip(place: Path, *arguments: str) -> str:
    command = [str(place / "bin/python"), "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def _packages(place: Path) -> dict[str, str]:
    return {entry["name"]: entry["version"] for entry in json.loads(_pip(place, "list", "--format=json"))}


def _megabytes(place: Path) -> float:
    return sum(file.lstat().st_size for file in place.rglob("*")) / 1e6
