"""Look at the account before anything is written there: what is deployed, what was under way, what would change."""

from __future__ import annotations

from dataclasses import dataclass

from buzzflow.backends.sagemaker.aws.account import Account, check_owner
from buzzflow.backends.sagemaker.aws.errors import aws_errors
from buzzflow.backends.sagemaker.deploying import journal
from buzzflow.backends.sagemaker.deploying.bucket import Bucket
from buzzflow.backends.sagemaker.deploying.deployed import read_deployed
from buzzflow.backends.sagemaker.deploying.deployment import Deployment
from buzzflow.backends.sagemaker.deploying.plan import Plan, plan
from buzzflow.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class Seen:
    """What a deployment would change, and what the journal says of those before it."""

    plan: Plan
    past: journal.Entry

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is to be told of the journal: it is damaged, or the last deployment did not come to its end."""
        told = [] if self.past.problem is None else [self.past.problem]
        return (*told, *([] if self.past.pending is None else [journal.interrupted(self.past.pending)]))


def bucket_of(account: Account, wanted: Deployment) -> Bucket:
    """Return the bucket of *wanted*; PipelineError BF602 when the credentials are of another account than it."""
    return Bucket(account, wanted.bucket, check_owner(account, wanted.account))


def look(bucket: Bucket, wanted: Deployment) -> Seen:
    """Return how *wanted* stands to the account, with requests that only read."""
    with aws_errors():
        past = journal.read(bucket, wanted.name)
        deployed = read_deployed(bucket.account, wanted.name)
    return Seen(plan(wanted, deployed, past.managed), past)
