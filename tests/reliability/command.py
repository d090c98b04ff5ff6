"""Runs of the buzzflow command, each in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LIMIT = 120.0  # seconds, after which a run is killed and counts as one that hangs


@dataclass(frozen=True)
class Run:
    """How one command ended: negative codes are signals."""

    code: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def told(self) -> str:
        return self.stdout + self.stderr


class Commands:
    """Starts commands in *folder* with the variables *env* and nothing else, except a PATH and a HOME.

    *project* is compiled once beforehand, so that each command begins with all modules imported.
    """

    def __init__(self, folder: Path, env: Mapping[str, str], project: Path) -> None:
        self._folder = folder
        home = folder / "home"
        home.mkdir(exist_ok=True)
        self._env = {"PATH": os.environ["PATH"], "HOME": str(home), "COLUMNS": "200", **env}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.forking", str(project)],
            cwd=ROOT,
            env=self._env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._read("ready")

    def run(self, *arguments: str | Path, cwd: Path | None = None) -> Run:
        """Run `buzzflow` with *arguments* and wait for its end."""
        out, err = self._folder / "stdout", self._folder / "stderr"
        request = {
            "arguments": [*map(str, arguments)],
            "env": self._env,
            "cwd": str(cwd or self._folder),
            "stdout": str(out),
            "stderr": str(err),
        }
        begun = time.monotonic()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        killer = threading.Timer(LIMIT, os.kill, (self._read("pid"), signal.SIGKILL))
        killer.start()
        code = self._read("code")
        killer.cancel()
        return Run(code, out.read_text(), err.read_text(), time.monotonic() - begun)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read(self, key: str) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the process that forks commands has ended")
        return json.loads(line)[key]


__all__: Sequence[str] = ["Commands", "Run"]
