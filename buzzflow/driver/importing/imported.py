"""Import a definition: its steps, the project that compiles to it, and the project as people write it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from buzzflow.backends.sagemaker.importing.document import Document
from buzzflow.backends.sagemaker.importing.steps import Draft, read_steps
from buzzflow.backends.sagemaker.semantics import same_definition
from buzzflow.diagnostics import Diagnostic, PipelineError, Severity, Span
from buzzflow.diagnostics import Path as KeyPath
from buzzflow.driver.importing.attempt import Workshop, workshop
from buzzflow.driver.importing.factor import from_environment, with_common_patches, with_defaults, without_registry
from buzzflow.driver.importing.names import (
    with_bucket,
    with_folders,
    with_frameworks,
    with_images,
    without_serving_images,
)
from buzzflow.driver.importing.project import Plan, Project, find_project, part_there
from buzzflow.driver.importing.remark import Remark
from buzzflow.driver.importing.remarks import remarks
from buzzflow.driver.importing.surroundings import Surroundings, surroundings
from buzzflow.driver.importing.tidy import tidied
from buzzflow.loader.files import ENVIRONMENT, PIPELINE, shown
from buzzflow.loader.yaml_reader import read_yaml
from buzzflow.loader.yaml_writer import write_yaml

Fields = dict[str, Any]
How = Literal["typed", "patched", "raw"]


@dataclass(frozen=True, slots=True)
class ImportedStep:
    """How a step of the definition came to stand in the file: in the language's words, patched, or as it is."""

    name: str
    type: str
    how: How
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """The files of a project, by their names, and what is to be told about them."""

    files: Mapping[str, bytes]
    steps: tuple[ImportedStep, ...]
    warnings: tuple[Diagnostic, ...]


def import_document(document: Document, folder: Path, name: str, *, source: str, schema: str | None = None) -> Imported:
    """Return the project, for *folder*, that compiles to the definition of *document*.

    *source* is what to call the definition, *schema* where an editor finds the language's. PipelineError says what no
    pipeline.yaml can say.
    """
    definition = document.definition
    drafts = read_steps(definition)
    around = surroundings(folder, definition)
    head = {
        "name": name.removeprefix(around.get("name_prefix") or ""),
        "description": document.description,
        "parallelism": document.parallelism,
        "exact_addresses": True,
    }
    head = {key: value for key, value in head.items() if value is not None}
    with workshop(around) as shop:
        project = find_project(definition, drafts, head, around.nothing_given(), shop)
        data = _short(project, drafts, around, shop, definition)
        told = [*remarks(definition, drafts, project.plans, data), *shop.secrets()]
        text = _text(data, told, source, schema)
        outcome = shop.compiled_text(text)
        if outcome.definition is None or not same_definition(outcome.definition, definition):
            raise PipelineError([Diagnostic("BF658", "the definition cannot be imported: its comments change it")])
        found = {PIPELINE: text.encode()}
        if around.made:
            found[ENVIRONMENT] = shop.environment.encode()
    warnings = (*document.warnings, *_warnings(told, text, folder / PIPELINE))
    return Imported(found, tuple(_told(d, project.plans[d.name]) for d in drafts if d.name in project.plans), warnings)


def _short(project: Project, drafts: list[Draft], around: Surroundings, shop: Workshop, definition: Fields) -> Fields:
    """Return the data with all that makes it shorter and leaves what it compiles to."""
    steps = {draft.name: draft.data for draft in drafts}
    changes: tuple[Callable[[Fields], Fields], ...] = (
        _without_exact_addresses,
        lambda data: from_environment(data, around),
        lambda data: without_registry(data, around),
        lambda data: with_common_patches(data, steps),
        lambda data: with_frameworks(data, around),
        without_serving_images,
        with_defaults,
        with_images,
        lambda data: with_bucket(data, around),
        with_folders,
    )
    data = project.data
    for change in changes:
        changed = change(data)
        if changed != data and _is_same(tidied(changed), shop, definition):
            data = changed
    short = tidied(data)
    return short if _is_same(short, shop, definition) else data


def _is_same(data: Fields, shop: Workshop, definition: Fields) -> bool:
    outcome = shop.compiled(data)
    return outcome.definition is not None and same_definition(outcome.definition, definition)


def _without_exact_addresses(data: Fields) -> Fields:
    return {key: value for key, value in data.items() if key != "exact_addresses"}


def _text(data: Fields, told: list[Remark], source: str, schema: str | None) -> str:
    comments: dict[KeyPath, str] = {}
    for remark in told:
        if not remark.comment:
            continue
        path = part_there(data, remark.path)
        comments[path] = f"{comments[path]}\n{remark.comment}" if path in comments else remark.comment
    first = "" if schema is None else f"# yaml-language-server: $schema={schema}\n"
    about = " ".join(source.split())
    return f"{first}# Imported from {about}\n{_spaced(write_yaml(data, comments))}"


def _spaced(text: str) -> str:
    """Put an empty line before each part of the file that has several lines."""
    lines = text.split("\n")
    found: list[str] = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        starts = bool(line) and not line.startswith((" ", "#")) and following.startswith("  ")
        if starts and found:
            found.append("")
        found.append(line)
    return "\n".join(found).rstrip("\n") + "\n"


def _warnings(told: list[Remark], text: str, file: Path) -> Iterator[Diagnostic]:
    tree = read_yaml(text, shown(file))
    for remark in told:
        if not remark.warns:
            continue
        path = remark.path
        while path and tree.at(path) is None:
            path = path[:-1]
        node = tree.at(path)
        place = (node.key or node.span) if node is not None and path else Span(shown(file), 1, 1)
        found = Diagnostic(remark.code, remark.summary, remark.path, severity=Severity.WARNING)
        yield replace(found, span=place)


def _told(draft: Draft, plan: Plan) -> ImportedStep:
    why = plan.reasons[0].summary if plan.reasons else None
    if plan.raw:
        return ImportedStep(draft.name, draft.type, "raw", why)
    if any(plan.patches.values()):
        return ImportedStep(draft.name, draft.type, "patched", why)
    return ImportedStep(draft.name, draft.type, "typed")
