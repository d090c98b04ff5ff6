"""Lower what steps read and write."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from buzzflow import ir
from buzzflow.config.data import InputConfig, OutputConfig
from buzzflow.config.steps import ProcessorConfig
from buzzflow.diagnostics import Diagnostic, Path, Severity
from buzzflow.lower.context import Context

PROCESSING = "/opt/ml/processing"
CHANNELS = "/opt/ml/input/data"


def inputs_of(
    inputs: Mapping[str, InputConfig], path: Path, context: Context, *, training: bool
) -> tuple[ir.Input, ...]:
    """Return the inputs of a job; *training* inputs have folders that nobody chooses."""
    return tuple(_input(name, item, (*path, name), context, training=training) for name, item in inputs.items())


def _input(name: str, item: InputConfig, path: Path, context: Context, *, training: bool) -> ir.Input:
    if training and item.path is not None:
        hint = "remove path: a training input arrives in the folder of its name"
        context.problem("BF321", f"training input {name!r} is always in {CHANNELS}/{name}", path, hint)
    if training and item.group is not None:
        hint = "gather in a processing step: its inputs can lie in folders of one folder"
        context.problem("BF327", "a training input cannot gather the copies of a step", path, hint)
    return ir.Input(
        name,
        _source(item, path, context, training=training),
        item.path or (f"{CHANNELS}/{name}" if training else f"{PROCESSING}/input/{_folder_name(name, item)}"),
        context.values.maybe(item.content_type, (*path, "content_type")),
        item.distribution,
        item.mode,
        item.data_type,
        item.compression,
        item.extract,
        item.group,
    )


def _folder_name(name: str, item: InputConfig) -> str:
    return name if item.group is None or item.key is None else f"{item.group}/{item.key}"


def _source(
    item: InputConfig, path: Path, context: Context, *, training: bool
) -> ir.Value | ir.Bundle | ir.FileSystem | ir.Athena | ir.Redshift:
    values = context.values
    if item.from_ is not None:
        asset = context.assets.get((*path, "from"))
        return values.place(item.from_, (*path, "from")) if asset is None else asset
    if (files := item.file_system) is not None:
        at = (*path, "file_system")
        if not training:
            hint = "read it in a training step, or copy it to S3"
            context.problem("BF328", "SageMaker mounts file systems in training jobs only", at, hint)
        folder = values.text(files.folder, (*at, "folder"))
        return ir.FileSystem(values.text(files.id, (*at, "id")), files.type, folder, files.access == "write")
    if training:
        hint = "query in a processing step, and read its output"
        context.problem("BF328", "SageMaker queries for processing jobs only", path, hint)
    if (athena := item.athena) is not None:
        at = (*path, "athena")
        return ir.Athena(
            values.text(athena.query, (*at, "query")),
            values.text(athena.database, (*at, "database")),
            values.text(athena.catalog, (*at, "catalog")),
            values.place(athena.to, (*at, "to")),
            athena.format,
            values.maybe(athena.work_group, (*at, "work_group")),
            athena.compression,
        )
    redshift = item.redshift
    assert redshift is not None  # the model wants one of the four
    at = (*path, "redshift")
    return ir.Redshift(
        values.text(redshift.query, (*at, "query")),
        values.text(redshift.cluster, (*at, "cluster")),
        values.text(redshift.database, (*at, "database")),
        values.text(redshift.user, (*at, "user")),
        values.text(redshift.cluster_role, (*at, "cluster_role")),
        values.place(redshift.to, (*at, "to")),
        redshift.format,
        redshift.compression,
    )


def output_of(name: str, item: OutputConfig, path: Path, context: Context) -> ir.Output:
    """Return an output of a processing step."""
    for report, file in item.report_files.items():
        if {"", ".."} & set(file.split("/")) or "\\" in file or "\0" in file:
            what = f"report {report!r}: {file!r} leaves the output's folder"
            context.problem("BF325", what, (*path, "json", report), "name a file inside the output")
    return ir.Output(
        name,
        item.path or f"{PROCESSING}/output/{name}",
        None if item.to is None else context.folder(item.to, (*path, "to")),
        item.upload,
        tuple(ir.JsonFile(n, f) for n, f in item.report_files.items()),
        context.values.maybe(item.feature_group, (*path, "feature_group")),
        exact=context.exact_addresses,
    )


def path_problems(step: ProcessorConfig, inputs: tuple[ir.Input, ...], path: Path, context: Context) -> None:
    """Say which folders in the container are wrong: elsewhere, or one inside another."""
    taken: dict[str, str] = {}
    items: list[tuple[str, str, str | None, str]] = [
        ("inputs", i.name, step.inputs[i.name].path, i.path) for i in inputs
    ]
    items += [("outputs", n, o.path, o.path or f"{PROCESSING}/output/{n}") for n, o in step.outputs.items()]
    for kind, name, chosen, where in items:
        place = (*path, kind, name, "path") if chosen else (*path, kind, name)
        folder = posixpath.normpath(where)
        if not folder.startswith(PROCESSING + "/") or (chosen and ".." in chosen.split("/")):
            hint = f"the service mounts below {PROCESSING}/ only"
            context.problem("BF321", f"folder {chosen!r} is not below {PROCESSING}/", place, hint)
        for other, who in taken.items():
            if folder == other:
                what = f"{kind[:-1]} {name!r} and {who} share {folder}"
                context.problem("BF322", what, place, "choose another path")
            elif folder.startswith(other + "/") or other.startswith(folder + "/"):
                what = f"{kind[:-1]} {name!r} and {who}: one folder lies in the other"
                hint = "choose another path, if that is not wanted"
                context.values.warnings.append(Diagnostic("BF322", what, place, hint, severity=Severity.WARNING))
        taken[folder] = f"{kind[:-1]} {name!r}"
