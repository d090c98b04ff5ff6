"""Lower processing and training steps: container, data, machine."""

from __future__ import annotations

import posixpath
import re
import warnings
from collections.abc import Mapping

from buzzflow import ir
from buzzflow.config.parts import ImageConfig, InputConfig, NetworkPolicyConfig, OutputConfig
from buzzflow.config.steps import EstimatorConfig, ProcessorConfig
from buzzflow.diagnostics import Diagnostic, Path
from buzzflow.lower.values import Values

DEFAULT_IMAGE = ir.FrameworkImage("sklearn", "1.4-2")
PROCESSING = "/opt/ml/processing"
TRAINING_TIMEOUT = 24 * 3600
MAX_PATTERN = 500  # the service's limit
_RESERVED = ("BUZZFLOW_", "SM_")


def processing(
    name: str, step: ProcessorConfig, values: Values, code: ir.Code | None, tags: Mapping[str, str]
) -> ir.Processing:
    """Return the meaning of a processing step."""
    path: Path = ("steps", name)
    inputs = _inputs(step.inputs, (*path, "inputs"), values, training=False)
    outputs = tuple(_output(n, o, (*path, "outputs", n), values) for n, o in step.outputs.items())
    values.problems += _path_problems(step, path)
    return ir.Processing(_job(name, step, values, code, tags, inputs, outputs))


def training(
    name: str, step: EstimatorConfig, values: Values, code: ir.Code | None, tags: Mapping[str, str]
) -> ir.Training:
    """Return the meaning of a training step."""
    path: Path = ("steps", name)
    inputs = _inputs(step.inputs, (*path, "inputs"), values, training=True)
    given = step.outputs.get("model")
    model = ir.Output("model", "/opt/ml/model", _place(given, (*path, "outputs", "model"), values))
    if given is not None and (given.path is not None or given.report_files or given.upload != "end"):
        hint = "only `to` can be chosen; reports are a processing step's"
        values.problems.append(Diagnostic("BF321", "the model's folder is fixed", (*path, "outputs", "model"), hint))
    for metric, pattern in step.metrics.items():
        if wrong := _pattern_problem(pattern):
            place = (*path, "metrics", metric)
            values.problems.append(
                Diagnostic("BF324", f"metric {metric!r}: {wrong}", place, r"such as 'auc=([0-9\.]+)'")
            )
    checkpoints = step.checkpoints
    return ir.Training(
        _job(name, step, values, code, tags, inputs, (model,)),
        hyperparameters=values.pairs(step.hyperparameters, (*path, "hyperparameters")),
        metrics=tuple(step.metrics.items()),
        input_mode=step.input_mode,
        spot=None if step.spot is None else ir.Spot(step.spot.wait),
        checkpoints=None
        if checkpoints is None
        else ir.Checkpoints(
            checkpoints.path,
            None if checkpoints.to is None else _folder(values.place(checkpoints.to, (*path, "checkpoints", "to"))),
        ),
    )


def _pattern_problem(pattern: str) -> str | None:
    if len(pattern) > MAX_PATTERN:
        return f"a pattern has {MAX_PATTERN} characters at most, and this one {len(pattern)}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a later Python may read otherwise
            re.compile(pattern)
    except (re.error, OverflowError) as e:
        return f"{pattern!r} is no regular expression: {e}"
    return None


def _job(
    name: str,
    step: ProcessorConfig | EstimatorConfig,
    values: Values,
    code: ir.Code | None,
    tags: Mapping[str, str],
    inputs: tuple[ir.Input, ...],
    outputs: tuple[ir.Output, ...],
) -> ir.Job:
    path: Path = ("steps", name)
    for variable in step.environment_variables:
        if code is not None and variable.startswith(_RESERVED):
            place = (*path, "environment_variables", variable)
            values.problems.append(
                Diagnostic("BF323", f"{variable!r} is a variable that buzzflow sets", place, "choose another name")
            )
    if code is None and step.entrypoint is None and step.image is None:
        hint = "add code: script.py, or an image that runs by itself"
        values.problems.append(Diagnostic("BF319", f"step {name!r} has nothing to run", path, hint))
    timeout = step.timeout
    if timeout is None and isinstance(step, EstimatorConfig):
        timeout = TRAINING_TIMEOUT
    instance = step.instance
    return ir.Job(
        image=_image(step.image, (*path, "image"), values),
        code=code,
        entrypoint=None if step.entrypoint is None else values.texts(step.entrypoint, (*path, "entrypoint")),
        arguments=values.texts(step.arguments, (*path, "arguments")),
        environment=values.pairs(step.environment_variables, (*path, "environment_variables")),
        inputs=inputs,
        outputs=outputs,
        instance=ir.Instance(
            values.text(instance.type, (*path, "instance", "type")),
            values.number(instance.count, (*path, "instance", "count")),
            values.number(instance.volume_size_gb, (*path, "instance", "volume_size_gb")),
            instance.keep_alive,
        ),
        network=_network(step.network, (*path, "network"), values),
        encryption=ir.Encryption(
            values.maybe(step.encryption.volume_key, (*path, "encryption", "volume_key")),
            values.maybe(step.encryption.output_key, (*path, "encryption", "output_key")),
        ),
        role=values.maybe(step.role, (*path, "role")),
        timeout=None if timeout is None else values.number(timeout, (*path, "timeout")),
        tags=values.pairs({**tags, **step.tags}, (*path, "tags")),
    )


def _image(image: ImageConfig | None, path: Path, values: Values) -> ir.Image:
    if image is None:
        return DEFAULT_IMAGE
    if image.uri is not None:
        return ir.ImageUri(values.text(image.uri, (*path, "uri")))
    assert image.framework is not None
    assert image.version is not None
    return ir.FrameworkImage(image.framework, image.version, image.python, image.accelerator)


def _network(network: NetworkPolicyConfig | None, path: Path, values: Values) -> ir.Network | None:
    if network is None:
        return None
    return ir.Network(
        values.texts(network.subnets, (*path, "subnets")),
        values.texts(network.security_group_ids, (*path, "security_group_ids")),
        values.boolean(network.isolation, (*path, "isolation")),
        values.boolean(network.encrypt_traffic, (*path, "encrypt_traffic")),
    )


def _inputs(inputs: Mapping[str, InputConfig], path: Path, values: Values, *, training: bool) -> tuple[ir.Input, ...]:
    lowered = []
    for name, item in inputs.items():
        place = (*path, name)
        if training and item.path is not None:
            hint = "remove path: a training input arrives in the folder of its name"
            values.problems.append(
                Diagnostic("BF321", f"training input {name!r} is always in /opt/ml/input/data/{name}", place, hint)
            )
        lowered.append(
            ir.Input(
                name,
                values.place(item.from_, (*place, "from")),
                item.path or (f"/opt/ml/input/data/{name}" if training else f"{PROCESSING}/input/{name}"),
                values.maybe(item.content_type, (*place, "content_type")),
                item.distribution,
                item.mode,
                item.data_type,
                item.compression,
            )
        )
    return tuple(lowered)


def _output(name: str, item: OutputConfig, path: Path, values: Values) -> ir.Output:
    for report, file in item.report_files.items():
        if {"", ".."} & set(file.split("/")) or "\\" in file or "\0" in file:
            what = f"report {report!r}: {file!r} leaves the output's folder"
            values.problems.append(Diagnostic("BF325", what, (*path, "json", report), "name a file inside the output"))
    return ir.Output(
        name,
        item.path or f"{PROCESSING}/output/{name}",
        _place(item, path, values),
        item.upload,
        tuple(ir.JsonFile(n, f) for n, f in item.report_files.items()),
    )


def _place(item: OutputConfig | None, path: Path, values: Values) -> ir.Value | None:
    if item is None or item.to is None:
        return None
    return _folder(values.place(item.to, (*path, "to")))


def _folder(value: ir.Value) -> ir.Value:
    """End a literal address in `/`: the service matches by prefix, and `…/train` is one of `…/train-old/x`."""
    match value:
        case str():
            return value if value.endswith("/") else value + "/"
        case ir.Text(parts=(*first, str(last))):
            return ir.Text((*first, last if last.endswith("/") else last + "/"))
        case _:
            return value


def _path_problems(step: ProcessorConfig, path: Path) -> list[Diagnostic]:
    """Say which folders in the container are wrong: elsewhere, or one inside another."""
    taken: dict[str, tuple[str, Path]] = {}
    problems = []
    items: list[tuple[str, str, str | None]] = [("inputs", n, i.path) for n, i in step.inputs.items()]
    items += [("outputs", n, o.path) for n, o in step.outputs.items()]
    for kind, name, chosen in items:
        place = (*path, kind, name, "path") if chosen else (*path, kind, name)
        folder = posixpath.normpath(chosen or f"{PROCESSING}/{kind[:-1]}/{name}")
        if not folder.startswith(PROCESSING + "/") or (chosen and ".." in chosen.split("/")):
            hint = f"the service mounts below {PROCESSING}/ only"
            problems.append(Diagnostic("BF321", f"folder {chosen!r} is not below {PROCESSING}/", place, hint))
        for other, (who, _) in taken.items():
            if folder == other or folder.startswith(other + "/") or other.startswith(folder + "/"):
                problems.append(
                    Diagnostic("BF322", f"{kind[:-1]} {name!r} and {who} share {folder}", place, "choose another path")
                )
        taken[folder] = (f"{kind[:-1]} {name!r}", place)
    return problems
