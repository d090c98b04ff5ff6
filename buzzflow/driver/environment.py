"""What an environment.yaml says, checked: light enough for commands that compile nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from buzzflow.config.parse import parse_environment
from buzzflow.config.pipeline import EnvironmentConfig
from buzzflow.diagnostics import PipelineError
from buzzflow.loader.load import read_environment
from buzzflow.loader.nodes import SourceMap


def check_environment(data: Mapping[str, Any], source: SourceMap) -> EnvironmentConfig:
    """Return what *data* says; PipelineError tells what is wrong, with the lines of *source*."""
    try:
        return parse_environment(data)
    except PipelineError as e:
        from buzzflow.driver.stages import with_places  # brings the whole compiler

        raise PipelineError(with_places(e.diagnostics, source)) from None


def environment_in(file: Path) -> EnvironmentConfig:
    """Return what the environment.yaml *file* says; PipelineError tells what is wrong with it."""
    tree = read_environment(file)
    return check_environment(tree.plain(), SourceMap(tree))
