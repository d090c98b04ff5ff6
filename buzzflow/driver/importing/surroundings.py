"""The environment that an imported pipeline will stand in: the one above its folder, or one made for it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from buzzflow.backends.sagemaker.text import Object
from buzzflow.config.steps import default_fields
from buzzflow.loader import files
from buzzflow.loader.interpolate import interpolate
from buzzflow.loader.shorthands import expand_shorthands
from buzzflow.loader.yaml_writer import write_yaml

_REGION = re.compile(r"\b(?:[a-z]{2}|us-gov|us-iso[bef]?|eu-isoe)-[a-z]+-\d\b")
_PLACE = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:([a-z0-9-]+):|\.(?:ecr|s3|sqs)[.-]([a-z0-9-]+)\.amazonaws")
_BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?=/|$)")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/?[a-zA-Z_0-9+=,.@/-]+")
_ROLES = ("RoleArn", "ExecutionRoleArn")
_GIVEN = ("image", "role", "network", "encryption")  # what an environment gives every step


@dataclass(frozen=True, slots=True)
class Surroundings:
    """An environment.yaml: its text and data; *made* when there was none, and it is to be written."""

    text: str
    data: dict[str, Any]
    made: bool

    def get(self, key: str) -> str | None:
        """Return a text of the environment."""
        found = self.data.get(key)
        return found if isinstance(found, str) else None

    def nothing_given(self) -> dict[str, Any]:
        """Return the defaults of a pipeline that takes none of the environment's: a null for each field of steps."""
        defaults = self.data.get("defaults")
        own = defaults if isinstance(defaults, dict) else {}
        fields = [key for key in (*_GIVEN, *own) if key != "by_type" and (key in own or self.data.get(key) is not None)]
        found: dict[str, Any] = dict.fromkeys(fields)
        by_type = own.get("by_type")
        known = default_fields()
        for kind, given in by_type.items() if isinstance(by_type, dict) else ():
            if isinstance(given, dict) and kind in known:
                found.setdefault("by_type", {})[kind] = dict.fromkeys(given)
        return found

    def given(self, field: str) -> Any:
        """Return what the environment gives every step in *field*, None where that depends on its type."""
        defaults = self.data.get("defaults")
        own = defaults if isinstance(defaults, dict) else {}
        by_type = own.get("by_type")
        if isinstance(by_type, dict) and any(isinstance(g, dict) and field in g for g in by_type.values()):
            return None
        return own.get(field, self.data.get(field) if field in _GIVEN else None)


def surroundings(folder: Path, definition: Object) -> Surroundings:
    """Return the environment above *folder*, or in it; one made of what *definition* says where there is none."""
    file = folder / files.PIPELINE
    place = files.find_environment(file, files.find_root(file))
    if place is None:
        data = _made(definition)
        return Surroundings(_MADE + write_yaml(data), data, made=True)
    text = files.read_text(place)
    tree = interpolate(expand_shorthands(files.read_file(place)), environ={}, allow_env=())
    plain = tree.plain()
    return Surroundings(text, plain if isinstance(plain, dict) else {}, made=False)


_MADE = "# What this pipeline's place is; move it to the folder above when other pipelines share it.\n"


def _made(definition: Object) -> dict[str, Any]:
    texts = [*_texts(definition)]
    role = _most(value for key, value in texts if key in _ROLES and _ROLE.fullmatch(value))
    match = _ROLE.fullmatch(role) if role else None
    regions = (group for _, text in texts for m in _PLACE.finditer(text) for group in m.groups() if group)
    found = {
        "name": "imported",
        "account": match[1] if match else None,
        "region": _most(region for region in regions if _REGION.fullmatch(region)),
        "role": role,
        "bucket": _most(m[1] for _, text in texts for m in _BUCKET.finditer(text)),
        "registry": "sagemaker",
    }
    return {key: value for key, value in found.items() if value is not None}


def _most(found: Iterator[str]) -> str | None:
    """Return the most frequent text, of several the first."""
    counted = Counter(found).most_common(1)
    return counted[0][0] if counted else None


def _texts(data: Any, key: str = "") -> Iterator[tuple[str, str]]:
    match data:
        case dict():
            for name, value in data.items():
                yield from _texts(value, name)
        case list():
            for value in data:
                yield from _texts(value, key)
        case str():
            yield key, data
