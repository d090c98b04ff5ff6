"""What jobs are made of: image, code, machines, network, data. Durations are whole seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from buzzflow.ir.values import Number, Pairs, Reference, Value


@dataclass(frozen=True, slots=True)
class ImageUri:
    """A container image by its address."""

    uri: Value


@dataclass(frozen=True, slots=True)
class FrameworkImage:
    """An image of the service for a framework; the address depends on region and instance."""

    framework: str
    version: str
    python: str | None = None
    accelerator: Literal["cpu", "gpu"] | None = None


@dataclass(frozen=True, slots=True)
class BundleFile:
    """One file that travels with a step: its path in the bundle (posix), and its content by digest."""

    path: str
    sha256: str
    size: int
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Bundle:
    """The code of a step, addressed by content: equal files, equal digest, on every machine."""

    digest: str
    files: tuple[BundleFile, ...]


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """An image that is built from a folder with a Dockerfile; equal files, equal image."""

    context: Bundle


Image = ImageUri | FrameworkImage | BuiltImage


@dataclass(frozen=True, slots=True)
class Code:
    """What starts *entry_point*, a path in the bundle: our entry script with *interpreter*, or the image's toolkit."""

    entry_point: str
    interpreter: str
    bundle: Bundle
    requirements: str | None = None  # its path in the bundle
    launcher: Literal["buzzflow", "image"] = "buzzflow"
    distributed: Literal["torchrun"] | None = None
    inference: bool = False  # whether the bundle brings serving code


@dataclass(frozen=True, slots=True)
class Instance:
    """The machines that a job runs on."""

    type: Value = "ml.m5.xlarge"
    count: Number = 1
    volume_size_gb: Number = 30
    keep_alive: int | None = None
    fallbacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Network:
    """Where a job may connect."""

    subnets: tuple[Value, ...] = ()
    security_group_ids: tuple[Value, ...] = ()
    isolation: bool | Reference = False
    encrypt_traffic: bool | Reference = False


@dataclass(frozen=True, slots=True)
class Encryption:
    """The keys for a job's disk and for what it writes."""

    volume_key: Value | None = None
    output_key: Value | None = None


@dataclass(frozen=True, slots=True)
class FileSystem:
    """A folder of a file system in the VPC."""

    id: Value
    type: Literal["efs", "fsx"]
    folder: Value
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Athena:
    """The answer to a query of Amazon Athena, stored at *to*."""

    query: Value
    database: Value
    catalog: Value
    to: Value
    format: str
    work_group: Value | None = None
    compression: str | None = None


@dataclass(frozen=True, slots=True)
class Redshift:
    """The answer to a query of Amazon Redshift, stored at *to*."""

    query: Value
    cluster: Value
    database: Value
    user: Value
    cluster_role: Value
    to: Value
    format: str
    compression: str | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """Data that a job reads from *path*.

    *source* is an address in the store or a reference to one, files of the repository, a file system, or a query.
    *group* is the input that the user wrote, where this is one of the copies that it gathers.
    """

    name: str
    source: Value | Bundle | FileSystem | Athena | Redshift
    path: str
    content_type: Value | None = None
    distribution: Literal["replicate", "shard"] = "replicate"
    mode: Literal["file", "fast_file", "pipe"] | None = None
    data_type: Literal["prefix", "manifest", "augmented_manifest"] = "prefix"
    compression: Literal["none", "gzip"] = "none"
    extract: bool = False
    group: str | None = None


@dataclass(frozen=True, slots=True)
class JsonFile:
    """A file in an output whose values `${json:…}` reads."""

    name: str
    file: str


@dataclass(frozen=True, slots=True)
class Output:
    """Data that a job writes to *path*; without *to* and *feature_group* the backend chooses the place.

    *exact* is an address that is what it is, whether it ends like a folder or not.
    """

    name: str
    path: str
    to: Value | None = None
    upload: Literal["end", "continuous"] = "end"
    reports: tuple[JsonFile, ...] = ()
    feature_group: Value | None = None
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """What processing and training have in common: a container, its data, its machine.

    With *code*, our entry script runs it. With *entrypoint*, exactly that runs. With neither, the image's own.
    """

    image: Image
    code: Code | None = None
    entrypoint: tuple[Value, ...] | None = None
    arguments: tuple[Value, ...] = ()
    environment: Pairs = ()
    secrets: Pairs = ()
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()
    instance: Instance = Instance()
    network: Network | None = None
    encryption: Encryption = Encryption()
    role: Value | None = None
    timeout: Number | None = None
    tags: Pairs = ()
