"""A run in a real notebook: one display, true at the end, drawn in place."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

PIPELINE = """\
steps:
  count: {type: processing, code: count.py, outputs: [rows]}
  check: {type: processing, code: count.py, inputs: {rows: "${step:count.outputs.rows}"}}
"""
SCRIPT = """\
import os, pathlib
print("counting <b>rows</b>")
out = os.environ.get("BUZZFLOW_OUTPUT_ROWS")
if out:
    pathlib.Path(out, "rows.txt").write_text("3")
"""


def run_cells(folder: Path, *cells: str) -> list[list[dict[str, Any]]]:
    """Return the outputs of each cell, run in a real kernel in *folder*."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    client.execute(cwd=str(folder), env={**os.environ, "JUPYTER_PLATFORM_DIRS": "1"})
    return [[dict(output) for output in cell.outputs] for cell in notebook.cells]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUPYTER_PATH", str(Path(sys.prefix) / "share" / "jupyter"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    (tmp_path / "pipeline.yaml").write_text("name: counts\n" + PIPELINE)
    (tmp_path / "count.py").write_text(SCRIPT)
    return tmp_path


@pytest.mark.enable_socket  # the kernel's own, on this machine
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # zmq's and asyncio's, of nbclient
def test_a_run_is_shown_below_its_cell(project: Path) -> None:
    [shown, report] = run_cells(
        project,
        "import buzzflow\nreport = buzzflow.run_local(executor='process')",
        "print(report.state)",
    )
    assert report[0]["text"] == "succeeded\n"
    [display] = shown  # drawn in place, and nothing on stderr
    page = display["data"]["text/html"]
    assert "counts" in page
    assert "processes of this machine" not in page
    lines = [line for line in page.splitlines() if "✓" in line]
    assert ["count" in lines[0], "check" in lines[1]] == [True, True]
    assert "<b>rows" not in page
