"""Register a model version in an MLflow of this machine: a program of its own, as MLflow takes seconds to import.

`python -m … URI` reads JSON, `{name, source, tags}`, from its input and prints the version.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_SECONDS = 120
_NEEDS = ("mlflow", "sqlalchemy", "alembic")  # `mlflow-skinny` brings only the first


class RegistryError(OSError):
    """MLflow did not register the model; the text is its own."""


def missing_package() -> str | None:
    """Return the first package that a local registry would need and that is not installed."""
    return next((name for name in _NEEDS if importlib.util.find_spec(name) is None), None)


def register(database: Path, name: str, source: str, tags: Mapping[str, str]) -> str:
    """Return the number of the new version of model *name* in *database*, an SQLite file."""
    database.parent.mkdir(parents=True, exist_ok=True)
    asked = json.dumps({"name": name, "source": source, "tags": dict(tags)})
    command = [sys.executable, "-W", "ignore", "-m", __name__, f"sqlite:///{database}"]
    try:
        done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise RegistryError(f"MLflow did not answer within {_SECONDS} s") from None
    if done.returncode != 0:
        last = done.stderr.strip().rpartition("\n")[2]
        raise RegistryError(f"MLflow says: {last}")
    return done.stdout.strip().rpartition("\n")[2]


def main(uri: str) -> None:
    """Do it, in the process that was started for it."""
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    asked = json.load(sys.stdin)
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    try:
        client.get_registered_model(asked["name"])
    except MlflowException as e:
        if e.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        client.create_registered_model(asked["name"])
    made = client.create_model_version(asked["name"], source=asked["source"], tags=asked["tags"])
    sys.stdout.write(f"{made.version}\n")


if __name__ == "__main__":
    main(sys.argv[1])
