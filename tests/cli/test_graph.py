"""`buzzflow graph`: every format on stdout, files by their ending, and what it says instead of a picture."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

Buzzflow = Callable[..., subprocess.CompletedProcess[str]]
STEPS = ["extract", "train", "evaluate", "gate", "reject"]


def test_without_a_format_it_prints_mermaid(buzzflow: Buzzflow) -> None:
    done = buzzflow("graph")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:4] == ["---", "title: small", "---", "flowchart TD"]
    assert '  s_extract -->|"data"| s_train' in done.stdout.splitlines()
    assert '  s_gate ==>|"no"| s_reject' in done.stdout.splitlines()


def test_every_format_is_printed(buzzflow: Buzzflow) -> None:
    assert buzzflow("graph", "--format", "dot").stdout.startswith('digraph "small" {')
    assert ET.fromstring(buzzflow("graph", "--format", "svg").stdout).tag.endswith("svg")
    assert buzzflow("graph", "--format", "text").stdout.startswith("small: 5 steps\n")
    assert [n["name"] for n in json.loads(buzzflow("graph", "--json").stdout)["nodes"]] == STEPS


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("g.mmd", "---"),
        ("g.dot", "digraph"),
        ("g.gv", "digraph"),
        ("g.SVG", "<svg"),
        ("g.json", "{"),
        ("g.txt", "small"),
    ],
)
def test_the_ending_of_a_file_decides_the_format(name: str, start: str, buzzflow: Buzzflow, project: Path) -> None:
    done = buzzflow("graph", "-o", f"pictures/{name}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"wrote pictures/{name}\n")
    assert (project / "pictures" / name).read_text().startswith(start)


def test_a_png_is_written(buzzflow: Buzzflow, project: Path) -> None:
    pytest.importorskip("resvg_py")
    done = buzzflow("graph", "--output", "g.png")
    if "no font" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 0
    assert (project / "g.png").read_bytes().startswith(b"\x89PNG")


def test_a_format_that_is_named_counts_before_the_ending(buzzflow: Buzzflow, project: Path) -> None:
    assert buzzflow("graph", "--format", "mermaid", "--output", "graph.md").returncode == 0
    assert "flowchart TD" in (project / "graph.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(("--format", "gif"), "'gif' is not one of"), (("--output", "g.gif"), "'g.gif' ends in none")],
)
def test_an_unknown_format_is_wrong_usage(arguments: tuple[str, ...], told: str, buzzflow: Buzzflow) -> None:
    done = buzzflow("graph", *arguments)
    assert done.returncode == 2
    assert told in " ".join(done.stderr.replace("│", " ").split())


def test_what_is_wrong_is_told_in_place_of_a_picture(buzzflow: Buzzflow, project: Path) -> None:
    done = buzzflow("graph", "--set", "steps.train.inputs.data=${step:extract.outputs.dat}", "--output", "g.svg")
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[BF302]: step 'extract' has no output 'dat'" in done.stderr
    assert not (project / "g.svg").exists()
    done = buzzflow("graph", "--json", "--set", "steps.train.type=trainin")
    assert done.returncode == 1
    assert json.loads(done.stdout)["ok"] is False


def test_a_file_that_cannot_be_written_is_told(buzzflow: Buzzflow, project: Path) -> None:
    (project / "file").write_text("")
    done = buzzflow("graph", "--output", "file/g.svg")
    assert done.returncode == 1
    assert "error[BF142]: cannot write file" in done.stderr
