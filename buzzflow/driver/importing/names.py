"""Give names to what is long and repeated: framework images, the bucket, folders, addresses of images."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from buzzflow import ir
from buzzflow.backends.sagemaker.images import Scope, frameworks_of
from buzzflow.driver.importing.factor import all_steps
from buzzflow.driver.importing.surroundings import Surroundings

Fields = dict[str, Any]
_OFTEN, _TWICE = 3, 2
_SERVING = ("model", "register_model")
_MODEL_OF = re.compile(r"\$\{step:([\w-]+)\.model\}")


def with_frameworks(data: Fields, around: Surroundings) -> Fields:
    """Return *data* with `sklearn:1.2-1` in place of the address that it has in the region."""
    found = deepcopy(data)
    region = around.get("region")
    for step in all_steps(found).values() if region else ():
        uri, machine = step.get("image"), step.get("instance", {}).get("type", "ml.m5.xlarge")
        if isinstance(uri, str) and "${" not in uri:
            instance = None if step["type"] in _SERVING or "${" in machine else machine
            scope: Scope = "serving" if step["type"] in _SERVING else "training"
            image = next(iter(frameworks_of(uri, instance, region or "", scope)), None)
            step["image"] = uri if image is None else _framework(image)
    return found


def _framework(image: ir.FrameworkImage) -> Fields:
    given = {"python": image.python, "accelerator": image.accelerator}
    return {"framework": image.framework, "version": image.version, **{k: v for k, v in given.items() if v is not None}}


def without_serving_images(data: Fields) -> Fields:
    """Return *data* in which models have the image of their training step, where it is the same."""
    found = deepcopy(data)
    steps = all_steps(found)
    for step in steps.values():
        match = _MODEL_OF.fullmatch(str(step.get("model"))) if step["type"] in _SERVING else None
        trained = steps.get(match[1]) if match else None
        if trained is not None and trained["type"] == "training" and step.get("image") == trained.get("image"):
            step.pop("image", None)
    return found


def with_bucket(data: Fields, around: Surroundings) -> Fields:
    """Return *data* in which addresses in the environment's bucket say so."""
    bucket = around.get("bucket")
    if bucket is None:
        return data
    start = re.compile(rf"s3://{re.escape(bucket)}(?=/|$)")
    if sum(bool(start.match(text)) for text in _texts(data["steps"])) < _TWICE:
        return data
    return _replaced(data, lambda text: start.sub("s3://${environment.bucket}", text, count=1))


def with_folders(data: Fields) -> Fields:
    """Return *data* with a variable for each folder in which many addresses lie."""
    found = data
    texts = [text for text in _texts(data["steps"]) if text.startswith("s3://")]
    tops = Counter("/".join(text.split("/")[:4]) for text in texts if text.count("/") > 3 and _is_static(text))
    for top, count in tops.most_common():
        inside = [text for text in texts if text.startswith(f"{top}/")]
        if count >= _OFTEN:
            folder = _common_folder(inside)
            name = _free(_slug(folder.rpartition("/")[2]), found)
            found = _with_variable(found, name, folder, f"{folder}/")
    return found


def with_images(data: Fields) -> Fields:
    """Return *data* with a variable for each address of an image that several places name."""
    found = data
    images = Counter(image for image in _images(data) if "${" not in image)
    for image, count in images.items():
        if count >= _TWICE:
            name = _free(_slug(re.split(r"[:@]", image.rpartition("/")[2])[0].removeprefix("sagemaker-")), found)
            found = _with_variable(found, name, image, image, whole=True)
    return found


def _images(data: Fields) -> Iterator[str]:
    by_type = data.get("defaults", {}).get("by_type", {})
    for holder in (*all_steps(data).values(), data.get("defaults", {}), *by_type.values()):
        containers = holder.get("containers")
        for inner in (holder, *(containers if isinstance(containers, list) else ())):
            if isinstance(inner.get("image"), str):
                yield inner["image"]


def _with_variable(data: Fields, name: str, value: str, start: str, *, whole: bool = False) -> Fields:
    def named(text: str) -> str:
        if whole:
            return f"${{variables.{name}}}" if text == start else text
        return f"${{variables.{name}}}{text[len(value) :]}" if text.startswith(start) else text

    found = _replaced(data, named)
    return {**found, "variables": {**data.get("variables", {}), name: value}}


def _replaced(data: Fields, change: Callable[[str], str]) -> Fields:
    """Return *data* with the texts of steps, defaults and parameters changed; keys stay."""

    def inside(value: Any) -> Any:
        match value:
            case dict():
                return {key: inside(inner) for key, inner in value.items()}
            case list():
                return [inside(inner) for inner in value]
            case str():
                return change(value)
            case _:
                return value

    changed = ("parameters", "defaults", "steps")
    return {key: inside(value) if key in changed else value for key, value in data.items()}


def _texts(data: Any) -> Iterator[str]:
    match data:
        case dict():
            for value in data.values():
                yield from _texts(value)
        case list():
            for value in data:
                yield from _texts(value)
        case str():
            yield data


def _is_static(text: str) -> bool:
    """Whether the first folder of an address is known before a run."""
    folder = text.split("/")[3]
    return bool(folder) and "$" not in folder


def _common_folder(texts: list[str]) -> str:
    shared: list[str] = []
    for parts in zip(*(text.split("/")[:-1] for text in texts), strict=False):
        if len({*parts}) > 1 or (len(shared) > 2 and "$" in parts[0]):
            break
        shared.append(parts[0])
    return "/".join(shared)


def _slug(text: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    found = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
    return found if found[:1].isalpha() else f"folder_{found}".rstrip("_")


def _free(name: str, data: Fields) -> str:
    taken = data.get("variables", {})
    return next(n for i in range(1, len(taken) + 3) if (n := name if i == 1 else f"{name}_{i}") not in taken)
