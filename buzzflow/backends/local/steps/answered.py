"""Answer for a step that is not run: what the user says stands where its work would."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

from buzzflow.backends.local import plan
from buzzflow.backends.local.evaluate import EvaluationError, Plain
from buzzflow.backends.local.events import State, StepFinished
from buzzflow.backends.local.request.answers import data_outputs
from buzzflow.backends.local.request.here import MODEL_WORDS, Answer
from buzzflow.backends.local.steps.results import Key, Left, StepPlace
from buzzflow.backends.local.steps.staging import pack
from buzzflow.backends.local.store import AddressError
from buzzflow.backends.printable import printable


def answer(place: StepPlace[plan.Step], said: Answer, stop: threading.Event) -> tuple[StepFinished, Left]:
    """Return the end of the step as *said* has it; its folders are copied to where the step would have put them."""
    name = place.step.name
    how = f"answered by local.steps.{place.step.written}.result"
    try:
        left = _left(place, said, stop)
    except InterruptedError:
        return StepFinished(name, State.STOPPED, reason="stopped", how=how), Left()
    except (EvaluationError, AddressError, OSError, shutil.Error) as e:
        return StepFinished(name, State.FAILED, reason=f"its result cannot be taken: {e}", how=how), Left()
    return StepFinished(name, State.SUCCEEDED, result=_shown(said), metrics=dict(said.metrics), how=how), left


def _left(place: StepPlace[plan.Step], said: Answer, stop: threading.Event) -> Left:
    name, store = place.step.name, place.request.store()
    words: dict[Key, Plain] = {
        (name, "job_name"): place.job_name,
        (name, "name"): place.job_name,
        (name, "arn"): f"local:{place.job_name}",
    }
    if said.model is not None:
        address = f"{place.request.prefix}{name}/model/{place.job_name}/output/model.tar.gz"
        _pack_or_copy(said.path(said.model), store.path(address), stop)
        words |= {(name, word): address for word in MODEL_WORDS}
        words[name, "output_uri"] = f"{place.request.prefix}{name}/model/"
    words |= {(name, word): value for word, value in said.words(place.step)}
    addresses: dict[Key, str] = {}
    reports: dict[Key, Path] = {}
    for output in data_outputs(place.step):
        if output.name in said.outputs:
            address = place.address(output)
            _copy(said.path(said.outputs[output.name]), store.path(address))
            addresses[name, output.name] = address
            reports |= {(name, report): store.path(address) / file for report, file in output.reports.items()}
    return Left(addresses, reports, words)


def _pack_or_copy(source: Path, target: Path, stop: threading.Event) -> None:
    if source.is_dir():
        pack(source, target, stop)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target / source.name)


def _shown(said: Answer) -> str | None:
    parts = [f"{name}={value:.4g}" for name, value in said.metrics.items()]
    parts += [f"{name}={value}" for name, value in said.outputs.items()]
    return printable(" ".join(parts))[:200] or None
