"""The last lines of the steps that failed: most often they say why."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.aws.errors import aws_errors
from buzzflow.backends.sagemaker.executions.log_lines import LogLine, last_lines
from buzzflow.backends.sagemaker.executions.log_places import LogPlace, log_places
from buzzflow.backends.sagemaker.executions.progress import Snapshot, State
from buzzflow.diagnostics import PipelineError

LINES = 20


def failed_tails(
    account: Account, seen: Snapshot, tell: Callable[[str], None], *, lines: int = LINES
) -> dict[str, Sequence[LogLine]]:
    """Return the last lines of each failed step that has a log; *tell* is told of logs that cannot be read."""
    found: dict[str, Sequence[LogLine]] = {}
    for step in seen.steps:
        if step.state is not State.FAILED or step.run is None:
            continue
        try:
            with aws_errors():
                places = [place for place in log_places(account, step.run) if isinstance(place, LogPlace)]
                if places:
                    found[step.name] = last_lines(account, places, lines)
        except PipelineError as e:  # what became of the run is told all the same
            tell(f"the log of {step.name} cannot be read: {e.diagnostics[0].summary}")
    return found
