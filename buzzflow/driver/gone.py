"""Pipelines that were deployed from this repository, and are in it no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from buzzflow.backends.sagemaker.aws.account import check_owner
from buzzflow.backends.sagemaker.aws.errors import aws_errors
from buzzflow.backends.sagemaker.deploying.owned import Owned, owned_by
from buzzflow.backends.sagemaker.places import deployed_name
from buzzflow.config.pipeline import EnvironmentConfig
from buzzflow.diagnostics import Diagnostic, PipelineError, Severity
from buzzflow.driver.deploy import BACKEND, Accounts
from buzzflow.driver.environment import environment_in
from buzzflow.driver.git import repository_of
from buzzflow.driver.stages import check
from buzzflow.loader.files import find_environments, find_root, shown


@dataclass(frozen=True, slots=True)
class Gone:
    """A deployed pipeline whose file is no more, or makes a pipeline of another name; *why* says which."""

    owned: Owned
    environment: EnvironmentConfig
    region: str
    why: str


def gone_pipelines(target: Path, accounts: Accounts) -> tuple[list[Gone], list[Diagnostic]]:
    """Return what is gone from the environments of the repository of *target*, and warnings about what is unknown.

    *target* names one environment by a file or folder in it; every environment when it is above them all. A
    repository without a name has none: nothing tells which pipelines are its own.
    """
    root = find_root(target / "any" if target.is_dir() else target)
    repository = repository_of(root)
    if not repository:
        summary = f"{shown(root)} has no origin, so nothing tells which deployed pipelines are its own"
        raise PipelineError(
            [Diagnostic("BF617", summary, hint="git remote add origin …, as where it was deployed from")]
        )
    found: list[Gone] = []
    warnings: list[Diagnostic] = []
    for environment in _environments(target, root):
        if environment.region is None:
            continue
        account = accounts.in_region(environment.region)
        check_owner(account, environment.account)
        with aws_errors():
            owned = [*owned_by(account, repository, environment.name_prefix)]
        for each in owned:
            match _why(each, root):
                case None:
                    pass
                case Diagnostic() as warning:
                    warnings.append(warning)
                case why:
                    found.append(Gone(each, environment, environment.region, why))
    return found, warnings


def _environments(target: Path, root: Path) -> Sequence[EnvironmentConfig]:
    """Return those in the tree below *target*, else the nearest above it."""
    folder = target.resolve() if target.is_dir() else target.resolve().parent
    below = find_environments(folder)
    above = [f for p in (folder, *folder.parents) if p.is_relative_to(root) and (f := p / "environment.yaml").is_file()]
    return [environment_in(file) for file in below or above[:1]]


def _why(owned: Owned, root: Path) -> str | Diagnostic | None:
    """Return why a pipeline is gone; None when it is not, and a warning when nobody can tell."""
    file = root / owned.source
    if not owned.source or not file.resolve().is_relative_to(root.resolve()):
        return Diagnostic("BF617", f"{owned.name} does not say which file it was made from", severity=Severity.WARNING)
    if not file.is_file():
        return f"{owned.source} is gone"
    try:
        name = deployed_name(check(file, backend=BACKEND).pipeline)
    except PipelineError:
        summary = f"{owned.name} may be gone or not: {shown(file)} has errors"
        return Diagnostic("BF617", summary, hint=f"buzzflow validate {shown(file)}", severity=Severity.WARNING)
    return None if name == owned.name else f"{owned.source} is called {name} now"
