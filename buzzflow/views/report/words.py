"""Small pieces of the page that several sections show: states, figures, moments."""

from __future__ import annotations

from typing import assert_never

from buzzflow.backends.local.events import State
from buzzflow.backends.local.records.manifest import AskedInstance
from buzzflow.views.report.markup import Markup, tag
from buzzflow.views.report.shown import Standing


def sign(state: Standing) -> str:
    """Return a state as a character, so that colour is not all that tells it."""
    match state:
        case State.SUCCEEDED:
            return "✓"
        case State.CACHED:
            return "↺"
        case State.FAILED | "killed":
            return "✕"
        case State.SKIPPED:
            return "\N{EN DASH}"
        case State.STOPPED:
            return "■"
        case "running":
            return "▸"
        case "waiting":
            return "·"
        case _:
            assert_never(state)


def dot(state: Standing) -> Markup:
    """Return the sign of a state in its colour; the word stands elsewhere."""
    return tag("span", sign(state), class_=f"dot is-{state}", title=str(state), aria_hidden="true")


def badge(state: Standing) -> Markup:
    """Return a state as a word in its colour."""
    return tag("span", tag("span", sign(state), aria_hidden="true"), f" {state}", class_=f"badge is-{state}")


def fact(label: str, *value: str | Markup) -> Markup:
    """Return a name and what it is."""
    return tag("div", tag("dt", label), tag("dd", *value))


def asked(instance: AskedInstance) -> str:
    """Return the machines that the pipeline asks for."""
    return f"{instance.count} x {instance.type}" if instance.count > 1 else instance.type


def number(value: float) -> str:
    """Return a number in at most six figures."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def plural(count: int, noun: str) -> str:
    """Return `1 step`, `2 steps`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
