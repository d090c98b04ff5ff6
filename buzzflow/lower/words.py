"""What `${step:name.word}` gives, by the type of the step. Backends say how they spell each word."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from buzzflow.ir import Kind

_JOB = {"job_name": Kind.TEXT, "arn": Kind.ARN}
WORDS: Mapping[str, Mapping[str, Kind]] = {
    "processing": _JOB,
    "training": {"model": Kind.ARTIFACT, "output_uri": Kind.URI, "image": Kind.TEXT, **_JOB},
    "tuning": {"best.model": Kind.ARTIFACT, "best.job_name": Kind.TEXT, "best.metric": Kind.NUMBER, **_JOB},
    "transform": _JOB,
    "model": {"name": Kind.MODEL, "arn": Kind.ARN},
    "register_model": {"arn": Kind.ARN},
    "condition": {"outcome": Kind.TEXT},
    "fail": {},
    "foreach": {
        "status": Kind.TEXT,
        "items": Kind.NUMBER,
        "succeeded": Kind.NUMBER,
        "failed": Kind.NUMBER,
        "stopped": Kind.NUMBER,
    },
    "lambda": {},
    "callback": {},
    "quality_check": {
        "statistics": Kind.URI,
        "constraints": Kind.URI,
        "used_statistics": Kind.URI,
        "used_constraints": Kind.URI,
    },
    "clarify_check": {"constraints": Kind.URI, "used_constraints": Kind.URI},
    "automl": {"best.model": Kind.ARTIFACT, "best.image": Kind.TEXT, **_JOB},
    "notebook": {"output_uri": Kind.URI, **_JOB},
    "emr": {},
    "emr_serverless": {},
    "endpoint_config": {"name": Kind.TEXT, "arn": Kind.ARN},
    "endpoint": {"name": Kind.TEXT, "arn": Kind.ARN},
    "inference_component": {"name": Kind.TEXT, "arn": Kind.ARN},
    "lineage": {},
    "job": _JOB,
    "cleanup": {},
    "raw": {},
}


@dataclass(frozen=True, slots=True)
class Pattern:
    """Words with a name or number of the user's in them; *shown* is how the documentation writes them."""

    shown: str
    regex: re.Pattern[str]
    kind: Kind


_RANK = r"rank\.([1-9][0-9]?|100)"
_NAME = r"[A-Za-z0-9_-]+"
PATTERNS: Mapping[str, tuple[Pattern, ...]] = {
    "tuning": (
        Pattern("rank.<k>.model", re.compile(rf"{_RANK}\.model"), Kind.ARTIFACT),
        Pattern("rank.<k>.job_name", re.compile(rf"{_RANK}\.job_name"), Kind.TEXT),
    ),
    "automl": (
        Pattern("best.environment_variables.<name>", re.compile(r"best\.environment_variables\.\w+"), Kind.TEXT),
    ),
    "lineage": tuple(
        Pattern(f"{kind}.<name>", re.compile(rf"{kind}\.{_NAME}"), Kind.ARN)
        for kind in ("actions", "artifacts", "contexts")
    ),
}
# what a run-time property path may be asked of: types whose steps the service describes
WITHOUT_PROPERTIES = frozenset(("condition", "fail", "cleanup"))


def kind_of(step_type: str, word: str) -> Kind | None:
    """Return what *word* gives for a step of *step_type*, None when it has no such word."""
    if (kind := WORDS[step_type].get(word)) is not None:
        return kind
    return next((p.kind for p in PATTERNS.get(step_type, ()) if p.regex.fullmatch(word)), None)


def words_of(step_type: str) -> list[str]:
    """Return every word of a type, those with names in them as the documentation writes them."""
    return [*WORDS[step_type], *(p.shown for p in PATTERNS.get(step_type, ()))]
