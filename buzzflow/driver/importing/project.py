"""Find a pipeline.yaml that compiles to a definition: propose, compile, compare, patch, until both are the same.

What the language cannot say of a step is patched in the service's words; a step that would be mostly patch is kept in
them whole. So whatever the proposals are, what comes of them is the definition, or an error says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from buzzflow.backends.sagemaker.difference import difference
from buzzflow.backends.sagemaker.importing.references import Vocabulary
from buzzflow.backends.sagemaker.importing.render import rendered, tree
from buzzflow.backends.sagemaker.importing.steps import Draft, kept, proposed
from buzzflow.backends.sagemaker.semantics import same, same_definition, steps_in, without_steps
from buzzflow.backends.sagemaker.text import Object
from buzzflow.diagnostics import Diagnostic, Path, PipelineError
from buzzflow.driver.importing.absent import absent_members, refusal
from buzzflow.driver.importing.attempt import Workshop
from buzzflow.driver.importing.offers import offers_of
from buzzflow.driver.importing.parameters import experiment_of, parameters_of

MAX_ATTEMPTS = 400
_PATCHES = ("arguments_patch", "step_patch")
_CIRCLES = frozenset(("BF307", "BF332"))  # the graph of steps is what is wrong
_SMALL = 12  # so many patched values are never too many
_IN_PLAIN_TEXT, _LOCKED = "BF160", "BF116"


@dataclass(slots=True)
class Plan:
    """How one step is to be said: without *banned* fields, *opaque* without references, *raw* in the service's words.

    *patches* make up for the rest; *reasons* tell why.
    """

    banned: set[Path] = field(default_factory=set)
    opaque: bool = False
    raw: bool = False
    patches: dict[str, Object] = field(default_factory=dict)
    reasons: list[Diagnostic] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Project:
    """A pipeline.yaml as data, in the long form, that compiles to the definition.

    *plans* tell how each of its steps is said.
    """

    data: dict[str, Any]
    plans: dict[str, Plan]


def find_project(
    definition: Object, drafts: list[Draft], head: dict[str, Any], defaults: dict[str, Any], shop: Workshop
) -> Project:
    """Return the project; *head* are the first keys of the file, *defaults* its defaults for steps."""
    return _Search(definition, drafts, head, defaults, shop).found()


class _Search:
    def __init__(
        self, definition: Object, drafts: list[Draft], head: dict[str, Any], defaults: dict[str, Any], shop: Workshop
    ) -> None:
        self._definition = definition
        self._drafts = drafts
        self._head, self._defaults = head, defaults
        self._shop = shop
        self._plans = {draft.name: Plan() for draft in drafts}
        self._banned: set[Path] = set()  # outside of steps
        self._patch: Object = {}
        for draft in drafts:
            if (refused := refusal(draft)) is not None:
                self._plans[draft.name].raw = True
                self._plans[draft.name].reasons.append(Diagnostic(refused.code, refused.summary))

    def found(self) -> Project:
        for _ in range(MAX_ATTEMPTS):
            for draft in self._drafts:
                absent = {} if self._plans[draft.name].raw else absent_members(draft)
                self._plans[draft.name].patches = {"arguments_patch": absent} if absent else {}
            self._patch = {}
            if (project := self._attempted()) is not None:
                return project
        raise PipelineError([Diagnostic("BF658", "the definition cannot be imported: nothing compiles to it")])

    def _attempted(self) -> Project | None:
        """Compile without patches, find them, and compile with them; None when something has to change first."""
        data = self._data()
        outcome = self._shop.compiled(data, unfinished=True)
        if outcome.definition is None:
            self._change(outcome.problems, data)
            return None
        if not self._patched(outcome.definition):
            return None
        data = self._data()
        outcome = self._shop.compiled(data)
        if outcome.definition is None:
            self._change(outcome.problems, data)
            return None
        if same_definition(outcome.definition, self._definition):
            alive = {draft.name: self._plans[draft.name] for draft in self._alive()}
            return Project(data, alive)
        self._keep_different(outcome.definition)
        return None

    # ---- the data

    def _alive(self) -> list[Draft]:
        """Return the drafts that are steps of the YAML: what a kept step holds is part of it."""
        gone: set[str] = set()
        for draft in self._drafts:
            if draft.within is not None and (draft.within in gone or self._plans[draft.within].raw):
                gone.add(draft.name)
        return [draft for draft in self._drafts if draft.name not in gone]

    def _data(self) -> dict[str, Any]:
        alive = self._alive()
        fields = {draft.name: self._fields(draft, alive) for draft in alive}
        loops = {d.name: d.within for d in alive if d.side == "steps"}
        parameters = parameters_of(self._definition.get("Parameters"), self._banned)
        vocabulary = Vocabulary(frozenset(parameters), offers_of(fields, loops))
        steps: dict[str, Any] = {}
        for draft in alive:
            plan = self._plans[draft.name]
            own = Vocabulary(vocabulary.parameters, vocabulary.steps, loops.get(draft.name), plan.opaque)
            step = rendered(fields[draft.name], own)
            if step["type"] == "condition" and "if" not in step:
                plan.patches.setdefault("arguments_patch", {}).setdefault("Conditions", _conditions(draft))
            step |= {name: tree(patch, own) for name, patch in plan.patches.items() if patch}
            within = loops.get(draft.name)
            (steps if within is None else steps[within].setdefault("steps", {}))[draft.name] = step
        found = {**self._head, **experiment_of(self._definition, vocabulary)}
        found |= {"parameters": parameters, "defaults": self._defaults, "steps": steps}
        found["definition_patch"] = tree(self._patch, vocabulary)
        return {key: value for key, value in found.items() if value not in ({}, None)}

    def _fields(self, draft: Draft, alive: list[Draft]) -> dict[str, Any]:
        plan = self._plans[draft.name]
        inside = [d for d in alive if d.within == draft.name]
        fields = kept(draft) if plan.raw else proposed(draft, inside)
        for path in plan.banned:
            fields = _without(fields, path)
        return fields

    # ---- patches

    def _patched(self, compiled: Object) -> bool:
        """Find the patches; return whether no step is better kept in the service's words."""
        have = {step["Name"]: step for step in _flat(compiled["Steps"])}
        good = True
        for draft in self._alive():
            plan = self._plans[draft.name]
            wanted, found = without_steps(draft.data), without_steps(have[draft.name])
            for name, patch in _step_patches(found, wanted).items():
                plan.patches[name] = _both(plan.patches.get(name, {}), patch)
            if not plan.raw and _is_mostly_patch(plan.patches.get("arguments_patch", {}), wanted.get("Arguments")):
                plan.raw = True
                plan.reasons.append(Diagnostic("BF664", "most of its request has no words in the language"))
                good = False
        self._patch = difference(_without_steps(compiled), _without_steps(self._definition))
        return good

    def _keep_different(self, compiled: Object) -> None:
        """Keep the steps that their patches did not make equal; an error when there is none."""
        have = {step["Name"]: step for step in _flat(compiled["Steps"])}
        different = [d for d in self._alive() if not same(without_steps(have[d.name]), without_steps(d.data))]
        for draft in different:
            self._escalate(draft.name, Diagnostic("BF664", "its request has no words in the language"))
        if not different:
            raise PipelineError([Diagnostic("BF658", "the definition cannot be imported: something beside its steps")])

    # ---- what to change

    def _change(self, problems: tuple[Diagnostic, ...], data: dict[str, Any]) -> None:
        circle = next((p for p in problems if p.code in _CIRCLES), None)  # the others may follow from it
        for problem in problems if circle is None else (circle,):
            text = _value_at(data, problem.path) if problem.code == _IN_PLAIN_TEXT else None
            if isinstance(text, str) and self._shop.allow(text, problem):
                continue
            if problem.code == _LOCKED:
                raise PipelineError([_unsayable(problem)])
            match problem.path:
                case ("steps", str(name), *rest) if name in self._plans:
                    self._change_step(name, tuple(rest), problem, data)
                case ("parameters", str(name), *rest):
                    self._banned.add(("parameters", name, *rest[:1]) if rest else ("parameters", name))
                case _:
                    raise PipelineError([_unsayable(problem)])

    def _change_step(self, name: str, path: Path, problem: Diagnostic, data: dict[str, Any]) -> None:
        plan = self._plans[name]
        if problem.code in _CIRCLES and not plan.opaque:
            plan.opaque = ("depends_on",) in plan.banned
            plan.banned.add(("depends_on",))
            plan.reasons.append(problem)
            return
        there = part_there(_step_data(data, name), path)
        if not there or there[0] in _PATCHES or there in plan.banned or there == ("type",):
            self._escalate(name, problem)
        else:
            plan.banned.add(there)
            plan.reasons.append(problem)

    def _escalate(self, name: str, problem: Diagnostic) -> None:
        plan = self._plans[name]
        if plan.raw and plan.opaque:
            raise PipelineError([_unsayable(problem)])
        if plan.raw:
            plan.opaque = True
            plan.banned.add(("depends_on",))
        plan.raw = True
        plan.reasons.append(problem)


def _conditions(draft: Draft) -> Any:
    """Return the test of a condition step in the service's words."""
    arguments = draft.data.get("Arguments")
    return arguments.get("Conditions", []) if isinstance(arguments, dict) else []


def _unsayable(problem: Diagnostic) -> Diagnostic:
    what = f"the definition cannot be imported: {problem.summary}"
    return Diagnostic("BF658", what, problem.path, problem.hint)


def _step_data(data: dict[str, Any], name: str) -> Any:
    if name in data["steps"]:
        return data["steps"][name]
    return next((s["steps"][name] for s in data["steps"].values() if name in s.get("steps", {})), {})


def _value_at(data: Any, path: Path) -> Any:
    for part in path:
        data = data.get(part) if isinstance(data, dict) else data[int(part)] if isinstance(data, list) else None
    return data


def part_there(data: Any, path: Path) -> Path:
    """Return the part of *path* that stands in *data*; a list goes as a whole."""
    found: list[str | int] = []
    for part in path:
        if not isinstance(data, dict) or part not in data:
            break
        found.append(part)
        data = data[part]
    return tuple(found)


def _without(fields: dict[str, Any], path: Path) -> dict[str, Any]:
    first, *rest = path
    if first not in fields:
        return fields
    kept_fields = {key: value for key, value in fields.items() if key != first}
    if not rest or not isinstance(fields[str(first)], dict):
        return kept_fields
    return {**fields, str(first): _without(fields[str(first)], tuple(rest))}


def _flat(steps: Any) -> list[Object]:
    found = []
    for step in steps:
        found.append(step)
        found += _flat([inner for _, inner in steps_in(step)])
    return found


def _without_steps(definition: Object) -> Object:
    return {key: value for key, value in definition.items() if key != "Steps"}


def _step_patches(have: Object, wanted: Object) -> dict[str, Object]:
    """Return the patches of a step: over its arguments, and over the members beside them."""
    own, theirs = have.get("Arguments"), wanted.get("Arguments")
    if isinstance(own, dict) and isinstance(theirs, dict):
        arguments = difference(own, theirs)
        have, wanted = ({k: v for k, v in step.items() if k != "Arguments"} for step in (have, wanted))
    else:
        arguments = {}
    found = {"arguments_patch": arguments, "step_patch": difference(have, wanted)}
    return {name: patch for name, patch in found.items() if patch}


def _both(low: Object, high: Object) -> Object:
    found = dict(low)
    for key, value in high.items():
        below = found.get(key)
        found[key] = _both(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return found


def _is_mostly_patch(patch: Object, arguments: Any) -> bool:
    count = _leaves(patch)
    return count > _SMALL and 2 * count > _leaves(arguments)


def _leaves(data: Any) -> int:
    if isinstance(data, dict | list) and data:
        return sum(_leaves(value) for value in (data.values() if isinstance(data, dict) else data))
    return 1
