"""The page of the command line says what the commands say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import refresh_cli_docs  # noqa: E402

PAGE = ROOT / "docs" / "cli.md"


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text("utf-8") == refresh_cli_docs.refreshed(), "run: python tools/refresh_cli_docs.py"


def test_every_option_of_the_help_stands_on_the_page() -> None:
    sections = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    told = {part.partition("\n")[0]: part for part in sections}
    buzzflow = Path(sys.executable).with_name("buzzflow")
    help_text = subprocess.run([buzzflow, "--help"], capture_output=True, text=True, check=True).stdout
    commands = re.findall(r"^  ([a-z]+)  ", help_text.partition("Commands:")[2], re.MULTILINE)
    assert len(commands) > 5
    for command in commands:
        shown = subprocess.run(
            [buzzflow, *command.split(), "--help"], capture_output=True, text=True, check=True
        ).stdout
        inner = re.findall(r"^  ([a-z]+)  ", shown.partition("Commands:")[2], re.MULTILINE)
        commands += [f"{command} {word}" for word in inner]
        options = set(re.findall(r"(?<![\w-])--[a-z-]+", shown.partition("Options:")[2])) - {"--help"}
        for option in options:
            assert option in told[command], f"{command} {option}"
