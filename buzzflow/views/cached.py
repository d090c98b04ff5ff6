"""What a step's cache says, as people read it and as data."""

from __future__ import annotations

from typing import Any

from buzzflow.backends.local.reuse.explained import CacheExplained, FieldChange
from buzzflow.loader.secret_shapes import without_secrets
from buzzflow.views.figures import duration

_BOLD, _DIM, _OFF = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_LONGEST = 60
_DAY = 86_400
_WHYS = {
    "hit": "nothing that it depends on has changed since run {run}",
    "kept": "the results of run {run} were kept",
    "no earlier run": "no earlier run has left a result",
    "expired": "the result of run {run} is too old",
    "outputs are gone": "what run {run} left is gone, or was changed",
    "forced": "it was forced",
    "unreadable": "something that it reads is not there, or not known before other steps have run",
}


def text(one: CacheExplained, *, colour: bool = False) -> str:
    """Return why the step is or is not taken from an earlier run, and every field that differs."""
    head = f"{one.step}: {_verdict(one)}, because {_why(one)}"
    lines = [f"{_BOLD}{head}{_OFF}" if colour else head]
    if one.age is not None:
        limit = "" if one.expire_after is None else f"; it counts for {_long(one.expire_after)}"
        lines.append(f"  the result is {_long(one.age)} old{limit}")
    for change in one.changes:
        lines += ["", f"  {change.field} {_label(change)}", *_values(change)]
    if one.record.fields:
        told = f"  {len(one.record.fields)} fields are compared; key {(one.record.key or '')[:16]}"
        lines += ["", f"{_DIM}{told}{_OFF}" if colour else told]
    return "\n".join(lines)


def _verdict(one: CacheExplained) -> str:
    is_taken = one.record.why in ("hit", "kept")
    if one.asked is not None:
        return f"{'took an earlier result' if is_taken else 'ran'} in run {one.asked}"
    return "the next run takes its result" if is_taken else "the next run runs it"


def _why(one: CacheExplained) -> str:
    record = one.record
    if record.why == "changed":
        count = len(record.changed)
        return f"{count} {'field differs' if count == 1 else 'fields differ'} from run {record.run}"
    return _WHYS[record.why].format(run=record.run)


def _label(change: FieldChange) -> str:
    is_file = change.field.startswith("code.") and change.change == "changed"
    return (
        "was edited" if is_file else {"changed": "has changed", "added": "is new", "removed": "is gone"}[change.change]
    )


def _values(change: FieldChange) -> list[str]:
    lines = [f"    {when}: {_cut(value)}" for when, value in (("then", change.then), ("now ", change.now)) if value]
    for step, why in change.because:
        lines.append(f"    {step} runs again: {', '.join(why)}")
    return lines


def _long(seconds: float) -> str:
    return duration(seconds) if seconds < _DAY else f"{seconds / _DAY:.0f} d"


def _cut(value: str) -> str:
    line = without_secrets(value.replace("\n", " "))
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def as_data(one: CacheExplained) -> dict[str, Any]:
    """Return the same as JSON can hold it."""
    record = one.record
    return {
        "step": one.step,
        "run": one.asked,
        "taken": record.why in ("hit", "kept"),
        "why": record.why,
        "compared_with": record.run,
        "key": record.key,
        "age_seconds": one.age,
        "expire_after_seconds": one.expire_after,
        "changes": [
            {
                "field": change.field,
                "change": change.change,
                "then": None if change.then is None else without_secrets(change.then),
                "now": None if change.now is None else without_secrets(change.now),
                "because": [{"step": step, "why": list(why)} for step, why in change.because],
            }
            for change in one.changes
        ],
        "fields": record.fields,
    }
