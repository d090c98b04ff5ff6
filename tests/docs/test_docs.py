"""The pages in docs/ say what the code says: tables and screens are fresh, links lead somewhere, no code is missing."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import refresh_docs  # noqa: E402

PAGES = sorted((ROOT / "docs").rglob("*.md"))


@pytest.fixture(scope="module")
def fresh() -> dict[Path, str]:
    return refresh_docs.refreshed()


@pytest.mark.parametrize("name", ["language", "step-types", "requests", "local", "errors"])
def test_a_page_has_what_the_code_says(name: str, fresh: dict[Path, str]) -> None:
    page = ROOT / "docs" / f"{name}.md"
    assert page.read_text("utf-8") == fresh[page], "run: python tools/refresh_docs.py"


def test_every_code_has_a_section() -> None:
    used = {c for file in (ROOT / "buzzflow").rglob("*.py") for c in re.findall(r"BF\d{3}", file.read_text("utf-8"))}
    told = re.findall(r"^### (BF\d{3})$", (ROOT / "docs" / "errors.md").read_text("utf-8"), re.MULTILINE)
    assert told == sorted(used)


@pytest.mark.parametrize("page", [*PAGES, *sorted((ROOT / ".github" / "decisions").glob("*.md"))], ids=lambda p: p.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), target
        assert not anchor or anchor in _anchors(file.read_text("utf-8")), target


def _anchors(text: str) -> set[str]:
    """Return GitHub's anchors of the headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", h.lower()).replace(" ", "-") for h in headings}


def test_every_fragment_is_yaml() -> None:
    fragments = [
        f for page in PAGES for f in re.findall(r"```yaml fragment\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    ]
    assert fragments
    for fragment in fragments:
        assert isinstance(yaml.safe_load(fragment), dict)
