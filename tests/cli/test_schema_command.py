"""`schema`: it prints what is committed, and wires VS Code without touching what is there."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
GLOBS = ["pipeline.yaml", "*.pipeline.yaml", "pipeline.local.yaml", "*.pipeline.local.yaml"]
PIPELINE, ENVIRONMENT = "./schemas/pipeline.schema.json", "./schemas/environment.schema.json"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for folder in (".git", "projects/research", ".vscode"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


@pytest.fixture
def run(repository: Path, command: str) -> Run:
    def run(*arguments: str, folder: str = ".") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [command, "schema", *arguments],
            cwd=repository / folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def settings(repository: Path) -> dict[str, object]:
    return json.loads((repository / ".vscode/settings.json").read_text())


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        ((), "buzzflow pipeline"),
        (("pipeline",), "buzzflow pipeline"),
        (("environment",), "buzzflow environment"),
    ],
)
def test_a_schema_is_printed(arguments: tuple[str, ...], title: str, run: Run) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    schema = json.loads(done.stdout)
    assert (schema["title"], schema["$schema"]) == (title, "https://json-schema.org/draft/2020-12/schema")
    Draft202012Validator.check_schema(schema)


def test_another_word_is_wrong_usage(run: Run) -> None:
    done = run("pipelines")
    assert done.returncode == 2
    assert "'pipelines' is not pipeline or environment" in done.stderr


def test_install_writes_the_schemas_and_the_settings_of_the_repository_around_here(run: Run, repository: Path) -> None:
    done = run("--install", folder="projects/research")
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("pipeline", "environment"):
        assert (repository / f"schemas/{name}.schema.json").read_text() == run(name).stdout
    assert settings(repository) == {
        "yaml.schemas": {
            PIPELINE: [f"projects/**/{glob}" for glob in GLOBS],
            ENVIRONMENT: ["projects/**/environment.yaml"],
        }
    }
    recommended = json.loads((repository / ".vscode/extensions.json").read_text())
    assert recommended == {"recommendations": ["redhat.vscode-yaml"]}


def test_install_tells_each_thing_that_it_did_and_how_other_editors_find_a_schema(run: Run) -> None:
    assert run("--install").stdout.splitlines() == [
        "schemas/pipeline.schema.json: written",
        "schemas/environment.schema.json: written",
        ".vscode/settings.json: yaml.schemas for the pipelines below projects",
        ".vscode/extensions.json: recommends redhat.vscode-yaml",
        "other editors: a file's first line can name its schema, by a path from the file's folder:",
        "  # yaml-language-server: $schema=../../../schemas/pipeline.schema.json",
    ]


def test_a_second_time_there_is_nothing_to_do(run: Run, repository: Path) -> None:
    run("--install")
    before = {p: p.stat().st_mtime_ns for p in repository.rglob("*.json")}
    done = run("--install")
    assert done.returncode == 0
    assert done.stdout.startswith("nothing to do: VS Code finds the schemas in .\n")
    assert {p: p.stat().st_mtime_ns for p in repository.rglob("*.json")} == before


def test_without_projects_the_whole_folder_that_is_named_is_meant(run: Run, repository: Path) -> None:
    (repository / "other").mkdir()
    done = run("--install", "other")
    assert done.returncode == 0
    assert "other/.vscode/settings.json: yaml.schemas for the pipelines of this folder" in done.stdout
    assert settings(repository / "other")["yaml.schemas"] == {
        PIPELINE: [f"**/{glob}" for glob in GLOBS],
        ENVIRONMENT: ["**/environment.yaml"],
    }
    assert not (repository / "schemas").exists()


def test_a_stale_schema_is_brought_up_to_date(run: Run, repository: Path) -> None:
    run("--install")
    schema = repository / "schemas/pipeline.schema.json"
    schema.write_text("{}")
    assert "schemas/pipeline.schema.json: brought up to date" in run("--install").stdout
    assert json.loads(schema.read_text())["title"] == "buzzflow pipeline"


def test_other_settings_stay_with_their_order_and_indent(run: Run, repository: Path) -> None:
    file = repository / ".vscode/settings.json"
    text = '{\n    "editor.tabSize": 2,\n    "yaml.schemas": {\n        "x.json": "é.yaml"\n    },\n    "z": null\n}\n'
    file.write_text(text, "utf-8")
    assert run("--install").returncode == 0
    after = file.read_text("utf-8")
    assert after.startswith(text[: text.index("é.yaml") + len("é.yaml") + 1])
    assert list(settings(repository)) == ["editor.tabSize", "yaml.schemas", "z"]
    assert list(settings(repository)["yaml.schemas"]) == ["x.json", PIPELINE, ENVIRONMENT]  # type: ignore[call-overload]


def test_globs_of_ones_own_stay_beside_ours(run: Run, repository: Path) -> None:
    given = {"yaml.schemas": {ENVIRONMENT: "projects/**/environment.yaml", PIPELINE: "mine.yaml"}}
    (repository / ".vscode/settings.json").write_text(json.dumps(given))
    assert run("--install").returncode == 0
    assert settings(repository)["yaml.schemas"] == {
        ENVIRONMENT: "projects/**/environment.yaml",
        PIPELINE: ["mine.yaml", *(f"projects/**/{glob}" for glob in GLOBS)],
    }


def test_an_extension_that_is_unwanted_is_not_recommended(run: Run, repository: Path) -> None:
    file = repository / ".vscode/extensions.json"
    file.write_text('{"unwantedRecommendations": ["redhat.vscode-yaml"]}')
    assert run("--install").returncode == 0
    assert file.read_text() == '{"unwantedRecommendations": ["redhat.vscode-yaml"]}'


@pytest.mark.parametrize(
    "text",
    [
        '{\n  // mine\n  "a": 1\n}\n',
        '{"a": 1,}',
        '{"a": 1, "a": 2}',
        '{"yaml.schemas": []}',
        f'{{"yaml.schemas": {{"{PIPELINE}": 1}}}}',
        "[]",
    ],
)
def test_settings_that_would_lose_something_are_left_with_the_lines_to_add(
    text: str, run: Run, repository: Path
) -> None:
    file = repository / ".vscode/settings.json"
    file.write_text(text)
    done = run("--install")
    assert done.returncode == 1
    assert "error[BF145]: .vscode/settings.json is left as it is: " in done.stderr
    assert '      "projects/**/pipeline.yaml",\n' in done.stderr
    assert file.read_text() == text
    assert (repository / "schemas/pipeline.schema.json").exists()
    assert (repository / ".vscode/extensions.json").exists()


def test_lines_that_were_added_by_hand_are_enough(run: Run, repository: Path) -> None:
    file = repository / ".vscode/settings.json"
    file.write_text('{\n  // mine\n  "a": 1,\n}\n')
    told = run("--install").stderr
    lines = told[told.index("by hand:\n") + len("by hand:\n") :]
    file.write_text('{\n  // mine\n  "a": 1,\n' + lines + "}\n")
    done = run("--install")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("nothing to do")


def test_a_folder_that_does_not_exist_is_told(run: Run) -> None:
    done = run("--install", "absent")
    assert done.returncode == 1
    assert "error[BF100]: there is no folder absent" in done.stderr
