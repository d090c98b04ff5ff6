"""Fetch uPlot, which draws the curves of reports, anew: `python tools/refresh_uplot.py [VERSION]`; needs npm.

Its licence (MIT) goes to the top of the script, so that every report carries it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

TARGET = Path(__file__).parents[1] / "buzzflow/views/report/assets/vendor"


def main() -> None:
    """Write the script and its style."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", nargs="?", default="latest")
    version = parser.parse_args().version
    with tempfile.TemporaryDirectory() as folder:
        told = subprocess.run(
            ["npm", "pack", "--json", f"uplot@{version}"], cwd=folder, check=True, capture_output=True, text=True
        )
        [packed] = json.loads(told.stdout)
        with tarfile.open(Path(folder, packed["filename"])) as archive:
            archive.extractall(folder, filter="data")
        package = Path(folder, "package")
        licence = (package / "LICENSE").read_text("utf-8").strip()
        about = f"/*! uPlot {packed['version']}\n\n{licence}\n*/\n"
        for name in ("uPlot.iife.min.js", "uPlot.min.css"):
            content = (package / "dist" / name).read_text("utf-8").strip() + "\n"
            (TARGET / name).write_text(about + content if name.endswith(".js") else content, "utf-8")
    print(f"wrote uPlot {packed['version']}")


if __name__ == "__main__":
    main()
