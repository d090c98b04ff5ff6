"""Nothing heavy is imported before it is needed: the start stays quick."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LISTS = """
import sys
from buzzflow.cli.main import main
try:
    main()
except SystemExit as e:
    assert not e.code, e.code
print(*sorted(sys.modules), sep="\\n", file=open("modules.txt", "w"))
"""
HEAVY = {
    "boto3",
    "botocore",
    "docker",
    "requests",
    "urllib3",
    "rich",
    "prometheus_api_client",
    "psutil",
    "pandas",
    "numpy",
    "antlr4",
}
PLAIN = "name: plain\nsteps: {a: {type: processing, image: docker.io/library/python:3.11, code: a.py}}\n"


def imported(folder: Path, pipeline: str, *arguments: str) -> set[str]:
    (folder / "pipeline.yaml").write_text(pipeline)
    (folder / "a.py").write_text("")
    subprocess.run([sys.executable, "-c", LISTS, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return {name.partition(".")[0] for name in (folder / "modules.txt").read_text().splitlines()}


def test_a_plain_pipeline_is_validated_without_heavy_modules(tmp_path: Path) -> None:
    found = imported(tmp_path, PLAIN, "validate")
    assert found & (HEAVY | {"omegaconf"}) == set()


def test_references_need_no_heavy_module(tmp_path: Path) -> None:
    text = "parameters: {p: 1}\nvariables: {v: a.py}\n" + PLAIN.replace("a.py}", 'a.py, arguments: ["${param:p}"]}')
    assert imported(tmp_path, text, "validate") & (HEAVY - {"antlr4"}) == set()


@pytest.mark.parametrize("arguments", [("--version",), ("--help",)])
def test_version_and_help_do_not_even_load_the_models(arguments: tuple[str, ...], tmp_path: Path) -> None:
    found = imported(tmp_path, PLAIN, *arguments)
    assert found & (HEAVY | {"omegaconf", "pydantic", "yaml"}) == set()
