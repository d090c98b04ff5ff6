"""Join the stages: load, parse, collect code, lower, check, compile, run; and give every problem its line.

The stages are imported when one is first needed: a `validate` that finds all in the cache needs none.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from buzzflow.driver.stages import Checked, check, compile_artifact

__all__ = ["Checked", "check", "compile_artifact"]

if not TYPE_CHECKING:  # mypy sees the names above, and would take any other for one of these

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from buzzflow.driver import stages

        return getattr(stages, name)
