"""Which deployed pipeline, and which of its runs, a user means: by a path, a name in this repository, or AWS's name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from buzzflow.backends.sagemaker.aws.account import Account, check_owner, configured_region
from buzzflow.backends.sagemaker.aws.errors import aws_errors
from buzzflow.backends.sagemaker.executions.find import LATEST, is_run_id, read_address
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.ci import DELETE, refused
from buzzflow.driver.environment import check_environment
from buzzflow.loader import files
from buzzflow.loader.load import answered, read_layers
from buzzflow.loader.nodes import SourceMap

_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")


@dataclass(frozen=True, slots=True)
class Place:
    """A pipeline's name in the account, and where that is, as far as files say it.

    *file* is its pipeline.yaml, *own_name* its name there, without the environment's prefix.
    """

    name: str
    region: str | None = None
    account: str | None = None
    file: Path | None = None
    own_name: str | None = None
    deploy_from: tuple[str, ...] = ("laptop", "ci")


@dataclass(frozen=True, slots=True)
class Target:
    """A pipeline, and which of its runs: `latest`, an id, a display name, or an ARN."""

    place: Place
    run: str = LATEST


def find_target(text: str | None, *, one_run: bool = True) -> Target:
    """Return what *text* means: a path, a name, NAME@RUN, @RUN, a run's id, or an ARN; None is the pipeline here.

    *one_run* False reads a pipeline only, without a run.
    """
    if text is None:
        return Target(_place(_pipeline_here()))
    if (address := read_address(text)) is not None:
        place = Place(address.pipeline, address.region, address.account)
        return Target(_of_repository(place) or place, LATEST if address.run is None else text)
    name, at, run = text.rpartition("@") if one_run and not files.is_file(Path(text)) else (text, "", "")
    if at:
        return Target(find_target(name or None).place, run or LATEST)
    if (file := _file(text)) is not None:
        return Target(_place(file))
    if (found := _named(text)) is not None:
        return Target(found)
    if one_run and is_run_id(text) and any(Path().glob(f"*{files.PIPELINE}")):
        return Target(_place(_pipeline_here()), text)
    return Target(Place(text))


def open_account(place: Place, region: str | None) -> Account:
    """Return the account that *place* is in, after making sure that the credentials are of it.

    *region* counts before the one that files say, and that before the environment's.
    """
    found = region or place.region or environment_region()
    if found is None:
        hint = "give it: --region eu-west-1, or export AWS_REGION=eu-west-1"
        if place.file is not None:
            hint = f"write region: in the environment.yaml above {files.shown(place.file)}"
        raise PipelineError([Diagnostic("BF630", f"it is not known in which region {place.name!r} is", hint=hint)])
    account = Account(found)
    if place.account is not None:
        check_owner(account, place.account, named_by="the ARN" if place.file is None else files.ENVIRONMENT)
    return account


def places_below(folder: Path) -> tuple[list[Place], list[Diagnostic]]:
    """Return what the pipelines below *folder* are called where they are deployed, and what is wrong with others."""
    found, problems = list[Place](), list[Diagnostic]()
    for _, place in _below(folder):
        if isinstance(place, Place):
            found.append(place)
        else:
            problems += place.diagnostics
    return found, problems


def repository_names() -> list[str]:
    """Return what the pipelines in the repository around here are called, there and where they are deployed."""
    places = [place for _, place in _repository() if isinstance(place, Place)]
    return [name for place in places for name in (place.name, place.own_name) if name is not None]


def check_deployer(place: Place, environ: Mapping[str, str]) -> None:
    """Raise PipelineError BF601 when only CI may change the pipeline, and this is not CI."""
    if problem := refused(place.name, place.deploy_from, environ, DELETE):
        raise PipelineError([problem])


def environment_region() -> str | None:
    """Return the region that this process's variables, or its profile, say."""
    for name in _REGIONS:
        if region := os.environ.get(name):
            return region
    with aws_errors():
        return configured_region()


# ------------------------------------------------------------------ files


def _file(text: str) -> Path | None:
    """Return the pipeline file that *text* is the path of; a folder's name counts when a pipeline is in it."""
    path = Path(text)
    if "/" in text or text in (".", "..") or files.is_file(path):
        return files.find_pipeline(path)
    return files.find_pipeline(path) if files.is_file(path / files.PIPELINE) else None


def _pipeline_here() -> Path:
    here = Path()
    if not any(here.glob(f"*{files.PIPELINE}")):
        hint = "name one: buzzflow status churn, buzzflow logs train --run churn; buzzflow list shows what is deployed"
        raise PipelineError([Diagnostic("BF645", "no pipeline is named, and there is none in this folder", hint=hint)])
    return files.find_pipeline(here)


def _place(file: Path) -> Place:
    """Return where the pipeline in *file* is deployed; nothing but its name and environment has to be right."""
    layers = read_layers(file)
    named = answered(layers.tree, layers.environment, only=("name",)).child("name")
    name = files.pipeline_name(file) if named is None or named.value is None else str(named.value)
    if layers.environment is None:
        hint = f"write an {files.ENVIRONMENT} with account, region, role and bucket in a folder above it"
        summary = f"{files.shown(file)} is in no environment, so it is deployed nowhere"
        raise PipelineError([Diagnostic("BF642", summary, hint=hint)])
    environment = check_environment(layers.environment.plain(), SourceMap(layers.environment))
    return Place(
        f"{environment.name_prefix}{name}",
        environment.region,
        environment.account,
        file,
        name,
        tuple(environment.deploy_from),
    )


def _named(name: str) -> Place | None:
    """Return the pipeline of the repository that is called *name*: where it is deployed, in its file, by its folder."""
    places = [*_repository()]
    found = [
        place
        for file, place in places
        if isinstance(place, Place) and name in (place.name, place.own_name, files.pipeline_name(file))
    ]
    if len(found) > 1:
        told = ", ".join(sorted(files.shown(place.file) for place in found if place.file is not None))
        summary = f"{len(found)} pipelines of this repository are called {name!r}"
        raise PipelineError([Diagnostic("BF644", summary, hint=f"give the path of one: {told}")])
    if not found:
        for file, place in places:
            if isinstance(place, PipelineError) and files.pipeline_name(file) == name:
                raise place
    return found[0] if found else None


def _of_repository(wanted: Place) -> Place | None:
    """Return the pipeline of the repository that an ARN names: old ARNs have small letters only."""
    for _, place in _repository():
        if isinstance(place, Place) and place.name.lower() == wanted.name.lower() and place.region == wanted.region:
            return place if place.account in (None, wanted.account) else None
    return None


def _repository() -> Iterator[tuple[Path, Place | PipelineError]]:
    """Yield the pipelines of the repository around here; outside of one, nothing is looked through."""
    root = files.find_root(Path.cwd() / files.PIPELINE)
    if files.is_root(root):
        yield from _below(root)


def _below(folder: Path) -> Iterator[tuple[Path, Place | PipelineError]]:
    try:
        found = files.find_pipelines(folder)
    except PipelineError:  # there is none
        return
    for file in found:
        try:
            yield file, _place(file)
        except PipelineError as e:
            yield file, e
