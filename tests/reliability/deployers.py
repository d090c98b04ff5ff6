"""Several deployers at once, each with another version of the pipeline: with the lock, and without it as a control.

What is torn: a pipeline whose definition is one deployer's and whose tags are another's. UpdatePipeline and AddTags are
two requests, and the service has no condition for either.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from buzzflow.backends.sagemaker.deploying import apply as applying
from buzzflow.backends.sagemaker.deploying import journal
from buzzflow.backends.sagemaker.deploying.apply import Outside
from buzzflow.backends.sagemaker.deploying.bucket import Bucket
from buzzflow.backends.sagemaker.deploying.deployment import DIGEST
from buzzflow.backends.sagemaker.deploying.holder import Holder
from buzzflow.backends.sagemaker.deploying.lock import Lock
from buzzflow.diagnostics import PipelineError
from buzzflow.driver.deploy import Accounts, Ready, deploy, ready_pipelines
from tests.reliability.project import NAME
from tests.reliability.world import World

DEPLOYERS = 4
LATENCY = 0.003  # seconds at most, in each direction; without any, what two requests write rarely overlaps
_LONGEST = 0.02  # seconds between two looks at the lock, where a deployment takes two


@dataclass
class Contest:
    """What came of some rounds: *outcomes* counts how single deployments ended, by code where they were refused."""

    rounds: int = 0
    torn: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Contest) -> Contest:
        return Contest(self.rounds + other.rounds, self.torn + other.torn, self.outcomes + other.outcomes)


def contest(world: World, rounds: int, *, locked: bool) -> Contest:
    """Let `DEPLOYERS` start at once, *rounds* times; without the lock where *locked* is false."""
    found = Contest()
    ready = [_version(world.projects["new"], n) for n in range(DEPLOYERS)]
    accounts = Accounts()
    world.put("old")
    world.aws.latency = LATENCY
    with _no_guard() if not locked else _as_it_is(), ThreadPoolExecutor(DEPLOYERS) as pool:
        for _ in range(rounds):
            barrier = threading.Barrier(DEPLOYERS)
            found.outcomes.update(pool.map(lambda r: _outcome(r, accounts, barrier), ready))  # noqa: B023
            found.rounds += 1
            found.torn += _is_torn(world, ready)
            world.aws.calls.clear()
    for account in accounts.made.values():
        for client in (account.s3, account.sagemaker, account.sts):
            client.close()
    return found


def _version(project: Path, number: int) -> Ready:
    [ready] = ready_pipelines([project], [f"description=version {number}", f"tags.team=team-{number}"])
    return ready


def _outcome(ready: Ready, accounts: Accounts, barrier: threading.Barrier) -> str:
    outside = Outside({}, {}, tell=lambda _: None, lock_timeout=60.0, sleep=lambda s: time.sleep(min(s, _LONGEST)))
    barrier.wait()
    try:
        return "wrote" if deploy(ready, accounts, outside).wrote else "nothing to do"
    except PipelineError as e:
        return str(e.diagnostics[0].code)


def _is_torn(world: World, ready: Sequence[Ready]) -> bool:
    held = world.now()
    assert held is not None
    [by_text] = [r for r in ready if r.wanted.description == held.description]
    expected: Mapping[str, str] = by_text.wanted.tags
    return any(held.tags.get(key) != expected[key] for key in (DIGEST, "team"))


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield


@contextmanager
def _no_guard() -> Iterator[None]:
    """Take away what keeps deployers apart: the lock, and the condition under which the journal is written."""
    lock, write = applying.locked, journal.write

    @contextmanager
    def unlocked(bucket: Bucket, name: str, holder: Holder, **_: Any) -> Iterator[Lock]:
        yield _Nothing(bucket, name, "", holder)

    def unconditional(bucket: Bucket, name: str, entry: journal.Entry) -> journal.Entry:
        found = journal.read(bucket, name)
        try:
            return write(bucket, name, replace(entry, etag=found.etag))
        except PipelineError:
            return entry

    applying.locked, journal.write = unlocked, unconditional  # type: ignore[assignment]
    try:
        yield
    finally:
        applying.locked, journal.write = lock, write


class _Nothing(Lock):
    """A lock that locks nothing."""

    def check(self) -> None:
        return


__all__ = ["DEPLOYERS", "NAME", "Contest", "contest"]
