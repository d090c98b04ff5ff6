"""Search hyperparameters: a bounded number of trainings, side by side, of which the best wins."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from buzzflow.backends.local import evaluate, plan
from buzzflow.backends.local.events import Event, Notice, State, StepFinished, StepLine
from buzzflow.backends.local.request.here import StepHere
from buzzflow.backends.local.steps.means import Means
from buzzflow.backends.local.steps.one_job import run_job
from buzzflow.backends.local.steps.results import Left, StepPlace
from buzzflow.backends.local.steps.search import cells, tries
from buzzflow.metrics import Usage

USUAL_JOBS = 4  # on a laptop a search is tried, not done


@dataclass(frozen=True, slots=True)
class _Try:
    """One training that ended."""

    name: str
    values: Mapping[str, str]
    end: StepFinished
    left: Left


@dataclass(frozen=True, slots=True)
class _Bounds:
    """How many trainings there would be, how many are tried here, and how many at once."""

    asked: int
    tried: int
    at_once: int


def tune(place: StepPlace[plan.TuningStep], means: Means, here: StepHere | None) -> tuple[StepFinished, Left]:
    """Run the trainings and return the best; the step fails when none succeeded, as on the service."""
    step, search = place.step, place.step.search
    try:
        bounds = _bounds(search, place.known, here)
    except evaluate.EvaluationError as e:
        return StepFinished(step.name, State.FAILED, reason=f"it cannot start: {e}"), Left()
    if bounds.tried < bounds.asked:
        means.emit(Notice(f"{step.name}: {bounds.tried} of {bounds.asked} trainings are tried here"))
    chosen = [*itertools.islice(tries(search, f"{place.request.plan.pipeline}/{step.written}"), bounds.tried)]
    until = None if search.timeout is None else time.monotonic() + search.timeout

    def run_one(number: int, values: Mapping[str, str]) -> _Try | None:
        if until is not None and time.monotonic() >= until:
            return None
        return _run_try(place, means, f"{number:03d}", values)

    with ThreadPoolExecutor(max_workers=bounds.at_once, thread_name_prefix="try") as pool:
        ended = [*pool.map(run_one, itertools.count(1), chosen)]
    return _finished(place, [one for one in ended if one is not None], bounds)


def _bounds(search: plan.Search, known: evaluate.Known, here: StepHere | None) -> _Bounds:
    asked = cells(search) if search.max_jobs is None else evaluate.number(search.max_jobs, known)
    bound = USUAL_JOBS if here is None or here.max_jobs is None else here.max_jobs
    tried = max(1, min(asked, bound))
    return _Bounds(asked, tried, max(1, min(tried, evaluate.number(search.max_parallel_jobs, known))))


def _run_try(place: StepPlace[plan.TuningStep], means: Means, job: str, values: Mapping[str, str]) -> _Try:
    step = place.step
    training = step.container.training
    assert training is not None  # a tuning's container is that of its trainings
    changed = training.model_copy(update={"hyperparameters": {**training.hyperparameters, **values}})
    container = step.container.model_copy(update={"training": changed})
    one = plan.TrainingStep(name=step.name, copy_of=step.copy_of, container=container)
    told = means.telling(_named(job, means.emit))
    return _Try(job, values, *run_job(place.of(one, job), means.setting(step), told))


def _named(job: str, emit: Callable[[Event], None]) -> Callable[[Event], None]:
    def told(event: Event) -> None:
        emit(replace(event, line=f"{job} | {event.line}") if isinstance(event, StepLine) else event)

    return told


# ------------------------------------------------------------------ the end


def _finished(place: StepPlace[plan.TuningStep], ended: Sequence[_Try], bounds: _Bounds) -> tuple[StepFinished, Left]:
    name, search = place.step.name, place.step.search
    how = _how(search, ended, bounds)
    usage = _largest([one.end.usage for one in ended if one.end.usage is not None])
    if any(one.end.state is State.STOPPED for one in ended):
        return StepFinished(name, State.STOPPED, usage, reason="stopped", how=how), Left()
    good = [one for one in ended if one.end.state.is_good]
    ranked = sorted(
        (one for one in good if search.metric in one.end.metrics),
        key=lambda one: one.end.metrics[search.metric] * (-1 if search.maximize else 1),
    )
    failed = [one for one in ended if not one.end.state.is_good]
    if not ranked:
        return _none(name, search, good, failed, usage, how), Left()
    best = ranked[0]
    values = " ".join(f"{key}={value}" for key, value in best.values.items())
    warnings = [f"training {one.name} failed: {one.end.reason}" for one in failed]
    done = StepFinished(
        name,
        State.SUCCEEDED,
        usage,
        f"{search.metric}={best.end.metrics[search.metric]:.4g} with {values}",
        warnings=(*warnings, *best.end.warnings),
        log=best.end.log,
        exit_code=best.end.exit_code,
        metrics=best.end.metrics,
        how=how,
    )
    return done, Left(properties=_words(place, ranked))


def _words(place: StepPlace[plan.TuningStep], ranked: Sequence[_Try]) -> dict[tuple[str, str], evaluate.Plain]:
    name = place.step.name
    words: dict[str, evaluate.Plain] = {"job_name": place.job_name, "arn": f"local:{place.job_name}"}
    for rank, one in enumerate(ranked, 1):
        for word in ("model", "job_name"):
            words[f"rank.{rank}.{word}"] = one.left.properties[name, word]
    words |= {f"best.{word}": words[f"rank.1.{word}"] for word in ("model", "job_name")}
    words["best.metric"] = ranked[0].end.metrics[place.step.search.metric]
    return {(name, word): value for word, value in words.items()}


def _none(
    name: str, search: plan.Search, good: Sequence[_Try], failed: Sequence[_Try], usage: Usage | None, how: str
) -> StepFinished:
    if good:
        reason = f"no training said its metric {search.metric!r}: look at the pattern and at {good[0].end.log}"
        return StepFinished(name, State.FAILED, usage, reason=reason, log=good[0].end.log, how=how)
    first = failed[0]
    reason = f"none of {len(failed)} trainings succeeded; {first.name}: {first.end.reason}"
    return StepFinished(name, State.FAILED, usage, reason=reason, tail=first.end.tail, log=first.end.log, how=how)


def _how(search: plan.Search, ended: Sequence[_Try], bounds: _Bounds) -> str:
    parts = [f"{len(ended)} of {bounds.asked} trainings tried here"]
    if search.strategy in ("bayesian", "hyperband"):
        parts.append(f"a random search stands in for {search.strategy}")
    if search.early_stopping:
        parts.append("early_stopping not tried")
    if search.warm_start:
        parts.append("warm_start not tried")
    return f"{'; '.join(parts)}; the figures are those of the largest training"


def _largest(used: Sequence[Usage]) -> Usage | None:
    return max(used, key=lambda usage: usage.memory_peak_bytes or 0, default=None)
