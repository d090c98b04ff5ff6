"""A repository with one pipeline, and an account to deploy it to."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from buzzflow.cli.main import app

BUCKET = "example-research-ml"
NAME = "research-churn"
ENVIRONMENT = f"""\
name: research
account: "111122223333"
region: us-west-2
role: arn:aws:iam::111122223333:role/buzzflow-research-execution
bucket: {BUCKET}
name_prefix: research-
tags: {{environment: research}}
"""
PIPELINE = """\
name: churn
owner: ads-ml
description: Trains churn
parallelism: 4
parameters: {date: "2026-01-01"}
defaults: {image: "sklearn:1.2-1", cache: 30d}
steps:
  extract: {type: processing, code: extract.py, arguments: {date: "${param:date}"}, outputs: [train]}
  train: {type: training, code: train.py, inputs: {train: "${step:extract.outputs.train}"}}
"""


@dataclass(frozen=True)
class Repository:
    """Files, under Git."""

    root: Path

    @property
    def file(self) -> Path:
        return self.root / "projects/research/churn/pipeline.yaml"

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def change(self, old: str, new: str) -> None:
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))

    def git(self, *arguments: str) -> str:
        own = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"]
        done = subprocess.run(["git", *own, *arguments], cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "change")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository with research/churn, and an origin; it is the current folder."""
    made = Repository(tmp_path / "ml")
    made.write("projects/research/environment.yaml", ENVIRONMENT)
    made.write("projects/research/churn/pipeline.yaml", PIPELINE)
    made.write("projects/research/churn/extract.py", "print('extract')\n")
    made.write("projects/research/churn/train.py", "print('train')\n")
    made.git("init", "--quiet")
    made.git("remote", "add", "origin", "https://someone:ghp_secret@example.com/acme/ml.git")
    made.commit()
    monkeypatch.chdir(made.root)
    monkeypatch.delenv("CI", raising=False)
    return made


@pytest.fixture
def account(aws: Any) -> Any:
    """The fake account with the environment's bucket."""
    aws.make_bucket(BUCKET)
    return aws


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def buzzflow(account: Any, repository: Repository, socket_enabled: None) -> Callable[..., Done]:
    """Run the command in the repository, in this process: what it imports is imported once."""

    def run(*arguments: str, **more: str) -> Done:
        done = CliRunner().invoke(app, arguments, env=more)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Done(done.exit_code, done.stdout, done.stderr)

    return run
