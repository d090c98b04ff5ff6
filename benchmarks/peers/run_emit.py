"""`run_emit.py OUT ROUNDS FOLDER`: check and compile a pipeline again and again from its IR, and tell the CPU seconds.

What is measured is everything after the file has been read: the requests are made, held against the service's models,
and written as JSON. OUT gets the definition.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import network


def main(out: str, rounds: str, folder: str) -> None:
    network.refuse()
    from buzzflow.driver import check

    checked = check(Path(folder))
    backend, pipeline = checked.backend, checked.pipeline
    cpu = []
    for _ in range(int(rounds) + 1):  # the first one reads the models
        fresh = replace(pipeline)  # nothing is known of it from the round before
        begun = time.process_time()
        problems = [*backend.check(fresh)]
        content = backend.compile(fresh).content
        cpu.append(time.process_time() - begun)
    Path(out).write_bytes(content)
    print(json.dumps({"cpu": cpu, "problems": len(problems), **network.seen()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
