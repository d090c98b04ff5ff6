"""Make a bundle of files, addressed by their content, and lay it out in a folder."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from buzzflow import ir
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.loader import disk
from buzzflow.loader.files import shown

MOST_BYTES = 100 * 1024**2
MOST_FILES = 5_000
_CHUNK = 1024**2
_TOO_LARGE = "name what the step does not need in a .buzzflowignore; data belongs into an input"


class Measured:
    """Reads each file once: its digest, size, and whether its owner may execute it.

    A file must be an ordinary one whose real path lies in one of *allowed*.
    """

    def __init__(self, allowed: Iterable[Path]) -> None:
        self._allowed = tuple(disk.real(folder) for folder in allowed)
        self._problems: dict[Path, Diagnostic | None] = {}
        self._facts: dict[Path, tuple[int, bool]] = {}
        self._digests: dict[Path, str] = {}
        self.contents: dict[str, Path] = {}

    def problem(self, file: Path) -> Diagnostic | None:
        """Return why *file* may not travel."""
        if file not in self._problems:
            reason = self._reason(file)
            self._problems[file] = Diagnostic("BF131", f"{shown(file)} {reason}") if reason else None
        return self._problems[file]

    def _reason(self, file: Path) -> str | None:
        real = disk.real(file)
        if not any(real.is_relative_to(folder) for folder in self._allowed):
            return "is a link that leads out of the repository" if disk.is_link(file) else "lies outside the repository"
        try:
            disk.facts(file)
            str(file).encode()
        except UnicodeEncodeError:
            return "has a name that is not UTF-8"
        except OSError as e:
            return "is a link to nothing" if disk.is_link(file) else f"cannot be read: {e.strerror}"
        if not disk.is_file(file):
            return "is not an ordinary file"
        return None if disk.is_readable(file) else "cannot be read: permission denied"

    def bundle(self, files: Mapping[str, Path], plain: Iterable[str]) -> ir.Bundle:
        """Return the bundle that holds *files* by their paths in it; those in *plain* are never executable."""
        if broken := {file for file in files.values() if self.problem(file)}:
            raise PipelineError(p for file in sorted(broken) if (p := self.problem(file)))
        facts = {path: self._size(file) for path, file in files.items()}
        if problem := _too_large({path: size for path, (size, _) in facts.items()}):
            raise PipelineError([problem])
        never = frozenset(plain)
        entries = tuple(
            ir.BundleFile(
                path,
                self._sha256(files[path]),
                facts[path][0],
                executable=path not in never and facts[path][1],
            )
            for path in sorted(files)
        )
        return ir.Bundle(digest(entries), entries)

    def _size(self, file: Path) -> tuple[int, bool]:
        if file not in self._facts:
            self._facts[file] = disk.facts(file)
        return self._facts[file]

    def _sha256(self, file: Path) -> str:
        if file not in self._digests:
            try:
                sha256 = disk.sha256(file)
            except OSError as e:
                raise PipelineError([Diagnostic("BF131", f"{shown(file)} cannot be read: {e.strerror}")]) from None
            self._digests[file] = sha256
            self.contents.setdefault(sha256, file)
        return self._digests[file]


def _too_large(sizes: Mapping[str, int]) -> Diagnostic | None:
    if len(sizes) > MOST_FILES:
        summary = f"the code has more than the {MOST_FILES:,} files that a bundle may have"
        folders: dict[str, int] = {}
        for path in sizes:
            folder = "/".join(path.split("/")[:2])
            folders[folder] = folders.get(folder, 0) + 1
        most = sorted(folders, key=lambda folder: (-folders[folder], folder))[:3]
        where = ", ".join(f"{folder} ({folders[folder]:,})" for folder in most)
        return Diagnostic("BF133", summary, hint=f"most are in {where}: {_TOO_LARGE}")
    if (total := sum(sizes.values())) > MOST_BYTES:
        largest = sorted(sizes, key=lambda path: (-sizes[path], path))[:5]
        which = ", ".join(f"{path} ({_mib(sizes[path])})" for path in largest)
        summary = f"the code has {_mib(total)}, and a bundle may have {_mib(MOST_BYTES)}"
        return Diagnostic("BF133", summary, hint=f"the largest files are {which}: {_TOO_LARGE}")
    return None


def _mib(size: int) -> str:
    return f"{size / 1024**2:,.1f} MiB".replace(".0 ", " ")


def digest(files: Iterable[ir.BundleFile]) -> str:
    """Return the address of a bundle: SHA-256 over one JSON line for each file, by path.

    JSON quotes what could end a line or a field, so two different bundles never give the same text.
    """
    lines = map(_line, sorted(files, key=lambda f: f.path))
    return hashlib.sha256("".join(lines).encode("ascii")).hexdigest()


@lru_cache(maxsize=1024)  # the shared packages are in every bundle
def _line(file: ir.BundleFile) -> str:
    return json.dumps([file.path, file.sha256, file.executable]) + "\n"


# ------------------------------------------------------------------ stage


def stage_bundle(bundle: ir.Bundle, contents: Mapping[str, Path], destination: Path) -> None:
    """Lay *bundle* out as the folder *destination*, whole or not at all; a folder that is there already stays.

    Raises `PipelineError` BF136 when a file is no longer what it was when it was collected.
    """
    if destination.is_dir() and any(destination.iterdir()):
        return  # its name is the digest, or the caller's own to reuse
    destination.parent.mkdir(parents=True, exist_ok=True)
    temporary = destination.with_name(f".{destination.name}.{secrets.token_hex(4)}")
    try:
        temporary.mkdir(mode=0o755)
        temporary.chmod(0o755)  # whatever the umask is: the user in a container is another one
        if problems := [p for file in bundle.files if (p := _copy(file, contents.get(file.sha256), temporary))]:
            raise PipelineError(problems)
        _put(temporary, destination)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _copy(file: ir.BundleFile, source: Path | None, folder: Path) -> Diagnostic | None:
    target = folder / file.path
    for parent in reversed(target.relative_to(folder).parents[:-1]):
        (folder / parent).mkdir(exist_ok=True)
        (folder / parent).chmod(0o755)
    sha256 = hashlib.sha256()
    try:
        if source is None:
            return Diagnostic("BF136", f"nobody knows the content of {file.path}")
        with source.open("rb") as opened, target.open("xb") as copy:
            while chunk := opened.read(_CHUNK):
                sha256.update(chunk)
                copy.write(chunk)
    except OSError as e:
        return Diagnostic("BF136", f"{shown(source or target)} cannot be copied: {e.strerror}")
    if sha256.hexdigest() != file.sha256:
        return Diagnostic("BF136", f"{shown(source)} changed while it was read", hint="save it, and start again")
    target.chmod(0o755 if file.executable else 0o644)
    return None


def _put(temporary: Path, destination: Path) -> None:
    try:
        temporary.rename(destination)
    except OSError:
        if not destination.is_dir():  # else another run has put the same bundle there in the meantime
            raise
