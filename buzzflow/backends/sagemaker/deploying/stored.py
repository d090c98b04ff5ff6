"""What a pipeline needs in its bucket, by content address: equal contents have one key, so nothing is ever replaced."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from buzzflow import ir
from buzzflow.backends import contract
from buzzflow.backends.sagemaker import places
from buzzflow.backends.sagemaker.scope import Scope
from buzzflow.backends.sagemaker.services import analysis_file

_SHARED = "shared/"  # of the packages that all steps share, in a bundle
_REQUIREMENTS = "requirements.txt"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of the repository under its *key*; *sha256* in hexadecimal, *size* in bytes."""

    key: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class StoredArchive:
    """The code of a step as the toolkit in a framework image unpacks it; made when it is uploaded."""

    key: str
    bundle: ir.Bundle


@dataclass(frozen=True, slots=True)
class StoredText:
    """A file that the compiler writes."""

    key: str
    content: bytes


Stored = StoredFile | StoredArchive | StoredText


def stored_by(pipeline: ir.Pipeline) -> tuple[Stored, ...]:
    """Return what the definition of *pipeline* points to in the bucket, by key."""
    found = {thing.key: thing for step in pipeline.steps for thing in _of_step(Scope(pipeline), step)}
    return tuple(found[key] for key in sorted(found))


def _of_step(scope: Scope, step: ir.Step) -> Iterator[Stored]:
    pipeline = scope.pipeline
    if isinstance(step.work, ir.Check) and step.work.type == "clarify_check":
        content = analysis_file(scope, step.work)
        yield StoredText(_key(places.analysis_uri(pipeline, content)), content)
    if (job := ir.job_of(step)) is None:
        return
    for data in job.inputs:
        if isinstance(data.source, ir.Bundle):
            yield from _files(places.files_uri(pipeline, data.source), data.source)
    match job.code:
        case None:
            pass
        case ir.Code(launcher="image", bundle=bundle):
            yield StoredArchive(_key(places.toolkit_uri(pipeline, bundle)), bundle)
        case ir.Code(bundle=bundle):
            yield from _files(places.code_uri(pipeline, bundle), bundle)


def images_built_by(pipeline: ir.Pipeline) -> Mapping[str, ir.Bundle]:
    """Return the address of each image that is built, and the folder that it is built from."""
    return {
        places.built_image_uri(pipeline, part.context): part.context
        for step in pipeline.steps
        for part in _images(step.work)
    }


def _images(work: ir.Work) -> Iterator[ir.BuiltImage]:
    match work:
        case ir.Model(containers=containers) | ir.RegisterModel(containers=containers):
            images = [container.image for container in containers]
        case ir.Tuning(training=training):
            images = [training.job.image]
        case _:
            job = getattr(work, "job", None)
            images = [job.image] if isinstance(job, ir.Job) else []
    yield from (image for image in images if isinstance(image, ir.BuiltImage))


def _files(folder: str, bundle: ir.Bundle) -> Iterator[StoredFile]:
    prefix = _key(folder)
    for file in bundle.files:
        yield StoredFile(f"{prefix}{file.path}", file.sha256, file.size)


def _key(uri: str) -> str:
    """Return the key of `s3://bucket/key`."""
    return uri.split("/", 3)[3]


def content_of(stored: Stored, contents: Mapping[str, Path]) -> bytes | Path:
    """Return what lies under the key: bytes, or the file that has them; *contents* are files by their SHA-256."""
    match stored:
        case StoredFile(sha256=sha256):
            return contents[sha256]
        case StoredArchive(bundle=bundle):
            return toolkit_archive(bundle, contents)
        case StoredText(content=content):
            return content
        case _:
            assert_never(stored)


def toolkit_archive(bundle: ir.Bundle, contents: Mapping[str, Path]) -> bytes:
    """Return *bundle* as `sourcedir.tar.gz`: the script's folder at the top, and the shared packages beside it.

    Equal bundles give equal bytes under one version of zlib: no clock, owner or order of a disk goes in.
    """
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for file in bundle.files:
            if (path := _in_archive(file.path)) is None:
                continue
            member = tarfile.TarInfo(path)
            member.size, member.mode = file.size, 0o755 if file.executable else 0o644
            with contents[file.sha256].open("rb") as opened:
                tar.addfile(member, opened)
    return packed.getvalue()


def _in_archive(path: str) -> str | None:
    for folder in (contract.SOURCE_FOLDER, _SHARED):
        if path.startswith(folder):
            return path.removeprefix(folder)
    return path if path == _REQUIREMENTS else None
