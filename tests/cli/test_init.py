"""`init`: what it writes, where, what it never does, and that the result runs."""

from __future__ import annotations

import json
import os
import pty
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

TEMPLATES = ("minimal", "sklearn", "xgboost", "pytorch", "batch-transform")
MINIMAL = ["extract.py", "pipeline.yaml", "tests/test_steps.py", "train.py"]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for folder in (".git", "projects/research", "projects/prod"):
        (tmp_path / "repository" / folder).mkdir(parents=True)
    return tmp_path / "repository"


@pytest.fixture
def run(repository: Path, command: str) -> Run:
    """Runs the command in the repository or a folder of it."""

    def run(
        *arguments: str, folder: str = ".", stdin: int = subprocess.DEVNULL, largest_file: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        def limit() -> None:
            if largest_file is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

        return subprocess.run(
            [command, *arguments],
            cwd=repository / folder,
            env={k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "COLUMNS")},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            stdin=stdin,
            preexec_fn=limit,
        )

    return run


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir())


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_is_valid_without_a_warning(template: str, run: Run, repository: Path) -> None:
    assert run("init", "churn", "--template", template).returncode == 0
    done = run("validate", "projects/research/churn")
    assert (done.returncode, done.stderr) == (0, "")
    pipeline = yaml.safe_load((repository / "projects/research/churn/pipeline.yaml").read_text())
    assert pipeline["name"] == "churn"
    assert len(pipeline["steps"]) >= 2
    assert "${step:extract.outputs." in str(pipeline["steps"]["train"]["inputs"])


@pytest.mark.parametrize(
    "template", ["minimal", *(pytest.param(t, marks=pytest.mark.slow) for t in ("sklearn", "batch-transform"))]
)
def test_a_new_project_runs_at_once(template: str, run: Run) -> None:
    run("init", "churn", "--template", template)
    done = run("create", "--local=process", "--json", folder="projects/research/churn")
    assert done.returncode == 0, done.stderr
    states = {name: step["state"] for name, step in json.loads(done.stdout)["steps"].items()}
    assert {name for name, state in states.items() if state != "succeeded"} <= {"reject"}


def test_the_end_says_what_comes_next(run: Run) -> None:
    done = run("init", "churn")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "".join(f"wrote projects/research/churn/{name}\n" for name in MINIMAL)
        + "\nnext:\n  cd projects/research/churn\n  buzzflow validate\n  buzzflow create --local\n"
        + "\nfor SageMaker, add projects/research/environment.yaml with name, region, bucket and role;\n"
        + "a run on this machine needs none\n"
    )


def test_an_environment_above_needs_no_further_word(run: Run, repository: Path) -> None:
    (repository / "projects/research/environment.yaml").write_text("name: research\n")
    assert run("init", "churn").stdout.endswith("  buzzflow create --local\n")
    assert files(repository / "projects/research/churn") == MINIMAL


@pytest.mark.parametrize(
    ("arguments", "here", "place"),
    [
        (("churn",), ".", "projects/research/churn"),
        (("churn", "--environment", "prod"), ".", "projects/prod/churn"),
        (("churn",), "projects/prod", "projects/prod/churn"),
        (("churn", "--environment", "staging"), "projects/prod", "projects/staging/churn"),
        (("./churn",), ".", "churn"),
        (("a/b/churn",), ".", "a/b/churn"),
        ((".", "--name", "churn"), "projects/prod", "projects/prod"),
    ],
)
def test_a_name_goes_below_projects_and_a_path_where_it_says(
    arguments: tuple[str, ...], here: str, place: str, run: Run, repository: Path
) -> None:
    done = run("init", *arguments, folder=here)
    assert done.returncode == 0, done.stderr
    assert files(repository / place) == MINIMAL
    assert (repository / place / "pipeline.yaml").read_text().startswith("name: churn\n")


def test_without_projects_a_name_is_a_folder_here(tmp_path: Path, run: Run) -> None:
    (tmp_path / "alone").mkdir()
    assert run("init", "churn", folder="../alone").returncode == 0
    assert files(tmp_path / "alone") == [f"churn/{name}" for name in MINIMAL]


def test_the_first_line_names_the_schema_where_the_repository_has_it(run: Run, repository: Path) -> None:
    run("schema", "--install")
    run("init", "churn", "--environment", "prod")
    file = repository / "projects/prod/churn/pipeline.yaml"
    first = file.read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../../schemas/pipeline.schema.json"
    assert (file.parent / first.partition("=")[2]).resolve() == repository / "schemas/pipeline.schema.json"


@pytest.mark.parametrize("name", ["no", "12", "1e5", "2026-01-01", "0x1F", "null"])
def test_a_name_that_yaml_would_misread_is_quoted(name: str, run: Run, repository: Path) -> None:
    assert run("init", name).returncode == 0
    folder = repository / "projects/research" / name
    assert yaml.safe_load((folder / "pipeline.yaml").read_text())["name"] == name
    assert run("validate", str(folder)).returncode == 0


# ------------------------------------------------------------------ what it does not do


def test_a_folder_that_is_not_empty_is_left_alone(run: Run, repository: Path) -> None:
    folder = repository / "projects/research/churn"
    folder.mkdir()
    (folder / "train.py").write_text("mine")
    (folder / "notes.md").write_text("mine")
    done = run("init", "churn")
    assert (done.returncode, done.stdout) == (1, "")
    told = "error[BF140]: projects/research/churn is not empty: it holds notes.md, train.py\n"
    assert told in done.stderr
    assert "--force overwrites train.py and keeps all else" in done.stderr
    assert files(folder) == ["notes.md", "train.py"]


def test_force_overwrites_its_own_files_and_keeps_the_others(run: Run, repository: Path) -> None:
    folder = repository / "projects/research/churn"
    folder.mkdir()
    (folder / "train.py").write_text("mine")
    (folder / "notes.md").write_text("mine")
    assert run("init", "churn", "--force").returncode == 0
    assert files(folder) == sorted([*MINIMAL, "notes.md"])
    assert (folder / "notes.md").read_text() == "mine"
    assert "gradient descent" in (folder / "train.py").read_text()


def test_force_does_not_remove_a_folder_that_is_in_the_way(run: Run, repository: Path) -> None:
    folder = repository / "projects/research/churn"
    (folder / "train.py").mkdir(parents=True)
    (folder / "tests").write_text("mine")
    done = run("init", "churn", "--force")
    assert done.returncode == 1
    assert "error[BF140]: projects/research/churn/train.py is in the way: a file is to stand there" in done.stderr
    assert "error[BF140]: projects/research/churn/tests is in the way: a folder is to stand there" in done.stderr
    assert files(folder) == ["tests"]


def test_a_file_where_the_folder_would_be_is_told(run: Run, repository: Path) -> None:
    (repository / "projects/research/churn").write_text("mine")
    done = run("init", "churn", "--force")
    assert done.returncode == 1
    assert "error[BF140]: projects/research/churn is a file" in done.stderr


def test_a_name_that_no_folder_can_have_is_told(run: Run) -> None:
    done = run("init", "a" * 256)
    assert done.returncode == 1
    assert "error[BF142]: cannot read projects/research/aaa" in done.stderr
    assert "File name too long" in done.stderr


def test_a_disk_that_is_full_leaves_nothing_behind(run: Run, repository: Path) -> None:
    done = run("init", "new/deep/churn", "--template", "sklearn", largest_file=700)
    assert done.returncode == 1
    assert "error[BF142]: cannot write new/deep/churn: File too large" in done.stderr
    assert sorted(p.name for p in repository.iterdir()) == [".git", "projects"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("my_project",),
            "'my_project' cannot be the name of a pipeline\n  help: letters, digits and - between them: ",
        ),
        (("my_project",), "--name my-project\n"),
        (("churn", "--name", "a b"), "'a b' cannot be the name of a pipeline"),
        (("churn-",), "'churn-' cannot be the name of a pipeline"),
        (("churn", "--environment", "../x"), "'../x' cannot be the name of an environment"),
    ],
)
def test_a_bad_name_is_told_and_nothing_is_written(
    arguments: tuple[str, ...], told: str, run: Run, repository: Path
) -> None:
    done = run("init", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[BF141]: " in done.stderr
    assert told in done.stderr
    assert files(repository) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "give a folder, as in: buzzflow init churn --template sklearn (templates: minimal, sklearn"),
        (("churn", "--template", "sklaern"), "there is no template 'sklaern'; did you mean 'sklearn'?"),
        (("a/churn", "--environment", "prod"), "it goes with a name alone"),
    ],
)
def test_wrong_usage_exits_2(arguments: tuple[str, ...], told: str, run: Run, repository: Path) -> None:
    done = run("init", *arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert files(repository) == []


def test_on_a_terminal_it_asks_until_it_understands(run: Run, repository: Path) -> None:
    terminal, end = pty.openpty()
    try:
        os.write(terminal, b"churn\nsklaern\nsklearn\n")
        done = run("init", stdin=end)
    finally:
        os.close(terminal)
        os.close(end)
    assert done.returncode == 0, done.stderr
    assert "Name or folder of the project: " in done.stdout
    assert "Template [minimal]: " in done.stdout
    assert "did you mean 'sklearn'?" in done.stdout + done.stderr
    assert "evaluate.py" in files(repository / "projects/research/churn")
