"""What has changed since a Git revision, and whether an answer that a pipeline was given may have been another then."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.git import git
from buzzflow.loader.disk import Asked, Memory

_PROGRAM = Path(__file__).resolve().parents[1]  # when buzzflow itself lies in the repository, its code counts, too


@dataclass(frozen=True, slots=True)
class Changes:
    """Paths without links: of *content* nobody knows that it is the same; *listed* folders have other entries."""

    content: frozenset[str]
    listed: frozenset[str]

    def touch(self, asked: Asked, memory: Memory) -> bool:
        """Whether one of the questions may have had another answer. What Git ignores is taken to be as it was."""
        return any(self._touches(q, s, memory) for q, s in asked)

    def _touches(self, question: str, subject: str, memory: Memory) -> bool:
        if question == "variable":
            return False
        path = subject.partition("\0")[0]
        places = {path, str(memory.ask("real", path))}
        match question:
            case "entries":
                return any(self._is_new(p) or p in self.listed for p in places)
            case "glob":
                return any(self._is_new(p) or _holds(p, self.listed) for p in places)
            case _:
                return any(self._is_new(p) for p in places)

    def _is_new(self, path: str) -> bool:
        """Whether *path*, or a link or folder on the way to it, has changed."""
        while path not in self.content:
            above = path.rpartition("/")[0]
            if not above:
                return False
            path = above
        return True


def _holds(folder: str, paths: Collection[str]) -> bool:
    return folder in paths or any(path.startswith(f"{folder}/") for path in paths)


def changes_since(revision: str, folders: Iterable[Path]) -> Changes:
    """Return what differs between where *revision* and HEAD parted and the files as they are, untracked ones too.

    PipelineError says that a folder is in no Git repository (BF146) or that it has no such revision (BF147).
    """
    content: set[str] = set()
    listed: set[str] = set()
    for top in sorted({_top(folder) for folder in folders}):
        found = _in_repository(top, revision)
        content |= found.content
        listed |= found.listed
    return Changes(frozenset(content), frozenset(listed))


def _top(folder: Path) -> str:
    done = git(folder, "rev-parse", "--show-toplevel")
    if done.returncode != 0:
        hint = "run it in a clone, or leave --changed-since out"
        raise PipelineError([Diagnostic("BF146", f"{folder} is in no Git repository", hint=hint)])
    return os.path.realpath(os.fsdecode(done.stdout.removesuffix(b"\n")))


def _in_repository(top: str, revision: str) -> Changes:
    base = _base(Path(top), revision)
    diff = _fields(
        Path(top), "diff", "--name-status", "--no-renames", "--no-ext-diff", "--ignore-submodules=none", "-z", base
    )
    modified = {path for status, path in zip(diff[::2], diff[1::2], strict=True) if status == "M"}
    others = _fields(Path(top), "ls-files", "-z", "--others", "--exclude-standard")
    moved = {path.rstrip("/") for path in (*diff[1::2], *others)} - modified
    before = set(_fields(Path(top), "ls-tree", "-r", "-z", "--name-only", base))
    folders = {str(folder) for path in before for folder in Path(path).parents}
    content, listed = set(modified | moved), set[str]()
    for path in moved:  # a folder comes with its first file and goes with its last
        for folder in map(str, Path(path).parents):
            listed.add(folder)
            if (folder in folders) == Path(top, folder).is_dir():
                break
            content.add(folder)
    absolute = frozenset(_joined(top, path) for path in content)
    if any(Path(path).is_relative_to(_PROGRAM) for path in absolute):
        absolute |= {top}
    return Changes(absolute, frozenset(_joined(top, path) for path in listed))


def _joined(top: str, path: str) -> str:
    return os.path.normpath(f"{top}/{path}")


def _base(top: Path, revision: str) -> str:
    """Return the commit at which *revision* and HEAD parted."""
    is_option = revision.startswith("-")
    named = None if is_option else git(top, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if named is None or named.returncode != 0:
        hint = "a commit, branch or tag, such as origin/main; a shallow clone has the newest commits only: git fetch"
        raise PipelineError([Diagnostic("BF147", f"Git knows no revision {revision!r} in {top}", hint=hint)])
    base = git(top, "merge-base", os.fsdecode(named.stdout.strip()), "HEAD")
    if base.returncode != 0:
        hint = "a shallow clone may not reach back to it: git fetch --unshallow"
        raise PipelineError(
            [Diagnostic("BF147", f"{revision!r} and HEAD have no commit in common in {top}", hint=hint)]
        )
    return os.fsdecode(base.stdout.split()[0])


def _fields(folder: Path, *arguments: str) -> list[str]:
    done = git(folder, *arguments)
    if done.returncode != 0:
        told = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise PipelineError([Diagnostic("BF146", f"git {arguments[0]} failed: {told[0] if told else done.returncode}")])
    return [os.fsdecode(field) for field in done.stdout.split(b"\0") if field]
