"""Who follows the tutorial or a how-to page gets what it shows; `UPDATE_GOLDEN=1` writes the screens again."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from buzzflow import PipelineError, load
from tests.aws.fake import FakeAws
from tests.aws.sagemaker.scripts import step
from tests.docs.page import Reader, blocks, scripts

DOCS = Path(__file__).parents[2] / "docs"
TUTORIAL = DOCS / "tutorial.md"
HOW_TO = sorted(p for p in (DOCS / "how-to").glob("*.md") if p.name != "index.md")
ON_SAGEMAKER = DOCS / "how-to" / "run-on-sagemaker.md"
INDEX = DOCS / "how-to" / "index.md"
_OUTSIDE = ("bash", "text", "python", "json")  # languages of blocks that need no title


def _followed(page: Path, folder: Path) -> None:
    update = bool(os.environ.get("UPDATE_GOLDEN"))
    reader = Reader(page, folder, update=update)
    reader.follow()
    if update:
        page.write_text(reader.told, "utf-8")


def test_the_tutorial_does_what_it_shows(tmp_path: Path) -> None:
    _followed(TUTORIAL, tmp_path)

    _drawn_as(load(tmp_path / "churn").graph("svg"), DOCS / "assets" / "churn.svg")


def test_the_picture_on_the_first_page_is_of_its_pipeline(tmp_path: Path) -> None:
    (pipeline,) = (b for b in blocks(DOCS / "index.md") if b.language == "yaml")
    (tmp_path / "pipeline.yaml").write_text(pipeline.body)
    for script in scripts(yaml.safe_load(pipeline.body)):
        (tmp_path / script).write_text("")

    _drawn_as(load(tmp_path).graph("svg"), DOCS / "assets" / "home.svg")


def _drawn_as(drawn: str, picture: Path) -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        picture.write_text(drawn, "utf-8")
    assert picture.read_text("utf-8") == drawn


@pytest.fixture
def repository(tmp_path: Path, aws: FakeAws) -> Path:
    """The repository that the how-to pages start from, and an account with its bucket."""
    aws.make_bucket("example-ml")
    (tmp_path / ".git").mkdir()
    Reader(INDEX, tmp_path).follow()
    return tmp_path


@pytest.mark.parametrize("page", [p for p in HOW_TO if p != ON_SAGEMAKER], ids=lambda p: p.stem)
def test_a_how_to_page_does_what_it_shows(page: Path, repository: Path) -> None:
    _followed(page, repository)
    _all_compile(repository)


def test_the_page_about_runs_does_what_it_shows(aws: FakeAws, repository: Path) -> None:
    reason, lines = "InternalServerError: We encountered an internal error. Please try again.", ["read 1,204 rows"]
    reader = _Operator(ON_SAGEMAKER, repository, update=bool(os.environ.get("UPDATE_GOLDEN")))
    fails = {"extract": step(95), "train": step(42, reason, lines=lines)}
    reader.before = {
        "buzzflow run": lambda: aws.will_run(fails, "churn"),
        "buzzflow status": lambda: aws.clock.advance(600),
        "buzzflow resume": lambda: aws.will_run({"train": step(4, lines=[*lines, "auc=0.81"])}, "churn"),
    }
    reader.follow()
    if os.environ.get("UPDATE_GOLDEN"):
        ON_SAGEMAKER.write_text(reader.told, "utf-8")
    _all_compile(repository)


class _Operator(Reader):
    """A reader around whom the world changes before some commands."""

    before: Mapping[str, Callable[[], None]] = {}

    def _run(self, command: str) -> str:
        for beginning, change in self.before.items():
            if command.startswith(beginning):
                change()
        return super()._run(command)


def _all_compile(repository: Path) -> None:
    pipelines = [*repository.glob("projects/*/*/*pipeline.yaml")]
    assert pipelines
    for pipeline in pipelines:
        try:
            assert load(pipeline, backend="sagemaker").compile().content
            if pipeline.with_name("pipeline.local.yaml").exists():
                assert load(pipeline, backend="local", local=True).steps
        except PipelineError as e:
            pytest.fail(f"{pipeline.relative_to(repository)}\n{e}", pytrace=False)


@pytest.mark.parametrize("page", [TUTORIAL, *HOW_TO], ids=lambda p: p.stem)
def test_every_block_is_run_or_written(page: Path) -> None:
    for block in blocks(page):
        if block.language == "yaml" and block.title is None:
            assert "fragment" in block.info, f"{page.name}:{block.line}: a title is missing"
            yaml.safe_load(block.body)
        elif block.language == "python":
            compile(block.body, f"{page.name}:{block.line}", "exec")
        elif block.title is None:
            assert block.language in ("console", *_OUTSIDE), f"{page.name}:{block.line}"


@pytest.mark.parametrize("page", HOW_TO, ids=lambda p: p.stem)
def test_a_how_to_page_is_short_and_in_the_list(page: Path) -> None:
    assert len(page.read_text("utf-8").splitlines()) <= 120
    assert f"]({page.name})" in INDEX.read_text("utf-8")


def test_the_site_lists_every_page() -> None:
    listed = re.findall(r"[\w/-]+\.md", (DOCS.parent / "mkdocs.yml").read_text("utf-8"))
    assert sorted(listed) == sorted(str(p.relative_to(DOCS)) for p in DOCS.rglob("*.md"))
