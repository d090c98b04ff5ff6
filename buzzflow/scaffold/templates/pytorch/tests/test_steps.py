"""The steps one after another, without a pipeline."""

import json
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def test_the_steps_make_a_model_that_is_better_than_chance(tmp_path):
    for script in ("extract.py", "train.py", "evaluate.py"):
        subprocess.run([sys.executable, PROJECT / script], cwd=tmp_path, check=True)
    report = json.loads((tmp_path / "data/report/metrics.json").read_text())
    assert report["accuracy"] > 0.8
