"""Where a pipeline's files come from: the repository as it is now, or an earlier run that is done again."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from buzzflow import ir
from buzzflow.backends.local.hidden import Hidden
from buzzflow.backends.local.records.manifest import ManifestError, read_manifest
from buzzflow.backends.local.records.origins import GitRecord
from buzzflow.diagnostics import PipelineError
from buzzflow.driver.git import git, repository_of
from buzzflow.driver.stages import Checked
from buzzflow.loader.secret_shapes import without_secrets
from buzzflow.loader.yaml_writer import write_yaml
from buzzflow.template import Template

RESOLVED, DIFF = "resolved.yaml", "uncommitted.diff"
_MOST_LINES, _LONGEST = 10_000, 1_000  # of what is not committed: longer lines are data, and slow to look through
_TOO_LONG = "(a line of {} characters)"
_CUT = "(more lines: cut here)\n"
_SECRET_FILE = re.compile(
    r"\.env(\..*)?|.*\.(pem|key|p12|pfx|jks|keystore|kdbx)|id_(rsa|dsa|ecdsa|ed25519)|\.(netrc|pypirc|npmrc|pgpass)"
    r"|\.git-credentials|kubeconfig|tokens?(\.\w+)?|.*(secret|credential|password).*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class RepositoryOrigin:
    """The files of *root* that a pipeline uses: its own, and those of its code by digest. *data* is it, resolved."""

    root: Path
    data: Mapping[str, Any]
    files: tuple[Path, ...]
    contents: Mapping[str, Path]
    secrets: tuple[str, ...] = ()

    def record(self, folder: Path) -> tuple[str | None, GitRecord | None]:
        """Write the resolved pipeline and what is not committed of its files; what looks like a secret is left out."""
        (folder / RESOLVED).write_text(write_yaml(_plain(self.data)), "utf-8")
        with suppress(PipelineError):  # there is no Git
            return RESOLVED, self._git(folder)
        return RESOLVED, None

    def _git(self, folder: Path) -> GitRecord | None:
        commit = _said(self.root, "rev-parse", "--verify", "--quiet", "HEAD")
        if not commit:
            return None
        used = sorted(_below(self.root, {*self.files, *self.contents.values()}))
        changed = _names(self.root, "diff", "--name-only", "--no-ext-diff", "-z", "HEAD", "--", *used) if used else []
        untracked = _names(self.root, "ls-files", "--others", "-z", "--", *used) if used else []
        digests = {name: sha256 for sha256, file in self.contents.items() for name in _below(self.root, [file])}
        return GitRecord(
            commit=commit,
            branch=_said(self.root, "symbolic-ref", "--quiet", "--short", "HEAD") or None,
            repository=repository_of(self.root) or None,
            changed=changed,
            untracked={name: digests.get(name, "") for name in untracked if not _is_secret(name)},
            diff=self._diff(folder, [name for name in changed if not _is_secret(name)]),
        )

    def _diff(self, folder: Path, names: list[str]) -> str | None:
        if not names:
            return None
        done = git(self.root, "diff", "--no-ext-diff", "--no-color", "HEAD", "--", *names)
        lines = done.stdout.decode("utf-8", "replace").splitlines()
        text = "\n".join(line if len(line) <= _LONGEST else _TOO_LONG.format(len(line)) for line in lines[:_MOST_LINES])
        text = without_secrets(Hidden(self.secrets).text(text))
        (folder / DIFF).write_text(f"{text}\n{_CUT if len(lines) > _MOST_LINES else ''}", "utf-8")
        return DIFF


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """The run in *folder*: what is done again comes from where that came from."""

    folder: Path

    def record(self, folder: Path) -> tuple[str | None, GitRecord | None]:
        """Copy what that run has written down."""
        for name in (RESOLVED, DIFF):
            if (self.folder / name).is_file():
                shutil.copyfile(self.folder / name, folder / name)
        with suppress(ManifestError):
            found = read_manifest(self.folder).provenance
            if found is not None:
                return found.resolved, found.git
        return None, None


def origin_of(checked: Checked) -> RepositoryOrigin:
    """Return where *checked* comes from."""
    jobs = filter(None, map(ir.job_of, checked.pipeline.steps))
    variables = {variable for job in jobs for variable, _ in job.secrets}
    values = tuple(os.environ[name] for name in variables if name in os.environ)
    loaded = checked.loaded
    return RepositoryOrigin(loaded.root, loaded.data, loaded.files, checked.code.contents, values)


def _said(root: Path, *arguments: str) -> str:
    done = git(root, *arguments)
    return os.fsdecode(done.stdout.strip()) if done.returncode == 0 else ""


def _names(root: Path, *arguments: str) -> list[str]:
    done = git(root, *arguments)
    return [os.fsdecode(name) for name in done.stdout.split(b"\0") if name] if done.returncode == 0 else []


def _below(root: Path, files: Iterable[Path]) -> Iterator[str]:
    yield from (str(file.relative_to(root)) for file in files if file.is_relative_to(root))


def _is_secret(name: str) -> bool:
    return _SECRET_FILE.fullmatch(Path(name).name) is not None


def _plain(value: Any) -> Any:
    match value:
        case Mapping():
            return {key: _plain(part) for key, part in value.items()}
        case list():
            return [_plain(part) for part in value]
        case Template():
            return str(value)
        case _:
            return value
