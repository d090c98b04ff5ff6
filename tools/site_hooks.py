"""What MkDocs does with docs/*.md beyond its own: the same files are read on GitHub, as they are."""

from __future__ import annotations

import re

# ```yaml fragment marks, for the tests, a block that is no whole pipeline; MkDocs wants the language alone.
_FRAGMENT = re.compile(r"^```(\w+) fragment\b", re.MULTILINE)


def on_page_markdown(markdown: str, **_: object) -> str:
    """Return the page with the info strings of its blocks as MkDocs reads them."""
    return _FRAGMENT.sub(r"```\1", markdown)
