"""The options of `create` that are for local runs: what they take, and that nothing else takes them."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from buzzflow.cli.local_options import size_of
from buzzflow.cli.main import app


@pytest.mark.parametrize(
    ("text", "size"),
    [("500MB", 500_000_000), ("1.5 GB", 1_500_000_000), ("2GiB", 2 * 2**30), ("10kB", 10_000), ("7B", 7)],
)
def test_a_size_is_a_number_and_a_unit(text: str, size: int) -> None:
    assert size_of(text) == size


@pytest.mark.parametrize("text", ["", "500", "MB", "-1MB", "1e3MB", "500 mb"])
def test_other_text_is_no_size(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no size"):
        size_of(text)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--pull", "never"], "--pull is for --local: a deployment starts nothing"),
        (["--fail", "a=timeout", "--interrupt", "b@3s"], "--fail and --interrupt are for --local"),
        (["--dry-run", "--download", "1MB"], "--download is for --local: a dry run starts nothing"),
        (["--local=auto", "--pull", "sometimes"], "'sometimes' is not missing, never or always"),
        (["--local=auto", "--download", "much"], "'much' is no size"),
    ],
)
def test_an_option_in_the_wrong_place_is_wrong_usage(arguments: list[str], told: str) -> None:
    done = CliRunner().invoke(app, ["create", *arguments], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert told in " ".join(done.stderr.split())
