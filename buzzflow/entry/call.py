"""Call a handler the way AWS Lambda does: call.py FILE HANDLER FOLDER; event.json lies there, result.json goes there.

It runs on the image's Python: standard library, Python 3.6 or later.
"""

import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from typing import Any


class Context:
    """What a handler may ask of its call; Lambda's own names."""

    function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "function")
    function_version = "$LATEST"
    memory_limit_in_mb = "128"

    def __init__(self, request: str, seconds: float) -> None:
        self.aws_request_id = request
        self.invoked_function_arn = "local:" + self.function_name
        self.log_group_name = self.log_stream_name = "local"
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the handler may still take."""
        return max(0, int((self._end - time.monotonic()) * 1000))


def main(file: str, handler: str, folder: str, request: str, seconds: str) -> None:
    """Call *handler* of *file* with the event, and write what it returns as JSON."""
    sys.path.insert(0, str(Path(file).parent))
    spec = importlib.util.spec_from_file_location(Path(file).stem, file)
    if spec is None or spec.loader is None:
        sys.exit("buzzflow: " + file + " is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[Path(file).stem] = module
    spec.loader.exec_module(module)
    function: Any = getattr(module, handler, None)
    if not callable(function):
        sys.exit("buzzflow: " + Path(file).name + " has no function " + handler)
    event = json.loads((Path(folder) / "event.json").read_bytes().decode("utf-8"))
    result = function(event, Context(request, float(seconds)))
    (Path(folder) / "result.json").write_bytes(json.dumps(result).encode("utf-8"))


if __name__ == "__main__":
    main(*sys.argv[1:])
