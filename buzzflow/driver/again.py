"""Go on with a run of this machine, or do it again, from what its folder keeps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from buzzflow.backends.local.evaluate import as_text
from buzzflow.backends.local.events import Event, State
from buzzflow.backends.local.records.manifest import Manifest
from buzzflow.backends.local.records.recording import Recorded, RecordError, read_recorded
from buzzflow.backends.local.request.request import RunRequest
from buzzflow.backends.local.reuse.results import Selection
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.local import LocalOptions, LocalRun, prepared_now, prepared_request, run_chosen
from buzzflow.driver.origins import EarlierRun, origin_of
from buzzflow.driver.runs import STATE, manifest_of, state_folder
from buzzflow.driver.selecting import select_part, select_unfinished
from buzzflow.driver.stages import Checked, check


def resume_local(
    run: Path, options: LocalOptions, emit: Callable[[Event], None], stop: threading.Event, *, new_code: bool = False
) -> LocalRun:
    """Start a run that goes on with the one in the folder *run*, and wait for its end.

    It runs the pipeline of then, with the code of then. With *new_code*, or a part in *options*, it runs the pipeline
    as it is now, on the results of then. PipelineError BF552 when there is nothing to go on with.
    """
    manifest = manifest_of(run)
    named = options.part.named
    check_ended(manifest)
    if manifest.state is State.SUCCEEDED and not named:
        raise PipelineError([_succeeded(manifest.run)])
    state = run.resolve().parent.parent
    executor = manifest.executor if options.executor == "auto" else options.executor
    options = replace(options, executor=executor, jobs=options.jobs or manifest.jobs)
    if not named and not new_code:
        request = replace(request_again(recorded_run(run), state), jobs=options.most_jobs)
        prepared = prepared_now(request, lambda made: select_unfinished(made, run, manifest))
        return run_chosen(prepared, options, emit, stop)

    def select(made: RunRequest) -> Selection:
        if named:
            return replace(select_part(made, options.part, [run]), resumed=manifest.run)
        return select_unfinished(made, run, manifest)

    checked = _as_it_is_now(manifest, state)
    given = {**_same_parameters(manifest, checked), **options.parameters}
    asked = replace(options, parameters=given)
    prepared = prepared_request(checked, asked, state, select=select, origin=origin_of(checked))
    return run_chosen(prepared, options, emit, stop)


def check_ended(manifest: Manifest) -> None:
    """Raise PipelineError BF552 while somebody runs it."""
    if manifest.state == "running" and not manifest.is_lost:
        hint = "wait for it, or stop it with Ctrl-C where it runs"
        raise PipelineError([Diagnostic("BF552", f"run {manifest.run} has not ended", hint=hint)])


def _succeeded(run: str) -> Diagnostic:
    hint = f"run a part of it again: buzzflow resume {run} --from STEP; or all of it: buzzflow reproduce {run}"
    return Diagnostic("BF552", f"run {run} has succeeded: there is nothing to resume", hint=hint)


def _as_it_is_now(manifest: Manifest, state: Path) -> Checked:
    file = state.parent / (manifest.file or "")
    if not file.is_file():
        hint = f"without --new-code, --from and --only, the run goes on as it was: buzzflow resume {manifest.run}"
        raise PipelineError([Diagnostic("BF552", f"the pipeline of run {manifest.run} is gone: {file}", hint=hint)])
    return check(file, backend="local", local=True)


def _same_parameters(manifest: Manifest, checked: Checked) -> dict[str, str]:
    declared = {parameter.name for parameter in checked.pipeline.parameters}
    return {name: text for name, text in _as_given(manifest).items() if name in declared}


def _as_given(manifest: Manifest) -> dict[str, str]:
    return {name: as_text(value) for name, value in manifest.parameters.items()}


# ------------------------------------------------------------------ from the folder alone


def recorded_run(run: Path) -> Recorded:
    """Return all that the folder *run* keeps of a run; PipelineError BF553 when something is missing."""
    try:
        return read_recorded(run)
    except RecordError as e:
        hint = "a run from before this buzzflow, or one that was partly deleted, cannot be done again: run the pipeline"
        raise PipelineError([Diagnostic("BF553", str(e), hint=hint)]) from None


def state_of(run: Path) -> Path:
    """Return the folder that keeps the run in the folder *run*; for a copy elsewhere, that of the repository here."""
    state = run.resolve().parent.parent
    return state if run.resolve().parent.name == "runs" and state.name == STATE else state_folder(Path())


def request_again(recorded: Recorded, state: Path) -> RunRequest:
    """Return what *recorded* was asked to do, as a new run in *state*; PipelineError BF554 when its data is gone."""
    manifest, asked, top = recorded.manifest, recorded.asked, state.parent
    data = {address: top / path for address, path in asked.data.items()}
    if problems := [_gone(address, path, manifest.run) for address, path in data.items() if not path.exists()]:
        raise PipelineError(problems)
    return RunRequest(
        run="",
        plan=recorded.plan,
        contents=recorded.contents,
        state=state,
        project=top / asked.project,
        file=manifest.file,
        parameters=_as_given(manifest),
        data=data,
        images=asked.images,
        here=asked.here_from(top),
        jobs=manifest.jobs,
        origin=EarlierRun(recorded.folder),
    )


def _gone(address: str, path: Path, run: str) -> Diagnostic:
    summary = f"run {run} read {path} for {address}, and there is nothing now"
    return Diagnostic("BF554", summary, hint="put the data back there: a run keeps its code, and not its data")
