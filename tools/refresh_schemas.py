"""Write schemas/*.schema.json from the models: `python tools/refresh_schemas.py`."""

from __future__ import annotations

import json
from pathlib import Path

from buzzflow.config.schema import environment_schema, pipeline_schema

FOLDER = Path(__file__).parents[1] / "schemas"


def main() -> None:
    """Write both."""
    FOLDER.mkdir(exist_ok=True)
    for name, schema in (("pipeline", pipeline_schema()), ("environment", environment_schema())):
        (FOLDER / f"{name}.schema.json").write_text(json.dumps(schema, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
