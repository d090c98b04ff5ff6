"""Find the runs that this machine keeps: each is a folder in the repository's `.buzzflow/runs`."""

from __future__ import annotations

from pathlib import Path

from buzzflow.backends.local.records.manifest import MANIFEST, Manifest, ManifestError, read_manifest
from buzzflow.diagnostics import Diagnostic, PipelineError, did_you_mean
from buzzflow.loader.files import PIPELINE, SUFFIX, find_pipelines, find_root, shown

STATE = ".buzzflow"
LAST = "last"  # what commands call the last run
_STAMP = len("20260131-120000")  # a run's id begins with when it began, in UTC
_MOST_NAMES = 5


def state_folder(here: Path) -> Path:
    """Return the folder that keeps the runs of the repository around *here*, a folder or a pipeline's file."""
    return find_root(here / PIPELINE if here.is_dir() else here) / STATE


def all_runs(state: Path) -> list[Path]:
    """Return the folder of every run in *state*, the newest first; what has no manifest is none."""
    folder = state / "runs"
    found = [run for run in folder.iterdir() if (run / MANIFEST).is_file()] if folder.is_dir() else []
    return sorted(found, key=_age, reverse=True)


def _age(run: Path) -> tuple[str, int]:
    plan = run / "run-plan.json"  # written once, when the run began
    return run.name[:_STAMP], plan.stat().st_mtime_ns if plan.is_file() else 0


def find_run(state: Path, wanted: str | None) -> Path:
    """Return the run that is *wanted*: its id, a beginning of it, its last part, or its folder; None is the last one.

    PipelineError BF510 when there is none, or more than one.
    """
    if wanted is not None and "/" in wanted and (Path(wanted) / MANIFEST).is_file():
        return Path(wanted)
    runs = all_runs(state)
    if not runs:
        raise _not_found("nothing has run on this machine yet", "run a pipeline here: buzzflow create --local")
    if wanted is None:
        return runs[0]
    found = [run for run in runs if run.name == wanted] or [run for run in runs if _answers(run.name, wanted)]
    if not found:
        raise _not_found(f"there is no run {wanted!r}", did_you_mean(wanted, (run.name for run in runs), label="runs"))
    if len(found) > 1:
        raise _not_found(f"{len(found)} runs answer to {wanted!r}", f"which of them: {_names([r.name for r in found])}")
    return found[0]


def _answers(name: str, wanted: str) -> bool:
    return bool(wanted) and (name.startswith(wanted) or name.endswith(f"-{wanted}"))


def last_run(file: Path) -> Path:
    """Return the last run of the pipeline in *file*; PipelineError BF510 when it has not run here."""
    state, asked = state_folder(file), file.resolve()
    for run in all_runs(state):
        try:
            its_file = read_manifest(run).file
        except ManifestError:
            continue  # another buzzflow's: not the one to choose unasked
        if its_file is not None and state.parent / its_file == asked:
            return run
    hint = f"run it: buzzflow create --local {shown(file)}"
    raise _not_found(f"{shown(file)} has not run on this machine", hint)


def run_of(wanted: str | None, here: Path = Path()) -> Path:
    """Return the run that is *wanted* in the repository around the folder *here*.

    It may also be the path of a pipeline, for its last run. None is the last run of the pipeline *here*, or of any
    where there is not one.
    """
    named = here / (wanted or "")
    if wanted is not None and (not named.exists() or (named / MANIFEST).is_file()):
        return find_run(state_folder(here), wanted)
    files = _pipelines_in(here) if wanted is None else find_pipelines(named)
    if len(files) == 1:
        return last_run(files[0])
    if wanted is None:
        return find_run(state_folder(here), None)
    raise _not_found(f"{wanted} holds {len(files)} pipelines", f"name one of them: {_names([*map(shown, files)])}")


def _pipelines_in(folder: Path) -> list[Path]:
    return [*folder.glob(PIPELINE), *folder.glob(f"?*{SUFFIX}")]


def manifest_of(run: Path) -> Manifest:
    """Return the manifest of the run in the folder *run*; PipelineError BF511 when it cannot be read."""
    try:
        return read_manifest(run)
    except ManifestError as e:
        raise PipelineError([Diagnostic("BF511", str(e), hint="run the pipeline again, with this buzzflow")]) from None


def _not_found(summary: str, hint: str | None) -> PipelineError:
    return PipelineError([Diagnostic("BF510", summary, hint=hint)])


def _names(names: list[str]) -> str:
    return ", ".join(names[:_MOST_NAMES]) + (", …" if len(names) > _MOST_NAMES else "")
