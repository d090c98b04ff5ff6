"""The steps one after another, without a pipeline."""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def test_every_row_of_every_file_gets_a_probability(tmp_path):
    for script in ("extract.py", "train.py", "score.py"):
        subprocess.run([sys.executable, PROJECT / script], cwd=tmp_path, check=True)
    given = {file.name: file.read_text() for file in (tmp_path / "data/batches").iterdir()}
    answers = {file.name: file.read_text() for file in (tmp_path / "data/predictions").iterdir()}
    assert len(given) > 1
    assert {n: t.count("\n") for n, t in answers.items()} == {n: t.count("\n") for n, t in given.items()}
    numbers = [float(line) for text in answers.values() for line in text.splitlines()[1:]]
    assert all(0 <= number <= 1 for number in numbers)
