"""Write several files so that all of them appear, or none."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.loader.files import shown


def write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write *files*, by their paths in *folder*, over what is there; other files stay.

    A new folder appears complete. PipelineError says what cannot be written; then all is as it was.
    """
    folder = folder.resolve()
    try:
        with _removed_on_failure(folder), _scratch(folder) as scratch:
            for name, content in files.items():
                file = scratch / "new" / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            if folder.exists():
                _move_in(scratch, folder, files)
            else:
                (scratch / "new").rename(folder)
    except OSError as e:
        reason = e.strerror or str(e)
        raise PipelineError(
            [Diagnostic("BF142", f"cannot write {shown(folder)}: {reason}", hint="nothing was written")]
        ) from None


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """Make a folder on the file system of *folder*, and remove it."""
    beside = folder if folder.exists() else folder.parent
    beside.mkdir(parents=True, exist_ok=True)
    scratch = beside / f".{folder.name}.{secrets.token_hex(4)}"
    scratch.mkdir()
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch)


@contextmanager
def _removed_on_failure(folder: Path) -> Iterator[None]:
    """Remove *folder* and those above it again, as far as they are new and empty, when the block fails."""
    new = [p for p in (folder, *folder.parents) if not p.exists()]
    try:
        yield
    except BaseException:
        with suppress(OSError):  # somebody else has put something there, so it stays
            for path in new:
                if path.exists():
                    path.rmdir()
        raise


def _move_in(scratch: Path, folder: Path, names: Iterable[str]) -> None:
    """Move the new files to their places; on failure put back the old ones."""
    moved: list[tuple[Path, Path | None]] = []
    try:
        for name in names:
            target, old = folder / name, None
            if os.path.lexists(target):
                old = scratch / "old" / name
                old.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(target, old, follow_symlinks=False)
                if not target.is_symlink():
                    shutil.copymode(target, scratch / "new" / name)
            with _removed_on_failure(target.parent):
                target.parent.mkdir(parents=True, exist_ok=True)
                moved.append((target, old))
                (scratch / "new" / name).replace(target)
    except BaseException:
        for target, old in reversed(moved):
            if old is not None:
                old.replace(target)
            else:
                target.unlink(missing_ok=True)
                with suppress(OSError):  # not empty: it was there before
                    target.parent.rmdir()
        raise
