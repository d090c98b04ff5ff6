"""What the service would refuse in a request, by the place inside the request."""

from __future__ import annotations

from dataclasses import dataclass

from buzzflow.diagnostics import Path, Severity


@dataclass(frozen=True, slots=True)
class RequestProblem:
    """Like a `Diagnostic`, but *path* is one inside the arguments: who made them knows where in the YAML that is."""

    code: str
    summary: str
    path: Path
    hint: str | None = None
    severity: Severity = Severity.ERROR


def subject(path: Path) -> str:
    """Return what to call the value at *path* in a sentence: its name, and its positions in lists."""
    if not path:
        return "the request"
    name = ""
    for part in path[-1:] if isinstance(path[-1], str) else _from_name(path):
        name += part if isinstance(part, str) else f"[{part}]"
    return repr(shortened(name))


def shortened(text: str) -> str:
    """Return *text*, or its beginning when it is too long to be shown."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _from_name(path: Path) -> Path:
    names = [i for i, part in enumerate(path) if isinstance(part, str)]
    return path[names[-1] :] if names else path


_SHOWN = 80
