"""Lay out `/opt/ml` for a step the way SageMaker does, and take the results from it.

Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo.html
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import shutil
import tarfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from buzzflow import ir
from buzzflow.backends.local import plan
from buzzflow.backends.local.executor import Mount
from buzzflow.backends.local.walls import read_some, within
from buzzflow.diagnostics import PipelineError
from buzzflow.loader.bundle import stage_bundle

OPT_ML = "/opt/ml"
HOST = "algo-1"
_DISTRIBUTION = {"replicate": "FullyReplicated", "shard": "ShardedByS3Key"}


class StagingError(Exception):
    """A step's folder cannot be laid out; the text says why."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The folder that a step sees as `/opt/ml`."""

    folder: Path

    def inside(self, path: str) -> Path:
        """Return where a path of the container lies on this machine."""
        return self.folder.joinpath(*PurePosixPath(path).relative_to(OPT_ML).parts)

    def message(self) -> str | None:
        """Return what the step itself says of its failure, as the service reads it: 1,024 characters at most."""
        for name in ("output/failure", "output/message"):
            with contextlib.suppress(OSError):
                file = within(self.folder, self.folder / name)
                if told := read_some(file, 1024).decode("utf-8", "replace").strip():
                    return told
        return None

    def written(self, path: str) -> Path:
        """Return where the step wrote a folder of the container; LinkError when it put a link in its place."""
        return within(self.folder, self.inside(path))


def lay_out(
    stage: Stage,
    container: plan.Container,
    *,
    hyperparameters: Mapping[str, str],
    sources: Mapping[str, Path],
    contents: Mapping[str, Path],
    instance_type: str,
    host: str = HOST,
    hosts: Sequence[str] = (HOST,),
) -> tuple[Mount, ...]:
    """Make the folder, and return what to mount: it, and each input over its place in it.

    *sources* are the inputs' data by name, *contents* the files of the code by digest. *host* is this machine's name
    among *hosts*.
    """
    stage.folder.mkdir(parents=True)
    mounts = [Mount(stage.folder, OPT_ML, read_only=False)]
    for item in container.inputs:
        place = stage.inside(item.path)
        place.mkdir(parents=True)
        source = sources[item.name]
        if item.extract:  # archives are unpacked beside themselves, so the step gets a copy that it may write to
            _copy(source, place)
        elif source.is_dir():
            mounts.append(Mount(source, item.path, read_only=True))
        else:
            _place(source, place / source.name)
    if container.code is not None:
        _stage_code(container.code, stage.inside(container.code.path), contents)
    for output in container.outputs:
        stage.inside(output.path).mkdir(parents=True, exist_ok=True)
    (stage.folder / "output").mkdir(exist_ok=True)
    _configure(stage, container, hyperparameters, _resources(instance_type, host, hosts))
    return tuple(mounts)


def _copy(source: Path, target: Path) -> None:
    try:
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, target / source.name)
    except (OSError, shutil.Error) as e:
        raise StagingError(f"cannot copy {source}: {e}") from None


def _place(source: Path, target: Path) -> None:
    """Copy a file: a link would let the step write into the original."""
    try:
        shutil.copyfile(source, target)
    except OSError as e:
        raise StagingError(f"cannot copy {source}: {e.strerror}") from None


def deal(source: Path, folder: Path, number: int, count: int) -> None:
    """Lay out every *count*-th file of *source* in the order of their keys, from *number* on.

    So the service deals out objects where data is sharded by key: each machine gets about as many.
    """
    folder.mkdir(parents=True)
    files = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
    for file in files[number::count]:
        target = folder / (file.relative_to(source) if source.is_dir() else file.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        _place(file, target)


def _stage_code(code: plan.Code, folder: Path, contents: Mapping[str, Path]) -> None:
    """Lay out the step's own copy: it may write beside its script, as it may on the service."""
    files = tuple(ir.BundleFile(f.path, f.sha256, f.size, f.executable) for f in code.files)
    try:
        stage_bundle(ir.Bundle(code.digest, files), contents, folder)
    except PipelineError as e:
        raise StagingError(e.diagnostics[0].summary) from None


def _resources(instance_type: str, host: str, hosts: Sequence[str]) -> dict[str, object]:
    """Return `resourceconfig.json`: the machines of the job, and which of them this is."""
    group = {"instance_group_name": "homogeneousCluster", "instance_type": instance_type, "hosts": [*hosts]}
    return {
        "current_host": host,
        "current_instance_type": instance_type,
        "current_group_name": "homogeneousCluster",
        "hosts": [*hosts],
        "instance_groups": [group],
        "network_interface_name": "eth0",
    }


def _configure(
    stage: Stage, container: plan.Container, hyperparameters: Mapping[str, str], resources: Mapping[str, object]
) -> None:
    if container.training is None:
        config = stage.folder / "config"
        job = {
            "ProcessingInputs": [{"InputName": i.name, "LocalPath": i.path} for i in container.inputs],
            "ProcessingOutputConfig": {
                "Outputs": [{"OutputName": o.name, "LocalPath": o.path} for o in container.outputs]
            },
        }
        files: dict[str, object] = {"processingjobconfig.json": job}
    else:
        config = stage.folder / "input" / "config"
        mode = {"file": "File", "fast_file": "FastFile", "pipe": "Pipe"}[container.training.input_mode]
        channels = {
            i.name: {"TrainingInputMode": mode, "S3DistributionType": _DISTRIBUTION[i.distribution]}
            for i in container.inputs
        }
        files = {"hyperparameters.json": dict(hyperparameters), "inputdataconfig.json": channels}
        (stage.folder / "output" / "data").mkdir(parents=True, exist_ok=True)
        if container.training.checkpoints is not None:
            stage.inside(container.training.checkpoints).mkdir(parents=True, exist_ok=True)
    config.mkdir(parents=True)
    for name, content in {**files, "resourceconfig.json": resources}.items():
        (config / name).write_text(json.dumps(content), "utf-8")


def pack(folder: Path, archive: Path, stop: threading.Event) -> None:
    """Write *folder* to a `.tar.gz` that has the same bytes for the same files; it appears whole or not at all.

    Links stay links. InterruptedError when *stop* is set meanwhile.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    partial = archive.with_name(archive.name + ".partial")
    try:
        with (
            partial.open("wb") as raw,
            gzip.GzipFile(filename="", mode="wb", compresslevel=3, fileobj=raw, mtime=0) as stream,
            tarfile.open(fileobj=stream, mode="w") as tar,
        ):
            for path in sorted(folder.rglob("*")):
                _add(tar, path, path.relative_to(folder).as_posix(), stop)
        partial.replace(archive)
    finally:
        partial.unlink(missing_ok=True)


def _add(tar: tarfile.TarFile, path: Path, name: str, stop: threading.Event) -> None:
    info = tar.gettarinfo(path, name)
    if info is None:  # a socket
        return
    info.uid = info.gid = info.mtime = 0
    info.uname = info.gname = ""
    if info.isreg():
        with path.open("rb") as stream:
            tar.addfile(info, _Stoppable(stream, stop))
    else:
        tar.addfile(info)


class _Stoppable(io.RawIOBase):
    """A file that ends with an error when the run is stopped: a step may leave terabytes of nothing."""

    def __init__(self, stream: BinaryIO, stop: threading.Event) -> None:
        self._stream, self._stop = stream, stop

    def read(self, size: int = -1) -> bytes:
        if self._stop.is_set():
            raise InterruptedError("the run was stopped")
        return self._stream.read(size)
