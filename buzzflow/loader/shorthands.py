"""Turn what is short to write into what is long to read: `code: f.py` becomes `code: {entry_point: f.py}`.

It changes shape only and says nothing of what is wrong: what it does not know it leaves for the parse stage.
"""

from __future__ import annotations

from collections.abc import Callable

from buzzflow.loader.nodes import Node

FRAMEWORKS = frozenset(
    ("sklearn", "xgboost", "pytorch", "tensorflow", "huggingface", "mxnet", "chainer", "spark", "autogluon")
)


def expand_shorthands(root: Node) -> Node:
    """Return a pipeline file, or an environment file, in the long form.

    `arguments` stay as they are: whether a map of them is a list of options depends on the type of the step.
    """
    root = _each(root, "steps", _step)
    root = _each(root, "parameters", _parameter)
    if root.is_mapping and (budget := root.child("budget")) is not None:
        root = _put(root, "budget", _wrap("max_cost_per_run")(budget))
    if (defaults := root.child("defaults")) is not None:
        root = _put(root, "defaults", _each(_step(defaults), "by_type", _step))
    return root


def list_arguments(root: Node) -> Node:
    """Return a whole pipeline in which the `arguments` of scripts are lists: `{k: v}` is `--k v`."""
    return _each(root, "steps", _listed)


def _listed(step: Node) -> Node:
    kind, arguments = step.child("type"), step.child("arguments")
    if kind is None or arguments is None or kind.value not in _WITH_OPTIONS:
        return step
    return _put(step, "arguments", _arguments(arguments))


def _step(step: Node) -> Node:
    if not step.is_mapping:
        return step
    assert isinstance(step.value, dict)
    long = {key: expand(node) if (expand := _FIELDS.get(key)) else node for key, node in step.value.items()}
    step = step.with_value(long)
    return _each(step, "steps", _step)  # of a group


def _each(root: Node, key: str, expand: Callable[[Node], Node]) -> Node:
    table = root.child(key) if root.is_mapping else None
    if table is None or not isinstance(table.value, dict):
        return root
    return _put(root, key, table.with_value({k: expand(v) for k, v in table.value.items()}))


def _put(node: Node, key: str, child: Node) -> Node:
    assert isinstance(node.value, dict)
    return node.with_value({**node.value, key: child})


def _wrap(key: str) -> Callable[[Node], Node]:
    """`x` is `{key: x}` for every scalar x."""

    def expand(node: Node) -> Node:
        if isinstance(node.value, dict | list) or node.value is None:
            return node
        return Node({key: _bare(node)}, node.span, node.key, node.raw, node.replaced)

    return expand


def _bare(node: Node) -> Node:
    return Node(node.value, node.span, None, node.raw)


def _image(node: Node) -> Node:
    if not isinstance(node.value, str) or "${" in node.value:
        return _wrap("uri")(node) if not isinstance(node.value, str | dict | list) else node
    name, _, version = node.value.partition(":")
    if name not in FRAMEWORKS or not version:
        return _wrap("uri")(node)
    parts = {"framework": Node(name, node.span, None, name), "version": Node(version, node.span, None, version)}
    return Node(parts, node.span, node.key, node.raw, node.replaced)


def _containers(node: Node) -> Node:
    if not isinstance(node.value, list):
        return node
    items = [_put(i, "image", _image(image)) if (image := i.child("image")) is not None else i for i in node.value]
    return node.with_value(items)


def _list(node: Node) -> Node:
    """`x` is `[x]`."""
    if isinstance(node.value, list) or node.value is None:
        return node
    return Node([_bare(node)], node.span, node.key, node.raw, node.replaced)


def _arguments(node: Node) -> Node:
    """`{date: d, force: null}` is `[--date, d, --force]`."""
    if not isinstance(node.value, dict):
        return node
    items: list[Node] = []
    for name, value in node.value.items():
        flag = f"--{name}"
        items.append(Node(flag, value.key or value.span, None, flag))
        if isinstance(value.value, list):
            items += value.value
        elif value.value is not None:
            items.append(_bare(value))
    return Node(items, node.span, node.key, None, node.replaced)


def _outputs(node: Node) -> Node:
    if isinstance(node.value, list) and all(isinstance(i.value, str) for i in node.value):
        empty = {str(i.value): Node({}, i.span, i.span) for i in node.value}
        return Node(empty, node.span, node.key, None, node.replaced)
    if isinstance(node.value, dict):
        return node.with_value({k: _output(k, v) for k, v in node.value.items()})
    return node


def _output(name: str, node: Node) -> Node:
    if node.value is None:
        return Node({}, node.span, node.key, None, node.replaced)
    node = _wrap("to")(node)
    report = node.child("json")
    if report is not None and isinstance(report.value, str):
        named = Node({name: _bare(report)}, report.span, report.key, None, report.replaced)
        return _put(node, "json", named)
    return node


def _inputs(node: Node) -> Node:
    if isinstance(node.value, dict):
        return node.with_value({k: _wrap("from")(v) for k, v in node.value.items()})
    return node


def _cache(node: Node) -> Node:
    return _wrap("enabled")(node) if isinstance(node.value, bool) else _wrap("expire_after")(node)


def _depends_on(node: Node) -> Node:
    node = _list(node)
    return node.with_value([_wrap("step")(i) for i in node.value]) if isinstance(node.value, list) else node


def _parameter(node: Node) -> Node:
    """`{name: default}`; the type follows from the value when nothing names it."""
    if isinstance(node.value, list):
        return node
    return Node({}, node.span, node.key, None, node.replaced) if node.value is None else _wrap("default")(node)


_WITH_OPTIONS = ("processing", "training", "tuning")
_FIELDS: dict[str, Callable[[Node], Node]] = {
    "code": _wrap("entry_point"),
    "image": _image,
    "containers": _containers,
    "instance": _wrap("type"),
    "inputs": _inputs,
    "outputs": _outputs,
    "cache": _cache,
    "spot": _wrap("wait"),
    "depends_on": _depends_on,
    "retry": _list,
    "if": _list,
    "then": _list,
    "else": _list,
}
