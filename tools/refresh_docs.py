"""Write what docs/*.md take from the code: `python tools/refresh_docs.py`.

Tables of fields come from the models and docs/fields.toml, the catalogue of diagnostics from docs/errors.toml and the
screens that their examples give.
"""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
import threading
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from field_places import field_places
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from buzzflow import ir
from buzzflow.backends.local.request import standins
from buzzflow.backends.sagemaker.properties import property_path
from buzzflow.backends.sagemaker.verify import REQUESTS
from buzzflow.config import parts, pipeline, steps, values
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver import check
from buzzflow.driver.local import LocalOptions, run_local
from buzzflow.loader.files import line_of
from buzzflow.lower.services import STEP_TYPES
from buzzflow.lower.words import kind_of, words_of
from buzzflow.views.problems import human

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
CASES = ROOT / "tests" / "errors" / "cases"
SCRIPTS = ("extract.py", "train.py", "evaluate.py")
LONGEST_LINE = 150

_TYPES: dict[str, type[BaseModel]] = {steps.type_of(model): model for model in steps.STEP_MODELS}
_PARTS: dict[str, type[BaseModel]] = {
    "parameter": parts.ParameterConfig,
    "pipeline": pipeline.PipelineConfig,
    "local": pipeline.LocalConfig,
    "environment": pipeline.EnvironmentConfig,
}
_WORDS: list[tuple[Any, str]] = [
    (values.Literally, "text"),
    (values.Text, "text †"),
    (values.OptionalText, "text †, may be empty"),
    (values.ScalarText, "text, number or truth value †"),
    (values.Integer, "whole number"),
    (values.IntegerOrReference, "whole number †"),
    (values.Number, "number"),
    (values.Boolean, "`true`, `false`"),
    (values.BooleanOrReference, "`true`, `false` †"),
    (values.Duration, "duration"),
    (values.DurationOrReference, "duration †"),
    (parts.ParameterValue, "text, number or truth value"),
    (str, "text"),
    (Any, "anything"),
]
_NOT_UNFOLDED = ("steps", "parameters", "local")  # tables of their own
_STEP = (
    "display_name",
    "description",
    "depends_on",
    "depends_on[].step",
    "depends_on[].when",
    "arguments_patch",
    "step_patch",
)
_REQUEST_OF = {
    "condition": "the conditions and the steps of both branches",
    "fail": "a message",
    "foreach": "the items and the steps",
    "lambda": "what the function gets",
    "callback": "what the message holds",
    "emr": "the cluster and its step",
    "emr_serverless": "the application and its job",
    "lineage": "what is recorded",
    "cleanup": "what is deleted",
    "raw": "what you write",
}
DEFINED_AS = {
    "processing": "Processing",
    "training": "Training",
    "tuning": "Tuning",
    "transform": "Transform",
    "model": "Model",
    "register_model": "RegisterModel",
    "condition": "Condition",
    "fail": "Fail",
    "foreach": "ForEach",
    "lambda": "Lambda",
    "callback": "Callback",
    "quality_check": "QualityCheck",
    "clarify_check": "ClarifyCheck",
    "automl": "AutoML",
    "notebook": "Training",
    "raw": "<step_type>",
    **STEP_TYPES,
}
_NOT_PROBED = ("type", "image.python")  # a serving image has one Python
_GIVES = {
    ir.Kind.URI: "an address of data",
    ir.Kind.ARTIFACT: "the address of a model",
    ir.Kind.MODEL: "the name of a model",
    ir.Kind.ARN: "an ARN",
    ir.Kind.TEXT: "text",
    ir.Kind.NUMBER: "a number",
    ir.Kind.BOOLEAN: "true or false",
    ir.Kind.UNKNOWN: "a value",
}


def main() -> None:
    """Write every page that changed."""
    for page, text in refreshed().items():
        if page.read_text("utf-8") != text:
            page.write_text(text, "utf-8")
            print(f"wrote {page.relative_to(ROOT)}")


def refreshed() -> dict[Path, str]:
    """Return what the pages should hold."""
    language, types, requests, local, errors = (
        DOCS / f"{name}.md" for name in ("language", "step-types", "requests", "local", "errors")
    )
    return {
        language: _filled(language, r"fields:([a-z]+)", "fields", fields_table),
        types: _filled(types, r"fields:([a-z_]+)", "fields", fields_table),
        requests: _filled(requests, r"(places|words)", "made", _made),
        local: _filled(local, r"(standins)", "standins", lambda _: stand_ins_table()),
        errors: _filled(errors, r"(catalogue)", "catalogue", lambda _: catalogue()),
    }


def _made(what: str) -> str:
    return {"places": places_tables, "words": words_table}[what]()


def _filled(page: Path, opening: str, closing: str, content: Callable[[str], str]) -> str:
    pattern = re.compile(rf"(<!-- {opening} -->\n).*?(<!-- /{closing} -->)", re.DOTALL)
    return pattern.sub(lambda m: f"{m[1]}{content(m[2])}{m[3]}", page.read_text("utf-8"))


# ------------------------------------------------------------------ fields


def fields_table(name: str) -> str:
    """Return the table called *name*: a part of the file, the fields that many step types share, or a type's own."""
    known: Mapping[str, Mapping[str, str]] = tomllib.loads((DOCS / "fields.toml").read_text("utf-8"))
    defaults = known["defaults"]
    if name in ("step", "shared"):
        rows = [r for r in _rows(steps.ProcessorConfig) if (r[0] in _STEP) == (name == "step") and _is_shared(r[0])]
    elif name in _TYPES:
        model = _TYPES[name]
        jobs = issubclass(model, steps.JobBase)
        rows = [r for r in _rows(model) if r[0] not in _STEP and r[0] != "type" and not (jobs and _is_shared(r[0]))]
        rows = rows if jobs else [r for r in rows if "." not in r[0] or not _is_shared(r[0])]
    else:
        rows = [r for r in _rows(_PARTS[name]) if r[0] not in _STEP or name in ("pipeline", "parameter")]
        if name == "environment":  # its parts are a step's
            rows = [r for r in rows if "." not in r[0]]
        rows = [r for r in rows if r[0] != "type" or name == "parameter"]
    lines = [["field", "value", "default", "what it is"], ["---"] * 4]
    for path, value, default, told in rows:
        lines.append([f"`{path}`", value, defaults.get(f"{name}.{path}", default), told])
    return _table(lines)


def _table(lines: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _is_shared(path: str) -> bool:
    head = path.partition(".")[0].partition("[")[0]
    both = steps.ProcessorConfig.model_fields.keys() & steps.EstimatorConfig.model_fields.keys()
    return head in both - {"type", "outputs"}


def probed_fields() -> dict[str, list[tuple[str, str]]]:
    """Return the fields of each step type whose place in a request is looked for, with the kind of their values."""
    return {
        name: [(path, value) for path, value, *_ in _leaves([*_rows(model)]) if path not in _NOT_PROBED]
        for name, model in _TYPES.items()
    }


def _leaves(rows: list[tuple[str, str, str, str]]) -> Iterator[tuple[str, str, str, str]]:
    """Yield the rows that no other row unfolds."""
    for row in rows:
        if not any(other[0].startswith((f"{row[0]}.", f"{row[0]}[].")) for other in rows):
            yield row


def places_tables() -> str:
    """Return a section for each step type: the request that it becomes, and where each word lands in it."""
    sections = []
    for name, places in field_places(probed_fields()).items():
        request = REQUESTS.get(name)
        about = f"whose arguments are {_REQUEST_OF.get(name, f'those of `{request}`')}"
        lines = [["word", "lands in"], ["---"] * 2, *([f"`{field}`", place] for field, place in places.items())]
        sections.append(f"\n### {name}\n\nA step of type `{DEFINED_AS[name]}`, {about}.\n\n{_table(lines)}")
    return "".join(sections)


def words_table() -> str:
    """Return what `${step:name.word}` gives, for each step type that gives something."""
    lines = [["type", "word", "gives", "in the definition, after `Steps.name.`"], ["---"] * 4]
    for name in _TYPES:
        for word in words_of(name):
            sample = word.replace("<k>", "1").replace("<name>", "x")
            parts = property_path(name, sample)
            spelled = " + ".join(f"`{p.text}`" for p in parts)
            kind = kind_of(name, sample)
            assert kind is not None
            lines.append([f"`{name}`", f"`{word}`", _GIVES[kind], spelled.replace("'x'", "'<name>'")])
    return _table(lines)


def _rows(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str, str, str]]:
    hints = get_type_hints(model, include_extras=True)
    for name, field in model.model_fields.items():
        if field.exclude:  # not for people
            continue
        key = f"{prefix}{field.alias or name}"
        kind = hints[name]
        inner, mark = _model_in(kind)
        if inner is None or key in _NOT_UNFOLDED:
            yield key, _value(kind), _default(field), field.description or ""
            continue
        yield key, _container(kind), _default(field), field.description or ""
        yield from _rows(inner, f"{key}{mark}.")


def _model_in(kind: Any) -> tuple[type[BaseModel] | None, str]:
    """Return the model that *kind* holds, and how a path goes into it."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind, ""
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        found = [_model_in(a) for a in args if a is not NoneType]
        return found[0] if len(found) == 1 else (None, "")
    if origin is dict:
        return _model_in(args[1])[0], ".<name>"
    if origin is list:
        return _model_in(args[0])[0], "[]"
    return None, ""


def _container(kind: Any) -> str:
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _container(next(a for a in args if a is not NoneType))
    return {dict: "mapping by name", list: "list"}.get(origin, "mapping")  # type: ignore[arg-type]


def _value(kind: Any) -> str:
    for known, word in _WORDS:
        if kind == known:
            return word
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " or ".join(_value(a) for a in args if a is not NoneType)
    if origin is Annotated:
        return _value(args[0])
    if origin is Literal:
        return ", ".join(f"`{a}`" for a in args)
    if origin is dict:
        held = "mapping" if _model_in(args[1])[0] or args[1] == steps.StepConfig else _value(args[1])
        return "mapping" if held in ("anything", "mapping") else f"mapping to {held}"
    if origin is list:
        return f"list of {_value(args[0])}"
    return "mapping"


def _default(field: FieldInfo) -> str:
    match field.default:
        case _ if field.default is PydanticUndefined:
            return "*required*"
        case None | "":
            return ""
        case BaseModel():
            return ""
        case [] | {}:
            return ""
        case bool() | str() | int() | float() | list():
            return f"`{_spelled(field)}`"
        case other:
            raise TypeError(other)


def _spelled(field: FieldInfo) -> str:
    value = field.default
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{', '.join(value)}]"
    is_duration = any("duration" in str(m) for m in field.metadata)
    return f"{value}s" if is_duration else json.dumps(value)


def stand_ins_table() -> str:
    """Return which public image stands in for which framework image."""
    lines = [["framework image", "here", "with"], ["---"] * 3]
    for name, standin in standins.TABLE.items():
        lines.append([f"`{name}`", f"`{standin.image}`", ", ".join(f"`{r}`" for r in standin.requirements)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


# ------------------------------------------------------------------ diagnostics

_GROUPS = {
    "1": "Files",
    "2": "The shape of a file",
    "3": "Meaning",
    "4": "What a backend takes",
    "5": "Running here",
    "6": "Cost and deployment",
}
ENVIRONMENT = """\
name: research
region: eu-west-1
bucket: example-ml
role: arn:aws:iam::111122223333:role/example
"""


def catalogue() -> str:
    """Return a section for each code of docs/errors.toml."""
    told = tomllib.loads((DOCS / "errors.toml").read_text("utf-8"))
    sections, group = [], ""
    for code in sorted(told):
        if code[2] != group:
            group = code[2]
            sections.append(f"\n## {_GROUPS[group]}: BF{group}xx\n")
        entry = told[code]
        lines = [f"\n### {code}\n\n{entry['means'].strip()}\n"]
        if (screen := screen_of(code, entry)) is not None:
            lines.append(f"\n```text\n{screen}\n```\n")
        lines.append(f"\n{entry['mend'].strip()}\n")
        sections += lines
    return "".join(sections) + "\n"


def screen_of(code: str, entry: Mapping[str, Any]) -> str | None:
    """Return the first problem that the example of *code* gives: its own, else the first of tests/errors/cases."""
    if "files" in entry:
        screen = _screen_of_example(code, entry)
    else:
        case = next(iter(sorted(CASES.glob(f"{code}-*.txt"))), None)
        screen = None if case is None else case.read_text("utf-8").partition("\n\n")[0]
    if screen is None:
        return None
    screen = re.sub(r"runs on Python 3\.\d+", "runs on Python 3.11", screen)  # the reader's own Python stands there
    without_mark = re.sub(rf" *# {code}(@\d+)?", "", screen)
    lines = [line.rstrip() for line in without_mark.rstrip().splitlines()]
    return "\n".join(line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…" for line in lines)


def _screen_of_example(code: str, entry: Mapping[str, Any]) -> str:
    with tempfile.TemporaryDirectory() as root:
        # A folder called projects makes its parent the repository, as in a real one.
        folder = Path(root).resolve() / "projects" / "research" / "ctr"
        folder.mkdir(parents=True)
        files = {**dict.fromkeys(SCRIPTS, "print('hello')\n"), **entry["files"]}
        if entry.get("sagemaker"):
            files.setdefault("environment.yaml", ENVIRONMENT)
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, "utf-8")
        with contextlib.chdir(folder):
            found = [d for d in _problems(folder, entry) if d.code == code]
            assert found, f"the example of {code} does not give {code}"
            return human(found[:1], line_of).replace(str(folder.parents[2]), "<root>")


def _problems(folder: Path, entry: Mapping[str, Any]) -> tuple[Diagnostic, ...]:
    local = "parameters" in entry
    try:
        checked = check(
            folder, backend="local" if local else entry.get("backend"), settings=entry.get("set", ()), local=local
        )
        if local:
            given: Mapping[str, str] = entry["parameters"]
            fail, interrupt = entry.get("fail", ()), entry.get("interrupt", ())
            options = LocalOptions("process", parameters=given, jobs=1, fail=fail, interrupt=interrupt)
            run_local(checked, options, emit=lambda _: None, stop=threading.Event())
    except PipelineError as e:
        return e.diagnostics
    return checked.warnings


if __name__ == "__main__":
    main()
