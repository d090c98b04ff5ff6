"""`list`: deployed pipelines, or the runs of one."""

from __future__ import annotations

from pathlib import Path

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.aws.errors import aws_errors
from buzzflow.backends.sagemaker.executions.find import find_deployed
from buzzflow.backends.sagemaker.executions.overview import DeployedSummary, list_deployed, missing
from buzzflow.backends.sagemaker.executions.runs import list_runs
from buzzflow.cli.executions.common import notice, print_json
from buzzflow.cli.problems import fail, warn
from buzzflow.diagnostics import PipelineError
from buzzflow.driver.deployed import Place, find_target, open_account, places_below, repository_names
from buzzflow.loader import files
from buzzflow.views.executions import data, lists
from buzzflow.views.executions.status import now
from buzzflow.views.summary import console


def list_all(region: str | None, *, as_json: bool) -> None:
    """Print every pipeline of the region."""
    try:
        account = open_account(Place("all pipelines"), region)
        found = list_deployed(account)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    _print(found, as_json=as_json)


def list_what(what: str | None, limit: int, region: str | None, *, as_json: bool) -> None:
    """Print the runs of the pipeline that *what* names, or the deployed pipelines of a tree; None is all of here."""
    try:
        if (tree := _tree(what)) is not None:
            _print(_of_tree(tree, region), as_json=as_json)
        else:
            _print_runs(what, limit, region, as_json=as_json)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None


def _tree(what: str | None) -> Path | None:
    """Return the folder whose pipelines are meant, if it is one that holds none itself."""
    if what is None:
        return files.find_root(Path.cwd() / files.PIPELINE)
    path = Path(what)
    return path if path.is_dir() and not files.is_file(path / files.PIPELINE) else None


def _of_tree(folder: Path, region: str | None) -> list[DeployedSummary]:
    places, problems = places_below(folder)
    warn(problems)
    found: list[DeployedSummary] = []
    for here, account_id in dict.fromkeys((place.region, place.account) for place in places):
        names = {place.name: place for place in places if (place.region, place.account) == (here, account_id)}
        try:
            account: Account = open_account(next(iter(names.values())), region)
        except PipelineError as e:
            if all(d.code != "BF602" for d in e.diagnostics):
                raise
            notice(f"not looked at: {', '.join(names)}, which are in account {account_id}")
            continue
        deployed = list_deployed(account, only=names)
        found += deployed
        if absent := missing(deployed, names):
            notice(f"not deployed in {account.region}: {', '.join(absent)}")
    return found


def _print(found: list[DeployedSummary], *, as_json: bool) -> None:
    if as_json:
        print_json([data.of_pipeline(one) for one in found])
    elif found:
        console().print(lists.pipelines(found, now()))
    else:
        notice("no pipeline is deployed")


def _print_runs(what: str | None, limit: int, region: str | None, *, as_json: bool) -> None:
    place = find_target(what, one_run=False).place
    account = open_account(place, region)
    deployed = find_deployed(account, place.name, known=repository_names)
    with aws_errors():
        found = [*list_runs(account, deployed.name, most=limit)]
    if as_json:
        print_json([data.of_summary(run) for run in found])
    elif found:
        console().print(lists.runs(found))
    else:
        notice(f"pipeline {deployed.name} has not run yet; start it: buzzflow run {deployed.name}")
