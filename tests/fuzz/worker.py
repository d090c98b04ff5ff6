"""Judge mutants, one after the other, and tell each verdict on a line: started by `run`, so that it may hang or die."""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import signal
import sys
from pathlib import Path

from tests.fuzz.judge import Projects, judge
from tests.fuzz.mutate import make_mutant

MEMORY = 4 * 1024**3
_LOOK_AFTER = 40  # seconds after which a hanging mutant says where it hangs


def main(run: int, first: int, stop: int, step: int, folder: Path) -> None:
    """Judge the mutants from *first* up to *stop*."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    projects = Projects(folder)
    for number in range(first, stop, step):
        print(f"> {number}", flush=True)
        if str(number) == os.environ.get("BUZZFLOW_FUZZ_DIE_AT"):
            os.kill(os.getpid(), signal.SIGKILL)  # so that a test can see what becomes of the rest
        faulthandler.dump_traceback_later(_LOOK_AFTER)
        verdict = judge(make_mutant(run, number), projects)
        faulthandler.cancel_dump_traceback_later()
        told = [number, verdict.valid, sorted(verdict.codes), round(verdict.seconds, 4), verdict.problem]
        print(json.dumps(told), flush=True)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"memory {used}", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:5]), Path(sys.argv[5]))
