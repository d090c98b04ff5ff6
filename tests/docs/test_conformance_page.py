"""The page about conformance holds the tables that the suite gives."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import refresh_conformance_docs  # noqa: E402


def test_the_page_is_fresh() -> None:
    page = refresh_conformance_docs.PAGE.read_text("utf-8")
    assert page == refresh_conformance_docs.refreshed(), "run: python tools/refresh_conformance_docs.py"
