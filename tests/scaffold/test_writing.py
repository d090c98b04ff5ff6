"""All files are written or none, whatever fails on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from buzzflow.diagnostics import PipelineError
from buzzflow.scaffold import write_all

FILES = {"a.txt": b"new a", "sub/b.txt": b"new b", "z.txt": b"new z"}


def contents(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}


def test_a_new_folder_holds_the_files_and_nothing_else_is_made(tmp_path: Path) -> None:
    write_all(tmp_path / "x/y", FILES)
    assert contents(tmp_path) == {f"x/y/{name}": content.decode() for name, content in FILES.items()}


def test_files_are_replaced_with_their_mode_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old a")
    (tmp_path / "a.txt").chmod(0o750)
    (tmp_path / "mine.txt").write_text("mine")
    write_all(tmp_path, FILES)
    assert contents(tmp_path) == {"a.txt": "new a", "mine.txt": "mine", "sub/b.txt": "new b", "z.txt": "new z"}
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o750


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("mine")
    (tmp_path / "x").mkdir()
    (tmp_path / "x/a.txt").symlink_to(tmp_path / "elsewhere")
    write_all(tmp_path / "x", FILES)
    assert not (tmp_path / "x/a.txt").is_symlink()
    assert (tmp_path / "elsewhere").read_text() == "mine"


@pytest.mark.parametrize("failing", ["a.txt", "b.txt", "z.txt"])
def test_when_one_file_cannot_be_moved_all_is_as_it_was(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("old a")
    (tmp_path / "z.txt").write_text("old z")
    replace = Path.replace

    def system(path: Path, target: Path) -> Path:
        if "new" in path.parts and path.name == failing:
            raise PermissionError(13, "Permission denied")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", system)
    with pytest.raises(PipelineError) as caught:
        write_all(tmp_path, FILES)
    assert [d.code for d in caught.value.diagnostics] == ["BF142"]
    assert "Permission denied" in caught.value.diagnostics[0].summary
    assert contents(tmp_path) == {"a.txt": "old a", "z.txt": "old z"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "z.txt"]
