"""`run_buzzflow.py FOLDER...`: compile the pipelines in one process, and tell how long each took, as JSON."""

from __future__ import annotations

import json
import sys
import time

import network


def main(folders: list[str]) -> None:
    network.refuse()
    from buzzflow import load

    seconds = []
    for folder in folders:
        begun = time.perf_counter()
        _ = load(folder).compile().content
        seconds.append(time.perf_counter() - begun)
    print(json.dumps({"seconds": seconds, **network.seen()}))


if __name__ == "__main__":
    main(sys.argv[1:])
