"""Lower a `PipelineConfig` to the IR: look names up, check references, order steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from buzzflow import ir
from buzzflow.config.parts import ParameterConfig
from buzzflow.config.pipeline import EnvironmentConfig, PipelineConfig
from buzzflow.config.steps import (
    AutoMLConfig,
    CallbackConfig,
    ClarifyCheckConfig,
    ConditionConfig,
    EstimatorConfig,
    FailConfig,
    ForeachConfig,
    JobBase,
    LambdaConfig,
    ModelConfig,
    NotebookConfig,
    ProcessorConfig,
    QualityCheckConfig,
    RegisterModelConfig,
    ServiceBase,
    StepConfig,
    TransformerConfig,
    TunerConfig,
)
from buzzflow.config.steps.common import CacheBase, RetryBase
from buzzflow.diagnostics import MAX_PROBLEMS, Diagnostic, Path, PipelineError, Severity
from buzzflow.lower import graph, jobs, models, services
from buzzflow.lower.budget import stricter_budget
from buzzflow.lower.conditions import ConditionError, read_condition
from buzzflow.lower.context import Context
from buzzflow.lower.names import Unknown, look_up, names_of
from buzzflow.lower.values import Values


@dataclass(frozen=True, slots=True)
class Lowered:
    """A pipeline's meaning, and what is worth saying although it is no error."""

    pipeline: ir.Pipeline
    warnings: tuple[Diagnostic, ...]


def lower(
    config: PipelineConfig,
    *,
    code: Mapping[str, ir.Code],
    assets: Mapping[Path, ir.Bundle] | None = None,
    environment: EnvironmentConfig | None = None,
) -> Lowered:
    """Return the meaning of *config*. PipelineError tells all that is wrong.

    *code* is each step's bundle, *assets* are other files of the repository by the path of the value that names them.
    """
    parameters, problems = _parameters(config.parameters)
    loops, loop_problems = graph.loops(config.steps)
    values = Values(names_of(config, parameters, loops))
    tags = _plain_tags(config, environment, values)
    context = Context(config.steps, values, code, assets or {}, tags, environment, config.exact_addresses)
    places, branch_problems = graph.branches(config.steps, loops)
    problems += [*loop_problems, *branch_problems]
    steps: dict[str, ir.Step] = {}
    for name, step in config.steps.items():
        values.within = loops.get(name)
        lowered = _step(name, step, context, places.get(name))
        needs, need_problems = graph.needs(lowered, step, config.steps, loops)
        problems += need_problems
        steps[name] = replace(lowered, needs=needs)
        if len(problems) + len(values.problems) >= MAX_PROBLEMS:
            break
    clashes = [*_clashing_outputs(steps)]
    warnings = [replace(d, severity=Severity.WARNING) for d in clashes if config.exact_addresses]
    problems += [*values.problems, *(d for d in clashes if not config.exact_addresses)]
    if problems:
        raise PipelineError(problems)
    ordered = graph.in_order(steps)
    if problems := [*graph.never_run(ordered)]:
        raise PipelineError(problems)
    pipeline = ir.Pipeline(
        name=config.name,
        steps=ordered,
        parameters=tuple(parameters.values()),
        environment=None if environment is None else _environment(environment),
        description=config.description,
        owner=config.owner,
        tags=tuple(tags.items()),
        parallelism=config.parallelism,
        experiment=_experiment(config, context),
        budget=stricter_budget(config.budget, environment),
        patch=_patch(config.definition_patch, ("definition_patch",), values),
    )
    return Lowered(pipeline, (*values.warnings, *warnings, *_default_images(config)))


def _step(name: str, step: StepConfig, context: Context, branch: ir.Branch | None) -> ir.Step:
    """Return the step, but for what it needs."""
    path: Path = ("steps", name)
    retry: tuple[ir.Retry, ...] = ()
    if isinstance(step, RetryBase):
        retry = tuple(
            ir.Retry(tuple(r.errors), r.interval, r.backoff, r.max_attempts, r.give_up_after) for r in step.retry
        )
    cache = None
    if isinstance(step, CacheBase) and step.cache is not None:
        cache = ir.Cache(step.cache.enabled, step.cache.expire_after)
    return ir.Step(
        name,
        _work(name, step, context),
        branch=branch,
        inside=context.values.within,
        display_name=step.display_name,
        description=step.description,
        retry=retry,
        cache=cache,
        patch=_patch(step.arguments_patch, (*path, "arguments_patch"), context.values),
        step_patch=_patch(step.step_patch, (*path, "step_patch"), context.values),
    )


def _patch(given: Mapping[str, object], path: Path, values: Values) -> ir.Tree:
    return values.tree(given, path) if given else None


def _work(name: str, step: StepConfig, context: Context) -> ir.Work:  # noqa: PLR0912  # one for each type
    match step:
        case ProcessorConfig():
            return jobs.processing(name, step, context)
        case EstimatorConfig():
            return jobs.training(name, step, context)
        case TunerConfig():
            return jobs.tuning(name, step, context)
        case NotebookConfig():
            return jobs.notebook(name, step, context)
        case TransformerConfig():
            return models.transform(name, step, context)
        case ModelConfig():
            return models.model(name, step, context)
        case RegisterModelConfig():
            return models.register_model(name, step, context)
        case ConditionConfig():
            return ir.Condition(_test(name, step, context.values), tuple(step.then), tuple(step.else_))
        case FailConfig():
            return ir.Fail(context.values.text(step.message, ("steps", name, "message")))
        case ForeachConfig():
            return services.foreach(name, step, context)
        case LambdaConfig():
            return services.lambda_call(name, step, context)
        case CallbackConfig():
            return services.callback(name, step, context)
        case QualityCheckConfig() | ClarifyCheckConfig():
            return services.check(name, step, context)
        case AutoMLConfig():
            return services.automl(name, step, context)
        case ServiceBase():
            return services.service(name, step, step.type, context)
        case _:
            assert_never(step)


def _experiment(config: PipelineConfig, context: Context) -> tuple[ir.Value, ir.Value] | None:
    if config.experiment is None:
        return None
    path: Path = ("experiment",)
    name = context.values.text(config.experiment.name, (*path, "name"))
    trial = context.values.maybe(config.experiment.trial, (*path, "trial"))
    return name, trial or ir.RunReference("id")


def _test(name: str, step: ConditionConfig, values: Values) -> ir.Test:
    tests: list[ir.Test] = []
    for i, text in enumerate(step.if_):
        if len(values.problems) >= MAX_PROBLEMS:
            break
        path: Path = ("steps", name, "if", i)
        try:
            tests.append(read_condition(text, lambda reference: look_up(reference, values.names, values.within)))
        except ConditionError as e:
            values.problems.append(Diagnostic("BF309", e.summary, path, e.hint))
        except Unknown as e:
            values.problems.append(e.diagnostic(path))
    return tests[0] if len(tests) == 1 else ir.All(tuple(tests))


# ------------------------------------------------------------------ parameters

_PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "float": (int, float),
    "boolean": bool,
}


def _parameters(configs: Mapping[str, ParameterConfig]) -> tuple[dict[str, ir.Parameter], list[Diagnostic]]:
    parameters: dict[str, ir.Parameter] = {}
    problems: list[Diagnostic] = []
    for name, config in configs.items():
        kind = config.type or _type_of(config.default)
        choices = tuple(c for c in config.choices if not isinstance(c, bool))
        parameters[name] = ir.Parameter(name, kind, config.default, choices, config.description)
        problems += _parameter_problems(name, config, parameters[name])
    return parameters, problems


def _type_of(default: object) -> ir.ParameterType:
    match default:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "float"
        case _:
            return "string"


def _parameter_problems(name: str, config: ParameterConfig, parameter: ir.Parameter) -> Iterator[Diagnostic]:
    path: Path = ("parameters", name)
    given = [(("default",), config.default)] if config.default is not None else []
    for where, value in [*given, *((("choices", i), c) for i, c in enumerate(config.choices))]:
        wanted = _PYTHON_TYPES[parameter.type]
        if not isinstance(value, wanted) or (isinstance(value, bool) and parameter.type != "boolean"):
            hint = (
                f'quote it: "{value}"'
                if parameter.type == "string"
                else f"or give it another type than {parameter.type}"
            )
            what = f"{value!r} is no {parameter.type}, as parameter {name!r} is"
            yield Diagnostic("BF317", what, (*path, *where), hint)
    if config.choices and parameter.type == "boolean":
        what = f"parameter {name!r} is true or false, so it takes no choices"
        yield Diagnostic("BF317", what, (*path, "choices"), "remove them")
    elif config.choices and config.default is not None and config.default not in config.choices:
        shown = ", ".join(map(str, config.choices))
        what = f"the default {config.default!r} of parameter {name!r} is not among its choices"
        yield Diagnostic("BF317", what, (*path, "default"), f"choices: {shown}")


# ------------------------------------------------------------------ the rest


def _plain_tags(config: PipelineConfig, environment: EnvironmentConfig | None, values: Values) -> dict[str, str]:
    """Return environment's and pipeline's tags: they are fixed at create, so they hold no references."""
    merged = {**(environment.tags if environment else {}), **config.tags}
    plain = {}
    for key, value in merged.items():
        if isinstance(value, str):
            plain[key] = value
        else:
            what = f"tag {key!r} must be known before the pipeline runs"
            values.problems.append(Diagnostic("BF207", what, ("tags", key), "use a variable"))
    return plain


def _environment(environment: EnvironmentConfig) -> ir.Environment:
    return ir.Environment(
        environment.name,
        environment.account,
        environment.region,
        environment.bucket,
        environment.name_prefix,
        tuple(environment.deploy_from),
        environment.role,
    )


def _clashing_outputs(steps: Mapping[str, ir.Step]) -> Iterator[Diagnostic]:
    """Yield outputs whose addresses contain one another: the service would mix their files.

    Below an exact address, each training has a folder of the name of its job.
    """
    seen: dict[str, tuple[str, str]] = {}
    for name, step in steps.items():
        job = ir.job_of(step)
        for output in job.outputs if job is not None else ():
            if not isinstance(output.to, str) or (output.exact and isinstance(step.work, ir.Training | ir.Tuning)):
                continue
            for other, (who, what) in seen.items():
                if output.to.startswith(other) or other.startswith(output.to):
                    told = f"output {output.name!r} goes to the place of output {what!r} of step {who!r}: {other}"
                    path: Path = ("steps", name, "outputs", output.name, "to")
                    yield Diagnostic("BF315", told, path, "give each output a folder of its own")
            seen[output.to] = (name, output.name)


def _default_images(config: PipelineConfig) -> Iterator[Diagnostic]:
    lacking = [
        name
        for name, step in config.steps.items()
        if isinstance(step, JobBase) and step.image is None and step.code is not None
    ]
    if lacking:
        used = f"{jobs.DEFAULT_IMAGE.framework}:{jobs.DEFAULT_IMAGE.version}"
        who = f"step {lacking[0]!r} names" if len(lacking) == 1 else f"{len(lacking)} steps name"
        hint = f"to choose: defaults: {{image: {used}}}"
        yield Diagnostic(
            "BF318", f"{who} no image, so {used} is used", ("steps", lacking[0]), hint, severity=Severity.WARNING
        )
