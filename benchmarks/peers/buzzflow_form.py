"""The pipeline as buzzflow's users write it: pipeline.yaml and environment.yaml."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.peers.pipelines import (
    ACCOUNT,
    BUCKET,
    GROUP,
    IMAGE,
    PARAMETERS,
    REGION,
    REJECTED,
    ROLE,
    SUBNET,
    From,
    Job,
)

ENVIRONMENT = f"""\
name: bench
account: "{ACCOUNT}"
region: {REGION}
role: {ROLE}
bucket: {BUCKET}
network: {{subnets: [{SUBNET}], security_group_ids: [{GROUP}]}}
"""
HEAD = f"""\
parameters: {{day: "{PARAMETERS["day"]}", rounds: {PARAMETERS["rounds"]}, min_auc: {PARAMETERS["min_auc"]}}}
defaults:
  image: {IMAGE}
  timeout: 1h
steps:
"""
GATE = f"""\
  gate: {{type: condition, if: "${{json:evaluate.report.auc}} >= ${{param:min_auc}}", else: reject}}
  reject: {{type: fail, message: {REJECTED}}}
"""


def files(name: str, jobs: Sequence[Job]) -> dict[str, str]:
    """Return the files of the pipeline, by path."""
    gate = GATE if any(job.report for job in jobs) else ""
    return {
        "environment.yaml": ENVIRONMENT,
        "pipeline.yaml": f"name: {name}\n{HEAD}{''.join(map(_step, jobs))}{gate}",
        ".git/HEAD": "",
    }


def _step(job: Job) -> str:
    lines = [f"type: {job.kind}", f"code: src/{job.script}", "inputs:"]
    lines += [f'  {name}: {{from: "{_source(source)}"}}' for name, source in job.inputs.items()]
    lines += ["outputs:", *(f"  {output}: {_output(job, output)}" for output in job.outputs)]
    if job.kind == "training":
        lines += ['hyperparameters: {depth: 6, rounds: "${param:rounds}"}', "metrics: {auc: 'auc=([0-9.]+)'}"]
    else:
        lines += ['arguments: [--day, "${param:day}"]', "cache: 30d"]
    return f"  {job.name}:\n" + "".join(f"    {line}\n" for line in lines)


def _source(source: From | str) -> str:
    match source:
        case From(step, "model"):
            return f"${{step:{step}.model}}"
        case From(step, output):
            return f"${{step:{step}.outputs.{output}}}"
        case str():
            return source


def _output(job: Job, output: str) -> str:
    return f"{{to: {job.folder(output)}{f', json: {job.report}' if job.report else ''}}}"
