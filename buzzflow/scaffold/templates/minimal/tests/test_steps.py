"""The steps one after another, without a pipeline."""

import json
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def test_the_steps_find_the_line(tmp_path):
    for script in ("extract.py", "train.py"):
        subprocess.run([sys.executable, PROJECT / script], cwd=tmp_path, check=True)
    line = json.loads((tmp_path / "data/model/model.json").read_text())
    assert abs(line["slope"] - 3) < 0.1
    assert abs(line["intercept"] - 2) < 0.1
