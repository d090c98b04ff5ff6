"""`--changed-since`: which pipelines a change can affect, in a real Git repository."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from buzzflow.diagnostics import PipelineError
from buzzflow.driver.tree import validate_all

PIPELINE = "extends: ../../base/base.yaml\nsteps: {train: {type: training, code: train.py}}\n"


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def write(file: Path, text: str = "") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    write(root / ".gitignore", "*.log\n")
    write(root / "README.md", "old\n")
    write(root / "global_common/__init__.py")
    write(root / "global_common/helper.py")
    write(root / "global_common/other.py")
    write(root / "common/lib.py")
    write(root / "projects/base/base.yaml", "defaults: {image: 'sklearn:1.4-2'}\n")
    for environment in ("research", "prod"):
        text = f"{{name: {environment}, region: us-west-2, bucket: b-1, role: 'arn:aws:iam::111122223333:role/R'}}\n"
        write(root / "projects" / environment / "environment.yaml", text)
    for name in ("research/a", "research/b", "prod/c"):
        folder = root / "projects" / name
        write(folder / "pipeline.yaml", PIPELINE)
        write(folder / "train.py", "import columns\n")
        write(folder / "columns.py")
        write(folder / "query/q.sql", "SELECT 1\n")
        write(folder / "tests/test_train.py")
    write(root / "projects/research/a/train.py", "import columns\nimport global_common.helper\n")
    code = "{entry_point: train.py, include: ['../../../common/*.py']}"
    write(root / "projects/research/b/pipeline.yaml", PIPELINE.replace("train.py", code))
    (root / "projects/prod/c/link.py").symlink_to("columns.py")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    git(root, "tag", "first")
    monkeypatch.chdir(root)
    return root


def affected(since: str = "first", *, cached: bool = False) -> str:
    tree = validate_all([Path("projects")], backend=None, settings=(), cached=cached, since=since)
    return "".join(Path(result.file).parent.name for result in tree.results)


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "more")


P = "projects"
SITUATIONS: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda r: None, ""),
    "a file that nobody asks about": (lambda r: write(r / "README.md", "new\n"), ""),
    "a project's tests": (lambda r: write(r / P / "research/a/tests/test_train.py", "x = 1\n"), ""),
    "a file that Git ignores": (lambda r: write(r / P / "research/a/query/run.log"), ""),
    "a pipeline": (lambda r: write(r / P / "research/a/pipeline.yaml", PIPELINE + "owner: me\n"), "a"),
    "a script": (lambda r: write(r / P / "prod/c/train.py", "x = 1\n"), "c"),
    "a module": (lambda r: write(r / P / "prod/c/columns.py", "x = 1\n"), "c"),
    "a query": (lambda r: write(r / P / "research/a/query/q.sql", "SELECT 2\n"), "a"),
    "new requirements": (lambda r: write(r / P / "research/b/requirements.txt", "pandas\n"), "b"),
    "a new query": (lambda r: write(r / P / "research/a/query/new.sql", "SELECT 2\n"), "a"),
    "a query in a new folder": (lambda r: write(r / P / "research/a/more/new.sql", "SELECT 2\n"), "a"),
    "a deleted query": (lambda r: (r / P / "research/a/query/q.sql").unlink(), "a"),
    "a deleted module": (lambda r: (r / P / "prod/c/columns.py").unlink(), "c"),
    "a renamed module": (lambda r: (r / P / "prod/c/columns.py").rename(r / P / "prod/c/column.py"), "c"),
    "a module moved from one project to another": (
        lambda r: (r / P / "prod/c/columns.py").rename(r / P / "research/a/more.py"),
        "ca",
    ),
    "a file that becomes executable": (lambda r: (r / P / "prod/c/train.py").chmod(0o755), "c"),
    "a link that leads elsewhere": (
        lambda r: ((r / P / "prod/c/link.py").unlink(), (r / P / "prod/c/link.py").symlink_to("train.py")),
        "c",
    ),
    "a base": (lambda r: write(r / P / "base/base.yaml", "defaults: {image: 'sklearn:1.2-1'}\n"), "cab"),
    "a deleted base": (lambda r: (r / P / "base/base.yaml").unlink(), "cab"),
    "an environment": (lambda r: write(r / P / "prod/environment.yaml", "name: prod\n"), "c"),
    "a nearer environment": (lambda r: write(r / P / "research/a/environment.yaml", "name: a\n"), "a"),
    "a shared module that one imports": (lambda r: write(r / "global_common/helper.py", "x = 1\n"), "a"),
    "a shared module that none imports": (lambda r: write(r / "global_common/other.py", "x = 1\n"), ""),
    "a file that a pattern names": (lambda r: write(r / "common/lib.py", "x = 1\n"), "b"),
    "a new file that a pattern matches": (lambda r: write(r / "common/new.py", "x = 1\n"), "b"),
    "a new package that all steps share": (lambda r: write(r / "experiment_manager/__init__.py"), "cab"),
    "a new project": (lambda r: shutil.copytree(r / P / "prod/c", r / P / "prod/d", symlinks=True), "d"),
    "a deleted project": (lambda r: shutil.rmtree(r / P / "prod/c"), ""),
    "a renamed project": (lambda r: (r / P / "prod/c").rename(r / P / "prod/e"), "e"),
    "names that no shell would take": (lambda r: write(r / P / "research/a/query/a\n\"b\" 'ü'.sql"), "a"),
}


@pytest.mark.parametrize("kept", ["in the folder", "staged", "committed"])
@pytest.mark.parametrize("name", SITUATIONS)
def test_only_what_a_change_can_affect_is_validated(name: str, kept: str, repository: Path) -> None:
    change, expected = SITUATIONS[name]
    change(repository)
    if kept != "in the folder":
        git(repository, "add", "-A")
    if kept == "committed" and git(repository, "status", "--porcelain"):
        commit(repository)
    assert affected() == expected


@pytest.mark.parametrize("name", ["a script", "a new query", "a base", "a deleted module"])
def test_the_cache_changes_nothing(name: str, repository: Path) -> None:
    change, expected = SITUATIONS[name]
    validate_all([Path("projects")], backend=None, settings=())
    change(repository)
    assert affected(cached=True) == affected(cached=True) == expected


def test_what_changed_on_the_other_branch_alone_does_not_count(repository: Path) -> None:
    git(repository, "checkout", "-q", "-b", "other")
    write(repository / "projects/prod/c/train.py", "x = 1\n")
    commit(repository)
    git(repository, "checkout", "-q", "main")
    write(repository / "projects/research/a/train.py", "x = 1\n")
    commit(repository)
    assert affected("other") == "a"


def test_a_change_that_was_taken_back_does_not_count(repository: Path) -> None:
    write(repository / "projects/prod/c/train.py", "x = 1\n")
    commit(repository)
    write(repository / "projects/prod/c/train.py", "import columns\n")
    assert affected() == ""
    commit(repository)
    assert affected() == ""
    assert affected("HEAD~1") == "c"


def test_paths_through_a_link_are_found(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository.parent / "link").symlink_to(repository)
    write(repository / "projects/prod/c/train.py", "x = 1\n")
    monkeypatch.chdir(repository.parent)
    tree = validate_all([Path("link/projects")], backend=None, settings=(), cached=False, since="first")
    assert [result.file for result in tree.results] == ["link/projects/prod/c/pipeline.yaml"]


def test_how_many_there_are_is_told(repository: Path) -> None:
    write(repository / "projects/prod/c/train.py", "x = 1\n")
    tree = validate_all([Path("projects")], backend=None, settings=(), since="first")
    assert (len(tree.results), tree.all) == (1, 3)


@pytest.mark.parametrize("revision", ["nothing", "", "--output=made", "-h", "first..main", "HEAD:README.md", "a b"])
def test_an_unknown_revision_is_told(revision: str, repository: Path) -> None:
    with pytest.raises(PipelineError) as caught:
        affected(revision)
    assert [d.code for d in caught.value.diagnostics] == ["BF147"]
    assert not (repository / "made").exists()


def test_a_revision_without_a_common_commit_is_told(repository: Path) -> None:
    git(repository, "checkout", "-q", "--orphan", "alone")
    commit(repository)
    with pytest.raises(PipelineError, match=r"BF147.*no commit in common"):
        affected("main")


def test_a_folder_outside_git_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "projects/p/pipeline.yaml", "steps: {stop: {type: fail, message: stop}}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(PipelineError, match="BF146"):
        affected("main")


def test_a_machine_without_git_is_told(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    with pytest.raises(PipelineError, match="BF146: Git cannot be started"):
        affected("main")
