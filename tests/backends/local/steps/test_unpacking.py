"""A model's archive may hold anything: only files and folders of it are laid out."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from buzzflow.backends.local.steps.staging import StagingError
from buzzflow.backends.local.steps.unpacking import unpack


def archive(folder: Path, *members: tarfile.TarInfo) -> Path:
    file = folder / "model.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(b"x" * member.size))
    return file


def member(name: str, kind: bytes = tarfile.REGTYPE, *, to: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, to, mode
    info.size = 3 if kind == tarfile.REGTYPE else 0
    return info


def test_files_and_folders_are_laid_out(tmp_path: Path) -> None:
    made = archive(tmp_path, member("code", tarfile.DIRTYPE), member("code/run.sh", mode=0o4755), member("./model.bin"))
    unpack(made, tmp_path / "model")
    assert (tmp_path / "model" / "model.bin").read_bytes() == b"xxx"
    assert (tmp_path / "model" / "code" / "run.sh").stat().st_mode & 0o7777 == 0o755


@pytest.mark.parametrize(
    "members",
    [
        [member("../out")],
        [member("/out")],
        [member("a/../../out")],
        [member("link", tarfile.SYMTYPE, to="/etc"), member("link/out")],
        [member("link", tarfile.LNKTYPE, to="../out")],
        [member("pipe", tarfile.FIFOTYPE)],
        [member("null", tarfile.CHRTYPE)],
    ],
    ids=lambda members: members[-1].name,
)
def test_what_may_lead_out_is_refused(tmp_path: Path, members: list[tarfile.TarInfo]) -> None:
    with pytest.raises(StagingError, match="the model"):
        unpack(archive(tmp_path, *members), tmp_path / "in" / "model")
    assert {path.name for path in tmp_path.iterdir()} <= {"model.tar.gz", "in"}


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\x00" + b"\x00" * 40])
def test_what_is_no_archive_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.tar.gz").write_bytes(content)
    with pytest.raises(StagingError, match="cannot be unpacked"):
        unpack(tmp_path / "model.tar.gz", tmp_path / "model")


def test_a_model_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(StagingError, match="there is no model"):
        unpack(tmp_path / "model.tar.gz", tmp_path / "model")
