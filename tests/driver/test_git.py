"""What Git says of a repository: its name without a secret, its commit, whether files differ from it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from buzzflow.driver.git import commit_of, repository_of


def git(folder: Path, *arguments: str) -> str:
    own = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    done = subprocess.run(["git", *own, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "a.py").write_text("")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    return tmp_path


@pytest.mark.parametrize(
    "origin",
    [
        "https://example.com/acme/ml.git",
        "https://user:token@example.com/acme/ml.git",
        "https://token@example.com/acme/ml",
        "git@example.com:acme/ml.git",
        "ssh://git@example.com/acme/ml.git",
        "ssh://git@example.com:22/acme/ml.git",
        "git://example.com/acme/ml/",
    ],
)
def test_a_repository_has_one_name_however_it_is_reached(repository: Path, origin: str) -> None:
    git(repository, "remote", "add", "origin", origin)
    assert repository_of(repository) == "example.com/acme/ml"


def test_without_an_origin_it_has_none(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert repository_of(repository) == ""
    assert repository_of(tmp_path_factory.mktemp("none")) == ""


def test_a_commit_says_whether_what_is_used_differs_from_it(repository: Path) -> None:
    head = git(repository, "rev-parse", "HEAD")
    assert commit_of(repository, [repository / "a.py"]) == head
    (repository / "b.py").write_text("")
    assert commit_of(repository, [repository / "a.py"]) == head
    assert commit_of(repository, [repository]) == f"{head}-changed"
    (repository / "a.py").write_text("1")
    assert commit_of(repository, [repository / "a.py"]) == f"{head}-changed"


def test_outside_of_git_there_is_no_commit(tmp_path: Path) -> None:
    assert commit_of(tmp_path, [tmp_path]) == ""
