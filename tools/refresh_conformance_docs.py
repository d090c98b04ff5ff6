"""Write the tables of docs/conformance.md: `python tools/refresh_conformance_docs.py`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the suite is no part of the package

from tests.conformance.coverage import NOT_BUILT, forms  # noqa: E402
from tests.conformance.defects import DEFECTS  # noqa: E402
from tests.conformance.goldens import CASES, VERSION  # noqa: E402
from tests.conformance.rules import RULES  # noqa: E402

PAGE = ROOT / "docs" / "conformance.md"


def main() -> None:
    """Write the page if it changed."""
    text = refreshed()
    if PAGE.read_text("utf-8") != text:
        PAGE.write_text(text, "utf-8")
        print(f"wrote {PAGE.name}")


def refreshed() -> str:
    """Return what the page should hold."""
    text = PAGE.read_text("utf-8")
    for name, rows in _TABLES.items():
        part = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /made -->)", re.DOTALL)
        text = part.sub(lambda m, rows=rows: "\n".join((m[1].rstrip(), *rows(), m[2])), text)
    return text


def _sdk() -> Iterator[str]:
    yield f"SageMaker Python SDK {VERSION}; {len(CASES)} pipelines."


def _differences() -> Iterator[str]:
    yield "| difference | what | why | better |"
    yield "| --- | --- | --- | --- |"
    for rule in RULES:
        yield f"| {rule.name}{' ‡' if rule.defect else ''} | {rule.what} | {rule.why} | {rule.better} |"


def _places() -> Iterator[str]:
    yield "| difference | where |"
    yield "| --- | --- |"
    for rule in RULES:
        yield f"| {rule.name} | {', '.join(f'`{place}`' for place in rule.where)} |"


def _defects() -> Iterator[str]:
    yield f"| SDK {VERSION} | buzzflow |"
    yield "| --- | --- |"
    for defect in DEFECTS:
        yield f"| {defect.sdk} | {defect.buzzflow} |"


def _types() -> Iterator[str]:
    yield "| step type | cases |"
    yield "| --- | --- |"
    for form in (form for form in forms() if form.group == "step type"):
        yield f"| {form.name} | {', '.join(form.cases)} |"
    for kind in NOT_BUILT:
        yield f"| {kind} | none: the SDK cannot build it |"


def _forms() -> Iterator[str]:
    yield "| form | cases |"
    yield "| --- | --- |"
    for form in (form for form in forms() if form.group != "step type"):
        yield f"| {form.group}: {form.name} | {', '.join(form.cases)} |"


_TABLES: dict[str, Callable[[], Iterator[str]]] = {
    "sdk": _sdk,
    "differences": _differences,
    "places": _places,
    "defects": _defects,
    "types": _types,
    "forms": _forms,
}


if __name__ == "__main__":
    main()
