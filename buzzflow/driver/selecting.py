"""Choose which steps of a run keep the results of an earlier one, and which run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from buzzflow.backends.local import plan
from buzzflow.backends.local.events import State
from buzzflow.backends.local.records.manifest import Manifest, ManifestError, read_manifest
from buzzflow.backends.local.request.request import RunRequest
from buzzflow.backends.local.reuse.results import Results, Selection, results_of
from buzzflow.diagnostics import Diagnostic, PipelineError, did_you_mean

NOT_ASKED = "not asked for"


@dataclass(frozen=True, slots=True)
class Part:
    """The steps of a pipeline that are asked for: *begin* and all after them, or *only* these; nothing is all."""

    begin: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    @property
    def named(self) -> tuple[str, ...]:
        """The steps that are named, one way or the other."""
        return (*self.begin, *self.only)


ALL_STEPS = Part()


def select_part(request: RunRequest, part: Part, earlier: Sequence[Path], *, force: bool = False) -> Selection:
    """Return what runs of *part* on results of the runs *earlier*, the newest first.

    PipelineError BF550 when there is no such step, BF551 when a result that it needs is nowhere.
    """
    graph = _Graph(request.plan)
    check_names(part.named, graph.steps)
    if not part.named:
        return Selection(forced=None if force else frozenset())
    chosen = graph.after(part.begin) | {*part.only}
    needed = graph.before(chosen) - chosen
    kept: dict[str, Results] = {}
    omitted: dict[str, str] = {}
    missing: list[str] = []
    runs = _Runs(request, earlier)
    for step in request.plan.steps:
        if step.name in chosen or (graph.is_evaluated(step.name) and (part.begin or step.name in needed)):
            continue
        found = runs.newest(step) if step.name in needed or part.begin else None
        if found is not None:
            kept[step.name] = found
        elif step.name in needed and not graph.is_in_branch(step.name):
            missing.append(step.name)
        else:
            omitted[step.name] = NOT_ASKED
    if missing:
        raise PipelineError([_missing(part, missing, request.plan.pipeline)])
    return Selection(kept, omitted, forced=None if force else frozenset(part.named))


def select_unfinished(request: RunRequest, run: Path, manifest: Manifest, *, force: bool = False) -> Selection:
    """Return what goes on with *run*: steps that have not succeeded there run, and all after them."""
    graph = _Graph(request.plan)
    results = {name: found for name in graph.steps if (found := _results(graph.steps[name], run, manifest, request))}
    skipped = {name for name, record in manifest.steps.items() if record.state is State.SKIPPED}
    begin = {n for n in graph.steps if n not in results and n not in skipped and not graph.is_evaluated(n)}
    again = graph.after(begin)
    kept = {name: found for name, found in results.items() if name not in again}
    return Selection(kept, forced=None if force else frozenset(), resumed=run.name)


def check_names(names: Iterable[str], steps: Mapping[str, object]) -> None:
    """Raise PipelineError BF550 for each of *names* that is no step."""
    problems = [
        Diagnostic("BF550", f"the pipeline has no step {name!r}", hint=did_you_mean(name, steps, label="its steps"))
        for name in names
        if name not in steps
    ]
    if problems:
        raise PipelineError(problems)


def _missing(part: Part, missing: Sequence[str], pipeline: str) -> Diagnostic:
    needed = f"results of {', '.join(missing)} are needed, and no run of {pipeline} on this machine has them whole"
    summary = f"{', '.join(part.named)} cannot run: {needed}"
    options = " ".join(f"--{'from' if part.begin else 'only'} {name}" for name in (*missing, *part.named))
    return Diagnostic("BF551", summary, hint=f"run them too: {options}; or the whole pipeline, without these options")


class _Graph:
    """Who needs whom."""

    def __init__(self, made: plan.RunPlan) -> None:
        self.steps = {step.name: step for step in made.steps}
        self._needs = {step.name: {need.step for need in step.needs} for step in made.steps}

    def after(self, names: Iterable[str]) -> set[str]:
        """Return the steps and all that need them."""
        found = {*names}
        for name in self.steps:  # in their order: each stands after what it needs
            if self._needs[name] & found:
                found.add(name)
        return found

    def before(self, names: Iterable[str]) -> set[str]:
        """Return the steps and all that they need."""
        found = {*names}
        for name in reversed(self.steps):
            if name in found:
                found |= self._needs[name]
        return found

    def is_evaluated(self, name: str) -> bool:
        """Whether the step runs no container: what it says is found out again."""
        return isinstance(self.steps[name], plan.ConditionStep | plan.FailStep)

    def is_in_branch(self, name: str) -> bool:
        """Whether the step, or one that it needs, belongs to a side of a condition."""
        return any(self.steps[n].branch is not None for n in self.before([name]))


class _Runs:
    """The earlier runs of a pipeline."""

    def __init__(self, request: RunRequest, earlier: Sequence[Path]) -> None:
        self._request = request
        self._runs = self._readable(earlier)
        self._seen: list[tuple[Path, Manifest]] = []

    def newest(self, step: plan.Step) -> Results | None:
        for run, manifest in self._all():
            if found := _results(step, run, manifest, self._request):
                return found
        return None

    def _all(self) -> Iterator[tuple[Path, Manifest]]:
        """Yield the runs; each is read once, and none that nobody asks for."""
        yield from self._seen
        for item in self._runs:
            self._seen.append(item)
            yield item

    def _readable(self, earlier: Sequence[Path]) -> Iterator[tuple[Path, Manifest]]:
        for run in earlier:
            try:
                manifest = read_manifest(run)
            except ManifestError:
                continue  # another buzzflow's
            if (manifest.pipeline, manifest.file) == (self._request.plan.pipeline, self._request.file):
                yield run, manifest


def _results(step: plan.Step, run: Path, manifest: Manifest, request: RunRequest) -> Results | None:
    record = manifest.steps.get(step.name)
    if record is None or record.type != step.type or record.state not in (State.SUCCEEDED, State.CACHED):
        return None
    return None if isinstance(step, plan.ConditionStep | plan.FailStep) else results_of(step.name, run.name, request)
