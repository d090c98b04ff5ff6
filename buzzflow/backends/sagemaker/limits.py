"""Find what breaks the service's limits in one job: how many, how long, how big, and which words it takes.

Source: botocore 1.44.5, service model sagemaker 2017-07-24; the name of the shape stands beside each limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from buzzflow import ir
from buzzflow.backends import contract
from buzzflow.backends.service import (
    HYPERPARAMETER,
    HYPERPARAMETER_KEY,
    HYPERPARAMETERS,
    OUTPUTS,
    PROCESSING,
    TRAINING,
    URI,
    VARIABLES,
    WORD,
    WORDS,
    JobLimits,
)
from buzzflow.diagnostics import Diagnostic, Path

_LINE_BREAKS = frozenset("\r\n")


SUBNETS, SECURITY_GROUPS = 16, 5  # Subnets, VpcSecurityGroupIds
TAGS, TAG_KEY, TAG_VALUE = 50, 128, 256  # TagList, TagKey, TagValue
METRICS, METRIC_NAME, REGEX = 40, 255, 500  # MetricDefinitionList, MetricName, MetricRegex
KEEP_ALIVE = 21_600  # KeepAlivePeriodInSeconds
IMAGE = 255  # ImageUri, AlgorithmImage
CHANNEL = 64  # ChannelName


def job_problems(step: ir.Step, job: ir.Job, limits: JobLimits) -> Iterator[Diagnostic]:
    """Yield the limits of the service that *job*, the one of *step*, breaks."""
    at: Path = ("steps", step.name)
    code = job.code is not None
    yield from _too_many((*at, "inputs"), "inputs", len(job.inputs) + code, limits.inputs, "one is its code" * code)
    yield from _words((*at, "arguments"), "argument", job.arguments)
    yield from _words((*at, "code" if code else "entrypoint"), "entrypoint", contract.container_entrypoint(step) or ())
    yield from _variables(at, step, limits)
    instance = job.instance
    yield from out_of_range((*at, "instance", "count"), "instances", instance.count, limits.count)
    yield from out_of_range((*at, "instance", "volume_size_gb"), "GB of disk", instance.volume_size_gb, limits.volume)
    yield from out_of_range((*at, "timeout"), "seconds of timeout", job.timeout, limits.timeout)
    yield from _addresses(at, job)
    if isinstance(job.image, ir.ImageUri):
        yield from too_long((*at, "image"), "the address of the image", job.image.uri, IMAGE)
    if job.network is not None:
        yield from _network((*at, "network"), job.network)
    yield from _too_many((*at, "tags"), "tags", len(job.tags), TAGS)
    for key, value in job.tags:
        yield from too_long((*at, "tags", key), "the key of a tag", key, TAG_KEY)
        yield from too_long((*at, "tags", key), f"the tag {key!r}", value, TAG_VALUE)


def processing_problems(step: ir.Step, job: ir.Job) -> Iterator[Diagnostic]:
    """Yield the limits that only a processing job has."""
    at: Path = ("steps", step.name)
    yield from job_problems(step, job, PROCESSING)
    yield from _too_many((*at, "outputs"), "outputs", len(job.outputs), OUTPUTS)


def training_problems(step: ir.Step, work: ir.Training) -> Iterator[Diagnostic]:
    """Yield the limits that only a training job has."""
    at: Path = ("steps", step.name)
    yield from job_problems(step, work.job, TRAINING)
    for data in work.job.inputs:
        yield from too_long((*at, "inputs", data.name), "the name of an input", data.name, CHANNEL)
    keep_alive = work.job.instance.keep_alive
    yield from out_of_range((*at, "instance", "keep_alive"), "seconds of keep_alive", keep_alive, (0, KEEP_ALIVE))
    yield from _too_many((*at, "hyperparameters"), "hyperparameters", len(work.hyperparameters), HYPERPARAMETERS)
    for key, value in work.hyperparameters:
        path = (*at, "hyperparameters", key)
        yield from too_long(path, "the name of a hyperparameter", key, HYPERPARAMETER_KEY)
        yield from one_line(path, f"hyperparameter {key!r}", value, HYPERPARAMETER)
    yield from _too_many((*at, "metrics"), "metrics", len(work.metrics), METRICS)
    for name, regex in work.metrics:
        yield from one_line((*at, "metrics", name), "the name of a metric", name, METRIC_NAME)
        yield from one_line((*at, "metrics", name), f"the expression of metric {name!r}", regex, REGEX)
    if work.checkpoints is not None:
        yield from _address((*at, "checkpoints", "to"), work.checkpoints.to)


def too_long(path: Path, what: str, value: ir.Value, limit: int) -> Iterator[Diagnostic]:
    """Yield a diagnostic when the literal text in *value* alone has more than *limit* characters."""
    length = literal_length(value)
    if length > limit:
        yield Diagnostic("BF411", f"{what} has {length} characters, and SageMaker takes {limit}", path)


def one_line(path: Path, what: str, value: ir.Value, limit: int) -> Iterator[Diagnostic]:
    """Yield what is wrong with a text for which the service's pattern is `.*`: such a text has no line breaks."""
    yield from too_long(path, what, value, limit)
    if not all(map(_LINE_BREAKS.isdisjoint, literals(value))):
        hint = "write it on one line, or pass it in a file"
        yield Diagnostic("BF415", f"{what} has several lines, and SageMaker takes one", path, hint)


def out_of_range(
    path: Path, what: str, value: ir.Number | None, bounds: tuple[int, int | None]
) -> Iterator[Diagnostic]:
    """Yield a diagnostic when *value* is a number outside of *bounds*."""
    low, high = bounds
    if isinstance(value, int) and (value < low or (high is not None and value > high)):
        allowed = f"at least {low}" if high is None else f"{low} to {high}"
        yield Diagnostic("BF416", f"{value} {what} are outside of what SageMaker takes", path, f"use {allowed}")


def literals(value: ir.Value) -> tuple[str, ...]:
    """Return the parts of *value* that are known now."""
    match value:
        case str():
            return (value,)
        case ir.Text(parts=parts):
            return tuple(part for part in parts if isinstance(part, str))
        case _:
            return ()


def literal_length(value: ir.Value) -> int:
    """Return how many characters of *value* are known now."""
    return len(value) if type(value) is str else sum(map(len, literals(value)))


def _too_many(path: Path, what: str, number: int, limit: int, why: str = "") -> Iterator[Diagnostic]:
    if number > limit:
        explained = f" ({why})" if why else ""
        yield Diagnostic("BF410", f"{number} {what}{explained} are more than the {limit} that SageMaker takes", path)


def _words(path: Path, what: str, words: Sequence[ir.Value]) -> Iterator[Diagnostic]:
    yield from _too_many(path, f"{what}s" if what == "argument" else f"words of the {what}", len(words), WORDS)
    for i, word in enumerate(words):
        if type(word) is not str or len(word) > WORD or not _LINE_BREAKS.isdisjoint(word):
            yield from one_line((*path, i), f"{what} {i + 1}", word, WORD)


def _variables(at: Path, step: ir.Step, limits: JobLimits) -> Iterator[Diagnostic]:
    path = (*at, "environment_variables")
    promised = contract.promised_variables(step)
    ours = [name for name, _ in promised]
    job = ir.job_of(step)
    variables = (*promised, *(job.environment if job else ()))
    why = f"{len(ours)} are buzzflow's" if ours else ""
    yield from _too_many(path, "environment variables", len(variables), VARIABLES, why)
    for name, value in variables:
        if literal_length(value) > limits.variable:
            yield from too_long((*path, name), f"variable {name}", value, limits.variable)
    twice = {name for name in ours if ours.count(name) > 1} if len({*ours}) < len(ours) else ()
    for name in sorted(name for name in twice if not name.startswith("SM_")):
        summary = f"two names in step {step.name!r} become the same variable {name}"
        yield Diagnostic("BF419", summary, at, "let them differ in more than dots and dashes")


def _addresses(at: Path, job: ir.Job) -> Iterator[Diagnostic]:
    for data in job.inputs:
        if not isinstance(data.source, ir.Bundle | ir.FileSystem | ir.Athena | ir.Redshift):
            yield from _address((*at, "inputs", data.name, "from"), data.source)
    for output in job.outputs:
        yield from _address((*at, "outputs", output.name, "to"), output.to)


def _address(path: Path, uri: ir.Value | None) -> Iterator[Diagnostic]:
    if uri is None:
        return
    yield from too_long(path, "the address", uri, URI)
    start = uri.parts[0] if isinstance(uri, ir.Text) else uri
    if isinstance(start, str) and not re.match(
        r"(https|s3)://" if isinstance(uri, ir.Text) else r"(https|s3)://[^/]", start
    ):
        yield Diagnostic("BF418", f"{start!r} is no address in S3", path, "write s3://bucket/folder/")


def _network(path: Path, network: ir.Network) -> Iterator[Diagnostic]:
    yield from _too_many((*path, "subnets"), "subnets", len(network.subnets), SUBNETS)
    groups = len(network.security_group_ids)
    yield from _too_many((*path, "security_group_ids"), "security groups", groups, SECURITY_GROUPS)
    if bool(network.subnets) != bool(network.security_group_ids):
        yield Diagnostic("BF412", "SageMaker takes subnets and security_group_ids only together", path)
