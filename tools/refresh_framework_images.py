"""Write `framework_images.json`: the addresses of SageMaker's framework images, from the SDK's own data.

    python tools/refresh_framework_images.py sagemaker_core-2.27.0-py3-none-any.whl --date 2026-11-22

The wheel (`pip download --no-deps sagemaker-core`) may also be unpacked. Its code is neither imported nor needed.
"""

from __future__ import annotations

import argparse
import json
import re
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

FRAMEWORKS = ("sklearn", "xgboost", "pytorch", "tensorflow", "huggingface")
TARGET = Path(__file__).parents[1] / "buzzflow/backends/sagemaker/framework_images.json"
SERVICES = ("model-monitor", "clarify")
NO_PYTHON = "any"  # the tag names no Python, or no accelerator
NO_ACCELERATOR = "any"
# Where a partition's registries are: botocore's endpoints.json, `dnsSuffix` of each partition. The rest: amazonaws.com
DNS_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
    "eu-isoe-": "cloud.adc-e.uk",
    "eusc-": "amazonaws.eu",
}


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path, help="the wheel of sagemaker-core, or the folder it was unpacked to")
    parser.add_argument("--date", type=date.fromisoformat, default=date.today(), help="the day to write into the file")
    arguments = parser.parse_args()
    table = framework_images(zipfile.Path(arguments.wheel) if arguments.wheel.is_file() else arguments.wheel)
    head = {"source": "sagemaker-core", "version": _version(arguments.wheel), "date": str(arguments.date)}
    TARGET.write_text(as_text({**head, **table}), "utf-8")
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")


def framework_images(package: Path | zipfile.Path) -> dict[str, Any]:
    """Return the table: registries (region to account) once each, and for every framework its versions' images.

    Processing and training both use the images that the SDK calls those of training. `serving` has what the SDK calls
    inference, for frameworks whose
    serving images are others. `services` has the images of Model Monitor and Clarify.
    """
    registries: list[dict[str, str]] = []
    frameworks = {}
    for name in FRAMEWORKS:
        config = _config(package, name)
        versions = _versions(name, config["training"], registries)
        aliases = _aliases(config["training"].get("version_aliases", {}), [*versions])
        frameworks[name] = {"aliases": aliases, "versions": versions}
        serving = _versions(name, config["inference"], registries) if "inference" in config else {}
        if serving and _repositories(serving) != _repositories(versions):
            frameworks[name]["serving"] = serving
    services = {name: _service(package, name, registries) for name in SERVICES}
    return {"dns_suffixes": DNS_SUFFIXES, "registries": registries, "frameworks": frameworks, "services": services}


def _config(package: Path | zipfile.Path, name: str) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((package / f"sagemaker/core/image_uri_config/{name}.json").read_text("utf-8"))
    return config


def _versions(name: str, config: dict[str, Any], registries: list[dict[str, str]]) -> dict[str, Any]:
    versions: dict[str, Any] = {}
    for version, entry in _transformers(config) if name == "huggingface" else config["versions"].items():
        for python, image in _pythons(entry):
            accelerators = image.get("processors", config.get("processors")) or [NO_ACCELERATOR]
            tags = {a: f"{image['repository']}:{_tag(version, image, a, python)}" for a in accelerators}
            place = {"registries": _index(image["registries"], registries), **tags}
            versions.setdefault(version, {})[python or NO_PYTHON] = place
    return versions


def _repositories(versions: dict[str, Any]) -> set[str]:
    """Return the repositories of all images; where training and serving share one, so do they every image in it."""
    places = [place for pythons in versions.values() for place in pythons.values()]
    return {str(tag).partition(":")[0] for place in places for key, tag in place.items() if key != "registries"}


def _index(accounts: dict[str, str], registries: list[dict[str, str]]) -> int:
    if accounts not in registries:
        registries.append(accounts)
    return registries.index(accounts)


def _service(package: Path | zipfile.Path, name: str, registries: list[dict[str, str]]) -> dict[str, Any]:
    """Return the newest image of a service's own jobs."""
    config = _config(package, name)
    version, entry = [*config.get("processing", config)["versions"].items()][-1]
    tag = f":{version}" if version else ""
    return {"registries": _index(entry["registries"], registries), "image": f"{entry['repository']}{tag}"}


def _transformers(config: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield Hugging Face images by two versions: `4.56.2-pytorch2.8.0`."""
    for version, bases in config["versions"].items():
        for base, entry in bases.items():
            if base != "version_aliases":
                number = re.sub(r"^[a-z]+", "", base)
                yield f"{version}-{base}", {"tag_prefix": f"{number}-transformers{version}", **entry}


def _pythons(entry: dict[str, Any]) -> Iterator[tuple[str | None, dict[str, Any]]]:
    if "repository" in entry:
        yield from ((python, entry) for python in entry.get("py_versions") or [None])
    else:
        yield from entry.items()  # tensorflow 1.13.1 has one image for each Python


def _tag(version: str, image: dict[str, Any], accelerator: str, python: str | None) -> str:
    """Return the tag as `sagemaker.core.image_uris` composes it."""
    processor = None if accelerator == NO_ACCELERATOR else accelerator
    container = image.get("container_version", {}).get(processor)
    return "-".join(part for part in (image.get("tag_prefix", version), processor, python, container) if part)


def _aliases(aliases: dict[str, str], versions: list[str]) -> dict[str, str]:
    """Return the short versions; one that could mean several Hugging Face images is none."""
    found = {alias: version for alias, version in aliases.items() if version in versions}
    for short in {*aliases.values(), *aliases, *(v.partition("-")[0] for v in versions)}:
        full = aliases.get(short, short)
        matching = [v for v in versions if v.startswith((f"{full}-pytorch", f"{full}-tensorflow"))]
        if len(matching) == 1:
            found[short] = matching[0]
    return dict(sorted(found.items()))


def _version(wheel: Path) -> str:
    match = re.match(r"sagemaker_core-([^-]+)-", wheel.name) or re.search(r"([\d.]+)", wheel.name)
    return match[1] if match else "unknown"


def as_text(table: dict[str, Any]) -> str:
    """Return JSON with a line for each version: a new one is one line in the diff."""
    text = json.dumps(table, indent=1, ensure_ascii=False)
    return re.sub(r"\{\n {5}[^{}]*(?:\{[^{}]*\}[^{}]*)*\n {4}\}", lambda m: re.sub(r"\s*\n\s*", " ", m[0]), text) + "\n"


if __name__ == "__main__":
    main()
