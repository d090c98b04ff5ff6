"""An account and a pipeline in an old and a new state, put into any situation that a fault is to strike."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from buzzflow.backends.sagemaker.deploying.apply import Applied, Outside
from buzzflow.backends.sagemaker.deploying.journal import key_of
from buzzflow.driver.deploy import Accounts, Ready, deploy, ready_pipelines
from tests.aws.fake import FakeAws, serving
from tests.reliability.command import Commands, Run
from tests.reliability.project import BUCKET, CANARIES, NAME, State, write_project


@dataclass(frozen=True)
class Held:
    """What the account holds of the pipeline: all that a deployment writes."""

    text: str
    role: str
    description: str
    tags: Mapping[str, str]

    def is_same_pipeline(self, other: Held) -> bool:
        """Whether both are written by the same request; tags have one of their own."""
        return (self.text, self.role, self.description) == (other.text, other.role, other.description)


@dataclass(frozen=True)
class World:
    """Where all happens. *held* tells what a deployment of each state leaves behind."""

    aws: FakeAws
    commands: Commands
    projects: Mapping[State, Path]
    ready: Mapping[State, Ready]
    held: dict[State, Held]

    def put(self, state: State | None) -> None:
        """Let an empty account hold the pipeline in *state*."""
        self.aws.reset()
        self.aws.make_bucket(BUCKET)
        if state is not None:
            self.deploy(state)
        self.aws.calls.clear()
        self.aws.faults.clear()
        self.aws.faults.hang_seconds = 0.2

    def deploy(self, state: State) -> Applied:
        """Deploy in this process, which is quicker than a command; always by the same clients."""
        ready = self.ready[state]
        return deploy(ready, _ACCOUNTS[self.aws.url], Outside({}, {}, tell=lambda _: None))

    def create(self, state: State) -> Run:
        """Run `buzzflow create` on the pipeline in *state*."""
        return self.commands.run("create", self.projects[state])

    def now(self) -> Held | None:
        found = self.aws.pipeline(NAME)
        if found is None:
            return None
        return Held(found.current.text, found.role, found.description or "", dict(found.tags))

    def locks(self) -> list[str]:
        return [key for key in self.aws.objects(BUCKET) if key.startswith("buzzflow/locks/")]

    def is_unfinished(self) -> bool:
        """Whether the journal says that a deployment has begun and not ended."""
        found = self.aws.objects(BUCKET).get(key_of(NAME), b"{}")
        return json.loads(found).get("pending") is not None

    def stored(self) -> str:
        """Return everything that the account holds, as text."""
        objects = self.aws.objects(BUCKET).values()
        found = self.now()
        return "\n".join([*(content.decode(errors="replace") for content in objects), str(found)])


_ACCOUNTS: dict[str, Accounts] = {}


@contextmanager
def world() -> Iterator[World]:
    """Give a world of its own; this process's variables point at it meanwhile."""
    with serving() as aws, tempfile.TemporaryDirectory() as name, _variables({**aws.env, **CANARIES}):
        folder = Path(name)
        projects = {state: write_project(folder, state) for state in ("old", "new")}
        ready = {state: ready_pipelines([path], [])[0] for state, path in projects.items()}
        commands = Commands(folder, {**aws.env, **CANARIES}, projects["new"])
        _ACCOUNTS[aws.url] = Accounts()
        made = World(aws, commands, projects, ready, {})
        try:
            for state in ready:
                made.put(state)
                held = made.now()
                assert held is not None
                made.held[state] = held
            yield made
        finally:
            commands.close()
            for account in _ACCOUNTS.pop(aws.url).made.values():
                for client in ("s3", "sagemaker", "sts"):
                    getattr(account, client).close()


@contextmanager
def _variables(given: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(given)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
