"""`explain`: a value of a pipeline, or a code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from buzzflow.cli.explain import catalogue

ROOT = Path(__file__).parents[2]
Buzzflow = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("word", ["BF302", "bf302"])
def test_the_page_of_a_code_is_printed_for_80_columns(word: str, buzzflow: Buzzflow) -> None:
    done = buzzflow("explain", word)
    assert (done.returncode, done.stderr) == (0, "")
    head, _, rest = done.stdout.partition("\n\n")
    assert head == "BF302"
    assert "    error[BF302]: " in rest
    assert all(len(line) <= 80 for line in rest.splitlines() if not line.startswith("    "))
    assert "```" not in rest


def test_every_code_of_the_catalogue_has_a_page(buzzflow: Buzzflow) -> None:
    text = (ROOT / "docs" / "errors.md").read_text("utf-8")
    last = re.findall(r"^### (BF\d{3})$", text, re.MULTILINE)[-1]
    told = json.loads(buzzflow("explain", last, "--json").stdout)
    assert told["code"] == last
    assert told["text"] in text


def test_an_unknown_code_gets_the_nearest_ones(buzzflow: Buzzflow) -> None:
    done = buzzflow("explain", "bf299")
    assert done.returncode == 1
    assert "error[BF162]: there is no code BF299\n  help: did you mean BF300, BF301, BF302?" in done.stderr


def test_a_value_is_explained_with_every_layer(buzzflow: Buzzflow, project: Path) -> None:
    (project / "pipeline.local.yaml").write_text("steps: {train: {timeout: 5m}}\n")
    done = buzzflow("explain", ".", "steps.train.timeout", "--local", "--set", "defaults.timeout=1h")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "steps.train.timeout: 5m",
        "",
        "> step      5m   pipeline.local.yaml:1:26",
        "  defaults  1h   --set defaults.timeout",
        "  built-in  24h",
    ]
    [told] = json.loads(
        buzzflow("explain", ".", "steps.train.timeout", "--json", "--set", "defaults.timeout=1h").stdout
    )
    assert (told["value"], told["set"], told["rungs"][0]["layer"]) == ("1h", True, "defaults")


def test_a_wrong_path_is_told_with_the_nearest_key(buzzflow: Buzzflow) -> None:
    done = buzzflow("explain", "pipeline.yaml", "steps.train.timout")
    assert done.returncode == 1
    assert "error[BF161]: 'steps.train' has no key 'timout'\n  help: did you mean 'timeout'?" in done.stderr


def test_a_pipeline_without_a_key_is_wrong_usage(buzzflow: Buzzflow) -> None:
    done = buzzflow("explain", "pipeline.yaml")
    assert done.returncode == 2
    assert "steps.train.instance.type" in done.stderr


def test_the_pages_are_found_where_buzzflow_is_installed() -> None:
    assert "### BF302" in catalogue().read_text("utf-8")
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {"docs/errors.md": "buzzflow/errors.md"}


def test_the_page_inside_the_package_comes_first(tmp_path: Path) -> None:
    package = tmp_path / "buzzflow"
    package.symlink_to(str(files("buzzflow")), target_is_directory=True)
    copy = tmp_path / "installed" / "buzzflow"
    copy.mkdir(parents=True)
    for name in ("__init__.py", "cli", "views", "loader", "diagnostics.py", "template.py", "ir", "driver"):
        (copy / name).symlink_to(package / name)
    (copy / "errors.md").write_text("### BF302\n\nfrom the package\n")
    code = "from buzzflow.cli.explain import show_code; show_code('BF302', as_json=False)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=copy.parent, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "BF302\n\nfrom the package\n"


def test_a_secret_is_in_no_output_of_any_format(buzzflow: Buzzflow, project: Path) -> None:
    token = "ghp_" + "A7b" * 12
    (project / "pipeline.yaml").write_text(
        "steps:\n  s:\n    type: processing\n    code: extract.py\n"
        f"    environment_variables: {{DB_PASSWORD: hunter2, T: {token}}}\n"
        f"    tags: {{aws_secret: {'aB3/' * 10}, other: {token}}}\n"
    )
    for form in ("human", "json", "sarif", "github"):
        done = buzzflow("validate", "--format", form)
        assert done.returncode == 1
        output = done.stdout + done.stderr
        assert output.count("BF160") >= 4
        assert "aB3/aB" not in output
        assert "hunter" not in output
        assert token[4:12] not in output


def test_a_secret_on_the_line_of_another_problem_is_masked(buzzflow: Buzzflow, project: Path) -> None:
    token = "ghp_" + "A7b" * 12
    (project / "pipeline.yaml").write_text(f"variables: {{t: {token}, password: hunter2, b: ${{x}}}}\nsteps: {{}}\n")
    done = buzzflow("validate")
    assert "error[BF110]" in done.stderr
    assert token[4:12] not in done.stderr
    assert "hunter2" not in done.stderr


def test_what_a_setting_gives_has_no_place_in_a_file(buzzflow: Buzzflow) -> None:
    setting = ("--set", "steps.train.timeout=soon")
    told = json.loads(buzzflow("validate", "--format", "sarif", *setting).stdout)
    [result] = told["runs"][0]["results"]
    assert "locations" not in result
    assert "at: --set steps.train.timeout" in result["message"]["text"]
    github = buzzflow("validate", "--format", "github", *setting).stdout
    assert github.startswith("::error title=BF206::")
    human = buzzflow("validate", *setting).stderr
    assert "  --> --set steps.train.timeout\n" in human
