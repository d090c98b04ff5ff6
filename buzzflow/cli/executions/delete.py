"""`delete`: take a deployed pipeline away, with the schedules that start it."""

from __future__ import annotations

import os

import typer

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.executions.delete import Doomed, check_idle, delete, find_doomed, stop_all
from buzzflow.backends.sagemaker.executions.watch import Pace
from buzzflow.cli.executions.common import agreed, notice, print_json
from buzzflow.cli.problems import fail
from buzzflow.diagnostics import PipelineError
from buzzflow.driver.deployed import check_deployer, find_target, open_account
from buzzflow.views.executions import data, lists
from buzzflow.views.summary import console


def delete_pipeline(wanted: str, region: str | None, interval: float, *, yes: bool, force: bool, as_json: bool) -> int:
    """Show what goes, ask, delete; return the exit code."""
    try:
        place = find_target(wanted, one_run=False).place
        check_deployer(place, os.environ)
        account = open_account(place, region)
        what = find_doomed(account, place.name)
        if what is None:
            notice(f"no pipeline {place.name} is deployed in {account.region}: nothing to delete")
            if as_json:
                print_json({"pipeline": place.name, "arn": None, "deleted": False, "schedules": []})
            return 0
        console(stderr=True).print(lists.doomed(what, account.region), soft_wrap=True)
        if not force:
            check_idle(what)
        if not yes and not agreed(f"pipeline {what.name!r}", f"buzzflow delete {what.name} --yes"):
            notice("nothing is deleted")
            return 0
        _delete(account, what, Pace(interval), as_json=as_json)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    return 0


def _delete(account: Account, what: Doomed, pace: Pace, *, as_json: bool) -> None:
    stop_all(account, what, pace, notice)
    delete(account, what, notice if as_json else typer.echo)
    if as_json:
        print_json(data.of_doomed(what, deleted=True))
