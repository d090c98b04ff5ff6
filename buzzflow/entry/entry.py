"""Set the variables that only the container knows, then become the script: entry.py INTERPRETER SCRIPT [ARGUMENT…].

It travels in the bundle and runs on the image's Python: standard library, Python 3.6 or later. `entry.sh` starts it.
"""

import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import NoReturn

_NOT_IN_A_NAME = re.compile("[^A-Za-z0-9_]")
# The service and its toolkits put settings of their own between the hyperparameters.
_NOT_THE_USERS = ("sagemaker_", "_tuning_objective_metric")


def main(interpreter: str, script: str, *arguments: str) -> None:
    """Replace this process with *script*; its arguments are the hyperparameters, then *arguments*."""
    opt_ml = Path(os.environ.get("BUZZFLOW_OPT_ML") or "/opt/ml")
    hyperparameters = _hyperparameters(opt_ml)
    os.environ.setdefault("SM_LOG_LEVEL", "20")
    for name, value in _variables(hyperparameters, _hosts(opt_ml)).items():
        os.environb[name.encode()] = _bytes(value)
    command = [os.fsencode(interpreter), os.fsencode(script)]
    for key, value in hyperparameters.items():
        command += [_bytes("--" + key), _bytes(value)]
    command += map(os.fsencode, arguments)
    for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores them, and a new program would inherit that
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.dup2(1, 2)  # one stream keeps the order of what is written to the two: a log shows it as it happened
        os.execvp(command[0], command)  # noqa: S606 - an argument vector, no shell
    except OSError as e:
        _fail(f"cannot start {interpreter}: {e.strerror}", 127 if isinstance(e, FileNotFoundError) else 126)


def _hyperparameters(opt_ml: Path) -> "dict[str, str]":
    """Return them sorted by name, because the service keeps no order; a value that is not text becomes JSON."""
    found = _read(opt_ml / "input/config/hyperparameters.json")
    mine = {key: found[key] for key in sorted(found) if not key.startswith(_NOT_THE_USERS)}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in mine.items()}


def _hosts(opt_ml: Path) -> "dict[str, object]":
    """Return the machines of this job: a training and a processing job say it in different places."""
    found = _read(opt_ml / "input/config/resourceconfig.json") or _read(opt_ml / "config/resourceconfig.json")
    return {"current_host": "algo-1", "hosts": ["algo-1"], **found}


def _read(file: Path) -> "dict[str, object]":
    try:
        content: dict[str, object] = json.loads(file.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as e:
        _fail(f"cannot read {file}: {e.strerror}")
    except ValueError as e:
        _fail(f"{file} is not JSON: {e}")
    if not isinstance(content, dict):
        _fail(f"{file} holds no JSON object")
    return content


def _variables(hyperparameters: "dict[str, str]", resources: "dict[str, object]") -> "dict[str, str]":
    variables = {"SM_HP_" + _NOT_IN_A_NAME.sub("_", key).upper(): value for key, value in hyperparameters.items()}
    variables["SM_HPS"] = json.dumps(hyperparameters)
    variables["SM_RESOURCE_CONFIG"] = json.dumps(resources)
    variables["SM_HOSTS"] = json.dumps(resources["hosts"])
    variables["SM_CURRENT_HOST"] = str(resources["current_host"])
    variables["SM_NUM_CPUS"] = str(_cpus())
    variables["SM_NUM_GPUS"] = str(len([*Path("/dev").glob("nvidia[0-9]*")]))
    return variables


def _cpus() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _bytes(text: str) -> bytes:
    # not os.fsencode: before Python 3.7 that is ASCII in a container without a locale
    encoded = text.encode("utf-8", "surrogatepass")
    if b"\0" in encoded:
        _fail("a hyperparameter holds a null byte, which no program can be given")
    return encoded


def _fail(message: str, status: int = 1) -> NoReturn:
    sys.stderr.write("buzzflow: " + message + "\n")
    sys.exit(status)


if __name__ == "__main__":
    main(*sys.argv[1:])
