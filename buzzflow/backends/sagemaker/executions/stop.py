"""Stop a run."""

from __future__ import annotations

from enum import StrEnum

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.aws.errors import aws_errors, is_refusal
from buzzflow.backends.sagemaker.executions.runs import STOPPING, Run, state_of
from buzzflow.backends.sagemaker.executions.start import new_token


class Stop(StrEnum):
    """What came of asking a run to stop."""

    ASKED = "stopping"
    ALREADY = "already stopping"
    ENDED = "already ended"


def stop(account: Account, run: Run) -> Stop:
    """Ask *run* to stop; one that ends by itself in this moment is no error."""
    if run.summary.ended:
        return Stop.ENDED
    if run.summary.state == STOPPING:
        return Stop.ALREADY
    with aws_errors():
        try:
            account.sagemaker.stop_pipeline_execution(
                PipelineExecutionArn=run.summary.arn, ClientRequestToken=new_token()
            )
        except Exception as e:
            refused = is_refusal(e, "ValidationException", "ConflictException")
            if refused and state_of(account, run.summary.arn) not in ("Executing", STOPPING):
                return Stop.ENDED
            raise
    return Stop.ASKED
