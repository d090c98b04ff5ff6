"""Prepare what only the container knows, then become the script: entry.py INTERPRETER SCRIPT [ARGUMENT…].

Prepared are variables, secrets, and archives to unpack. Where serving code goes with the model, the script is a child,
and the code is laid beside the model when it has ended well.

It travels in the bundle and runs on the image's Python: standard library, Python 3.6 or later. `entry.sh` starts it.
"""

import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

_NOT_IN_A_NAME = re.compile("[^A-Za-z0-9_]")
# The service and its toolkits put settings of their own between the hyperparameters.
_NOT_THE_USERS = ("sagemaker_", "_tuning_objective_metric")


def main(interpreter: str, script: str, *arguments: str) -> None:
    """Replace this process with *script*; its arguments are the hyperparameters, then *arguments*."""
    opt_ml = Path(os.environ.get("BUZZFLOW_OPT_ML") or "/opt/ml")
    hyperparameters = _hyperparameters(opt_ml)
    resources = _hosts(opt_ml)
    os.environ.setdefault("SM_LOG_LEVEL", "20")
    for name, value in {**_variables(hyperparameters, resources), **_secrets()}.items():
        os.environb[name.encode()] = _bytes(value)
    for folder in json.loads(os.environ.get("BUZZFLOW_EXTRACT") or "[]"):
        _unpack_all(Path(folder))
    starter = _torchrun(resources) if interpreter == "torchrun" else [interpreter]
    command = [os.fsencode(part) for part in (*starter, script)]
    for key, value in hyperparameters.items():
        command += [_bytes("--" + key), _bytes(value)]
    command += map(os.fsencode, arguments)
    for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores them, and a new program would inherit that
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    serving = Path(__file__).resolve().parent / "inference"
    try:
        os.dup2(1, 2)  # one stream keeps the order of what is written to the two: a log shows it as it happened
        if serving.is_dir():
            sys.exit(_run_and_add(command, serving, opt_ml / "model" / "code"))
        os.execvp(command[0], command)  # noqa: S606 - an argument vector, no shell
    except OSError as e:
        _fail(f"cannot start {interpreter}: {e.strerror}", 127 if isinstance(e, FileNotFoundError) else 126)


def _run_and_add(command: "list[bytes]", serving: Path, target: Path) -> int:
    """Run *command* as a child that gets our signals; when it ended well, copy *serving* to *target*."""
    child = subprocess.Popen(command)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: child.send_signal(received))
    status = child.wait()
    if status != 0:
        return 128 - status if status < 0 else status
    for file in sorted(serving.rglob("*")):
        if file.is_file():
            place = target / file.relative_to(serving)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(file), str(place))
    return 0


def _torchrun(resources: "dict[str, object]") -> "list[str]":
    """Return how torchrun starts a script on this machine of the job: one process for each GPU, or one."""
    hosts = list(resources["hosts"])  # type: ignore[call-overload]  # a list of names, as the service writes it
    gpus = len([*Path("/dev").glob("nvidia[0-9]*")])
    return [
        sys.executable,
        "-m",
        "torch.distributed.run",
        f"--nnodes={len(hosts)}",
        f"--node_rank={hosts.index(resources['current_host'])}",
        f"--nproc_per_node={gpus or 1}",
        f"--master_addr={hosts[0]}",
        "--master_port=7777",
    ]


def _secrets() -> "dict[str, str]":
    """Return variable and value of each secret that the step names, from AWS Secrets Manager."""
    wanted = json.loads(os.environ.get("BUZZFLOW_SECRETS") or "{}")
    if not wanted:
        return {}
    try:
        import boto3
    except ImportError:
        _fail("the image has no boto3 to read the step's secrets with: add it to requirements.txt")
    try:
        client = boto3.client("secretsmanager")
        return {variable: _secret(client, name) for variable, name in wanted.items()}
    except Exception as e:  # noqa: BLE001 - whatever AWS or its SDK says, the step cannot start
        _fail(f"cannot read the step's secrets: {e}")


def _secret(client: Any, name: str) -> str:
    answer = client.get_secret_value(SecretId=name)
    if "SecretString" not in answer:
        _fail(f"secret {name} is binary, and a variable holds text")
    return str(answer["SecretString"])


def _unpack_all(folder: Path) -> None:
    """Unpack each archive below *folder* beside itself: ordinary files and folders, nothing outside."""
    archives = [p for p in folder.rglob("*") if p.name.endswith((".tar.gz", ".tgz", ".tar")) and p.is_file()]
    for archive in sorted(archives):
        try:
            with archive.open("rb") as raw:
                stream = raw if archive.name.endswith(".tar") else gzip.GzipFile(fileobj=raw)
                with tarfile.open(fileobj=stream, mode="r:") as tar:
                    for member in tar:
                        _unpack(tar, member, archive)
                while stream.read(1024 * 1024):  # to the end of the stream, where its checksum is
                    pass
        except (tarfile.TarError, OSError, EOFError, zlib.error) as e:
            _fail(f"cannot unpack {archive}: {e}")


def _unpack(tar: tarfile.TarFile, member: tarfile.TarInfo, archive: Path) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        _fail(f"an archive has a member outside of its folder: {member.name}")
    place = archive.parent.joinpath(*path.parts)
    if place == archive:
        _fail(f"cannot unpack {archive}: it has a member of its own name")
    if member.isdir():
        place.mkdir(parents=True, exist_ok=True)
    elif member.isfile() or member.islnk():  # a hard link is another name of a file before it
        source = tar.extractfile(member)
        if source is None:
            _fail(f"cannot unpack {archive}: {member.name} has no content")
        place.parent.mkdir(parents=True, exist_ok=True)
        with source, place.open("wb") as target:
            shutil.copyfileobj(source, target)
        place.chmod(0o755 if member.mode & 0o111 else 0o644)
    else:
        sys.stderr.write("buzzflow: left out of what was unpacked, as it is no file: " + member.name + "\n")


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
