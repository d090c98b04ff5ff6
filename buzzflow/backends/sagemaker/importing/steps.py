"""Take a definition apart into its steps, and propose for each what its author would have written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from buzzflow.backends.sagemaker.compile import iso_duration
from buzzflow.backends.sagemaker.importing import jobs, models, services
from buzzflow.backends.sagemaker.importing.said import Fields, Said, at, given, inverse, objects, said
from buzzflow.backends.sagemaker.semantics import steps_in
from buzzflow.backends.sagemaker.text import Object
from buzzflow.backends.service import JOB_ERRORS, STEP_ERRORS
from buzzflow.config.steps import fields_by_type
from buzzflow.diagnostics import Diagnostic, Path, PipelineError

_STEP_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ERRORS = inverse({**STEP_ERRORS, **JOB_ERRORS})
_ISO = re.compile(r"P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})S)?)?")
_COMMON = ("Name", "Type", "Arguments", "DependsOn", "DisplayName", "Description", "RetryPolicies", "CacheConfig")
_SIDES = {"IfSteps": "then", "ElseSteps": "else", "ForEachBody": "steps"}


@dataclass(frozen=True, slots=True)
class Draft:
    """A step of a definition: *within* is the step that holds it, in its `then`, `else` or `steps`."""

    name: str
    data: Object
    within: str | None = None
    side: str = ""

    @property
    def type(self) -> str:
        """What the definition calls its type."""
        return str(self.data.get("Type"))

    @property
    def members(self) -> Object:
        """What its type alone has beside the arguments."""
        return {key: value for key, value in self.data.items() if key not in _COMMON}


def read_steps(definition: Object) -> list[Draft]:
    """Return every step, each before those inside of it; PipelineError names what is no step, or stands twice."""
    steps = definition["Steps"]
    assert isinstance(steps, list), "who reads a document has looked"
    problems: list[Diagnostic] = []
    found: dict[str, Draft] = {}
    for i, data in enumerate(steps):
        for draft, path in _drafts(data, None, "", ("Steps", i)):
            problems += _problems(draft, path, found)
            found.setdefault(draft.name, draft)
    if not found:
        problems.append(Diagnostic("BF651", "the definition has no steps", hint="there is nothing to import"))
    if problems:
        raise PipelineError(problems)
    return [*found.values()]


def _drafts(data: Any, within: str | None, side: str, path: Path) -> Iterator[tuple[Draft, Path]]:
    name = at(data, "Name")
    draft = Draft(name if isinstance(name, str) else "", data if isinstance(data, dict) else {}, within, side)
    yield draft, path
    for i, (member, inner) in enumerate(steps_in(draft.data)):
        yield from _drafts(inner, draft.name, _SIDES[member], (*path, member, i))


def _problems(draft: Draft, path: Path, found: Mapping[str, Draft]) -> Iterator[Diagnostic]:
    if not draft.name or not isinstance(draft.data.get("Type"), str):
        yield Diagnostic("BF651", "a step has no Name and Type", path, "the service would not take it")
    elif not _STEP_NAME.fullmatch(draft.name):
        hint = "the service takes 1 to 64 letters, digits, - and _"
        yield Diagnostic("BF653", f"no step can be called {draft.name[:80]!r}", path, hint)
    elif draft.name in found:
        hint = "names are global, those of steps in branches too: rename one"
        yield Diagnostic("BF653", f"two steps are called {draft.name!r}", path, hint)


# ------------------------------------------------------------------ proposals


def proposed(draft: Draft, inside: list[Draft]) -> Fields:
    """Return the fields of *draft* in the language's own words; *inside* are the steps that it holds."""
    fields = _typed(draft, inside)
    known = fields_by_type()[fields["type"]]
    return {**fields, **{key: value for key, value in _common(draft).items() if key in known}}


def kept(draft: Draft) -> Fields:
    """Return the fields of *draft* in the service's words."""
    return {**services.raw(draft.data.get("Type"), draft.data.get("Arguments"), draft.members), **_common(draft)}


def _typed(draft: Draft, inside: list[Draft]) -> Fields:  # noqa: PLR0912  # one for each type
    arguments, members = draft.data.get("Arguments"), draft.members
    match draft.type:
        case "Processing":
            return jobs.processing(arguments, members)
        case "Training":
            return jobs.training(arguments)
        case "Tuning":
            return jobs.tuning(arguments)
        case "Transform":
            return models.transform(arguments)
        case "Model":
            return models.model(arguments)
        case "RegisterModel":
            return models.register_model(arguments)
        case "Condition":
            return _condition(arguments, inside)
        case "Fail":
            return services.fail(arguments)
        case "ForEach":
            return _foreach(arguments)
        case "Lambda":
            return services.lambda_call(arguments, members)
        case "Callback":
            return services.callback(arguments, members)
        case "QualityCheck":
            return services.quality_check(arguments, members)
        case "AutoML":
            return services.automl(arguments)
        case kind if kind in services.THIN:
            return services.thin(services.THIN[kind], arguments)
        case kind:
            return services.raw(kind, arguments, members)


def _condition(arguments: Any, inside: list[Draft]) -> Fields:
    sides: dict[str, list[str]] = {"then": [], "else": []}
    for draft in inside:
        sides[draft.side].append(draft.name)
    conditions = at(arguments, "Conditions")
    found: Fields = {"type": "condition", "if": Said(conditions, "conditions")}
    return {**found, **{side: names for side, names in sides.items() if names}}


def _foreach(arguments: Any) -> Fields:
    return given(
        type_="foreach",
        items=said(at(arguments, "IterableItems"), "text"),
        max_concurrency=said(at(arguments, "MaxConcurrency"), "number", default=1),
    )


def _common(draft: Draft) -> Fields:
    return given(
        display_name=said(draft.data.get("DisplayName"), "literal"),
        description=said(draft.data.get("Description"), "literal"),
        depends_on=_depends_on(draft.data.get("DependsOn")),
        retry=[_retry(policy) for policy in objects(draft.data.get("RetryPolicies")) or ()] or None,
        cache=_cache(draft.data.get("CacheConfig")),
    )


def _depends_on(order: Any) -> list[Fields] | None:
    found: list[Fields] = []
    for item in order if isinstance(order, list) else ():
        match item:
            case str():
                found.append({"step": item})
            case {"Step": str(step), "Trigger": "Failed" | "Stopped" | "Any" as when, **more} if not more:
                found.append({"step": step, "when": when.lower()})
    return found or None


def _retry(policy: Object) -> Fields:
    told = policy.get("ExceptionType")
    backoff, expire = policy.get("BackoffRate"), policy.get("ExpireAfterMin")
    give_up_after = expire * 60 if isinstance(expire, int) else None
    return given(
        errors=[_ERRORS.get(error, error) for error in told if isinstance(error, str)]
        if isinstance(told, list)
        else None,
        interval=said(policy.get("IntervalSeconds"), "duration", default=1),
        backoff=backoff if isinstance(backoff, int | float) and backoff != 2 else None,  # the language's own default
        max_attempts=said(policy.get("MaxAttempts"), "number"),
        give_up_after=said(give_up_after, "duration"),
    )


def _cache(config: Any) -> Fields | None:
    if not isinstance(config, dict):
        return None
    seconds = seconds_of(config.get("ExpireAfter"))
    enabled = config.get("Enabled")
    return {
        "enabled": enabled if isinstance(enabled, bool) else True,
        **given(expire_after=said(seconds, "duration")),
    }


def seconds_of(duration: Any) -> int | None:
    """Return the seconds of an ISO 8601 duration that the language would spell in the same way, else None."""
    match = _ISO.fullmatch(duration) if isinstance(duration, str) else None
    if match is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    total = days * 86_400 + hours * 3600 + minutes * 60 + seconds
    return total if iso_duration(total) == duration else None
