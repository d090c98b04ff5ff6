"""Plan and deploy the pipelines of a repository: each for itself, and all that is wrong is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from buzzflow.backends.sagemaker.aws.account import Account, check_owner
from buzzflow.backends.sagemaker.aws.errors import aws_errors
from buzzflow.backends.sagemaker.cost import RunCost, run_cost
from buzzflow.backends.sagemaker.deploying.apply import Applied, Outside, apply
from buzzflow.backends.sagemaker.deploying.deployment import Deployment, Source, deployment
from buzzflow.backends.sagemaker.deploying.holder import Holder
from buzzflow.backends.sagemaker.deploying.images import Registry
from buzzflow.backends.sagemaker.deploying.lock import force_unlock
from buzzflow.backends.sagemaker.deploying.look import bucket_of, look
from buzzflow.backends.sagemaker.deploying.plan import Plan
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.ci import DEPLOY, refused
from buzzflow.driver.git import commit_of, repository_of
from buzzflow.driver.stages import Checked, check, with_places
from buzzflow.loader.files import find_pipelines, shown

BACKEND = "sagemaker"
_SIDE_BY_SIDE = 8  # pipelines that are compared at once


@dataclass(frozen=True, slots=True)
class Ready:
    """A checked pipeline, and what it is to be in its account."""

    file: str
    checked: Checked
    wanted: Deployment


@dataclass(frozen=True, slots=True)
class Planned:
    """What deploying one pipeline would do, and what a run of it costs at most."""

    ready: Ready
    plan: Plan
    cost: RunCost
    warnings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Accounts:
    """An account for each region, made when one is first needed."""

    make: Callable[[str], Account] = Account
    made: dict[str, Account] = field(default_factory=dict)

    def of(self, wanted: Deployment) -> Account:
        """Return the account that *wanted* belongs to."""
        return self.in_region(wanted.region)

    def in_region(self, region: str) -> Account:
        """Return the account in *region*."""
        return self.made.setdefault(region, self.make(region))


def ready_pipelines(targets: Sequence[Path], settings: Sequence[str]) -> list[Ready]:
    """Return every pipeline that *targets* name, compiled; PipelineError has all that is wrong with any of them."""
    files = [*dict.fromkeys(file for target in targets for file in find_pipelines(target))]
    found: list[Ready] = []
    problems: list[Diagnostic] = []
    git = _Git()
    for file in files:
        try:
            found.append(_ready(file, settings, git))
        except PipelineError as e:
            problems += e.diagnostics
    problems += _one_name_twice(found)
    if problems:
        raise PipelineError(dict.fromkeys(problems))
    return found


def _ready(file: Path, settings: Sequence[str], git: _Git) -> Ready:
    checked = check(file, backend=BACKEND, settings=settings)
    return Ready(shown(file), checked, deployment(checked.pipeline, git.source(checked)))


class _Git:
    """Asks Git once for what many pipelines have in common."""

    def __init__(self) -> None:
        self._repositories: dict[Path, str] = {}
        self._commits: dict[tuple[Path, frozenset[Path]], str] = {}

    def source(self, checked: Checked) -> Source:
        """Return where the pipeline's file lies."""
        file, root = checked.loaded.file.resolve(), checked.loaded.root.resolve()
        used = frozenset((file.parent, *(path.resolve() for path in checked.code.contents.values())))
        if root not in self._repositories:
            self._repositories[root] = repository_of(root)
        if (root, used) not in self._commits:
            self._commits[root, used] = commit_of(root, used)
        return Source(file.relative_to(root).as_posix(), self._repositories[root], self._commits[root, used])


def _one_name_twice(found: Sequence[Ready]) -> Iterator[Diagnostic]:
    """Yield pipelines that would overwrite each other."""
    first: dict[tuple[str, str], Ready] = {}
    for ready in found:
        key = (ready.wanted.region, ready.wanted.name)
        if key in first:
            summary = f"{ready.file} and {first[key].file} would both be deployed as {ready.wanted.name}"
            yield Diagnostic("BF616", summary, hint="give one of them another name:")
        first.setdefault(key, ready)


# ------------------------------------------------------------------ plan


def plan_all(found: Sequence[Ready], accounts: Accounts) -> tuple[list[Planned], list[Diagnostic]]:
    """Return the plan of each pipeline that could be compared, and what stood in the way of the others."""
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        results = [*pool.map(lambda ready: _plan_or_problems(ready, accounts), found)]
    planned = [result for result in results if isinstance(result, Planned)]
    problems = [d for result in results if not isinstance(result, Planned) for d in result]
    return planned, [*dict.fromkeys(problems)]


def _plan_or_problems(ready: Ready, accounts: Accounts) -> Planned | tuple[Diagnostic, ...]:
    wanted = ready.wanted
    try:
        seen = look(bucket_of(accounts.of(wanted), wanted), wanted)
    except PipelineError as e:
        return _placed(e, ready)
    return Planned(ready, seen.plan, run_cost(ready.checked.pipeline), seen.warnings)


def _placed(error: PipelineError, ready: Ready) -> tuple[Diagnostic, ...]:
    return (*with_places(error.diagnostics, ready.checked.loaded.source),)


# ------------------------------------------------------------------ deploy


def refuse(found: Sequence[Ready], environ: Mapping[str, str]) -> None:
    """Raise PipelineError BF601 for what this process may not deploy."""
    told = (refused(r.file, e.deploy_from, environ, DEPLOY) for r in found if (e := r.checked.pipeline.environment))
    if problems := [problem for problem in told if problem is not None]:
        raise PipelineError(problems)


def deploy(ready: Ready, accounts: Accounts, outside: Outside) -> Applied:
    """Bring one pipeline to its account; PipelineError tells what stands in the way, with the lines of the files.

    The files and the images of *outside* are those of *ready*, whatever it has.
    """
    refuse([ready], outside.environ)
    account, contents = accounts.of(ready.wanted), ready.checked.code.contents
    try:
        images = _registry(account, ready) if ready.wanted.images else None
        return apply(account, ready.wanted, replace(outside, contents=contents, images=images))
    except PipelineError as e:
        raise PipelineError(_placed(e, ready)) from None


def _registry(account: Account, ready: Ready) -> Registry:
    import docker

    owner = check_owner(account, ready.wanted.account)
    return Registry(account, owner, ready.checked.code.contents, docker.from_env)


def end_lock_of(ready: Ready, accounts: Accounts, identity: str) -> Holder | None:
    """End the lock of a pipeline and return who held it; None when nobody does."""
    bucket = bucket_of(accounts.of(ready.wanted), ready.wanted)
    with aws_errors():
        return force_unlock(bucket, ready.wanted.name, identity)
