"""Write chosen instance types into a pipeline.yaml, where each step's own stands, and take it back if that is wrong."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from buzzflow.config.parts import InstanceConfig
from buzzflow.config.steps import default_fields
from buzzflow.diagnostics import Diagnostic, PipelineError, Span, did_you_mean
from buzzflow.driver.stages import check
from buzzflow.instances.advice import RunAdvice, Verdict
from buzzflow.instances.change import Applied, Change
from buzzflow.instances.names import instance_problems
from buzzflow.loader.files import find_root, inside, read_text, shown
from buzzflow.loader.load import Layered, load, read_layers
from buzzflow.loader.yaml_edit import CannotEditError, has_step, with_instance

_BOM = "\ufeff"
_BESIDE = "a file beside it"  # finds the root from where the file stands: it may be a link that leads elsewhere


def changes_of(advice: RunAdvice, chosen: Mapping[str, str], named: str | None) -> tuple[list[Change], dict[str, str]]:
    """Return what to write of *advice*, and of the other steps why not; *chosen* types by step count before it.

    Advice of low confidence is written only for the step that is *named*. PipelineError BF512 when a chosen one is no
    step of the run, BF405 when the service has no such instance type for it.
    """
    problems = [problem for name, kind in chosen.items() for problem in _wrong_choice(name, kind, advice)]
    if any(problem.is_error for problem in problems):
        raise PipelineError(problems)
    changes, without = list[Change](), dict(advice.without)
    for name, one in advice.steps.items():
        if name in chosen:
            changes.append(Change(name, chosen[name], None))
        elif one.best is None or one.verdict in (Verdict.RIGHT, Verdict.UNKNOWN):
            without[name] = f"{one.asks.instance} stays"
        elif one.confidence == "low" and name != named:
            without[name] = f"low confidence; --step {name} changes it"
        else:
            changes.append(Change(name, one.best.instance, one.asks.instance))
    return changes, without


def _wrong_choice(name: str, kind: str, advice: RunAdvice) -> Iterator[Diagnostic]:
    if name not in advice.steps:
        hint = did_you_mean(name, advice.steps, label="its steps with advice")
        yield Diagnostic("BF512", f"run {advice.run} has no advice for a step {name!r}", hint=hint)
    else:
        yield from instance_problems((), kind, advice.steps[name].asked.kind)


def apply_changes(file: Path, changes: Sequence[Change]) -> Applied:
    """Write *changes* into *file*, all at once, and see that it says what it said but for them.

    A change that cannot be made is among the problems. PipelineError when the pipeline has errors before, when it
    would have others after (BF515), or when the file lies outside its repository (BF514): then nothing is changed.
    """
    if not inside(file, find_root(file.parent / _BESIDE)):
        summary = f"{shown(file)} leads out of the repository"
        raise PipelineError([Diagnostic("BF514", summary, hint="write the instance type there yourself")])
    before = _text(file)
    layered, data = read_layers(file), _data(file)
    check(file)
    text, done, problems = before, list[Change](), list[Diagnostic]()
    for change in changes:
        if _asks_already(change, data):
            continue
        try:
            if (problem := _refused(change, layered, data)) is not None:
                problems.append(problem)
                continue
            text = with_instance(text, change.step, change.instance)
            done.append(change)
        except CannotEditError as e:
            problems.append(_cannot(change, str(e), file, e.line))
    if text != before:
        _replace(file.resolve(), before, text)
        try:
            _verify(file, data, done)
        except BaseException:
            _replace(file.resolve(), text, before)
            raise
    return Applied(file, before, text, tuple(done), tuple(problems))


def _text(file: Path) -> str:
    read_text(file)  # tells what is wrong with one that cannot be read
    return file.read_bytes().decode("utf-8")


def _data(file: Path) -> dict[str, Any]:
    return load(file, fields=default_fields()).data


# ------------------------------------------------------------------ what cannot be changed here


def _asks_already(change: Change, data: Mapping[str, Any]) -> bool:
    step = data.get("steps", {}).get(change.step)
    return step is not None and _instance_type(step) == change.instance


def _refused(change: Change, layered: Layered, data: Mapping[str, Any]) -> Diagnostic | None:
    steps = data.get("steps", {})
    if change.step not in steps:
        hint = did_you_mean(change.step, steps, label="its steps")
        return Diagnostic("BF512", f"{shown(layered.file)} has no step {change.step!r}", hint=hint)
    now = _instance_type(steps[change.step])
    if change.asked is not None and now != change.asked:
        summary = f"step {change.step!r} asked for {change.asked} in the run, and {shown(layered.file)} says {now}"
        hint = f"run it again; or, whatever it says: --choose {change.step}={change.instance}"
        return Diagnostic("BF513", summary, hint=hint, span=_place(change.step, layered))
    if not has_step(_text(layered.file).removeprefix(_BOM), change.step):
        return _elsewhere(change, layered)
    return None


def _instance_type(step: Mapping[str, Any]) -> Any:
    instance = step.get("instance")
    given = instance.get("type") if isinstance(instance, Mapping) else None
    return given or InstanceConfig.model_fields["type"].default


def _place(step: str, layered: Layered) -> Span | None:
    node = layered.tree.at(("steps", step))
    return None if node is None else node.key or node.span


def _elsewhere(change: Change, layered: Layered) -> Diagnostic:
    """Return why a step is not in the file itself: it is a copy, or in a group, or in another file."""
    span = _place(change.step, layered)
    original = next((name for name, of in layered.copies.of.items() if change.step in of.values()), None)
    entry = f"instance: {{type: {change.instance}}}"
    if original is not None:
        summary = f"step {change.step!r} is a copy of {original!r}, and all copies share its instance"
        hint = f"write {entry} into {original!r}, or name it in the data of each item"
    elif span is not None and span.file != shown(layered.file):
        summary = f"step {change.step!r} stands in {span.file}, which other pipelines may share"
        hint = f"write {entry} there"
    else:
        summary = f"step {change.step!r} stands in a group"
        hint = f"write {entry} into it"
    return Diagnostic("BF514", summary, hint=hint, span=span)


def _cannot(change: Change, why: str, file: Path, line: int | None) -> Diagnostic:
    summary = f"the instance of step {change.step!r} cannot be changed where it stands: {why}"
    span = None if line is None else Span(shown(file), line, 1)
    hint = f"write instance: {{type: {change.instance}}} into the step, or change what it names"
    return Diagnostic("BF514", summary, hint=hint, span=span)


# ------------------------------------------------------------------ the file


def _replace(file: Path, before: str, after: str) -> None:
    """Write *after* whole or not at all, with the file's own mode, unless somebody has changed the file meanwhile."""
    if file.read_bytes() != before.encode():
        raise PipelineError([Diagnostic("BF515", f"somebody else has just changed {shown(file)}", hint="try again")])
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as partial:
            partial.write(after.encode())
        shutil.copymode(file, name)
        Path(name).replace(file)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def _verify(file: Path, before: Mapping[str, Any], done: Sequence[Change]) -> None:
    """See that the pipeline has no errors, and is what it was but for the changes."""
    try:
        check(file)
    except PipelineError as e:
        raise PipelineError([*_taken_back(file), *e.diagnostics]) from None
    wanted, found = _without_types(before, done), _without_types(_data(file), done)
    types = {change.step: _instance_type(_data(file)["steps"][change.step]) for change in done}
    if wanted != found or types != {change.step: change.instance for change in done}:
        raise PipelineError([*_taken_back(file)])


def _taken_back(file: Path) -> Iterator[Diagnostic]:
    summary = f"{shown(file)} would not be the same but for the instance type, and is left as it was"
    hint = "write the instance type there yourself: `buzzflow explain` tells where a value comes from"
    yield Diagnostic("BF515", summary, hint=hint)


def _without_types(data: Mapping[str, Any], done: Sequence[Change]) -> dict[str, Any]:
    steps = dict(data["steps"])
    for change in done:
        instance = steps[change.step].get("instance") or {}
        kept = {key: value for key, value in instance.items() if key != "type"}
        steps[change.step] = {**steps[change.step], "instance": kept}
    return {**data, "steps": steps}
