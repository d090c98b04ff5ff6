"""Pipelines that Hypothesis makes: the right ones compile on both backends, the rest gets diagnostics with places."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.errors.case import ENVIRONMENT, PIPELINE
from tests.errors.conftest import FILES
from tests.fuzz.judge import Projects, judge
from tests.fuzz.mutate import Mutant
from tests.fuzz.seeds import ROOT, Seed

SEED = Seed("hypothesis/made", {}, {name: text.encode() for name, text in FILES.items()})
WORDS = ("y", "n", "no", "yes", "on", "off", "true", "false", "null")  # which YAML reads as something else
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,12}", fullmatch=True).filter(lambda n: n.lower() not in WORDS)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(max_size=20)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def pipelines(draw: st.DrawFn) -> dict[str, Any]:
    """Return a right pipeline: a chain of jobs in which each may read what those before it wrote."""
    steps: dict[str, Any] = {}
    outputs: list[str] = []
    for name in draw(st.lists(NAMES, min_size=1, max_size=5, unique_by=str.lower)):
        chosen = draw(st.lists(st.sampled_from(outputs), max_size=3, unique=True)) if outputs else []
        inputs = {f"in{i}": reference for i, reference in enumerate(chosen)}
        if draw(st.booleans()):
            steps[name] = {"type": "processing", "code": "extract.py", "inputs": inputs, "outputs": ["rows"]}
            outputs.append(f"${{step:{name}.outputs.rows}}")
        else:
            steps[name] = {"type": "training", "code": "train.py", "inputs": inputs}
            outputs.append(f"${{step:{name}.model}}")
        if draw(st.booleans()):
            steps[name]["timeout"] = draw(st.sampled_from(["90s", "15m", "2h", "1h30m"]))
    return {"defaults": {"image": "sklearn:1.4-2"}, "steps": steps}


def _judged(data: Any) -> Any:
    environment = (ROOT / "tests" / "errors" / ENVIRONMENT).read_text("utf-8")
    texts = {PIPELINE: json.dumps(data, indent=1), ENVIRONMENT: environment}
    with tempfile.TemporaryDirectory() as folder:
        return judge(Mutant(SEED, texts, (), local=False), Projects(Path(folder)))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(pipelines())
def test_a_right_pipeline_of_any_shape_compiles_on_both_backends(pipeline: dict[str, Any]) -> None:
    verdict = _judged(pipeline)

    assert verdict.problem is None
    assert verdict.valid
    assert verdict.codes == set()


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(pipelines(), st.data())
def test_any_value_in_any_place_of_a_pipeline_gets_no_worse_than_diagnostics(
    pipeline: dict[str, Any], data: Any
) -> None:
    step = pipeline["steps"][data.draw(st.sampled_from(sorted(pipeline["steps"])))]
    fields = [
        *step,
        "instance",
        "arguments",
        "network",
        "hyperparameters",
        "foreach",
        "depends_on",
        "retry",
        "cache",
        "if",
    ]
    step[data.draw(st.sampled_from(fields))] = data.draw(TREES)

    assert _judged(pipeline).problem is None


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(TREES)
def test_any_tree_gets_no_worse_than_diagnostics(tree: Any) -> None:
    verdict = _judged(tree)

    assert verdict.problem is None
    assert verdict.codes
