"""Ask Git."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from buzzflow.diagnostics import Diagnostic, PipelineError


def git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Return what `git` says in *folder*; PipelineError BF146 when there is no Git."""
    command: Sequence[str] = ["git", "-C", str(folder), *arguments]
    try:
        return subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    except OSError as e:
        raise PipelineError([Diagnostic("BF146", f"Git cannot be started: {e.strerror}", hint="install Git")]) from None


def commit_of(root: Path, used: Iterable[Path]) -> str:
    """Return the commit that *root* has checked out, with `-changed` after it when one of *used* differs from it.

    Nothing, where there is no Git or no commit.
    """
    try:
        head = git(root, "rev-parse", "--verify", "--quiet", "HEAD")
        if head.returncode != 0:
            return ""
        paths = sorted({str(path.relative_to(root)) for path in used if path.is_relative_to(root)})
        changed = paths and git(root, "status", "--porcelain", "--untracked-files=all", "--", *paths).stdout.strip()
    except PipelineError:
        return ""
    return os.fsdecode(head.stdout.strip()) + ("-changed" if changed else "")


def repository_of(folder: Path) -> str:
    """Return `host/owner/name` of the repository's origin, without a user or password in it; nothing if it has none."""
    try:
        found = git(folder, "remote", "get-url", "origin")
    except PipelineError:
        return ""
    return _plain(os.fsdecode(found.stdout.strip())) if found.returncode == 0 else ""


def _plain(url: str) -> str:
    """Return `host/path` of `https://user:token@host/path.git`, `git@host:path`, `ssh://git@host:22/path`."""
    rest = re.sub(r"^[a-z+]+://", "", url)
    rest = rest.rpartition("@")[2] if "@" in rest.split("/", 1)[0] else rest
    host, slash, path = rest.partition("/")
    if ":" in host:
        host, _, first = host.partition(":")
        path = path if first.isdecimal() else f"{first}{slash}{path}"
    return f"{host}/{path}".removesuffix("/").removesuffix(".git")
