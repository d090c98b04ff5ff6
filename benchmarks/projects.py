"""Make a repository of many projects as teams have them; the same seed gives the same bytes."""

from __future__ import annotations

import random
from pathlib import Path

STEPS = 10
BASE = """\
variables:
  sklearn: {framework: sklearn, version: "1.4-2"}
  team: ads
  raw: s3://example-${variables.team}-raw
  query_dir: query
defaults:
  image: ${variables.sklearn}
  instance: {type: ml.m5.large, volume_size_gb: 40}
  timeout: 2h
  environment_variables: {TEAM: "${variables.team}", STAGE: "${environment.name}", OMP_WAIT_POLICY: PASSIVE}
  by_type:
    training: {instance: {type: ml.m5.xlarge}, retry: [{errors: [throttling], max_attempts: 3}]}
parameters:
  run_date: {type: string, default: "2026-01-01", description: Day to train on}
  min_auc: {type: float, default: 0.75}
"""
ENVIRONMENT = """\
name: {name}
deploy_from: [{deploy_from}]
account: "111122223333"
region: us-west-2
role: arn:aws:iam::${{account}}:role/buzzflow-{name}-execution
bucket: example-{name}-ml
name_prefix: {name}-
tags: {{environment: {name}, cost_center: "4711"}}
network: {{security_group_ids: [sg-0123456789abcdef0], subnets: [subnet-0123456789abcdef0]}}
locked: [role, network]
"""
HEAD = """\
extends: ../../base/base.yaml
name: {name}
description: Trains the daily model of {name}
owner: ads-ml
tags: {{team: "${{variables.team}}", project: {name}}}
variables:
  project: {name}
  prefix: ${{variables.raw}}/${{variables.project}}
  days: {days}
parameters:
  max_depth: {depth}
  countries: {{type: string, default: "{countries}"}}
defaults:
  tags: {{project: "${{variables.project}}"}}
steps:
"""
EXTRACT = """\
  {name}:
    type: processing
    code: {name}.py
    inputs: {{raw: "${{variables.prefix}}/{name}/"}}
    arguments: {{date: "${{param:run_date}}", days: "${{variables.days}}", countries: "${{param:countries}}"}}
    outputs: [train, test]
    cache: 30d
"""
JOIN = """\
  {name}:
    type: processing
    code: {name}.py
    inputs: {{left: "${{step:{left}.outputs.train}}", right: "${{step:{right}.outputs.train}}"}}
    arguments: [--out, "table-${{variables.project}}-${{param:run_date}}", --run, "${{run:id}}"]
    outputs: {{table: {{}}, test: {{}}}}
    environment_variables: {{PROJECT: "${{variables.project}}"}}
"""
TRAIN = """\
  {name}:
    type: training
    code: {name}.py
    inputs: {{train: "${{step:{left}.outputs.table}}"}}
    hyperparameters: {{max_depth: "${{param:max_depth}}", project: "${{variables.project}}", seed: {seed}}}
    metrics: {{auc: 'auc=([0-9\\.]+)'}}
    timeout: 3h
"""
EVALUATE = """\
  {name}:
    type: processing
    code: {name}.py
    inputs: {{model: "${{step:{left}.model}}", test: "${{step:{right}.outputs.test}}"}}
    outputs: {{report: {{json: metrics.json}}}}
"""
GATE = """\
  {name}:
    type: condition
    if: ${{json:{left}.report.auc}} >= ${{param:min_auc}}
    else: [{right}]
"""
FAIL = """\
  {name}: {{type: fail, message: "AUC of ${{variables.project}} is only ${{json:{left}.report.auc}}"}}
"""
SCRIPT = '''\
"""Step {name} of {project}."""
from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import pandas as pd
from global_common.step import inputs, outputs, parameters

from common import SEED, read_table, split


def main() -> None:
    parser = argparse.ArgumentParser(description="{project}")
    parser.add_argument("--date", default="2026-01-01")
    given, _ = parser.parse_known_args()
    for name, folder in inputs.items():
        table = read_table(folder, given.date)
        train, test = split(table, share={share}, seed=SEED)
        if table.empty:
            raise SystemExit(f"{{name}} is empty on {{given.date}}")
        for target, part in zip(outputs.values(), (train, test)):
            pd.DataFrame(part).to_csv(Path(target) / "part.csv", index=False)
    print(json.dumps({{"rows": {rows}, "step": os.environ.get("STEP"), "depth": parameters.get("max_depth")}}))


if __name__ == "__main__":
    main()
'''
COMMON = '''\
"""What the steps of {project} share."""
import datetime
from pathlib import Path

import pandas as pd
from columns import COLUMNS
from global_common.sql_template import render

SEED = {seed}


def read_table(folder: Path, date: str) -> pd.DataFrame:
    day = datetime.date.fromisoformat(date)
    return pd.concat(pd.read_csv(f) for f in sorted(Path(folder).glob("*.csv")) if day)[COLUMNS]


def split(table: pd.DataFrame, share: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    test = table.sample(frac=share, random_state=seed)
    return table.drop(test.index), test


def query(name: str, **values: object) -> str:
    return render(Path("query", name).read_text(), values)
'''


def write_repository(root: Path, projects: int, *, seed: int = 0) -> Path:
    """Write *projects* pipelines of ten steps below `projects/`, half research and half prod; return that folder."""
    rng = random.Random(seed)
    (root / ".git").mkdir(parents=True)
    _write(root / "projects/base/base.yaml", BASE)
    for package in ("global_common", "experiment_manager"):
        for file in sorted((Path(__file__).parents[1] / package).glob("*.py")):
            _write(root / package / file.name, file.read_text("utf-8"))
    for name, deploy_from in (("research", "laptop, ci"), ("prod", "ci")):
        text = ENVIRONMENT.format(name=name, deploy_from=deploy_from)
        _write(root / "projects" / name / "environment.yaml", text)
    for number in range(projects):
        folder = root / "projects" / ("research", "prod")[number % 2] / f"p{number:04}"
        _project(folder, f"p{number:04}", STEPS, rng)
    return root / "projects"


def write_pipeline(root: Path, steps: int, *, seed: int = 0) -> Path:
    """Write a repository with one pipeline of *steps* steps; return its folder."""
    write_repository(root, 0)
    folder = root / "projects/research/large"
    _project(folder, "large", steps, random.Random(seed))
    return folder


def _project(folder: Path, name: str, steps: int, rng: random.Random) -> None:
    chosen = sorted(rng.sample(["kr", "us", "jp", "de", "fr", "gb"], 3))
    texts = [HEAD.format(name=name, days=rng.randint(7, 90), depth=rng.randint(3, 9), countries=",".join(chosen))]
    for group in range(steps // STEPS):
        names = [f"{kind}{group}" for kind in ("clicks", "views", "join", "extra", "merge", "train", "second")]
        clicks, views, join, extra, merge, train, second = names
        evaluate, gate, reject = f"evaluate{group}", f"gate{group}", f"reject{group}"
        texts += [EXTRACT.format(name=n) for n in (clicks, views, extra)]
        texts += [JOIN.format(name=join, left=clicks, right=views), JOIN.format(name=merge, left=clicks, right=extra)]
        texts += [TRAIN.format(name=train, left=join, seed=rng.randint(0, 99))]
        texts += [TRAIN.format(name=second, left=merge, seed=rng.randint(0, 99))]
        texts += [EVALUATE.format(name=evaluate, left=train, right=merge)]
        texts += [GATE.format(name=gate, left=evaluate, right=reject), FAIL.format(name=reject, left=evaluate)]
        for step in (*names, evaluate):
            share, rows = rng.randint(1, 5) / 10, rng.randint(1, 9999)
            _write(folder / f"{step}.py", SCRIPT.format(name=step, project=name, share=share, rows=rows))
    _write(folder / "pipeline.yaml", "".join(texts))
    _write(folder / "common.py", COMMON.format(project=name, seed=rng.randint(0, 999)))
    _write(folder / "columns.py", f"COLUMNS = {sorted(rng.sample('abcdefghijklmnop', 8))}\n")
    _write(folder / "requirements.txt", "pandas==2.2.3\n")
    _write(
        folder / "query/clicks.sql", f"SELECT * FROM clicks WHERE day = '{{{{ day }}}}' LIMIT {rng.randint(9, 999)}\n"
    )


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
