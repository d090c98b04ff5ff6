"""A process that has imported everything and forks one buzzflow after the other.

`python -m tests.reliability.forking PROJECT` compiles PROJECT first, and is ready then. Each line of stdin is a
request, as `command.Commands` writes them; two lines answer it: the child's id, and its end. What is forked is the real
command from its first line on, in a process of its own that signals can end.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def serve() -> None:
    _warm(Path(sys.argv[1]))
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(request)
            return
        print(json.dumps({"pid": child}), flush=True)
        _, status = os.waitpid(child, 0)
        print(json.dumps({"code": os.waitstatus_to_exitcode(status)}), flush=True)


def _warm(project: Path) -> None:
    """Import what the command imports late, and make the clients, which costs half a second: nobody has used them yet.

    That is the one thing in which a forked command is not a started one: its clients are made before its first line.
    """
    from functools import partial

    import buzzflow.cli.deploy
    import buzzflow.cli.main
    from buzzflow.driver.deploy import Accounts, ready_pipelines

    [ready] = ready_pipelines([project], [])
    accounts = Accounts()
    account = accounts.of(ready.wanted)
    for service in ("s3", "sagemaker", "sts"):
        getattr(account, service)
    buzzflow.cli.deploy.Accounts = partial(Accounts, made=accounts.made)  # type: ignore[misc,assignment]


def _become(request: dict[str, Any]) -> None:
    """Turn this child into the command: its arguments, variables, folder and streams."""
    for number, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, request["stdout"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        (2, request["stderr"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    sys.argv = ["buzzflow", *request["arguments"]]
    from buzzflow.cli.main import main

    main()


if __name__ == "__main__":
    serve()
