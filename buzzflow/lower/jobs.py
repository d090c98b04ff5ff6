"""Lower the steps that run containers of the user's: processing, training, tuning, notebooks."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace

from buzzflow import ir
from buzzflow.config.parts import (
    EncryptionConfig,
    ImageConfig,
    InstanceConfig,
    NetworkPolicyConfig,
    RangeConfig,
    SearchConfig,
)
from buzzflow.config.steps import (
    EstimatorConfig,
    JobBase,
    NotebookConfig,
    ProcessorConfig,
    TrainingBase,
    TunerConfig,
)
from buzzflow.diagnostics import Path, did_you_mean
from buzzflow.lower.context import Context
from buzzflow.lower.data import inputs_of, output_of, path_problems
from buzzflow.lower.values import Values

DEFAULT_IMAGE = ir.FrameworkImage("sklearn", "1.4-2")
MODEL_FOLDER = "/opt/ml/model"
MAX_PATTERN = 500  # the service's limit
_RESERVED = ("BUZZFLOW_", "SM_")
NOTEBOOK_TIMEOUT = 48 * 3600  # as Studio's own notebook jobs


def processing(name: str, step: ProcessorConfig, context: Context) -> ir.Processing:
    """Return the meaning of a processing step."""
    path: Path = ("steps", name)
    inputs = inputs_of(step.inputs, (*path, "inputs"), context, training=False)
    outputs = tuple(output_of(n, o, (*path, "outputs", n), context) for n, o in step.outputs.items())
    path_problems(step, inputs, path, context)
    if step.code is not None and (step.code.launcher == "image" or step.code.distributed or step.code.inference):
        context.problem("BF326", "launcher, distributed and inference are for training", (*path, "code"), "remove it")
    return ir.Processing(_job(name, step, context, inputs, outputs))


def training(name: str, step: EstimatorConfig, context: Context) -> ir.Training:
    """Return the meaning of a training step."""
    path: Path = ("steps", name)
    found = _training(name, step, context)
    return replace(
        found,
        algorithm=context.values.maybe(step.algorithm, (*path, "algorithm")),
        debugger=context.values.tree(step.debugger, (*path, "debugger")) if step.debugger else None,
        profiler=context.values.tree(step.profiler, (*path, "profiler")) if step.profiler else None,
    )


def tuning(name: str, step: TunerConfig, context: Context) -> ir.Tuning:
    """Return the meaning of a tuning step."""
    path: Path = ("steps", name, "search")
    objective = step.search.objective
    metric = objective.maximize or objective.minimize
    direction: Path = (*path, "objective", "minimize" if objective.maximize is None else "maximize")
    assert metric is not None  # the model wants one of the two
    if step.metrics and metric not in step.metrics:
        hint = did_you_mean(metric, step.metrics, label="metrics")
        context.problem("BF303", f"step {name!r} has no metric {metric!r}", direction, hint)
    elif not step.metrics and step.code is not None:
        hint = f"declare it: metrics: {{{metric}: 'regular expression'}}"
        context.problem("BF303", f"step {name!r} declares no metric {metric!r}", direction, hint)
    return ir.Tuning(_training(name, step, context), _search(step.search, metric, path, context.values))


def _search(search: SearchConfig, metric: str, path: Path, values: Values) -> ir.Search:
    warm = search.warm_start
    return ir.Search(
        metric=metric,
        maximize=search.objective.maximize is not None,
        ranges=tuple(_range(name, config) for name, config in search.ranges.items()),
        strategy=search.strategy,
        max_jobs=None if search.max_jobs is None else values.number(search.max_jobs, (*path, "max_jobs")),
        max_parallel_jobs=values.number(search.max_parallel_jobs, (*path, "max_parallel_jobs")),
        early_stopping=search.early_stopping,
        timeout=search.timeout,
        warm_start=() if warm is None else values.texts(warm.jobs, (*path, "warm_start", "jobs")),
        same_data=warm is None or warm.same_data,
    )


def _range(name: str, config: RangeConfig) -> ir.Range:
    if config.values is not None:
        return ir.Range(name, "values", values=tuple(config.values))
    if config.integer is not None:
        return ir.Range(name, "integer", config.integer[0], config.integer[1], scale=config.scale)
    assert config.continuous is not None  # the model wants one of the three
    return ir.Range(name, "continuous", config.continuous[0], config.continuous[1], scale=config.scale)


def notebook(name: str, step: NotebookConfig, context: Context) -> ir.Notebook:
    """Return the meaning of a notebook step."""
    path: Path = ("steps", name)
    values = context.values
    code = context.code[name]
    if step.image is None:
        hint = "images of SageMaker Distribution have kernels: image: <address in Amazon ECR>"
        context.problem("BF319", f"step {name!r} names no image with a kernel", path, hint)
    if not code.entry_point.endswith(".ipynb"):
        hint = "a script is a processing step"
        context.problem("BF326", f"{step.code.entry_point!r} is no notebook", (*path, "code", "entry_point"), hint)
    job = ir.Job(
        image=image_of(step.image, (*path, "image"), context),
        code=code,
        environment=values.pairs(step.environment_variables, (*path, "environment_variables")),
        instance=instance_of(step.instance, (*path, "instance"), values),
        network=network_of(step.network, (*path, "network"), values),
        encryption=encryption_of(step.encryption, (*path, "encryption"), values),
        role=values.maybe(step.role, (*path, "role")),
        timeout=NOTEBOOK_TIMEOUT if step.timeout is None else values.number(step.timeout, (*path, "timeout")),
        tags=values.pairs({**context.tags, **step.tags}, (*path, "tags")),
    )
    parameters = values.pairs(step.arguments, (*path, "arguments"))
    return ir.Notebook(job, code.entry_point, step.kernel, parameters, step.setup_script)


def _training(name: str, step: TrainingBase, context: Context) -> ir.Training:
    path: Path = ("steps", name)
    values = context.values
    given = step.outputs.get("model")
    to = None if given is None or given.to is None else context.folder(given.to, (*path, "outputs", "model", "to"))
    model = ir.Output("model", MODEL_FOLDER, to, exact=context.exact_addresses)
    for metric, pattern in step.metrics.items():
        if wrong := _pattern_problem(pattern):
            place = (*path, "metrics", metric)
            context.problem("BF324", f"metric {metric!r}: {wrong}", place, r"such as 'auc=([0-9\.]+)'")
    kept = step.checkpoints
    kept_to = None if kept is None or kept.to is None else context.folder(kept.to, (*path, "checkpoints", "to"))
    return ir.Training(
        _job(name, step, context, inputs_of(step.inputs, (*path, "inputs"), context, training=True), (model,)),
        hyperparameters=values.pairs(step.hyperparameters, (*path, "hyperparameters")),
        metrics=tuple(step.metrics.items()),
        input_mode=step.input_mode,
        spot=None if step.spot is None else ir.Spot(step.spot.wait),
        checkpoints=None if kept is None else ir.Checkpoints(kept.path, kept_to),
    )


def _pattern_problem(pattern: str) -> str | None:
    if len(pattern) > MAX_PATTERN:
        return f"a pattern has {MAX_PATTERN} characters at most, and this one {len(pattern)}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a later Python may read otherwise
            groups = re.compile(pattern).groups
    except (re.error, OverflowError) as e:
        return f"{pattern!r} is no regular expression: {e}"
    return None if groups else f"{pattern!r} has no group, ( ), around the number"


def _job(
    name: str, step: JobBase, context: Context, inputs: tuple[ir.Input, ...], outputs: tuple[ir.Output, ...]
) -> ir.Job:
    path: Path = ("steps", name)
    values = context.values
    code = _code(name, step, context)
    if step.code is not None and step.code.entry_point.endswith(".ipynb"):
        what = f"{step.code.entry_point!r} is a notebook, and step {name!r} runs scripts"
        context.problem("BF326", what, (*path, "code", "entry_point"), "run it in a step of type: notebook")
    for variable in (*step.environment_variables, *step.secrets):
        if code is not None and variable.startswith(_RESERVED):
            where = "secrets" if variable in step.secrets else "environment_variables"
            place = (*path, where, variable)
            context.problem("BF323", f"{variable!r} is a variable that buzzflow sets", place, "choose another name")
    by_algorithm = isinstance(step, EstimatorConfig) and step.algorithm is not None
    if code is None and step.entrypoint is None and step.image is None and not by_algorithm:
        hint = "add code: script.py, or an image that runs by itself"
        context.problem("BF319", f"step {name!r} has nothing to run", path, hint)
    _started_by_the_image(step, code, inputs, path, context)
    timeout = step.timeout
    return ir.Job(
        image=image_of(step.image, (*path, "image"), context),
        code=code,
        entrypoint=None if step.entrypoint is None else values.texts(step.entrypoint, (*path, "entrypoint")),
        arguments=values.texts(step.arguments, (*path, "arguments")),
        environment=values.pairs(step.environment_variables, (*path, "environment_variables")),
        secrets=values.pairs(step.secrets, (*path, "secrets")),
        inputs=inputs,
        outputs=outputs,
        instance=instance_of(step.instance, (*path, "instance"), values),
        network=network_of(step.network, (*path, "network"), values),
        encryption=encryption_of(step.encryption, (*path, "encryption"), values),
        role=values.maybe(step.role, (*path, "role")),
        timeout=None if timeout is None else values.number(timeout, (*path, "timeout")),
        tags=values.pairs({**context.tags, **step.tags}, (*path, "tags")),
    )


def _started_by_the_image(
    step: JobBase, code: ir.Code | None, inputs: tuple[ir.Input, ...], path: Path, context: Context
) -> None:
    """Say what only our entry script does, where another one starts the code."""
    if code is None or code.launcher == "image":
        why = "the image's toolkit starts this code" if code is not None else "this step has no code"
        for item in inputs:
            if item.extract:
                what = f"archives are unpacked by buzzflow's entry script, and {why}"
                context.problem("BF326", what, (*path, "inputs", item.name, "extract"), "unpack them in the script")
    if code is not None and code.launcher == "image" and step.secrets:
        what = "secrets are read by buzzflow's entry script, and the image's toolkit starts this code"
        context.problem("BF326", what, (*path, "secrets"), "read them in the script")


def _code(name: str, step: JobBase, context: Context) -> ir.Code | None:
    """Return the step's code; the tries of a tuning job can be started by the image's toolkit only."""
    code = context.code.get(name)
    if code is None or not isinstance(step, TunerConfig):
        return code
    if code.distributed is not None or code.inference:
        hint = "train the winner in a training step"
        context.problem("BF326", "distributed and inference are for training steps", ("steps", name, "code"), hint)
    return replace(code, launcher="image")


# ------------------------------------------------------------------ parts that other types have too


def image_of(image: ImageConfig | None, path: Path, context: Context) -> ir.Image:
    """Return the image, our default where none is named."""
    if image is None:
        return DEFAULT_IMAGE
    if image.uri is not None:
        return ir.ImageUri(context.values.text(image.uri, (*path, "uri")))
    if image.build is not None:
        return ir.BuiltImage(context.assets[*path, "build"])
    assert image.framework is not None
    assert image.version is not None
    return ir.FrameworkImage(image.framework, image.version, image.python, image.accelerator)


def instance_of(instance: InstanceConfig, path: Path, values: Values) -> ir.Instance:
    """Return the machines."""
    return ir.Instance(
        values.text(instance.type, (*path, "type")),
        values.number(instance.count, (*path, "count")),
        values.number(instance.volume_size_gb, (*path, "volume_size_gb")),
        instance.keep_alive,
        tuple(instance.fallbacks),
    )


def encryption_of(encryption: EncryptionConfig, path: Path, values: Values) -> ir.Encryption:
    """Return the keys."""
    return ir.Encryption(
        values.maybe(encryption.volume_key, (*path, "volume_key")),
        values.maybe(encryption.output_key, (*path, "output_key")),
    )


def network_of(network: NetworkPolicyConfig | None, path: Path, values: Values) -> ir.Network | None:
    """Return where it may connect."""
    if network is None:
        return None
    return ir.Network(
        values.texts(network.subnets, (*path, "subnets")),
        values.texts(network.security_group_ids, (*path, "security_group_ids")),
        values.boolean(network.isolation, (*path, "isolation")),
        values.boolean(network.encrypt_traffic, (*path, "encrypt_traffic")),
    )
