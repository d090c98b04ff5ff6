"""What is wrong with the answers that stand in for steps: missing ones, and those that say too little or too much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from buzzflow.backends.local import plan
from buzzflow.backends.local.evaluate import Plain
from buzzflow.backends.local.request.here import MODEL_WORDS, Answer, StepHere
from buzzflow.backends.local.request.kinds import runs, why_not_here
from buzzflow.backends.local.request.lookups import StepLookup, step_lookups, word_of
from buzzflow.diagnostics import Diagnostic, Path, did_you_mean

GIVEN_ANYWAY = ("job_name", "arn", "name")  # an answered step has names of its own
_SAMPLES: Mapping[str, str] = {"string": "…", "integer": "0", "float": "0.0", "boolean": "true"}
_TYPES: Mapping[str, type | tuple[type, ...]] = {"string": str, "integer": int, "float": (int, float), "boolean": bool}


def answer_problems(pipeline: plan.RunPlan, here: Mapping[str, StepHere]) -> Iterator[Diagnostic]:
    """Yield what *here*, by step, lacks or has too much for this plan."""
    steps = [*plan.every_step(pipeline.steps)]
    by_name = {step.name: step for step in steps}
    asked = _asked(steps, here)
    for name, said in here.items():
        if name not in by_name:
            hint = did_you_mean(name, by_name, label="steps")
            yield Diagnostic("BF530", f"there is no step {name!r} to say this of", ("local", "steps", name), hint)
        else:
            yield from _misplaced(by_name[name], said)
    for step in steps:
        uses = asked.get(step.name, [])
        answer = here[step.name].result if step.name in here else None
        if answer is not None:
            yield from _wrong_answer(step, answer, uses)
        elif (why := why_not_here(step, here, steps)) is not None:
            what = f"{_article(step.type)} {step.type} step needs a result to go on with here: {why}"
            yield Diagnostic("BF531", what, ("steps", step.name, "type"), _say(step, uses))
        else:
            yield from _only_on_the_service(step, uses)


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def _asked(steps: Sequence[plan.Step], here: Mapping[str, StepHere]) -> dict[str, list[tuple[plan.Step, StepLookup]]]:
    """Return what the steps that run ask of each step, and who asks."""
    found: dict[str, list[tuple[plan.Step, StepLookup]]] = {}
    for step in steps:
        if runs(step, here):
            part = step.items if isinstance(step, plan.ForeachStep) else step  # the body asks for itself
            for lookup in step_lookups(part):
                found.setdefault(lookup.step, []).append((step, lookup))
    return found


def _misplaced(step: plan.Step, said: StepHere) -> Iterator[Diagnostic]:
    path: Path = ("local", "steps", step.name)
    if said.result is not None and isinstance(step, plan.ConditionStep | plan.FailStep | plan.ForeachStep):
        what = f"{_article(step.type)} {step.type} step always runs: it takes no result"
        yield Diagnostic("BF530", what, (*path, "result"), "answer for the steps around it")
    if said.function is not None and not isinstance(step, plan.LambdaStep):
        what = f"a function stands in for a lambda step, and {step.name!r} is {_article(step.type)} {step.type} step"
        yield Diagnostic("BF530", what, (*path, "function"), "say its result instead")
    elif said.function is not None and not said.function.file.is_file():
        what = f"there is no file {said.function.file.name} with the function"
        yield Diagnostic("BF533", what, (*path, "function"), f"{said.function.file} was looked for")
    if said.max_jobs is not None and not isinstance(step, plan.TuningStep):
        what = f"max_jobs bounds a tuning, and {step.name!r} is {_article(step.type)} {step.type} step"
        yield Diagnostic("BF530", what, (*path, "max_jobs"), "remove it")


# ------------------------------------------------------------------ steps that need an answer


def _say(step: plan.Step, uses: Sequence[tuple[plan.Step, StepLookup]]) -> str:
    """Return the YAML to write."""
    result = _sample(step, uses)
    said = f"write in pipeline.local.yaml: local: {{steps: {{{step.name}: {{result: {result}}}}}}}"
    return f"{said}, or {{function: file.py:handler}}" if isinstance(step, plan.LambdaStep) else said


def _sample(step: plan.Step, uses: Sequence[tuple[plan.Step, StepLookup]]) -> str:
    outputs: dict[str, str] = {}
    model = False
    rest: dict[str, str] = {}
    if isinstance(step, plan.LambdaStep | plan.CallbackStep):
        outputs = {name: _SAMPLES[kind] for name, kind in step.outputs.items()}
    for _, lookup in uses:
        match lookup:
            case plan.OutputAddress(name=name):
                outputs[name] = "path/to/folder"
            case plan.StepProperty(word=word) if word in MODEL_WORDS:
                model = True
            case plan.StepProperty(word=word) if word not in GIVEN_ANYWAY and not word.startswith("outputs."):
                rest[word] = "…"
            case plan.DescribePath(path=path):
                rest[".".join(path)] = "…"
            case _:
                pass
    parts = [f"outputs: {{{_flow(outputs)}}}"] if outputs else []
    parts += ["model: path/to/model.tar.gz"] if model else []
    parts += [f"properties: {{{_flow(rest)}}}"] if rest else []
    return "{" + ", ".join(parts) + "}"


def _flow(found: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in found.items())


# ------------------------------------------------------------------ answers


def _wrong_answer(
    step: plan.Step, answer: Answer, uses: Sequence[tuple[plan.Step, StepLookup]]
) -> Iterator[Diagnostic]:
    path: Path = ("local", "steps", step.name, "result")
    if isinstance(step, plan.LambdaStep | plan.CallbackStep):
        yield from _wrong_values(step, answer, path)
    else:
        yield from _wrong_folders(step, answer, path)
    if answer.model is not None and not answer.path(answer.model).exists():
        hint = f"paths start at the folder of their file: {answer.path(answer.model)} was looked for"
        yield Diagnostic("BF533", f"there is no file or folder {answer.model}", (*path, "model"), hint)
    offered = {word for word, _ in answer.words(step)} | {*GIVEN_ANYWAY}
    offered |= {*MODEL_WORDS, "output_uri"} if answer.model is not None else set()
    offered |= {f"outputs.{name}" for name in answer.outputs}
    missing: dict[str, str] = {}
    for user, lookup in uses:
        needed = _output_of(lookup, step) if isinstance(lookup, plan.ReportValue) else word_of(lookup)
        if needed not in offered:
            missing.setdefault(needed, user.name)
    for word, who in missing.items():
        if not (word.startswith("outputs.") and isinstance(step, plan.LambdaStep | plan.CallbackStep)):  # told above
            what = f"the result of step {step.name!r} says nothing of {word}, which step {who!r} uses"
            yield Diagnostic("BF532", what, path, f"add {_key_for(word)}")


def _key_for(word: str) -> str:
    head, _, rest = word.partition(".")
    if head == "outputs":
        return f"outputs: {{{rest}: path/to/folder}}"
    if word in MODEL_WORDS:
        return "model: path/to/model.tar.gz"
    if head == "metrics":
        return f"metrics: {{{rest}: 0.0}}"
    return f"properties: {{{rest if head == 'properties' else word}: …}}"


def _output_of(lookup: plan.ReportValue, step: plan.Step) -> str:
    outputs = step.container.outputs if isinstance(step, plan.ContainerStep) else []
    name = next((o.name for o in outputs if lookup.report in o.reports), lookup.report)
    return f"outputs.{name}"


def _wrong_values(step: plan.LambdaStep | plan.CallbackStep, answer: Answer, path: Path) -> Iterator[Diagnostic]:
    for name, value in answer.outputs.items():
        if name not in step.outputs:
            hint = did_you_mean(name, step.outputs, label="it declares") or "declare it in the step: outputs"
            what = f"step {step.name!r} declares no output {name!r}"
            yield Diagnostic("BF532", what, (*path, "outputs", name), hint)
        elif not fits(value, step.outputs[name]):
            what = f"output {name!r} of step {step.name!r} is of type {step.outputs[name]}, not {value!r}"
            yield Diagnostic("BF532", what, (*path, "outputs", name), f"such as {_SAMPLES[step.outputs[name]]}")
    for name, kind in step.outputs.items():
        if name not in answer.outputs:
            what = f"the result of step {step.name!r} says nothing of its output {name!r}"
            yield Diagnostic("BF532", what, path, f"add outputs: {{{name}: {_SAMPLES[kind]}}}")


def fits(value: Plain, kind: str) -> bool:
    """Whether *value* is of the declared type of a call's output."""
    return isinstance(value, _TYPES[kind]) and (kind == "boolean") == isinstance(value, bool)


def _wrong_folders(step: plan.Step, answer: Answer, path: Path) -> Iterator[Diagnostic]:
    declared = [output.name for output in data_outputs(step)]
    for name, value in answer.outputs.items():
        at = (*path, "outputs", name)
        if name not in declared:
            hint = did_you_mean(name, declared, label="it has") or "it has none: use properties"
            yield Diagnostic("BF532", f"step {step.name!r} has no output {name!r}", at, hint)
        elif not isinstance(value, str) or not answer.path(value).exists():
            hint = f"paths start at the folder of their file: {answer.path(value)} was looked for"
            yield Diagnostic("BF533", f"there is no file or folder {value}", at, hint)


def data_outputs(step: plan.Step) -> list[plan.Output]:
    """Return the outputs of *step* that are folders, which an answer may name; a model is none of them."""
    match step:
        case plan.ProcessingStep(container=container):
            return container.outputs
        case plan.TransformStep(output=output):
            return [output]
        case _:
            return []


def _only_on_the_service(step: plan.Step, uses: Sequence[tuple[plan.Step, StepLookup]]) -> Iterator[Diagnostic]:
    """Yield who asks a step that runs, or is recorded, for what the service alone says of it."""
    for user, lookup in uses:
        if isinstance(lookup, plan.DescribePath):
            hint = (
                "use a word such as model, job_name or outputs.name, which has a meaning here too;"
                f" or answer for the step: local: {{steps: {{{step.name}: {{result: {_sample(step, uses)}}}}}}}"
            )
            what = f"{word_of(lookup)} of step {step.name!r} exists on the service only"
            yield Diagnostic("BF420", what, ("steps", user.name), hint)
        elif isinstance(step, plan.ServiceStep) and is_recorded_word_unknown(lookup):
            what = f"step {step.name!r} is only recorded here, and step {user.name!r} uses its {word_of(lookup)}"
            yield Diagnostic("BF531", what, ("steps", step.name, "type"), _say(step, uses))


def is_recorded_word_unknown(lookup: StepLookup) -> bool:
    """Whether a step that is only recorded cannot answer *lookup*: it has names, and made nothing."""
    return not (isinstance(lookup, plan.StepProperty) and lookup.word in GIVEN_ANYWAY)
