"""Do a run again from its folder alone, and tell what differs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from buzzflow.backends.local.events import Event, State
from buzzflow.backends.local.records.comparison import Comparison, RunFolder, compare_runs
from buzzflow.backends.local.records.recording import Recorded
from buzzflow.backends.local.reuse.results import Selection
from buzzflow.driver.again import check_ended, recorded_run, request_again, state_of
from buzzflow.driver.local import LocalOptions, LocalRun, prepared_now, run_chosen
from buzzflow.driver.runs import manifest_of
from buzzflow.driver.selecting import NOT_ASKED


@dataclass(frozen=True, slots=True)
class Reproduced:
    """The run of now, and how it compares."""

    done: LocalRun
    comparison: Comparison
    then: State | str


def reproduce(run: Path, executor: str, emit: Callable[[Event], None], stop: threading.Event) -> Reproduced:
    """Run again what ran in the folder *run*: its plan, code and parameters, in its images; no result is taken over.

    *executor* `auto` is what it ran on. PipelineError tells what is missing.
    """
    recorded = recorded_run(run)
    manifest = recorded.manifest
    check_ended(manifest)
    images = {**recorded.asked.images, **dict(_pinned(recorded))}
    request = replace(request_again(recorded, state_of(run)), images=images)
    omitted = {name: NOT_ASKED for name, record in manifest.steps.items() if record.reason == NOT_ASKED}
    prepared = prepared_now(request, lambda _: Selection(omitted=omitted, forced=None))
    options = LocalOptions(executor=manifest.executor if executor == "auto" else executor)
    done = run_chosen(prepared, options, emit, stop)
    folder = done.report.folder
    comparison = compare_runs(RunFolder(run, manifest), RunFolder(folder, manifest_of(folder)))
    return Reproduced(done, comparison, manifest.state)


def _pinned(recorded: Recorded) -> Iterator[tuple[str, str]]:
    """Yield for each image of then the digest by which its registry knows it: a tag may have moved since."""
    found = recorded.manifest.provenance
    digests = {i.asked: i.digest for i in found.images.values() if i.digest is not None} if found is not None else {}
    instead = recorded.asked.images
    for asked, digest in digests.items():
        names = [name for name, other in instead.items() if other == asked]
        yield from ((name, digest) for name in names or [asked])
