"""Write down what a run was asked to do, and the files that it runs, so that its folder alone can do it again."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from buzzflow.backends.local import plan
from buzzflow.backends.local.records.manifest import Manifest, ManifestError, read_manifest, write_json
from buzzflow.backends.local.request.here import StepHere
from buzzflow.backends.local.request.request import RunRequest
from buzzflow.backends.local.reuse.digests import sha256_of

REQUEST, PLAN, CODE = "request.json", "run-plan.json", "code"


class RequestRecord(BaseModel):
    """What a run was given besides its plan and parameters. Paths start at the repository's top, where they can."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    project: str
    data: dict[str, str] = {}
    images: dict[str, str] = {}
    here: dict[str, StepHere] = {}

    def here_from(self, top: Path) -> dict[str, StepHere]:
        """Return how single steps run, with paths in a repository at *top*."""
        return {name: _moved(step, lambda path: top / path) for name, step in self.here.items()}


class RecordError(Exception):
    """A run cannot be done again from its folder; the text says why."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run of which all is there to do it again; *contents* are the files of its code by digest."""

    folder: Path
    manifest: Manifest
    plan: plan.RunPlan
    asked: RequestRecord
    contents: Mapping[str, Path]


def record_request(request: RunRequest) -> RunRequest:
    """Keep the plan, what it is run with and its code in the run's folder; return the request with the code there.

    A file that was edited meanwhile is left where it is: the step that needs it will say so.
    """
    folder, top = request.folder, request.state.parent
    write_json(folder / PLAN, request.plan.model_dump(mode="json"))
    data = {address: _from_top(path, top) for address, path in request.data.items()}
    here = {name: _moved(step, lambda path: Path(_from_top(path, top))) for name, step in request.here.items()}
    asked = RequestRecord(project=_from_top(request.project, top), data=data, images=dict(request.images), here=here)
    write_json(folder / REQUEST, asked.model_dump(mode="json"))
    contents = {}
    for sha256, source in request.contents.items():
        kept = _kept(sha256, source, request.state / "cache" / CODE)
        contents[sha256] = source if kept is None else _linked(kept, folder / CODE / sha256)
    return replace(request, contents=contents)


def read_recorded(folder: Path) -> Recorded:
    """Return the run in *folder*; RecordError when something of it is missing."""
    try:
        manifest = read_manifest(folder)
        made = plan.RunPlan.model_validate_json((folder / PLAN).read_bytes())
        asked = RequestRecord.model_validate_json((folder / REQUEST).read_bytes())
        contents = {file.name: file for file in (folder / CODE).iterdir()} if (folder / CODE).is_dir() else {}
    except ManifestError as e:
        raise RecordError(str(e)) from None
    except OSError as e:
        raise RecordError(f"{folder} is not whole: {e.strerror}: {Path(e.filename or '').name}") from None
    except ValidationError as e:
        raise RecordError(
            f"{folder} is damaged, or of another buzzflow: {e.errors(include_url=False)[0]['msg']}"
        ) from None
    if lost := [name for name in _files_of(made) if name not in contents]:
        raise RecordError(f"{folder} is not whole: {len(lost)} of the files of its code are missing")
    return Recorded(folder, manifest, made, asked, contents)


def _files_of(made: plan.RunPlan) -> set[str]:
    files: list[plan.CodeFile] = []
    for step in plan.every_step(made.steps):
        if isinstance(step, plan.ContainerStep):
            container = step.container
            files += container.code.files if container.code is not None else []
            files += container.image.files if isinstance(container.image, plan.Build) else []
            files += [f for i in container.inputs if isinstance(i.source, plan.Files) for f in i.source.files]
    return {file.sha256 for file in files}


def _moved(step: StepHere, change: Callable[[Path], Path]) -> StepHere:
    result, function = step.result, step.function
    return replace(
        step,
        result=None if result is None else replace(result, folder=change(result.folder)),
        function=None if function is None else replace(function, file=change(function.file)),
    )


def _from_top(path: Path, top: Path) -> str:
    return str(path.relative_to(top)) if path.is_relative_to(top) else str(path)


def _kept(sha256: str, source: Path, cache: Path) -> Path | None:
    """Return the copy of a content that all runs share; None when *source* is no longer that."""
    place = cache / sha256
    if place.exists():
        return place
    cache.mkdir(parents=True, exist_ok=True)
    partial = cache / f".{sha256}.{secrets.token_hex(4)}"
    try:
        shutil.copyfile(source, partial)
        if sha256_of(partial) != sha256:
            return None
        partial.chmod(0o444)
        partial.replace(place)
    except FileNotFoundError:
        return None
    finally:
        partial.unlink(missing_ok=True)
    return place


def _linked(kept: Path, place: Path) -> Path:
    place.parent.mkdir(exist_ok=True)
    try:
        os.link(kept, place)
    except OSError:  # a file system without hard links
        shutil.copyfile(kept, place)
    return place
