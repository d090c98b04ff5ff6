"""Make a mutant of a seed: a pipeline that a tired person, a bad merge or an editor without mercy could leave behind.

Everything follows from the run's seed and the mutant's number, so that a mutant can be made again from the two.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import Any

import yaml

from buzzflow.config.steps import fields_by_type
from tests.errors.case import ENVIRONMENT, PIPELINE
from tests.fuzz.seeds import Seed, seeds

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_TYPICAL = 600  # characters of a seed; larger ones come up less often, because each of their mutants takes longer
_LARGEST = 400_000
_MOST_PLACES = 5000  # a tree with aliases in aliases has more than can be looked at
_STRANGE = "\t\r\n\0\x1b\x85\xa0\u2028\u200b\u202e\ufeff\ue000\udc80\U0001f600'\"`{}[]:,#&*!|>%@\\$-?~="
_TOKEN = re.compile(r"\$\{|\w+|\s+|[^\w\s]")
_REFERENCES = (
    "${step:extract.outputs.train}", "${step:train.model}", "${step:train.*.model}", "${step:x}", "${step:}",
    "${step:a,b}", "${param:depth}", "${param:1}",
    "${param:}", "${run:id}", "${run:nothing}", "${json:evaluate.report.auc}",
    "${json:'s3://b/m.json','a.b'}", "${each:}", "${each:region}", "${each:model.lr}", "${each:a.b.c.d}",
    "${variables.x}", "${variables}", "${steps}", "${steps.train}", "${environment.bucket}", "${oc.env:HOME}",
    "${oc.env:X,y}", "${.}", "${..x}", "${}", "${", "$${x}", "\\${x}", "${a:${b:${c}}}", "${variables.${param:x}}",
    "${step:extract.properties.A[0].B['x']}", "s3://b/${run:id}/x", "${HOME:-x}", "${nothing:x}",
)  # fmt: skip
_TEXTS = (
    "", " ", "no", "012", "1:30", "1.10", "1e999", ".nan", "0x1F", "~", "null", "true", "<<", "=", "!!str x", "*a",
    "&a x", "a\nb", "s3://", "s3://b",
    "s3:///x", "s3://b/" + "x" * 1100, "arn:aws:iam::1:role/x", "../../../etc/passwd", "/etc/passwd",
    "./nothing", ".", "..", "./", "train.py", "a/b.py", "ml.m5.large", "ml.x.huge", "sklearn:1.4-2", "sklearn:", ":",
    "30d", "2 hours", "99999999999w", "0s", "1 < 2", "${param:x} = 1", "(" * 60, "not " * 60 + "true", "'", "a" * 300,
    "ü" * 70, "\u202e",
)  # fmt: skip
_NUMBERS = (0, -1, 1, 2**31, 2**63, 10**18, -(10**18), 1.5, -0.0, 1e308, 5e-324, True, False, None)
_SERVICE = (
    "ProcessingInputs",
    "RoleArn",
    "Tags",
    "EndpointName",
    "StepConfig",
    "ResourceConfig",
    "InstanceCount",
    "Get",
)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A project to check; *texts* are its YAML files."""

    seed: Seed
    texts: dict[str, str]
    settings: tuple[str, ...]
    local: bool


def make_mutant(run: int, number: int) -> Mutant:
    """Return mutant *number* of the run with the seed *run*."""
    chance = random.Random(f"{run}:{number}")  # the same mutant on every machine is the point
    every = seeds()
    seed = chance.choices(every, cum_weights=_weights())[0]
    texts, settings, local = dict(seed.texts), list(seed.settings), seed.local
    if ENVIRONMENT in texts and chance.random() < 0.15:
        del texts[ENVIRONMENT]
    for _ in range(1 + int(chance.expovariate(1.4))):
        name = chance.choice([PIPELINE] * 6 + sorted(texts))
        other = chance.choices(every, cum_weights=_weights())[0]
        change = chance.choice(_CHANGES)
        texts[name] = change(texts.get(name, ""), other.texts.get(PIPELINE, ""), chance)[:_LARGEST]
    if chance.random() < 0.12:
        chance.choice((_as_layers, _with_include, _with_local_layer))(texts, chance)
        local = local or "pipeline.local.yaml" in texts
    if chance.random() < 0.12:
        settings.append(_setting(texts[PIPELINE], chance))
    return Mutant(seed, texts, tuple(settings), local)


_cumulated: list[float] = []


def _weights() -> list[float]:
    if not _cumulated:
        bonus = {"folder": 60.0, "docs": 25.0}
        weights = (bonus.get(s.name.partition("/")[0], 1.0) / max(1.0, s.size / _TYPICAL) for s in seeds())
        _cumulated.extend(accumulate(weights))
    return _cumulated


# ------------------------------------------------------------------ characters, tokens, lines


def _character(text: str, _other: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    strange = chance.choice(_STRANGE)
    return chance.choice(
        (text[:at] + strange + text[at:], text[:at] + text[at + 1 :], text[:at] + strange + text[at + 1 :])
    )


def _token(text: str, other: str, chance: random.Random) -> str:
    tokens = _TOKEN.findall(text) or [""]
    at = chance.randrange(len(tokens))
    match chance.randrange(5):
        case 0:
            del tokens[at]
        case 1:
            tokens[at] *= 2
        case 2:
            there = chance.randrange(len(tokens))
            tokens[at], tokens[there] = tokens[there], tokens[at]
        case 3:
            tokens[at] = chance.choice(_TOKEN.findall(other) or ["x"])
        case _:
            tokens[at] = str(
                chance.choice((chance.choice(_words()), chance.choice(_REFERENCES), chance.choice(_TEXTS)))
            )
    return "".join(tokens)


def _words() -> tuple[str, ...]:
    by_type = fields_by_type()
    return (*by_type, *sorted({field for fields in by_type.values() for field in fields}), *_SERVICE)


def _line(text: str, other: str, chance: random.Random) -> str:
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    there = chance.randrange(len(lines))
    match chance.randrange(9):
        case 0:
            del lines[at]
        case 1:
            lines.insert(there, lines[at])
        case 2:
            lines[at], lines[there] = lines[there], lines[at]
        case 3:
            lines[at] = " " * chance.choice((1, 2, 4)) + lines[at]
        case 4:
            lines[at] = lines[at][chance.choice((1, 2, 4)) :]
        case 5:
            lines[at] = lines[at].replace("  ", "\t")
        case 6:
            low, high = sorted((at, there))
            block = lines[low:high]
            del lines[low:high]
            place = chance.randrange(len(lines) + 1)
            lines[place:place] = block
        case 7:
            more = other.split("\n")
            start = chance.randrange(len(more))
            lines[at:at] = more[start : start + chance.randrange(1, 12)]
        case _:
            lines[at] = "".join(lines[at : at + 2])
    return "\n".join(lines)


def _anchor(text: str, _other: str, chance: random.Random) -> str:
    """Name a value and use it elsewhere: as a value, as a merge key, inside of itself."""
    values = [*re.finditer(r"(?<=: )(?=[\w\[{\"'])", text)]
    if not values:
        return text + "\n<<: *a\n"
    first, second = sorted((chance.choice(values).start(), chance.choice(values).start()))
    used = chance.choice(("*a ", "{<<: *a} ", "[*a, *a, *a, *a, *a, *a, *a, *a, *a] ", "&b [*b] "))
    return text[:first] + "&a " + text[first:second] + used + ("# " * chance.randrange(2)) + text[second:]


# ------------------------------------------------------------------ the tree


def _tree(text: str, other: str, chance: random.Random) -> str:
    try:
        data, more = yaml.load(text, _LOADER), yaml.load(other, _LOADER)
    except (yaml.YAMLError, ValueError, RecursionError):
        return _line(text, other, chance)
    places = [*islice(_places(data, 0), _MOST_PLACES)]
    if not places:
        return text
    container, key = chance.choice(places)
    donors = [*islice(_places(more, 0), _MOST_PLACES)]
    match chance.randrange(10):
        case 0:
            del container[key]
        case 1 | 2:
            container[key] = _nasty(chance)
        case 3 if donors:
            there, name = chance.choice(donors)
            container[key] = there[name]
        case 4:
            there, name = chance.choice(places)
            container[key], there[name] = there.get(name) if isinstance(there, dict) else there[name], container[key]
        case 5 if isinstance(container, dict):
            container[chance.choice((*_words(), *map(str, container), *_TEXTS))] = container[key]
        case 6 if isinstance(container, dict):
            container[chance.choice(_words())] = container.pop(key)
        case 7:
            container[key] = _nested(container[key], chance)
        case 8:
            container[key] = (
                f"{chance.choice(('', 'x', 's3://b/'))}{chance.choice(_REFERENCES)}{chance.choice(('', 'x', '/'))}"
            )
        case _:
            container[key] = chance.choice(([container[key]], {"x": container[key]}, [container[key]] * 3, [], {}))
    return _dumped(data, chance) or text


def _dumped(data: Any, chance: random.Random) -> str | None:
    if sum(1 for _ in islice(_places(data, 0), _MOST_PLACES)) == _MOST_PLACES:
        return None
    try:
        return yaml.dump(data, Dumper=_DUMPER, sort_keys=False, width=120, default_flow_style=chance.random() < 0.2)
    except (yaml.YAMLError, RecursionError, TypeError, ValueError, UnicodeEncodeError):
        return None


def _places(data: Any, depth: int) -> Any:
    """Yield every container with each of its keys."""
    if depth > 30:
        return
    keys = list(data) if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    for key in keys:
        yield data, key
        yield from _places(data[key], depth + 1)


def _nasty(chance: random.Random) -> Any:
    return chance.choice(
        (chance.choice(_TEXTS), chance.choice(_NUMBERS), chance.choice(_REFERENCES), chance.choice(_words()))
    )


def _nested(value: Any, chance: random.Random) -> Any:
    for _ in range(chance.choice((1, 5, 40, 70, 200))):
        value = {"a": value} if chance.random() < 0.5 else [value]
    return value


# ------------------------------------------------------------------ layers


def _as_layers(texts: dict[str, str], chance: random.Random) -> None:
    texts["base.yaml"] = texts[PIPELINE]
    change = chance.choice(_CHANGES)
    texts[PIPELINE] = (
        f"extends: {chance.choice(('base.yaml', '[base.yaml]', './base.yaml', '[base.yaml, base.yaml]'))}\n"
        + (change(texts[PIPELINE], texts[PIPELINE], chance) if chance.random() < 0.5 else "")
    )


def _with_include(texts: dict[str, str], chance: random.Random) -> None:
    texts["more.yaml"] = chance.choice((texts[PIPELINE], "steps: {more: {type: fail, message: x}}\n", "", "[]"))
    texts[PIPELINE] = f"include: [more.yaml]\n{texts[PIPELINE]}"


def _with_local_layer(texts: dict[str, str], chance: random.Random) -> None:
    change = chance.choice(_CHANGES)
    texts["pipeline.local.yaml"] = chance.choice(
        (change(texts[PIPELINE], "", chance), "local: {data: {s3://b: x}}\n", "steps: {train: null}\n")
    )


def _setting(text: str, chance: random.Random) -> str:
    words = re.findall(r"\b[A-Za-z_]\w*(?=:)", text) or ["x"]
    path = ["steps", chance.choice(words), chance.choice((chance.choice(words), chance.choice(_words())))]
    path = path[: chance.choice((1, 2, 3))] + [chance.choice(words)] * chance.randrange(2)
    value = str(
        chance.choice(
            (chance.choice(_TEXTS), chance.choice(_NUMBERS), chance.choice(_REFERENCES), "{a: [1]}", "[", "null")
        )
    )
    return f"{'.'.join(path)}{chance.choice(('=', '=', '=', '=', ''))}{value}"


_CHANGES: tuple[Callable[[str, str, random.Random], str], ...] = (
    *(_character, _anchor, _line, _line, _token, _token),
    *[_tree] * 10,
)
