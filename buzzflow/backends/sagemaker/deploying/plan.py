"""What a deployment would change: step by step, in the meaning and not in the text of the definition."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from buzzflow.backends.caching import COMPARED_MEMBERS
from buzzflow.backends.sagemaker import meaning
from buzzflow.backends.sagemaker.deploying.deployed import Deployed
from buzzflow.backends.sagemaker.deploying.deployment import DIGEST, PASSING, Deployment, same_way
from buzzflow.backends.sagemaker.meaning import MISSING, Change, PlacedStep

Action = Literal["create", "update", "none"]


@dataclass(frozen=True, slots=True)
class StepChange:
    """What becomes of one step.

    *reruns* names what makes the cached results of a step that stays useless: changes of its own, or steps whose
    results it uses. A step with action `keep` has only that.
    """

    name: str
    type: str
    action: Literal["add", "remove", "change", "keep"]
    changes: tuple[Change, ...] = ()
    reruns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What deploying *deployment* over *deployed* would do.

    *edited* tells that what is deployed is not what buzzflow put there.
    """

    deployment: Deployment
    deployed: Deployed | None
    action: Action
    settings: tuple[Change, ...] = ()
    steps: tuple[StepChange, ...] = ()
    set_tags: Mapping[str, str] = field(default_factory=dict)
    drop_tags: tuple[str, ...] = ()
    edited: bool = False

    @property
    def changes_definition(self) -> bool:
        """Whether the pipeline itself is written, and not its tags alone."""
        return self.action == "create" or bool(self.settings) or any(s.action != "keep" for s in self.steps)


def plan(deployment: Deployment, deployed: Deployed | None, managed: tuple[str, ...] = ()) -> Plan:
    """Return the plan; *managed* are the tags that buzzflow has set before."""
    if deployed is None:
        new = meaning.steps_of(deployment.data).values()
        added = tuple(StepChange(step.name, step.type, "add") for step in new)
        return Plan(deployment, None, "create", steps=added, set_tags=deployment.tags)
    settings = (*_settings(deployment, deployed),)
    steps = (*_steps(deployment.data, deployed.data or {}),)
    set_tags, drop_tags = _tags(deployment, deployed, managed, changed=bool(settings or steps))
    changed = bool(settings or steps or set_tags or drop_tags)
    steps += (*_followers(deployment.data, steps),)
    known = deployed.tags.get(DIGEST)
    return Plan(
        deployment,
        deployed,
        "update" if changed else "none",
        settings,
        steps,
        set_tags,
        drop_tags,
        edited=known is not None and known != deployed.digest and same_way(known, deployed.digest),
    )


def _settings(wanted: Deployment, found: Deployed) -> Iterator[Change]:
    """Yield what differs outside of the steps: of the pipeline's own fields, of parameters and the like."""
    if wanted.role != found.role:
        yield Change(("role",), found.role, wanted.role)
    if wanted.description != found.description:
        yield Change(("description",), found.description, wanted.description)
    if wanted.parallelism != found.parallelism:
        yield Change(("parallelism",), _or_missing(found.parallelism), _or_missing(wanted.parallelism))
    if found.data is None:
        yield Change(("definition",), "no JSON", "this one")
        return
    before, after = (
        {key: meaning.normal(value) for key, value in data.items() if key != "Steps"}
        for data in (found.data, wanted.data)
    )
    yield from meaning.changes(before, after)


def _or_missing(value: object) -> object:
    return MISSING if value is None else value


def _steps(wanted: Mapping[str, object], found: Mapping[str, object]) -> Iterator[StepChange]:
    after, before = meaning.steps_of(wanted), meaning.steps_of(found)
    for name, step in after.items():
        if name not in before:
            yield StepChange(name, step.type, "add")
        elif changed := (*_changes(before[name], step),):
            yield StepChange(name, step.type, "change", changed, _reruns(step, changed))
    for name, step in before.items():
        if name not in after:
            yield StepChange(name, step.type, "remove")


def _changes(before: PlacedStep, after: PlacedStep) -> Iterator[Change]:
    if before.place != after.place:
        yield Change(("place",), before.place or MISSING, after.place or MISSING)
    yield from meaning.changes(before.body, after.body)


def _reruns(step: PlacedStep, changes: tuple[Change, ...]) -> tuple[str, ...]:
    """Return which changes make earlier results useless: none for a step without a cache."""
    if not _is_cached(step):
        return ()
    keys = COMPARED_MEMBERS.get(step.type)
    counted = (".".join(c.path[1:]) for c in changes if c.path[:1] == ("Arguments",) and len(c.path) > 1)
    return tuple(path for path in counted if keys is None or f"{path}.".startswith(tuple(f"{key}." for key in keys)))


def _is_cached(step: PlacedStep) -> bool:
    cache = step.body.get("CacheConfig")
    return isinstance(cache, dict) and cache.get("Enabled") is True


def _followers(wanted: Mapping[str, object], changed: tuple[StepChange, ...]) -> Iterator[StepChange]:
    """Yield the steps that stay, whose cached results do not count because they use those of one that runs again."""
    again = {change.name for change in changed if change.reruns}
    known = {change.name for change in changed}
    steps = meaning.steps_of(wanted)
    uses = {name: _used(step) for name, step in steps.items() if _is_cached(step)}
    while found := [name for name in uses if name not in again | known and uses[name] & again]:
        for name in found:
            yield StepChange(name, steps[name].type, "keep", reruns=tuple(sorted(uses[name] & again)))
        again |= {*found}


def _used(step: PlacedStep) -> frozenset[str]:
    """Return the steps that a request refers to."""
    return frozenset(re.findall(r'"Get":"Steps\.([^."\[]+)', meaning.canonical(step.body)))


def _tags(
    wanted: Deployment, found: Deployed, managed: tuple[str, ...], *, changed: bool
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the tags to write, and those to remove: none that buzzflow has not set itself."""
    differing = {key: value for key, value in wanted.tags.items() if found.tags.get(key) != value}
    dropped = tuple(key for key in managed if key not in wanted.tags and key in found.tags and key not in PASSING)
    if not changed and not dropped and not differing.keys() - PASSING:
        return {}, ()
    return differing, dropped
