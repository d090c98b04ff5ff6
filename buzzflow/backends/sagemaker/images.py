"""Find the address of a framework image: framework, version, Python, accelerator and region to an ECR URI.

The table, `framework_images.json`, is generated from the SageMaker Python SDK's own data by
`tools/refresh_framework_images.py`; it says of which version and when.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Literal, NotRequired, TypedDict

from buzzflow import ir
from buzzflow.backends.caching import accelerator_of
from buzzflow.backends.sagemaker.tables import FRAMEWORK_IMAGES
from buzzflow.diagnostics import did_you_mean

ECR = re.compile(r"\d{12}\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.[a-z0-9.-]+/.+")
_ANY = "any"
_PURPOSE = {"training": "", "serving": "serving "}


class _Framework(TypedDict):
    aliases: dict[str, str]
    versions: dict[str, dict[str, dict[str, int | str]]]  # version, Python, accelerator or "registries"
    serving: NotRequired[dict[str, dict[str, dict[str, int | str]]]]  # where they are others


class _Service(TypedDict):
    registries: int
    image: str


class _Table(TypedDict):
    dns_suffixes: dict[str, str]
    registries: list[dict[str, str]]
    frameworks: dict[str, _Framework]
    services: dict[str, _Service]


Scope = Literal["training", "serving"]


class UnknownImageError(Exception):
    """The service has no such framework image; *field* of the image is to blame."""

    def __init__(self, code: str, field: str, summary: str, hint: str | None) -> None:
        super().__init__(summary)
        self.code, self.field, self.summary, self.hint = code, field, summary, hint


def service_image_uri(service: Literal["model-monitor", "clarify"], region: str) -> str:
    """Return the address of the service's own image for its checks; UnknownImageError when the region has none."""
    table = _table()
    entry = table["services"][service]
    accounts = table["registries"][entry["registries"]]
    if region not in accounts:
        hint = did_you_mean(region, accounts, label="regions that have it")
        raise UnknownImageError("BF403", "framework", f"{service} has no image in region {region!r}", hint)
    return f"{accounts[region]}.dkr.ecr.{region}.{dns_suffix(region)}/{entry['image']}"


def framework_image_uri(
    image: ir.FrameworkImage, instance: ir.Value | None, region: str, scope: Scope = "training"
) -> str:
    """Return the address of *image* for machines of type *instance*; UnknownImageError says what there is instead.

    *scope* training is for processing, too. A serving image is for a CPU unless the image says otherwise.
    """
    table = _table()
    versions = _versions(image, table, scope)
    tags = _python(image, versions)
    accounts = table["registries"][int(tags["registries"])]
    if region not in accounts:
        hint = did_you_mean(region, accounts, label="regions that have it")
        raise UnknownImageError(
            "BF403", "framework", f"{image.framework} {image.version} has no image in region {region!r}", hint
        )
    tag = _accelerator(image, instance, {a: str(t) for a, t in tags.items() if a != "registries"})
    return f"{accounts[region]}.dkr.ecr.{region}.{dns_suffix(region)}/{tag}"


def frameworks_of(uri: str, instance: ir.Value | None, region: str, scope: Scope) -> Iterator[ir.FrameworkImage]:
    """Yield the framework images that have the address *uri*: the shortest name of one first."""
    repository = uri.rpartition("/")[2].partition(":")[0]
    for name, framework in _table()["frameworks"].items():
        versions = framework.get("serving", framework["versions"]) if scope == "serving" else framework["versions"]
        for version, pythons in versions.items():
            if not any(repository in str(tag) for tags in pythons.values() for tag in tags.values()):
                continue
            for python in (None, *pythons):
                image = ir.FrameworkImage(name, version, python)
                with suppress(UnknownImageError):
                    if framework_image_uri(image, instance, region, scope) == uri:
                        yield image


@cache
def _table() -> _Table:
    table: _Table = FRAMEWORK_IMAGES.read()
    return table


def _versions(image: ir.FrameworkImage, table: _Table, scope: Scope) -> Mapping[str, Mapping[str, int | str]]:
    framework = table["frameworks"].get(image.framework)
    if framework is None:
        hint = did_you_mean(image.framework, table["frameworks"], label="frameworks")
        summary = f"SageMaker has no images of framework {image.framework!r} that buzzflow knows"
        raise UnknownImageError("BF402", "framework", summary, hint)
    version = framework["aliases"].get(image.version, image.version)
    versions = framework.get("serving", framework["versions"]) if scope == "serving" else framework["versions"]
    if version not in versions:
        known = [*versions]
        newest = f"there are {', '.join(known[-6:])}"
        hint = did_you_mean(image.version, known) if any(v.startswith(image.version) for v in known) else newest
        raise UnknownImageError(
            "BF403", "version", f"{image.framework} has no {_PURPOSE[scope]}image of version {image.version!r}", hint
        )
    return versions[version]


def _python(image: ir.FrameworkImage, pythons: Mapping[str, Mapping[str, int | str]]) -> Mapping[str, int | str]:
    if [*pythons] == [_ANY]:  # the tag names no Python: nothing to choose
        return pythons[_ANY]
    if image.python is None and len(pythons) == 1:
        return next(iter(pythons.values()))
    if image.python is None:
        summary = f"{image.framework} {image.version} has images for several Pythons"
        raise UnknownImageError("BF403", "python", summary, f"add python: one of {', '.join(pythons)}")
    if image.python not in pythons:
        summary = f"{image.framework} {image.version} has no image for Python {image.python!r}"
        raise UnknownImageError("BF403", "python", summary, did_you_mean(image.python, pythons, label="there is"))
    return pythons[image.python]


def _accelerator(image: ir.FrameworkImage, instance: ir.Value | None, tags: Mapping[str, str]) -> str:
    if _ANY in tags:
        return tags[_ANY]
    wanted = image.accelerator or accelerator_of(instance)
    if wanted is not None and wanted in tags:
        return tags[wanted]
    there_is = " and ".join(tags)
    name = f"{image.framework} {image.version}"
    if wanted is not None:
        hint = f"there is one for {there_is}: choose such an instance type, or say accelerator: {next(iter(tags))}"
        raise UnknownImageError("BF403", "accelerator", f"{name} has no image for {wanted}", hint)
    if len(tags) == 1:
        return next(iter(tags.values()))
    summary = f"which image of {name} is wanted depends on an instance type that is not known yet"
    raise UnknownImageError("BF403", "accelerator", summary, f"add accelerator: one of {', '.join(tags)}")


def dns_suffix(region: str) -> str:
    """Return the end of host names in the partition of *region*."""
    suffixes = _table()["dns_suffixes"]
    return next((suffix for prefix, suffix in suffixes.items() if region.startswith(prefix)), "amazonaws.com")
