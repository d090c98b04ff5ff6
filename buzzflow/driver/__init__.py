"""Join the stages: load, parse, collect code, lower, check, compile, run; and give every problem its line."""

from buzzflow.driver.stages import Checked, check, compile_artifact

__all__ = ["Checked", "check", "compile_artifact"]
