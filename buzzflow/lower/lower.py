"""Lower a `PipelineConfig` to the IR: look names up, check references, order steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import assert_never

from buzzflow import ir
from buzzflow.config.parts import ParameterConfig
from buzzflow.config.pipeline import EnvironmentConfig, PipelineConfig
from buzzflow.config.steps import ConditionConfig, EstimatorConfig, FailConfig, ProcessorConfig, StepConfig
from buzzflow.diagnostics import MAX_PROBLEMS, Diagnostic, Path, PipelineError, Severity
from buzzflow.lower import graph
from buzzflow.lower.conditions import ConditionError, read_condition
from buzzflow.lower.jobs import DEFAULT_IMAGE, processing, training
from buzzflow.lower.names import Unknown, look_up, names_of
from buzzflow.lower.values import Values


@dataclass(frozen=True, slots=True)
class Lowered:
    """A pipeline's meaning, and what is worth saying although it is no error."""

    pipeline: ir.Pipeline
    warnings: tuple[Diagnostic, ...]


def lower(
    config: PipelineConfig, *, code: Mapping[str, ir.Code], environment: EnvironmentConfig | None = None
) -> Lowered:
    """Return the meaning of *config*; *code* is each step's bundle. PipelineError tells all that is wrong."""
    parameters, problems = _parameters(config.parameters)
    values = Values(names_of(config, parameters))
    tags = _plain_tags(config, environment, values)
    places, branch_problems = graph.branches(config.steps)
    problems += branch_problems
    steps: dict[str, ir.Step] = {}
    for name, step in config.steps.items():
        work = _work(name, step, values, code.get(name), tags)
        needs, need_problems = graph.needs(name, step, work, places.get(name), config.steps)
        problems += need_problems
        steps[name] = _step(name, step, work, needs, places.get(name))
        if len(problems) + len(values.problems) >= MAX_PROBLEMS:
            break
    problems += [*values.problems, *_clashing_outputs(steps)]
    if problems:
        raise PipelineError(problems)
    pipeline = ir.Pipeline(
        name=config.name,
        steps=graph.in_order(steps),
        parameters=tuple(parameters.values()),
        environment=None if environment is None else _environment(environment),
        description=config.description,
        owner=config.owner,
        tags=tuple(tags.items()),
        parallelism=config.parallelism,
    )
    return Lowered(pipeline, tuple(_default_images(config)))


def _step(name: str, step: StepConfig, work: ir.Work, needs: tuple[ir.Need, ...], branch: ir.Branch | None) -> ir.Step:
    retry: tuple[ir.Retry, ...] = ()
    cache = None
    if isinstance(step, ProcessorConfig | EstimatorConfig):
        retry = tuple(
            ir.Retry(tuple(r.errors), r.interval, r.backoff, r.max_attempts, r.give_up_after) for r in step.retry
        )
        cache = None if step.cache is None else ir.Cache(step.cache.enabled, step.cache.expire_after)
    return ir.Step(name, work, needs, branch, step.display_name, step.description, retry, cache)


def _work(name: str, step: StepConfig, values: Values, code: ir.Code | None, tags: Mapping[str, str]) -> ir.Work:
    match step:
        case ProcessorConfig():
            return processing(name, step, values, code, tags)
        case EstimatorConfig():
            return training(name, step, values, code, tags)
        case ConditionConfig():
            return ir.Condition(_test(name, step, values), tuple(step.then), tuple(step.else_))
        case FailConfig():
            return ir.Fail(values.text(step.message, ("steps", name, "message")))
        case _:
            assert_never(step)


def _test(name: str, step: ConditionConfig, values: Values) -> ir.Test:
    tests: list[ir.Test] = []
    for i, text in enumerate(step.if_):
        if len(values.problems) >= MAX_PROBLEMS:
            break
        path: Path = ("steps", name, "if", i)
        try:
            tests.append(read_condition(text, lambda reference: look_up(reference, values.names)))
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
    )


def _clashing_outputs(steps: Mapping[str, ir.Step]) -> Iterator[Diagnostic]:
    """Yield outputs whose addresses contain one another: the service would mix their files."""
    seen: dict[str, tuple[str, str]] = {}
    for name, step in steps.items():
        job = ir.job_of(step)
        for output in job.outputs if job is not None else ():
            if not isinstance(output.to, str):
                continue
            for other, (who, what) in seen.items():
                if output.to.startswith(other) or other.startswith(output.to):
                    told = f"outputs {output.name!r} and {what!r} of step {who!r} go to the same place: {other}"
                    path: Path = ("steps", name, "outputs", output.name, "to")
                    yield Diagnostic("BF315", told, path, "give each output a folder of its own")
            seen[output.to] = (name, output.name)


def _default_images(config: PipelineConfig) -> Iterator[Diagnostic]:
    lacking = [
        name
        for name, step in config.steps.items()
        if isinstance(step, ProcessorConfig | EstimatorConfig) and step.image is None and step.code is not None
    ]
    if lacking:
        used = f"{DEFAULT_IMAGE.framework}:{DEFAULT_IMAGE.version}"
        who = f"step {lacking[0]!r} names" if len(lacking) == 1 else f"{len(lacking)} steps name"
        hint = f"to choose: defaults: {{image: {used}}}"
        yield Diagnostic(
            "BF318", f"{who} no image, so {used} is used", ("steps", lacking[0]), hint, severity=Severity.WARNING
        )
