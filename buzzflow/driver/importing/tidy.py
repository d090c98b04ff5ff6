"""Write the long form of a pipeline as short as people do: the inverse of `buzzflow.loader.shorthands`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from buzzflow.backends.sagemaker.importing.render import structured
from buzzflow.loader.shorthands import FRAMEWORKS

Fields = dict[str, Any]
_FIRST = (
    "type",
    "step_type",
    "display_name",
    "description",
    "depends_on",
    "image",
    "algorithm",
    "entrypoint",
    "arguments",
    "function",
    "queue",
    "registry",
    "model_group",
    "model",
    "containers",
    "check",
    "target",
    "items",
    "max_concurrency",
    "if",
    "then",
    "else",
    "message",
    "inputs",
    "outputs",
    "hyperparameters",
    "search",
    "metrics",
    "instance",
)
_LAST = ("retry", "cache", "step_patch", "members", "arguments_patch", "steps")
_FILE = (
    "name",
    "description",
    "exact_addresses",
    "variables",
    "parameters",
    "defaults",
    "steps",
    "parallelism",
    "experiment",
    "definition_patch",
)
_SCRIPTS = ("processing", "training")


def tidied(data: Fields) -> Fields:
    """Return the data of a pipeline.yaml in the short form, its keys in the order in which they are read."""
    found = {key: data[key] for key in _FILE if data.get(key) not in (None, {})}
    if "parameters" in found:
        found["parameters"] = {name: _parameter(given) for name, given in found["parameters"].items()}
    if "defaults" in found:
        defaults = _step(found["defaults"])
        if "by_type" in defaults:
            defaults["by_type"] = {kind: _step(given) for kind, given in defaults["by_type"].items()}
        found["defaults"] = defaults
    found["steps"] = {name: _step(step) for name, step in found["steps"].items()}
    return found


def _step(step: Fields) -> Fields:
    rest = [key for key in step if key not in _FIRST and key not in _LAST]
    ordered = {key: step[key] for key in (*_FIRST, *rest, *_LAST) if key in step}
    found = {key: _shortened(key, value) for key, value in ordered.items()}
    if step.get("type") in _SCRIPTS and isinstance(found.get("arguments"), list):
        found["arguments"] = _options(found["arguments"])
    if isinstance(found.get("steps"), dict):
        found["steps"] = {name: _step(inner) for name, inner in found["steps"].items()}
    return found


def _shortened(key: str, value: Any) -> Any:
    return value if value is None or key not in _SHORT else _SHORT[key](value)


def _parameter(given: Fields) -> Any:
    alone = given.keys() == {"default"}
    return given["default"] if alone else given


def _only(key: str) -> Callable[[Any], Any]:
    """`{key: x}` is x."""

    def short(value: Any) -> Any:
        return value[key] if isinstance(value, dict) and value.keys() == {key} else value

    return short


def _image(value: Any) -> Any:
    if not isinstance(value, dict):
        uri = str(value)
        return {"uri": value} if uri.partition(":")[0] in FRAMEWORKS else value
    if value.keys() == {"framework", "version"} and value["framework"] in FRAMEWORKS:
        return f"{value['framework']}:{value['version']}"
    return value


def _depends_on(value: list[Fields]) -> list[Any]:
    return [_only("step")(item) for item in value]


def _cache(value: Any) -> Any:
    match value:
        case {"enabled": True, "expire_after": str(duration), **more} if not more:
            return duration
        case {"enabled": bool() as enabled, **more} if not more:
            return enabled
        case _:
            return value


def _inputs(value: Any) -> Any:
    return {name: _only("from")(item) for name, item in value.items()} if isinstance(value, dict) else value


def _outputs(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if not any(value.values()):
        return [*value]
    return {name: _output(name, item) for name, item in value.items()}


def _output(name: str, item: Fields) -> Any:
    if item.get("json", {}).keys() == {name}:
        item = {**item, "json": item["json"][name]}
    return _only("to")(item) if "to" in item else item


def _hyperparameters(value: Any) -> Any:
    return {k: structured(v) or v if isinstance(v, str) else v for k, v in value.items()}


def _options(items: list[Any]) -> Any:
    """`[--date, d, --force, true]` is `{date: d, force: true}`, when every other item is an option of its own."""
    options, values = items[::2], items[1::2]
    names = [o.removeprefix("--") for o in options if isinstance(o, str) and o.startswith("--") and len(o) > 2]
    if len(items) % 2 or len(names) != len(options) or len({*names}) != len(names):
        return items
    if any("$" in name or "=" in name for name in names) or any(str(v).startswith("-") for v in values):
        return items
    return dict(zip(names, values, strict=True))


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


_SHORT: dict[str, Callable[[Any], Any]] = {
    "image": _image,
    "instance": _only("type"),
    "inputs": _inputs,
    "outputs": _outputs,
    "cache": _cache,
    "spot": _only("wait"),
    "depends_on": _depends_on,
    "hyperparameters": _hyperparameters,
    "if": _first,
}
