"""`run_many.py OUT FOLDER...`: everything from YAML to JSON for many pipelines, in two processes.

OUT is a folder that gets each pipeline's definition.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

CORES = 2


def main(out: str, *folders: str) -> None:
    parts = [folders[i::CORES] for i in range(CORES)]
    with ProcessPoolExecutor(min(CORES, os.cpu_count() or 1)) as pool:
        made = sum(pool.map(partial(build, Path(out)), parts))
    print(made)


def build(out: Path, folders: tuple[str, ...]) -> int:
    """Write the definition of each of *folders*; return how many there are."""
    import network

    network.refuse()
    from buzzflow import load

    for folder in folders:
        (out / f"{Path(folder).name}.json").write_bytes(load(folder).compile().content)
    return len(folders)


if __name__ == "__main__":
    main(*sys.argv[1:])
