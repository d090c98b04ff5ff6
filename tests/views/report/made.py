"""Runs as their writer leaves them, without having run: manifest, logs, curves and reports, by the real functions."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from buzzflow.backends.local import plan
from buzzflow.backends.local.events import State, StepFinished
from buzzflow.backends.local.owner import machine, owner
from buzzflow.backends.local.records.manifest import (
    AskedInstance,
    LeftRecord,
    Manifest,
    StepRecord,
    record_end,
    write_json,
    write_manifest,
)
from buzzflow.metrics import Curves, Usage

MIB = 2**20


@dataclass(frozen=True)
class Made:
    """A step of a made run; *load* is cores and MiB at its height, None is a step without figures."""

    name: str
    type: str = "processing"
    needs: Sequence[str] = ()
    state: Any = State.SUCCEEDED
    began: float | None = 0.0
    seconds: float | None = 1.0
    load: tuple[float, float] | None = (1.0, 300.0)
    log: str = "one line\n"
    reason: str | None = None
    how: str | None = None
    warnings: Sequence[str] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    report: Any = None
    curves: bool = True
    exit_code: int | None = 0


def usage(step: Made) -> Usage | None:
    if step.load is None or step.seconds is None:
        return None
    cores, mebibytes = step.load
    count = max(3, min(400, int(step.seconds / 0.25)))
    at = [step.seconds * (i + 1) / count for i in range(count)]
    rise = [math.sin(math.pi * min(1.0, 1.6 * t / step.seconds) / 2) for t in at]
    waves = [0.82 + 0.18 * math.sin(54 * t / step.seconds) for t in at]
    cpu = tuple(round(cores * r * wave, 3) for r, wave in zip(rise, waves, strict=True))
    memory = tuple(int(MIB * mebibytes * (0.25 + 0.75 * r)) for r in rise)
    curves = Curves(tuple(at), cpu, memory) if step.curves else Curves()
    total = sum(cpu) / count * step.seconds
    return Usage(
        wall_seconds=step.seconds,
        cpu_seconds=total,
        cpu_mean=total / step.seconds if step.seconds else None,
        cpu_peak=max(cpu),
        memory_peak_bytes=max(memory),
        source="cgroup",
        samples=count,
        disk_read_bytes=12 * MIB,
        disk_written_bytes=88 * MIB,
        curves=curves,
    )


def make_run(
    folder: Path,
    steps: Sequence[Made],
    *,
    pipeline: str = "flight-delays",
    state: Any = State.SUCCEEDED,
    parameters: Mapping[str, Any] | None = None,
    seconds: float | None = None,
    its_owner: str | None = None,
    notices: Sequence[str] = (),
) -> Path:
    """Write a run into *folder*, named as the folder is, and return it."""
    folder.mkdir(parents=True)
    ends = [(s.began or 0) + (s.seconds or 0) for s in steps]
    manifest = Manifest(
        run=folder.name,
        pipeline=pipeline,
        file=f"projects/research/{pipeline}/pipeline.yaml",
        buzzflow="0.1.0",
        executor="docker",
        machine=machine(),
        owner=its_owner or owner(),
        started="2026-11-22T10:15:00Z",
        state=state,
        seconds=None if state == "running" else seconds or max(ends) + 0.2,
        parameters={"run_date": "2026-11-21", "max_depth": 6} if parameters is None else dict(parameters),
        code={s.name: "4c1d0f" + "ab" * 29 for s in steps if s.type in ("processing", "training")},
        notices=[*notices],
        steps={s.name: StepRecord(type=s.type, needs=[*s.needs]) for s in steps},
    )
    write_json(folder / "run-plan.json", made_plan(pipeline, steps).model_dump(mode="json"))
    for step in steps:
        record_step(manifest.steps[step.name], step, folder)
    write_manifest(manifest, folder)
    return folder


def record_step(record: StepRecord, step: Made, folder: Path) -> None:
    if step.type in ("processing", "training"):
        record.instance = AskedInstance(type="ml.m5.xlarge", count=2 if step.name == "train" else 1)
    if step.state == "waiting":
        return
    ran = step.began is not None and step.type in ("processing", "training")
    log = folder / "steps" / step.name / "log.txt"
    if ran:
        log.parent.mkdir(parents=True)
        log.write_text(step.log, "utf-8")
        record.began = step.began
    if step.state == "running":
        record.state = "running"
        return
    result = ", ".join(f"{k}={v:g}" for k, v in step.metrics.items()) or None
    used = usage(step) if ran else None
    event = StepFinished(
        step.name,
        step.state,
        used,
        result=result,
        reason=step.reason,
        warnings=tuple(step.warnings),
        log=log if ran else None,
        exit_code=step.exit_code if ran else None,
        metrics=step.metrics,
        how=step.how,
    )
    record_end(record, event, folder)
    record.seconds = step.seconds if ran else None
    if step.report is not None:
        file = folder / "outputs" / step.name / "report" / "metrics.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(step.report), "utf-8")
        record.left = LeftRecord(reports={"report": str(file.relative_to(folder))})


def made_plan(pipeline: str, steps: Sequence[Made]) -> plan.RunPlan:
    """Return a plan with the same steps and needs; what flows between containers is the output `data`."""
    found: list[plan.Step] = []
    for step in steps:
        needs = [plan.Need(step=need, because="reference") for need in step.needs]
        inputs = [
            plan.Input(name=need, source=plan.OutputAddress(step=need, name="data"), path="/opt/ml/processing/input")
            for need in step.needs
        ]
        container = plan.Container(image="python:3.11-slim", inputs=inputs)
        match step.type:
            case "training":
                found.append(plan.TrainingStep(name=step.name, needs=needs, container=container))
            case "condition":
                test = plan.Compare(operator=">=", left=1, right=1)
                found.append(plan.ConditionStep(name=step.name, needs=needs, test=test))
            case "fail":
                found.append(plan.FailStep(name=step.name, needs=needs, message="no"))
            case _:
                found.append(plan.ProcessingStep(name=step.name, needs=needs, container=container))
    return plan.RunPlan(pipeline=pipeline, prefix="s3://buzzflow-local/x/", steps=found)


# ------------------------------------------------------------------ the runs that the tests and the docs show

TRAINING_LOG = "".join(
    f"2026-11-22 10:15:{10 + i // 4:02} epoch {i:3}  loss={0.9 / (1 + i / 9):.4f}  auc={0.61 + 0.003 * i:.4f}\n"
    for i in range(60)
)


def good() -> list[Made]:
    """A pipeline as people have them, ended well; one step's results were taken from an earlier run."""
    return [
        Made("extract-flights", seconds=8.4, load=(0.9, 420), log="read 336776 flights of 2013\nwrote 3 files\n"),
        Made("extract-weather", seconds=5.2, load=(0.6, 260)),
        Made("holidays", state=State.CACHED, began=None, seconds=None, load=None, how="from run 20261121-081502-77ab"),
        Made(
            "features",
            needs=("extract-flights", "extract-weather", "holidays"),
            began=8.6,
            seconds=6.1,
            load=(1.8, 910),
        ),
        Made(
            "train",
            "training",
            needs=("features",),
            began=14.9,
            seconds=21.7,
            load=(3.6, 1730),
            log=TRAINING_LOG,
            metrics={"auc": 0.787, "loss": 0.1188},
        ),
        Made(
            "baseline",
            "training",
            needs=("features",),
            began=14.9,
            seconds=4.4,
            load=(1.0, 350),
            metrics={"auc": 0.702},
        ),
        Made(
            "evaluate",
            needs=("train", "features"),
            began=36.8,
            seconds=3.9,
            load=(1.1, 620),
            report={"auc": 0.7812, "accuracy": 0.841, "by_carrier": {"UA": 0.79, "AA": 0.77}},
        ),
        Made("good-enough", "condition", needs=("evaluate",), began=None, seconds=None),
        Made(
            "reject",
            "fail",
            needs=("good-enough",),
            state=State.SKIPPED,
            began=None,
            seconds=None,
            reason="good-enough chose the other branch",
        ),
        Made("publish", needs=("good-enough", "train"), began=40.9, seconds=2.2, load=(0.4, 180)),
    ]


TRACEBACK = """\
reading /opt/ml/input/data/features/part-0.parquet
2026-11-22 10:15:16 336776 rows, 21 columns
Traceback (most recent call last):
  File "/opt/ml/input/data/code/src/train.py", line 48, in <module>
    main()
  File "/opt/ml/input/data/code/src/train.py", line 31, in main
    model.fit(rows[FEATURES], rows["delayed"])
  File "/usr/lib/python3.11/site-packages/pandas/core/frame.py", line 4102, in __getitem__
    indexer = self.columns._get_indexer_strict(key, "columns")[1]
KeyError: "['wind_gust'] not in index"
"""


def failed() -> list[Made]:
    """The same pipeline; its training failed."""
    steps = {step.name: step for step in good()}
    steps["train"] = Made(
        "train",
        "training",
        ("features",),
        State.FAILED,
        14.9,
        3.1,
        (1.2, 640),
        TRACEBACK,
        reason="exit code 1: KeyError: \"['wind_gust'] not in index\"",
        exit_code=1,
    )
    for name in ("evaluate", "good-enough", "publish"):
        old = steps[name]
        steps[name] = Made(name, old.type, old.needs, State.SKIPPED, None, None, None, reason="train was skipped")
    steps["evaluate"] = Made(
        "evaluate", needs=("train", "features"), state=State.SKIPPED, began=None, seconds=None, reason="train failed"
    )
    return list(steps.values())
