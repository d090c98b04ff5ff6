"""Tests of a project's own: compile and check its pipeline, run one step on sample data, compare with a kept file.

Installed with buzzflow, the pytest plugin `buzzflow.testing.plugin` gives the fixtures `pipeline`, `run_step` and
`golden`; what they are made of stands here, for tests that want it otherwise.
"""

from buzzflow.testing.golden import compare
from buzzflow.testing.step import StepFailed, StepResult, run_step

__all__ = ["StepFailed", "StepResult", "compare", "run_step"]
