"""Tests of a project's own: compile and check its pipeline, run one step on sample data, compare with a kept file.

Installed with buzzflow, the pytest plugin `buzzflow.testing.plugin` gives the fixtures `pipeline`, `run_step` and
`golden`; what they are made of stands here, for tests that want it otherwise.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from buzzflow.testing.golden import compare
    from buzzflow.testing.step import StepFailed, StepResult, run_step

__all__ = ["StepFailed", "StepResult", "compare", "run_step"]

if not TYPE_CHECKING:  # the plugin is in this package, and is loaded in every run of pytest

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from buzzflow.testing import golden, step

        return getattr(golden if name == "compare" else step, name)
