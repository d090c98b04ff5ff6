"""What a reference can name: the declared things of every step, by its type, and the kind of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from buzzflow import ir
from buzzflow.config.pipeline import PipelineConfig
from buzzflow.config.steps import (
    CallbackConfig,
    EstimatorConfig,
    LambdaConfig,
    ProcessorConfig,
    StepConfig,
    TransformerConfig,
)
from buzzflow.diagnostics import Diagnostic, Path, did_you_mean
from buzzflow.lower.words import WITHOUT_PROPERTIES, kind_of, words_of
from buzzflow.template import Reference

PARAMETER_KINDS = {
    "string": ir.Kind.TEXT,
    "integer": ir.Kind.NUMBER,
    "float": ir.Kind.NUMBER,
    "boolean": ir.Kind.BOOLEAN,
}
_RUN_FIELDS: tuple[ir.RunField, ...] = ("id", "arn", "pipeline", "pipeline_arn", "start_time", "now")
_BRACKETS = re.compile(r"""\.?([A-Za-z0-9_-]+)|\[(\d+)\]|\[(?:"([^"]*)"|'([^']*)')\]""")


@dataclass(frozen=True, slots=True)
class StepNames:
    """What one step offers to the others; *inside* is the foreach step whose body it belongs to."""

    type: str
    outputs: Mapping[str, ir.Kind] = field(default_factory=dict)
    reports: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    inside: str | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """Everything that a reference in this pipeline can name."""

    parameters: Mapping[str, ir.Kind]
    steps: Mapping[str, StepNames]


class Unknown(Exception):
    """A reference names nothing."""

    def __init__(self, code: str, summary: str, hint: str | None = None) -> None:
        super().__init__(summary)
        self.code, self.summary, self.hint = code, summary, hint

    def diagnostic(self, path: Path) -> Diagnostic:
        """Return what to tell about a reference at *path*."""
        return Diagnostic(self.code, self.summary, path, self.hint)


def names_of(
    config: PipelineConfig, parameters: Mapping[str, ir.Parameter], inside: Mapping[str, str] | None = None
) -> Names:
    """Return what references in *config* can name; *inside* tells which foreach runs a step."""
    kinds = {name: PARAMETER_KINDS[p.type] for name, p in parameters.items()}
    loops = inside or {}
    return Names(kinds, {name: _step_names(step, loops.get(name)) for name, step in config.steps.items()})


def _step_names(step: StepConfig, inside: str | None) -> StepNames:
    match step:
        case ProcessorConfig():
            reports = tuple(r for o in step.outputs.values() for r in o.report_files)
            outputs = {n: ir.Kind.URI for n, o in step.outputs.items() if o.feature_group is None}
            return StepNames(step.type, outputs, reports, inside=inside)
        case EstimatorConfig():
            return StepNames(step.type, metrics=tuple(step.metrics), inside=inside)
        case TransformerConfig():
            return StepNames(step.type, {"predictions": ir.Kind.URI}, inside=inside)
        case LambdaConfig() | CallbackConfig():
            return StepNames(step.type, {n: PARAMETER_KINDS[o.type] for n, o in step.outputs.items()}, inside=inside)
        case _:
            return StepNames(step.type, inside=inside)


def look_up(reference: Reference, names: Names, within: str | None = None) -> ir.Reference:
    """Return what *reference* means where it stands; Unknown says what is wrong with it.

    *within* is the foreach step in whose body it stands.
    """
    match reference.form:
        case "param":
            return _parameter(reference, names)
        case "run":
            return _run(reference)
        case "step":
            return _step(_one(reference), names, within)
        case "json" if reference.address is not None or len(reference.arguments) == 2:
            return _stored_json(reference, names, within)
        case "json":
            return _json(_one(reference), names, within)
        case "each":
            return _item(reference, within)


def _one(reference: Reference) -> str:
    if len(reference.arguments) != 1:
        sample = "name" if reference.form in ("param", "run") else "step.name"
        raise Unknown("BF300", f"{reference} takes one argument", f"write ${{{reference.form}:{sample}}}")
    return reference.arguments[0]


def _parameter(reference: Reference, names: Names) -> ir.ParameterReference:
    name = _one(reference)
    if name not in names.parameters:
        hint = did_you_mean(name, names.parameters, label="parameters") or f"declare it: parameters: {{{name}: …}}"
        raise Unknown("BF304", f"there is no parameter {name!r}", hint)
    return ir.ParameterReference(name, names.parameters[name])


def _run(reference: Reference) -> ir.RunReference:
    name = _one(reference)
    for known in _RUN_FIELDS:
        if name == known:
            return ir.RunReference(known)
    raise Unknown("BF306", f"a run has no {name!r}", did_you_mean(name, _RUN_FIELDS, label="a run has"))


def _item(reference: Reference, within: str | None) -> ir.ItemReference:
    if within is None:
        raise Unknown("BF306", f"{reference} stands outside of the steps that a foreach runs")
    return ir.ItemReference(tuple(part for a in reference.arguments for part in a.split(".")))


def _stored_json(reference: Reference, names: Names, within: str | None) -> ir.StoredJsonReference:
    path = reference.arguments[-1]
    written: tuple[str | Reference, ...] = reference.address.parts if reference.address else reference.arguments[:1]
    parts = tuple(part if isinstance(part, str) else look_up(part, names, within) for part in written)
    if not _is_address(parts[0]):
        shown = str(reference.address or reference.arguments[0])
        raise Unknown("BF300", f"{shown!r} is no address of a JSON file", "write ${json:'s3://bucket/m.json','a.b'}")
    for part in parts:
        if isinstance(part, ir.JsonReference | ir.StoredJsonReference | ir.ItemReference):
            what = f"the address of the file in {reference} is built from what the service cannot look up there"
            raise Unknown("BF300", what, "use parameters, ${run:…} and ${step:…} in it")
    return ir.StoredJsonReference(parts[0] if len(parts) == 1 else ir.Text(parts), _describe_path(path, path))


def _is_address(start: str | ir.Reference) -> bool:
    if isinstance(start, str):
        return start.startswith("s3://")
    return start.kind in (ir.Kind.URI, ir.Kind.ARTIFACT, ir.Kind.TEXT, ir.Kind.UNKNOWN)


def _find_step(name: str, names: Names, within: str | None) -> StepNames:
    if name not in names.steps:
        raise Unknown("BF301", f"there is no step {name!r}", did_you_mean(name, names.steps, label="steps"))
    found = names.steps[name]
    if found.inside is not None and found.inside != within:
        hint = f"of the whole loop there are {', '.join(f'${{step:{found.inside}.{w}}}' for w in ('status', 'items'))}"
        raise Unknown("BF330", f"step {name!r} runs many times, inside of foreach {found.inside!r}", hint)
    return found


def _step(argument: str, names: Names, within: str | None) -> ir.Reference:
    step, _, rest = argument.partition(".")
    offers = _find_step(step, names, within)
    head, _, tail = rest.partition(".")
    match head:
        case "outputs":
            return _output(step, tail, offers)
        case "properties" if offers.type not in WITHOUT_PROPERTIES:
            return ir.DescribeReference(step, _describe_path(tail, argument))
        case "metrics" if offers.metrics:
            if tail not in offers.metrics:
                hint = did_you_mean(tail, offers.metrics, label="metrics")
                raise Unknown("BF303", f"step {step!r} has no metric {tail!r}", hint)
            return ir.PropertyReference(step, rest, ir.Kind.NUMBER)
        case _:
            kind = kind_of(offers.type, rest)
            if kind is None:
                raise _no_word(step, rest, offers)
            return ir.PropertyReference(step, rest, kind)


def _no_word(step: str, word: str, offers: StepNames) -> Unknown:
    known = [
        *words_of(offers.type),
        *(f"outputs.{o}" for o in offers.outputs),
        *(f"metrics.{m}" for m in offers.metrics),
    ]
    if not word:
        first = known[0] if known else "properties.…"
        return Unknown("BF303", f"say what of step {step!r} is meant", f"${{step:{step}.{first}}}")
    if word in offers.outputs:
        return Unknown("BF303", f"step {step!r} has no {word!r}", f"an output is ${{step:{step}.outputs.{word}}}")
    if word.startswith("metrics"):
        hint = "declare it: metrics: {name: 'regular expression'}"
        return Unknown("BF303", f"step {step!r} declares no metrics", hint)
    hint = did_you_mean(word, known, label=f"step {step!r} has") or "it offers nothing to other steps"
    return Unknown("BF303", f"step {step!r} has no {word!r}", hint)


def _output(step: str, output: str, offers: StepNames) -> ir.Reference:
    if output not in offers.outputs:
        hint = did_you_mean(output, offers.outputs, label="outputs")
        if output == "model" and kind_of(offers.type, "model") is not None:
            hint = f"a training's model is ${{step:{step}.model}}"
        elif not offers.outputs:
            hint = "it declares no outputs"
            hint += f" with an address: outputs: [{output}] is one" if offers.type == "processing" else ""
        raise Unknown("BF302", f"step {step!r} has no output {output!r}", hint)
    return ir.OutputReference(step, output, offers.outputs[output])


def _describe_path(text: str, argument: str) -> tuple[str, ...]:
    parts, end = [], 0
    for match in _BRACKETS.finditer(text):
        if match.start() != end:
            break
        parts.append(next(g for g in match.groups() if g is not None))
        end = match.end()
    if not parts or end != len(text):
        hint = "write ${step:train.properties.ModelArtifacts.S3ModelArtifacts}"
        raise Unknown("BF303", f"{argument!r} is no path of properties", hint)
    return tuple(parts)


def _json(argument: str, names: Names, within: str | None) -> ir.JsonReference:
    """`S.F.a.b.0.c`: F is the longest declared report name that matches."""
    step, _, rest = argument.partition(".")
    offers = _find_step(step, names, within)
    matching = [r for r in offers.reports if rest == r or rest.startswith((f"{r}.", f"{r}["))]
    if not matching:
        wanted = rest.partition(".")[0]
        hint = did_you_mean(wanted, offers.reports, label="reports")
        if not offers.reports:
            hint = "declare it in the step: outputs: {report: {json: metrics.json}}"
            if offers.type == "training":
                hint = f"a training step has no reports: declare metrics and use ${{step:{step}.metrics.name}}"
        raise Unknown("BF305", f"step {step!r} has no JSON report {wanted!r}", hint)
    report = max(matching, key=len)
    path = rest[len(report) :].lstrip(".")
    if not path:
        raise Unknown("BF305", f"say which value of report {report!r} is meant", f"${{json:{step}.{report}.name}}")
    return ir.JsonReference(step, report, _describe_path(path, argument))
