"""Virtual environments for steps that run without an image: one for each set of requirements, made once and kept."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from buzzflow.backends.local.executor import ExecutorError

_READY = ".buzzflow-ready"  # written last: without it the folder is half made
_LAST_LINES = 15
_OF_OTHER_ENVIRONMENTS = {"PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__", "PIP_REQUIRE_VIRTUALENV"}
_OF_UNREACHABLE = (
    "NewConnectionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "name resolution",
    "Network is unreachable",
)


def base_python() -> str:
    """Return the Python that this one's virtual environment was made from."""
    return getattr(sys, "_base_executable", None) or sys.executable


def virtual_environment(folder: Path, requirements: Sequence[str], tell: Callable[[str], None]) -> Path:
    """Return the environment in *folder* that has *requirements*, the contents of requirement files; make a new one.

    It may be called from several threads and processes at once.
    """
    key = json.dumps([sys.version, base_python(), list(requirements)])
    environment = folder.absolute() / hashlib.sha256(key.encode()).hexdigest()[:20]
    if _is_ready(environment):
        os.utime(environment / _READY)  # what nobody has used for long may go: history/caches.py
        return environment
    try:
        with _locked(environment.with_suffix(".lock")):
            if not _is_ready(environment):
                _make(environment, requirements, tell)
    except OSError as e:
        raise ExecutorError(f"cannot make a virtual environment in {folder}: {e.strerror or e}") from e
    return environment


def _is_ready(environment: Path) -> bool:
    return (environment / _READY).exists() and (environment / "bin" / "python").exists()


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as f:
        fcntl.flock(f, fcntl.LOCK_EX)  # the system lets go of it when this process dies
        yield


def _make(environment: Path, requirements: Sequence[str], tell: Callable[[str], None]) -> None:
    if environment.exists():
        shutil.rmtree(environment)
    tell("making a virtual environment")
    without_pip = [] if requirements else ["--without-pip"]
    made = _python(base_python(), "-I", "-m", "venv", *without_pip, str(environment))
    if made.returncode != 0:
        raise _cannot_make(made.stdout)
    if requirements:
        _install(environment, requirements, tell)
    (environment / _READY).touch()


def _install(environment: Path, requirements: Sequence[str], tell: Callable[[str], None]) -> None:
    arguments = []
    for number, text in enumerate(requirements):
        file = environment / f"requirements-{number}.txt"
        file.write_text(text, encoding="utf-8")
        arguments += ["-r", str(file)]
    names = [
        line for text in requirements for line in text.splitlines() if line.strip() and line.strip()[0] not in "#-"
    ]
    tell(f"installing {', '.join(names[:5])}{' …' if names[5:] else ''}")
    quiet = ("--quiet", "--no-input", "--disable-pip-version-check", "--no-python-version-warning", "--prefer-binary")
    python = str(environment / "bin" / "python")
    done = _python(python, "-I", "-m", "pip", "install", *quiet, *arguments)
    if done.returncode != 0:
        last = "\n".join(done.stdout.rstrip().splitlines()[-_LAST_LINES:])
        unreachable = any(word in done.stdout for word in _OF_UNREACHABLE)
        hint = "is the package index reachable? `pip config list` shows which one is asked"
        if not unreachable:
            hint = f"each requirement needs a version for this Python, {sys.version.split()[0]}"
        raise ExecutorError(f"pip could not install the requirements:\n{last}", hint, unreachable=unreachable)


def _cannot_make(output: str) -> ExecutorError:
    if "ensurepip" in output or "No module named venv" in output:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        return ExecutorError(
            f"{base_python()} cannot make virtual environments: its `ensurepip` is missing",
            f"on Debian and Ubuntu: sudo apt install {package}",
        )
    last = "\n".join(output.rstrip().splitlines()[-_LAST_LINES:])
    return ExecutorError(f"{base_python()} could not make a virtual environment:\n{last}")


def _python(python: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k not in _OF_OTHER_ENVIRONMENTS}
    return subprocess.run(
        [python, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
