"""The documentation site is built without a warning, and a reader's browser loads nothing from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("material", reason="the site's tools are not installed: make docs installs them")

ROOT = Path(__file__).parents[2]
PAGES = (
    "index",
    "tutorial",
    "how-to/index",
    "how-to/debug",
    "language",
    "step-types",
    "requests",
    "cli",
    "errors",
    "conformance",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_whole(site: Path, page: str) -> None:
    html = (site / f"{page}.html").read_text("utf-8")
    assert "<h1" in html
    assert "```" not in html  # a block that MkDocs did not take for one


def test_a_browser_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = [*site.rglob("*.html")]
    assert len(pages) > len(PAGES)
    for page in pages:
        loaded = re.findall(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=\"?(https?:[^\">]+)", page.read_text())
        assert not loaded, (page, loaded)


def test_what_only_the_tests_read_is_not_on_the_site(site: Path) -> None:
    assert not [*site.rglob("*.toml")]
    assert not (site / "examples").exists()
