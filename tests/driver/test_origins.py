"""What a run writes down of the repository: what is needed to know its files, and no secret."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from buzzflow.driver.origins import EarlierRun, RepositoryOrigin
from buzzflow.template import Reference, Template

CANARY = "c4n4ry-0f-a-passw0rd"


def git(folder: Path, *arguments: str) -> str:
    own = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *own, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with three files in it."""
    root = tmp_path / "repository"
    root.mkdir()
    for name in ("train.py", "other.py", ".env"):
        (root / name).write_text("one\n")
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "all")
    return root


def origin(root: Path, *names: str, secrets: tuple[str, ...] = ()) -> RepositoryOrigin:
    contents = {hashlib.sha256((root / name).read_bytes()).hexdigest(): root / name for name in names}
    data = {"name": "p", "date": Template((Reference("param", ("day",)),))}
    return RepositoryOrigin(root, data, (), contents, secrets)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def test_a_clean_repository_has_a_commit_and_no_diff(root: Path, folder: Path) -> None:
    resolved, found = origin(root, "train.py").record(folder)
    assert (folder / (resolved or "")).read_text() == "name: p\ndate: ${param:day}\n"
    assert found is not None
    assert (found.commit, found.branch) == (git(root, "rev-parse", "HEAD"), "main")
    assert (found.changed, found.untracked, found.diff) == ([], {}, None)
    assert not (folder / "uncommitted.diff").exists()


def test_only_files_of_the_pipeline_are_looked_at(root: Path, folder: Path) -> None:
    for name in ("train.py", "other.py"):
        (root / name).write_text("two\n")
    (root / "new.py").write_text("three\n")
    (root / "elsewhere.py").write_text("four\n")
    _, found = origin(root, "train.py", "new.py").record(folder)
    assert found is not None
    assert found.changed == ["train.py"]
    assert found.untracked == {"new.py": hashlib.sha256(b"three\n").hexdigest()}
    assert "-one\n+two\n" in (folder / "uncommitted.diff").read_text()


def test_secrets_are_left_out_and_masked(root: Path, folder: Path) -> None:
    key = "AKIA" + "Q7" * 8
    (root / "train.py").write_text(f"{key}\npassword={CANARY}\nprint('{CANARY}')\n")
    (root / ".env").write_text(f"{CANARY}\n")
    (root / "id_rsa").write_text(f"key {CANARY}\n")
    _, found = origin(root, "train.py", ".env", "id_rsa", secrets=(CANARY,)).record(folder)
    assert found is not None
    assert found.untracked == {}
    assert found.changed == [".env", "train.py"]
    written = (folder / "uncommitted.diff").read_text()
    assert CANARY not in written
    assert key not in written
    assert "a/train.py" in written
    assert "a/.env" not in written


def test_a_very_long_diff_is_cut(root: Path, folder: Path) -> None:
    (root / "train.py").write_text("x" * 3_000_000 + "\n" + "y\n" * 20_000)
    origin(root, "train.py").record(folder)
    lines = (folder / "uncommitted.diff").read_text().splitlines()
    assert len(lines) == 10_001
    assert "(a line of 3000001 characters)" in lines
    assert lines[-1] == "(more lines: cut here)"


def test_without_git_or_a_commit_there_is_the_resolved_pipeline(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "a.py").write_text("")
    assert origin(tmp_path, "a.py").record(folder) == ("resolved.yaml", None)
    git(tmp_path, "init", "--quiet")
    assert origin(tmp_path, "a.py").record(folder) == ("resolved.yaml", None)


def test_a_run_that_is_done_again_comes_from_where_the_first_came(tmp_path: Path, folder: Path) -> None:
    (folder / "resolved.yaml").write_text("name: p\n")
    again = tmp_path / "again"
    again.mkdir()
    assert EarlierRun(folder).record(again) == (None, None)  # its manifest is gone
    assert (again / "resolved.yaml").read_text() == "name: p\n"
