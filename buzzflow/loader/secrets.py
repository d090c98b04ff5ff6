"""Refuse secrets in plain text: what stands in a pipeline stands in its definition, which many may read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from buzzflow.diagnostics import Diagnostic, Path, Span
from buzzflow.loader.nodes import Node
from buzzflow.loader.secret_shapes import holds_a_secret, mask, named_secrets_in, secrets_in
from buzzflow.template import Template

_ALLOWED = "not_secrets"  # of environment.yaml: texts that look like secrets and are none
_GIVEN = frozenset(
    (
        "environment_variables",
        "hyperparameters",
        "arguments",
        "entrypoint",
        "arguments_patch",
        "step_patch",
        "containers",
        "members",
        "metadata",
    )
)
_AWS_SECRET_KEY = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9/+]{40}")
_OF_AWS = re.compile(r"aws|secret|access_?key", re.IGNORECASE)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class _Scalar:
    """A text of a tree; *before* is the one before it in a list."""

    path: Path
    node: Node
    text: str
    before: str = ""


@dataclass(frozen=True, slots=True)
class _Secret:
    what: str
    secret: str
    at: _Scalar

    @property
    def is_written_here(self) -> bool:
        """Whether it stands in this place itself, and does not come by a `${…}`."""
        return self.at.node.raw is None or self.secret in self.at.node.raw


def find_secrets(tree: Node, environment: Node | None) -> Iterator[Diagnostic]:
    """Yield a problem for every secret in a pipeline and its environment, once for each place where it is written.

    What a higher layer replaced counts too: it is in the repository all the same.
    """
    allowed = _allowed(environment)
    found: dict[str, list[_Secret]] = {}
    for root in (tree, environment):
        for scalar in _scalars(root, ()) if root is not None else ():
            if scalar.text not in allowed and not (root is environment and scalar.path[0] == _ALLOWED):
                for secret in _secrets(scalar):
                    if secret.secret not in allowed:
                        found.setdefault(secret.secret, []).append(secret)
    told: dict[Span, Diagnostic] = {}
    for secrets in found.values():
        for secret in [s for s in secrets if s.is_written_here] or secrets:
            told.setdefault(secret.at.node.span, _diagnostic(secret))
    yield from sorted(told.values(), key=lambda d: (d.span.file, d.span.line, d.span.column) if d.span else ("", 0, 0))


def _allowed(environment: Node | None) -> frozenset[str]:
    listed = environment.child(_ALLOWED) if environment is not None else None
    items = listed.value if listed is not None and isinstance(listed.value, list) else []
    return frozenset(item.value for item in items if isinstance(item.value, str))


def _scalars(node: Node, path: Path, before: str = "") -> Iterator[_Scalar]:
    for low in node.replaced:
        yield from _scalars(low, path)
    match node.value:
        case dict():
            for key, child in node.value.items():
                yield from _scalars(child, (*path, key))
        case list():
            last = ""
            for i, child in enumerate(node.value):
                yield from _scalars(child, (*path, i), last)
                last = child.value if isinstance(child.value, str) else ""
        case str():
            yield _Scalar(path, node, node.value, before)
        case Template():
            literal = "".join(part if isinstance(part, str) else "\ue000" for part in node.value.parts)
            yield _Scalar(path, node, literal, before)


def _secrets(scalar: _Scalar) -> Iterator[_Secret]:
    """Yield the secrets of one text; one that has a shape is not told again by its name."""
    text = scalar.text
    found = False
    for what, start, end in secrets_in(text):
        found = True
        yield _Secret(f"{what} stands here in plain text", text[start:end], scalar)
    if not found and _AWS_SECRET_KEY.fullmatch(text) and _OF_AWS.search(".".join(map(str, scalar.path))):
        found = True
        yield _Secret("an AWS secret key stands here in plain text", text, scalar)
    if found or not _is_given(scalar.path):
        return
    name = _name(scalar)
    if name and holds_a_secret(name, text):
        yield _Secret(f"{name!r} has its secret here in plain text", text, scalar)
        return
    for inside, start, end in named_secrets_in(text):
        yield _Secret(f"{inside!r} has its secret here in plain text", text[start:end], scalar)


def _is_given(path: Path) -> bool:
    """Whether a step gets the value: only there a name like `token` makes it a secret."""
    match path:
        case ("parameters", _, "default") | ("parameters", _):
            return True
        case (
            ("steps", _, "steps", _, field, *_)
            | ("steps", _, field, *_)
            | ("defaults", "by_type", _, field, *_)
            | ("defaults", field, *_)
        ):
            return field in _GIVEN
        case _:
            return False


def _name(scalar: _Scalar) -> str:
    """Return what the text is called: its parameter, its option, its key."""
    if scalar.path[0] == "parameters" and len(scalar.path) > 1:
        return str(scalar.path[1])
    if isinstance(scalar.path[-1], int):
        return scalar.before.lstrip("-") if scalar.before.startswith("-") and "=" not in scalar.before else ""
    return scalar.path[-1]


def _diagnostic(secret: _Secret) -> Diagnostic:
    scalar = secret.at
    name = _name(scalar).replace("-", "_").upper()
    variable = name if _VARIABLE.fullmatch(name) else "NAME"
    shown = mask(secret.secret)
    summary = secret.what if shown == "…" else f"{secret.what}: {shown}"
    hint = f"put it in AWS Secrets Manager, and name it in the step: secrets: {{{variable}: secret-id}}"
    return Diagnostic("BF160", summary, scalar.path, hint, scalar.node.span)
