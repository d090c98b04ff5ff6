"""`python tests/conformance/sdk [FOLDER]`: build every case with the installed SDK and write what it makes.

Needs the dependency group `conformance` and nothing of buzzflow; `make conformance` has both. FOLDER gets a folder
named after the SDK's version; by default tests/conformance does.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import offline

HERE = Path(__file__).resolve().parents[1]


def main(folder: str | None = None) -> None:
    """Write the definition of every case, and what came of every attempt, into a folder of the SDK's version."""
    out = (Path(folder).resolve() if folder else HERE) / f"sagemaker-{version('sagemaker')}"
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("*.json"):
        old.unlink()
    session = offline.session()
    from attempts import outcomes
    from families import CASES
    from flow import create_request

    for name, build in CASES.items():
        os.chdir(HERE / "cases" / name)  # the SDK hashes the path of a script as it is given: one without folders
        session.analyses.clear()
        _write(out / f"{name}.json", json.loads(build(session).definition()))
        if session.analyses:
            _write(out / f"{name}.analyses.json", session.analyses)
    os.chdir(HERE / "cases/training-code")  # has a script
    _write(out / "attempts.json", outcomes(session))
    _write(out / "create-pipeline.json", create_request(session))
    print(f"{len(CASES)} cases in {out}")


def _write(file: Path, data: Any) -> None:
    file.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
