"""Read what steps print as it comes, until they have ended and CloudWatch has delivered all of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.aws.errors import aws_errors
from buzzflow.backends.sagemaker.executions.log_lines import LogLine, Tail
from buzzflow.backends.sagemaker.executions.log_places import LogPlace, NoLog, log_places
from buzzflow.backends.sagemaker.executions.runs import Run, describe_run
from buzzflow.backends.sagemaker.executions.steps import StepRun, list_steps
from buzzflow.backends.sagemaker.executions.watch import Pace, patiently

_SETTLED = 2  # looks without a new line after the end of a step: CloudWatch delivers some seconds late


@dataclass
class Follow:
    """Which steps of *run* are followed: *names*, or all when there are none."""

    account: Account
    run: Run
    names: Collection[str]
    tail: Tail
    quiet: dict[str, int] = field(default_factory=dict)

    def look(self) -> tuple[list[LogLine], bool]:
        """Return what is new, and whether nothing more can come."""
        with aws_errors():
            ended = describe_run(self.account, self.run.summary.arn, self.run.pipeline).summary.ended
            steps = of_names(list_steps(self.account, self.run.summary.arn), self.names)
            unread = [step for step in steps if self.quiet.get(step.shown_name, 0) < _SETTLED]
            lines = self.tail.new_lines(
                [place for step in unread for place in log_places(self.account, step) if isinstance(place, LogPlace)]
            )
        for step in unread:
            spoke = any(line.step == step.shown_name for line in lines)
            silent = step.ended is not None and not spoke
            self.quiet[step.shown_name] = self.quiet.get(step.shown_name, 0) + 1 if silent else 0
        return lines, not unread and (ended or self._all_ended(steps))

    def _all_ended(self, steps: Sequence[StepRun]) -> bool:
        return bool(self.names) and {*self.names} <= {step.name for step in steps if step.ended is not None}


def of_names(steps: Sequence[StepRun], names: Collection[str]) -> list[StepRun]:
    """Return those of *steps* that are named, or all when there are no names."""
    return [step for step in steps if not names or step.name in names]


def follow(wanted: Follow, pace: Pace, trouble: Callable[[str], None]) -> Iterator[list[LogLine]]:
    """Yield what is new after each look, until nothing more can come."""
    while True:
        lines, over = patiently(wanted.look, pace, trouble)
        yield lines
        if over:
            return
        pace.clock.sleep(pace.interval)


def places_of(account: Account, steps: Sequence[StepRun]) -> tuple[list[LogPlace], list[NoLog]]:
    """Return where *steps* log, and why others do not."""
    with aws_errors():
        found = [place for step in steps for place in log_places(account, step)]
    places = [place for place in found if isinstance(place, LogPlace)]
    return places, [place for place in found if isinstance(place, NoLog)]
