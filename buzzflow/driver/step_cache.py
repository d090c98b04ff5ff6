"""Tell whether a cached step would take an earlier result, and what has changed when it would not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from buzzflow.backends.local import plan
from buzzflow.backends.local.evaluate import EvaluationError, Known, text
from buzzflow.backends.local.records.manifest import CacheRecord, Manifest, ManifestError, read_manifest
from buzzflow.backends.local.records.recording import PLAN
from buzzflow.backends.local.request.request import RunRequest
from buzzflow.backends.local.reuse.cache import Found, StepCache
from buzzflow.backends.local.reuse.digests import Digests
from buzzflow.backends.local.reuse.explained import CacheExplained, Change, FieldChange
from buzzflow.backends.local.reuse.keys import digest_of
from buzzflow.backends.local.reuse.results import EVERYTHING, Selection, left_of
from buzzflow.backends.local.steps.results import ContainerStep, StepPlace
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.local import LocalOptions, Prepared, prepared_request
from buzzflow.driver.runs import LAST, all_runs, manifest_of, run_of, state_folder
from buzzflow.driver.selecting import check_names
from buzzflow.driver.stages import check

_OF_FILES = ("code.", "image.", "inputs.")
_DIGEST = re.compile("[0-9a-f]{64}( executable)?")  # the value of such a field says nothing to people


def explain_cache(
    step: str, target: Path, *, run: str | None = None, settings: Sequence[str] = (), parameters: Mapping[str, str]
) -> CacheExplained:
    """Return what the next run of the pipeline would do about *step*; with *run*, what that run did.

    PipelineError BF550 when there is no such step, BF555 when it is not cached.
    """
    return (
        _next(step, target, settings, parameters)
        if run is None
        else _earlier(step, run_of(None if run == LAST else run, target))
    )


def _earlier(step: str, folder: Path) -> CacheExplained:
    manifest = manifest_of(folder)
    check_names([step], manifest.steps)
    record = manifest.steps[step].cache
    if record is None:
        raise PipelineError([_not_cached(step, f" in run {manifest.run}")])
    changes = _changes(step, record, _then(step, folder).values, {}, folder.parent)
    return CacheExplained(step, manifest.run, record, (*changes,))


# ------------------------------------------------------------------ the next run


def _next(step: str, target: Path, settings: Sequence[str], parameters: Mapping[str, str]) -> CacheExplained:
    checked = check(target, backend="local", settings=settings, local=True)
    check_names([step], {s.name: s for s in checked.pipeline.steps})
    state = state_folder(checked.loaded.file)

    def select(request: RunRequest) -> Selection:
        wanted = _needed(step, request.plan)
        return Selection(omitted={s.name: "" for s in request.plan.steps if s.name not in wanted})

    prepared = prepared_request(checked, LocalOptions(parameters=parameters), state, select=select)
    executor = _last_executor(prepared.request)
    found, asked, because = _looked(step, prepared, executor)
    if found is None:
        raise PipelineError([_not_cached(step, "")])
    now = {"executor": executor, **_evaluated(asked, prepared.ready.known)}
    changes = _changes(step, found.record, now, because, state / "runs")
    expire_after = asked.cache.expire_after if asked.cache is not None else None
    age = found.age if found.record.why in ("hit", "expired", "outputs are gone") else None
    return CacheExplained(step, None, found.record, (*changes,), age, expire_after)


def _needed(step: str, made: plan.RunPlan) -> set[str]:
    found = {step}
    for other in reversed(made.steps):
        if other.name in found:
            found |= {need.step for need in other.needs}
    return found


def _last_executor(request: RunRequest) -> str:
    """Return what the last run of the pipeline ran on: the next one will run on the same, as far as one can tell."""
    for run in all_runs(request.state):
        try:
            manifest = read_manifest(run)
        except ManifestError:
            continue
        if manifest.pipeline == request.plan.pipeline:
            return manifest.executor
    return "docker"


def _looked(
    step: str, prepared: Prepared, executor: str
) -> tuple[Found | None, ContainerStep, dict[str, tuple[str, ...]]]:
    """Look for *step* and for those before it, whose results it uses; tell which of those run again and why."""
    request, ready = prepared.request, prepared.ready
    cache = StepCache(request, executor, ready.known.run["start_time"], EVERYTHING, Digests(request.state / "cache"))
    again: dict[str, tuple[str, ...]] = {}
    for other in request.plan.steps:
        if other.name not in ready.settings or not isinstance(other, ContainerStep):
            continue
        place = StepPlace(other, request, ready.known)
        found = cache.look(place, ready.settings[other.name])
        if other.name == step:
            return found, other, again
        if found is not None and found.results is not None:
            ready.known.learn(left_of(other.name, found.results.record.left, found.results.folder))
        else:
            again[other.name] = ("it has no cache",) if found is None else _reason(found.record)
            _pretend(place, ready.known)
    raise PipelineError([_not_cached(step, "")])


def _reason(record: CacheRecord) -> tuple[str, ...]:
    return (*record.changed[:3],) if record.why == "changed" else (record.why,)


def _pretend(place: StepPlace[ContainerStep], known: Known) -> None:
    """Give what a step will leave the addresses that it will have, as far as they are known before it has run."""
    name = place.step.name
    for output in place.step.container.outputs:
        try:
            address = place.address(output)
        except EvaluationError:
            continue
        known.addresses[name, output.name] = address
        known.properties[name, "output_uri"] = address
        known.properties[name, "model"] = f"{address}{place.job_name}/output/model.tar.gz"
    known.properties[name, "job_name"] = place.job_name


def _not_cached(step: str, where: str) -> Diagnostic:
    hint = f"write cache: 30d in the step, and later runs take its result: steps: {{{step}: {{cache: 30d}}}}"
    return Diagnostic("BF555", f"step {step!r} is not cached{where}: it always runs", hint=hint)


# ------------------------------------------------------------------ what differs


@dataclass(frozen=True, slots=True)
class _Then:
    """What a step depended on in an earlier run: digests of all fields, and values of those that are still known."""

    fields: Mapping[str, str]
    values: Mapping[str, str]


def _changes(
    step: str, record: CacheRecord, now: Mapping[str, str], because: Mapping[str, tuple[str, ...]], runs: Path
) -> Iterator[FieldChange]:
    if record.why != "changed" or record.run is None:
        return
    then = _then(step, runs / record.run)
    for name in record.changed:
        change: Change = "removed" if name not in record.fields else "added" if name not in then.fields else "changed"
        before, after = (None if _is_digest(name, of.get(name)) else of.get(name) for of in (then.values, now))
        causes = tuple((other, why) for other, why in because.items() if after is not None and f"/{other}/" in after)
        yield FieldChange(name, change, before, after, causes)


def _is_digest(name: str, value: str | None) -> bool:
    return name.startswith(_OF_FILES) and value is not None and _DIGEST.fullmatch(value) is not None


def _then(step: str, run: Path) -> _Then:
    """Return what is known of a run; nothing, where its folder is gone."""
    try:
        manifest = read_manifest(run)
        made = plan.RunPlan.model_validate_json((run / PLAN).read_bytes())
    except (ManifestError, OSError, ValueError):
        return _Then({}, {})
    cache = manifest.steps[step].cache if step in manifest.steps else None
    fields = {} if cache is None else cache.fields
    known = _known(manifest, run)
    asked = [s for s in made.steps if s.name == step and isinstance(s, ContainerStep)]
    values = {"executor": manifest.executor, **{k: v for s in asked for k, v in _evaluated(s, known).items()}}
    return _Then(fields, {name: value for name, value in values.items() if fields.get(name) == digest_of(value)})


def _evaluated(step: ContainerStep, known: Known) -> dict[str, str]:
    found = {}
    for name, value in step.cache.fields.items() if step.cache is not None else ():
        with suppress(EvaluationError, KeyError, OSError):  # what only a step that has run would say
            found[name] = text(value, known)
    return found


def _known(manifest: Manifest, run: Path) -> Known:
    of_run = {"id": manifest.run, "pipeline": manifest.pipeline, "start_time": manifest.started}
    known = Known(manifest.parameters, {**of_run, "now": manifest.started, "arn": f"local:{manifest.run}"})
    for name, record in manifest.steps.items():
        known.learn(left_of(name, record.left, run))
    return known
