"""Read AWS's price list of Amazon SageMaker: the offer files of the Price List Bulk API, which need no credentials.

Format: AWS Billing User Guide, "Reading the service price list file for an AWS service". The files are
AWS's own and are not kept; what is taken from them are prices, which are facts.
"""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

ENDPOINT = "https://pricing.us-east-1.amazonaws.com"
REGIONS = "/offers/v1.0/aws/AmazonSageMaker/current/region_index.json"
# The offer's words for what runs on an instance, by ours. Savings plans, Studio and HyperPod have words of their own.
KINDS = {"Processing": "processing", "Training": "training", "BatchTransform": "transform", "Hosting": "hosting"}
_INSTANCE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9]+")
_TIMEOUT = 300


@dataclass(slots=True)
class Offers:
    """What offer files say: prices by region, instance type and kind; hardware by instance type, as far as given.

    *version* and *date* are those of the oldest file.
    """

    prices: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    hardware: dict[str, list[Any]] = field(default_factory=dict)
    version: str = ""
    date: str = "9999-99-99"

    def add(self, offer: Mapping[str, Any]) -> None:
        """Take in one file. Where it has two prices for the same, the dearer one counts: a maximum is made of them."""
        if offer["publicationDate"][:10] < self.date:
            self.version, self.date = offer["version"], offer["publicationDate"][:10]
        terms = offer["terms"].get("OnDemand", {})
        for sku, product in offer["products"].items():
            attributes = product["attributes"]
            instance, kind = attributes.get("usagetype", "").rpartition(":")[2], _kind(product)
            if kind is None or not _INSTANCE.fullmatch(instance):
                continue
            self.hardware.setdefault(instance, _hardware(attributes))
            if given := [*_hourly(terms.get(sku, {}))]:
                kinds = self.prices.setdefault(attributes["regionCode"], {}).setdefault(instance, {})
                kinds[kind] = max([*given, kinds.get(kind, 0.0)])


def fetch(endpoint: str = ENDPOINT) -> Iterator[dict[str, Any]]:
    """Yield the current offer file of every region."""
    for region in _get(endpoint + REGIONS)["regions"].values():
        yield _get(endpoint + region["currentVersionUrl"])


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=_TIMEOUT) as response:  # https, or a test's server on this machine
        return json.load(response)


def _kind(product: Mapping[str, Any]) -> str | None:
    attributes = product["attributes"]
    if product.get("productFamily") != "ML Instance" or attributes.get("locationType", "AWS Region") != "AWS Region":
        return None
    word = attributes.get("platoinstancetype") or attributes.get("component", "")
    return KINDS.get(word.replace(" ", ""))


def _hourly(terms: Mapping[str, Any]) -> Iterator[float]:
    for term in terms.values():
        for dimension in term["priceDimensions"].values():
            price = float(dimension["pricePerUnit"].get("USD", 0))
            if dimension["unit"] in ("Hrs", "Hours") and price > 0:
                yield price


def _hardware(attributes: Mapping[str, str]) -> list[Any]:
    """Return vCPUs, GiB, and how many accelerators of which kind; their memory is given in several ways: left out."""
    memory = attributes.get("memory", "").replace(",", "").removesuffix(" GiB")
    if not attributes.get("vCpu", "").isdigit() or not re.fullmatch(r"[0-9.]+", memory):
        return []
    gpus = attributes.get("gpu", "")
    more = [int(gpus), attributes.get("physicalGpu", "N/A"), None] if gpus.isdigit() and int(gpus) else []
    return [int(attributes["vCpu"]), float(memory), *more]
