"""The copies that foreach made, and what a name means among them: one copy, all copies, the copy of the same item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from buzzflow.diagnostics import closest, did_you_mean
from buzzflow.loader.unanswerable import Refused

_WORDS = frozenset(("outputs", "properties", "metrics", "best", "rank"))  # after a step's name, with more behind


@dataclass(frozen=True, slots=True)
class Copies:
    """Every copy by its step and key.

    *of* gives the copies' names by the step's name and the item's key; *groups* the names of a group's steps;
    *siblings*, for a copy in a group, the copies of the same item by their steps' names. *late* are the steps that run
    for items that only a run knows.
    """

    of: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    siblings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    late: frozenset[str] = frozenset()

    def meant(self, form: str, argument: str, step: str | None) -> str:
        """Return the argument of a `${step:…}` or `${json:…}` in *step* with the name of a copy in it.

        *step* is None for a text that stands in no step. Refused says why it names none.
        """
        name, _, rest = argument.partition(".")
        head, _, tail = rest.partition(".")
        if head == "*":
            raise self._misplaced(form, argument, name)
        own = self.siblings.get(step or "", {}).get(name)
        if own is not None:
            if form == "step" and tail and head in self.of[name] and head not in _WORDS:
                hint = f"the copy of another item is ${{step:{self.of[name][head]}.{tail}}}"
                raise Refused("BF157", f"inside its group, {name!r} is the copy of the same item", hint)
            return f"{own}.{rest}" if rest else own
        if name in self.groups:
            names = self.groups[name]
            hint = f"name one of its steps: ${{{form}:{names[0]}.{next(iter(self.of[names[0]]))}.…}}"
            raise Refused("BF157", f"{name!r} is a group of steps", hint)
        if name not in self.of:
            return argument
        if head in self.of[name]:
            return self.of[name][head] + (f".{tail}" if tail else "")
        raise self._no_copy(form, name, head, tail)

    def _no_copy(self, form: str, name: str, head: str, tail: str) -> Refused:
        copies = self.of[name]
        if tail and head not in _WORDS and (close := closest(head, copies)):
            return Refused("BF158", f"step {name!r} has no copy {head!r}", f"did you mean {close!r}?")
        if not tail or head in _WORDS or form == "json":
            rest = f".{head}" * bool(head) + f".{tail}" * bool(tail)
            hint = (
                f"write ${{{form}:{name}.{next(iter(copies))}{rest}}}; {did_you_mean('', copies, label='its copies')}"
            )
            return Refused("BF157", f"step {name!r} has copies: say which of them is meant", hint)
        return Refused("BF158", f"step {name!r} has no copy {head!r}", did_you_mean(head, copies, label="its copies"))

    def _misplaced(self, form: str, argument: str, name: str) -> Refused:
        if name in self.groups:
            hint = f"name one of its steps: ${{{form}:{self.groups[name][0]}.*.…}}"
            return Refused("BF157", f"{name!r} is a group of steps", hint)
        if name not in self.of:
            hint = did_you_mean(name, self.of, label="steps with foreach") or "it has no foreach"
            return Refused("BF158", f"step {name!r} has no copies", hint)
        source = 'the source of an input, inputs: {all: "${step:…}"}, ' if form == "step" else ""
        hint = f"it may stand alone as {source}an item of a list in a step, or of arguments"
        return Refused("BF159", f"all copies, ${{{form}:{argument}}}, cannot stand here", hint)

    def all_of(self, name: str, step: str) -> tuple[str, ...]:
        """Return the steps that a bare *name* in a list of steps of *step* means."""
        if (own := self.siblings.get(step, {}).get(name)) is not None:
            return (own,)
        if name in self.groups:
            return tuple(copy for inner in self.groups[name] for copy in self.of[inner].values())
        return tuple(self.of[name].values()) if name in self.of else (name,)
