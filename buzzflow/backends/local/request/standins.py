"""Images of public registries that stand in for the service's private framework images on a laptop."""

from __future__ import annotations

from dataclasses import dataclass

from buzzflow.diagnostics import did_you_mean


@dataclass(frozen=True, slots=True)
class StandIn:
    """An image, and the requirements that make it close to the framework's."""

    image: str
    requirements: tuple[str, ...]


class NoStandIn(Exception):
    """No image is known that could stand in."""

    def __init__(self, summary: str, hint: str) -> None:
        super().__init__(summary)
        self.summary, self.hint = summary, hint


# Python and library versions: the tags' own names, and the Dockerfiles of aws/sagemaker-scikit-learn-container and
# aws/sagemaker-xgboost-container; the wheels are the nearest that PyPI has for that Python.
TABLE: dict[str, StandIn] = {
    "sklearn:1.0-1": StandIn("python:3.8-slim", ("scikit-learn==1.0.2", "pandas==1.1.3", "numpy==1.21.0")),
    "sklearn:1.2-1": StandIn("python:3.9-slim", ("scikit-learn==1.2.1", "pandas==1.5.3", "numpy==1.24.1")),
    "sklearn:1.4-2": StandIn("python:3.10-slim", ("scikit-learn==1.4.2", "pandas==2.2.2", "numpy==1.26.4")),
    "xgboost:1.7-1": StandIn("python:3.9-slim", ("xgboost==1.7.4", "scikit-learn==1.0.2", "pandas==1.4.4")),
    "xgboost:3.0-5": StandIn("python:3.10-slim", ("xgboost==3.0.5", "scikit-learn==1.4.2", "pandas==2.2.2")),
}
PYTHON = "python:3.11-slim"  # for code of the user's that brings no image: functions


def find(framework: str, version: str) -> StandIn:
    """Return what stands in for `framework:version`; NoStandIn says how to name one."""
    asked = f"{framework}:{version}"
    if asked in TABLE:
        return TABLE[asked]
    near = did_you_mean(asked, [k for k in TABLE if k.startswith(framework)])
    hint = f"name one in pipeline.local.yaml: local: {{images: {{'{asked}': python:3.11-slim}}}}"
    raise NoStandIn(f"no public image is known that stands in for {asked}", f"{hint}{f'; {near}' if near else ''}")
