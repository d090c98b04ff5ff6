"""What steps do: jobs in containers, choices, failures. Durations are whole seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from buzzflow.ir.conditions import Test
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


Image = ImageUri | FrameworkImage


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
class Code:
    """Our entry script starts *entry_point* (its path in the bundle) with *interpreter*."""

    entry_point: str
    interpreter: str
    bundle: Bundle
    requirements: str | None = None  # its path in the bundle


@dataclass(frozen=True, slots=True)
class Instance:
    """The machines that a job runs on."""

    type: Value = "ml.m5.xlarge"
    count: Number = 1
    volume_size_gb: Number = 30
    keep_alive: int | None = None


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
class Input:
    """Data that a job reads from *path*; *source* is an address in the store, or a reference to one."""

    name: str
    source: Value
    path: str
    content_type: Value | None = None
    distribution: Literal["replicate", "shard"] = "replicate"
    mode: Literal["file", "fast_file", "pipe"] | None = None
    data_type: Literal["prefix", "manifest", "augmented_manifest"] = "prefix"
    compression: Literal["none", "gzip"] = "none"


@dataclass(frozen=True, slots=True)
class JsonFile:
    """A file in an output whose values `${json:…}` reads."""

    name: str
    file: str


@dataclass(frozen=True, slots=True)
class Output:
    """Data that a job writes to *path*; without *to* the backend chooses the place."""

    name: str
    path: str
    to: Value | None = None
    upload: Literal["end", "continuous"] = "end"
    reports: tuple[JsonFile, ...] = ()


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
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()
    instance: Instance = Instance()
    network: Network | None = None
    encryption: Encryption = Encryption()
    role: Value | None = None
    timeout: Number | None = None
    tags: Pairs = ()


@dataclass(frozen=True, slots=True)
class Processing:
    """A job that turns data into data."""

    job: Job


@dataclass(frozen=True, slots=True)
class Spot:
    """Cheaper machines that may be taken away; *wait* is the time for capacity, on top of the timeout."""

    wait: int


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Where a training keeps what it needs to go on after an interruption."""

    path: str
    to: Value | None = None


@dataclass(frozen=True, slots=True)
class Training:
    """A job that makes a model. Its one output, the model, has the name `model`."""

    job: Job
    hyperparameters: Pairs = ()
    metrics: tuple[tuple[str, str], ...] = ()
    input_mode: Literal["file", "fast_file", "pipe"] = "file"
    spot: Spot | None = None
    checkpoints: Checkpoints | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """Chooses which steps run: every one named in *then* or *otherwise* belongs to that branch."""

    test: Test
    then: tuple[str, ...]
    otherwise: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fail:
    """Ends the run as failed, with a message."""

    message: Value


Work = Processing | Training | Condition | Fail
