"""Tell where a value of a pipeline comes from: every place that gives one, from the highest to the lowest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from buzzflow.config.steps import default_fields
from buzzflow.diagnostics import Diagnostic, PipelineError, Span, did_you_mean
from buzzflow.diagnostics import Path as KeyPath
from buzzflow.driver.built_in import MISSING, built_in, fields_at
from buzzflow.loader.files import pipeline_name
from buzzflow.loader.load import Layered, answered, read_layers
from buzzflow.loader.merge import apply_defaults, drop_nulls
from buzzflow.loader.nodes import Node
from buzzflow.loader.rungs import Answer, Explained, Rung
from buzzflow.loader.shorthands import expand_shorthands
from buzzflow.template import Template

_NAMED = re.compile(r"\$\{([A-Za-z_]\w*(?:\.\w+)+)\}")
_BUILT_IN = "built-in"
_MOST_ANSWERS = 16


def explain(target: Path, key: str, *, settings: Sequence[str] = (), local: bool = False) -> list[Explained]:
    """Return where the value at *key* (`steps.train.instance.type`) comes from; of a mapping, each value in it.

    Later stages may find errors in the pipeline, and other values may be unanswerable. PipelineError BF161 when
    there can be nothing at *key*.
    """
    layered = read_layers(target, settings=settings, local=local)
    whole = drop_nulls(apply_defaults(layered.tree, layered.given, default_fields()))
    scope = _with_environment(whole, layered.environment)
    path = _path(key, scope)
    start = _standing(path, scope)
    done = whole
    if path[0] != "environment" and (start == path or _is_reference(scope.at(start))):
        done = answered(whole, layered.environment, only=start, copies=layered.copies)
    done = _with_environment(expand_shorthands(done), layered.environment)
    source = _Sources(layered, scope, done)
    if (node := done.at(path)) is not None and isinstance(node.value, dict | list) and node.value:
        leaves = dict.fromkeys(p for p, _ in node.leaves(path))
        return [source.explained(p) for p in (*leaves, *(p for p in _unset(path, done) if p not in leaves))]
    found = source.explained(path)
    if not found.rungs and path[-1] not in fields_at(path[:-1], done):
        raise PipelineError([_nothing(path, done)])
    return [found]


def _with_environment(tree: Node, environment: Node | None) -> Node:
    assert isinstance(tree.value, dict)
    return tree if environment is None else tree.with_value({**tree.value, "environment": environment})


def _path(key: str, scope: Node) -> KeyPath:
    """Return the parts of *key*: dots part it, but for those inside a key that is there; numbers count in lists."""
    path: KeyPath = ()
    parts = key.split(".")
    while parts:
        node = scope.at(path)
        taken = next((n for n in range(len(parts), 1, -1) if node and node.child(".".join(parts[:n]))), 1)
        part: str | int = ".".join(parts[:taken])
        if node is not None and isinstance(node.value, list) and re.fullmatch(r"[0-9]{1,6}", str(part)):
            part = int(part)
        path, parts = (*path, part), parts[taken:]
    return path


def _standing(path: KeyPath, scope: Node) -> KeyPath:
    """Return how far *path* goes before a `${…}` gives the rest."""
    return next(path[:end] for end in range(len(path), -1, -1) if scope.at(path[:end]) is not None)


def _is_reference(node: Node | None) -> bool:
    return node is not None and isinstance(node.value, str) and "${" in node.value


def _unset(path: KeyPath, done: Node) -> Iterator[KeyPath]:
    for name in fields_at(path, done):
        if built_in((*path, name), done) not in (MISSING, None, [], {}):
            yield (*path, name)


def _nothing(path: KeyPath, done: Node) -> Diagnostic:
    for end in range(1, len(path) + 1):
        known = {*map(str, (k for k, _ in _children(done, path[: end - 1]))), *fields_at(path[: end - 1], done)}
        if done.at(path[:end]) is None and path[end - 1] not in known:
            inside = ".".join(map(str, path[: end - 1]))
            where = f"{inside!r} has no key" if inside else "a pipeline has no key"
            hint = did_you_mean(str(path[end - 1]), known)
            return Diagnostic("BF161", f"{where} {path[end - 1]!r}", hint=hint)
    return Diagnostic("BF161", f"nothing stands at {'.'.join(map(str, path))!r}")


def _children(tree: Node, path: KeyPath) -> Iterator[tuple[str | int, Node]]:
    node = tree.at(path)
    return iter(()) if node is None else node.children()


class _Sources:
    """The trees in which a value may stand: as written (*scope*), and with what was asked for answered (*done*)."""

    def __init__(self, layered: Layered, scope: Node, done: Node) -> None:
        self._layered, self._scope, self._done = layered, scope, done

    def explained(self, path: KeyPath) -> Explained:
        node = self._done.at(path)
        winner = self._scope.at(_standing(path, self._scope))
        assert winner is not None
        rungs = [*self._rungs(path, None if node is None else winner.span)]
        value = None if node is None else node.value
        default = built_in(path, self._done)
        if path == ("name",) and default is MISSING:
            default = pipeline_name(self._layered.file)
        if default is not MISSING and default is not None:
            rungs.append(Rung(_BUILT_IN, _text(default), None, not any(r.wins for r in rungs)))
            value = default if rungs[-1].wins else value
        answers = tuple(self._answers(winner)) if node is not None and any(r.wins and r.span for r in rungs) else ()
        return Explained(path, _plain(value), tuple(rungs), answers)

    def _rungs(self, path: KeyPath, wins: Span | None) -> Iterator[Rung]:
        for layer, tree, place in self._places(path):
            end = _standing(place, tree)
            node = tree.at(end)
            if node is None or (end != place and not _is_reference(node)):
                continue
            for given in (node, *reversed(node.replaced)):
                won = wins is not None and given.span == wins
                wins = None if won else wins
                yield Rung(layer, _written(given), given.span, won)

    def _places(self, path: KeyPath) -> Iterator[tuple[str, Node, KeyPath]]:
        """Yield the layers that may give the value, from the highest, each with its tree and the place in it."""
        tree = self._layered.tree
        if len(path) < 3 or path[0] != "steps":
            yield ("environment" if path[0] == "environment" else "pipeline"), self._either(path), path
            return
        yield "step", tree, path
        kind = self._scope.at((*path[:2], "type"))
        for layer, given in (("defaults", tree), ("environment", self._layered.given)):
            if given is None or kind is None or path[2] not in default_fields().get(str(kind.value), ()):
                continue
            yield f"{layer}, {kind.value}", given, ("defaults", "by_type", str(kind.value), *path[2:])
            yield layer, given, ("defaults", *path[2:])

    def _either(self, path: KeyPath) -> Node:
        return self._scope if path[0] == "environment" else self._layered.tree

    def _answers(self, node: Node) -> Iterator[Answer]:
        """Yield each `${a.b}` in what is written, and in what that names."""
        waiting, seen = [_written(node)], set[str]()
        while waiting and len(seen) < _MOST_ANSWERS:
            for match in _NAMED.finditer(waiting.pop()):
                named = self._scope.at(_path(match[1], self._scope))
                if match[0] not in seen and named is not None:
                    seen.add(match[0])
                    waiting.append(_written(named))
                    yield Answer(match[0], _written(named), named.span)


def _written(node: Node) -> str:
    if isinstance(node.value, dict | list):
        return _text(node.plain())
    return node.raw if node.raw is not None else _text(node.value)


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {k: _plain(v.value if isinstance(v, Node) else v) for k, v in value.items()}
        case list():
            return [_plain(v.value if isinstance(v, Node) else v) for v in value]
        case Template():
            return str(value)
        case _:
            return value


def _text(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case dict():
            return "{" + ", ".join(f"{k}: {_text(v)}" for k, v in value.items()) + "}"
        case list():
            return f"[{', '.join(map(_text, value))}]"
        case _:
            return str(value)
