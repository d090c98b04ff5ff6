"""The pipeline that every tool builds, as data, and the folder that holds it in each tool's form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ACCOUNT, REGION, BUCKET = "111122223333", "eu-west-1", "example-ml"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/ml:1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ml"
SUBNET, GROUP = "subnet-0123456789abcdef0", "sg-0123456789abcdef0"
RAW = "s3://example-raw/events/"
PARAMETERS: Mapping[str, str | int | float] = {"day": "2026-01-01", "rounds": 50, "min_auc": 0.75}
REJECTED = "the model is not good enough"
GATED = 4  # steps around the pairs: collect, evaluate, gate, reject


@dataclass(frozen=True, slots=True)
class From:
    """An output of an earlier step; of a training, its model."""

    step: str
    output: str


@dataclass(frozen=True, slots=True)
class Job:
    """One processing or training step; *report* is the JSON file in its first output that the condition reads."""

    name: str
    kind: Literal["processing", "training"]
    script: str
    inputs: Mapping[str, From | str]
    outputs: tuple[str, ...]
    report: str | None = None

    def folder(self, output: str) -> str:
        """Return where *output* goes: said by name in every form, because each tool would choose another place."""
        return f"s3://{BUCKET}/out/{self.name}/{output}/"


def jobs_of(steps: int) -> list[Job]:
    """Return the jobs of a pipeline of *steps* steps; above five, two of those are a condition and a fail step."""
    if steps < 2:
        raise ValueError(f"{steps}: two steps or more, please")
    gated = steps > GATED + 1
    pairs, odd = divmod(steps - GATED if gated else steps, 2)
    jobs: list[Job] = []
    for pair in range(pairs):
        before: dict[str, From | str] = {"before": From(f"prepare-{pair - 1}", "table")} if pair else {}
        jobs += [
            Job(f"prepare-{pair}", "processing", "prepare.py", {"raw": RAW, **before}, ("table",)),
            Job(f"train-{pair}", "training", "train.py", {"train": From(f"prepare-{pair}", "table")}, ("model",)),
        ]
    if odd:
        jobs.insert(0, Job("check", "processing", "prepare.py", {"raw": RAW}, ("table",)))
    if gated:
        last = {"table": From(jobs[-2].name, "table")}
        seen = {"model": From("train-0", "model"), "test": From("collect", "table")}
        jobs += [
            Job("collect", "processing", "collect.py", last, ("table",)),
            Job("evaluate", "processing", "evaluate.py", seen, ("report",), report="metrics.json"),
        ]
    return jobs


def write(folder: Path, steps: int, name: str) -> Path:
    """Write one pipeline in all forms, and the scripts that its steps run; return the folder."""
    from benchmarks.peers import buzzflow_form, sagerender_form, sdk_form

    jobs = jobs_of(steps)
    scripts = {f"src/{job.script}": f'"""One step of {name}."""\n\nprint("done")\n' for job in jobs}
    forms = (buzzflow_form, sagerender_form, sdk_form)
    for path, text in {**scripts, **{p: t for form in forms for p, t in form.files(name, jobs).items()}}.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return folder
