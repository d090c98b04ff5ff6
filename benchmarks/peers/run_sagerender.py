"""`run_sagerender.py MODE OUT FOLDER...`: what `sagerender upsert-pipeline --dry-run` does, for each folder in turn.

MODE `offline` answers its AWS calls in memory, `bare` leaves it without AWS, `server` lets it talk to AWS_ENDPOINT_URL.
The last pipeline's definition, which sagerender has in its log only, goes into the file OUT.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import time
from pathlib import Path

import network

MARK = "SageMaker Pipeline Definition:\n "


class _Definition(logging.Handler):
    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith(MARK):
            self.text = record.getMessage().removeprefix(MARK)


def main(mode: str, out: str, *folders: str) -> None:
    network.refuse()
    if mode == "offline":
        network.answer()
    from sagerender.cli import upsert_pipeline

    found, seconds = _Definition(), []
    upsert_pipeline.logger.addHandler(found)
    upsert_pipeline.logger.setLevel(logging.INFO)
    for folder in folders:
        os.chdir(folder)
        os.environ["SAGERENDER_HIERA_FILE"] = "hiera.yaml"
        name = re.findall(r"^(bench-[\w-]+):", Path("common.yaml").read_text("utf-8"), re.MULTILINE)[0]
        begun = time.perf_counter()
        upsert_pipeline.main(["--pipeline-name", name, "--dry-run"])
        seconds.append(time.perf_counter() - begun)
        upsert_pipeline.logger.handlers[:] = [found]  # each call adds one that prints
    Path(out).write_text(found.text, "utf-8")
    print(json.dumps({"seconds": seconds, **network.seen()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
