"""Every pipeline in docs/*.md and in the README is valid, here and for SageMaker."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from buzzflow.driver import check, compile_artifact

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]
ENVIRONMENT = """\
name: research
account: "111122223333"
region: eu-west-1
bucket: example-ml
role: arn:aws:iam::111122223333:role/example
"""


def _pipelines() -> list[Any]:
    found = []
    for page in PAGES:
        text = page.read_text("utf-8")
        for match in re.finditer(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            line = text.count("\n", 0, match.start()) + 1
            if re.search(r"^steps:", match[1], re.MULTILINE):
                found.append(pytest.param(match[1], id=f"{page.name}:{line}"))
    return found


@pytest.mark.parametrize("text", _pipelines())
@pytest.mark.parametrize("backend", ["local", "sagemaker"])
def test_a_pipeline_of_the_docs_is_valid(text: str, backend: str, tmp_path: Path) -> None:
    folder = tmp_path / "projects" / "research" / "example"
    folder.mkdir(parents=True)
    (folder / "pipeline.yaml").write_text(text)
    (folder / "environment.yaml").write_text(ENVIRONMENT)
    (folder / "requirements.txt").write_text("")
    steps = yaml.safe_load(text)["steps"].values()
    for script in [*_scripts(steps), *_data(steps)]:
        (folder / script).parent.mkdir(parents=True, exist_ok=True)
        (folder / script).write_text("")
    checked = check(folder, backend=backend)

    assert compile_artifact(checked).content


def _scripts(steps: Iterable[dict[str, Any]]) -> list[str]:
    codes = [step["code"] for step in steps if "code" in step]
    return [code if isinstance(code, str) else code["entry_point"] for code in codes]


def _data(steps: Iterable[dict[str, Any]]) -> list[str]:
    given = [value for step in steps for value in step.get("inputs", {}).values()]
    return [value for value in given if isinstance(value, str) and value.startswith("./")]
