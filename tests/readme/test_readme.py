"""Every console block of the README is what its command prints, but for figures; `UPDATE_GOLDEN=1` writes it again."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
_BLOCK = re.compile(r"<!-- (?P<name>[a-z-]+) -->\n```console\n\$ (?P<command>[^\n]+)\n(?P<output>.*?)```\n", re.DOTALL)
BLOCKS = {m["name"]: m for m in _BLOCK.finditer(README.read_text("utf-8"))}


def _figures_hidden(text: str) -> list[str]:
    """Return the lines without what differs from run to run: figures, run names, and the room that they take."""
    # which steps take long enough to be worth advice hangs on the machine
    text = re.sub(r"^\S+: .* fits, \d+ % cheaper\n|^.*more: buzzflow advise\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"\d{8}-\d{6}-[0-9a-f]{4}", "RUN", text)
    text = re.sub(r"\b[0-9a-f]{12}\b", "DIGEST", text)
    text = re.sub(r"\d+ (min|h) (?=\d)", "", text)  # a busy machine takes minutes where the README has seconds
    text = re.sub(r"\d[\d.,]*( (KiB|MiB|GiB|min|s|ms)\b)*", "N", text)
    lines = [re.sub(r"\s+", " ", re.sub(r"─+", "─", line)).strip() for line in text.splitlines()]
    return [re.sub(r"( (N|-))+$", "", line) for line in lines if line]


def _print(command: str, folder: Path, *, both: bool) -> str:
    buzzflow = Path(sys.executable).with_name("buzzflow")
    done = subprocess.run(
        [buzzflow, *command.split()[1:]],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if both else subprocess.DEVNULL,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode in (0, 1, 4), done.stdout
    return done.stdout


@pytest.fixture
def churn(tmp_path: Path) -> Path:
    """The README's own pipeline, with a typo."""
    text = README.read_text("utf-8")
    pipeline = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert pipeline is not None
    (tmp_path / "churn").mkdir()
    for script in ("extract.py", "train.py", "evaluate.py"):
        (tmp_path / "churn" / script).write_text("")
    wrong = (
        pipeline[1].replace("extract.outputs.train}", "extract.outputs.tran}").replace("  code: train", "  cod: train")
    )
    (tmp_path / "churn" / "pipeline.yaml").write_text(wrong.replace("    cod: train.py", "    code: train.py"))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "both"),
    [pytest.param("demo", False, marks=pytest.mark.slow), ("typo", True), ("failing", False), ("dry-run", False)],
)
def test_a_console_block_is_what_its_command_prints(name: str, both: bool, churn: Path) -> None:
    block = BLOCKS[name]
    output = _print(block["command"], churn if name == "typo" else ROOT, both=both)
    if name == "failing":  # its log goes to stderr with the progress: the screen is told apart from it
        whole = _print(block["command"], ROOT, both=True)
        output = whole[whole.index("\nstep ") + 1 :]
    assert output.strip()
    if os.environ.get("UPDATE_GOLDEN"):
        _write(name, output)
        return
    assert _figures_hidden(output) == _figures_hidden(block["output"])


def _write(name: str, output: str) -> None:
    text = README.read_text("utf-8")
    block = next(m for m in _BLOCK.finditer(text) if m["name"] == name)
    lines = [line.rstrip() for line in output.strip("\n").splitlines()]
    README.write_text(text[: block.start("output")] + "\n".join(lines) + "\n" + text[block.end("output") :], "utf-8")


def test_the_yaml_of_the_readme_is_valid(churn: Path) -> None:
    file = churn / "churn" / "pipeline.yaml"
    file.write_text(file.read_text().replace(".tran}", ".train}"))
    assert "valid for local" in _print("buzzflow validate churn", churn, both=True)
    shutil.rmtree(churn / "churn")
