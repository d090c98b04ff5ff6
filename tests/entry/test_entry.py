import io
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from buzzflow.entry import entry_files

SHELLS = [
    pytest.param(
        command,
        id=" ".join(command),
        marks=pytest.mark.skipif(not shutil.which(command[0]), reason=f"there is no {command[0]} here to try it with"),
    )
    for command in (["sh"], ["dash"], ["bash", "--posix"], ["busybox", "sh"])
]
SHOW = "import json, os, sys; print(json.dumps({'argv': sys.argv[1:], 'path': sys.path, 'env': dict(os.environ)}))"


@pytest.fixture
def bundle(tmp_path):
    """A bundle in a folder whose name has a blank, as it is laid out in a container."""
    folder = tmp_path / "a bundle"
    (folder / "src").mkdir(parents=True)
    (folder / "shared").mkdir()
    for name, file in entry_files():
        shutil.copy(file, folder / name)
    (folder / "src/show.py").write_text(SHOW)
    return folder


@pytest.fixture(params=SHELLS)
def shell(request):
    return request.param


@pytest.fixture
def run(bundle, tmp_path, shell):
    """Run the entry script under each shell that this machine has."""

    def run(interpreter="python3", script="src/show.py", *arguments, path=None, **variables):
        command = [shutil.which(shell[0]), *shell[1:], str(bundle / "entry.sh"), interpreter, script, *arguments]
        environment = {"PATH": path or os.environ["PATH"], "BUZZFLOW_OPT_ML": str(tmp_path / "ml"), **variables}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    return run


def config(tmp_path, name, content):
    path = tmp_path / "ml" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def shown(result):
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def no_python(tmp_path, **programs):
    """A folder for PATH that holds only sh and *programs*."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "sh").symlink_to(shutil.which("sh"))
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def test_a_script_finds_its_own_modules_and_the_shared_ones_first(run, bundle):
    result = shown(run(PYTHONPATH="/image's own"))
    assert result["path"][:4] == [str(bundle / "src"), str(bundle / "src"), str(bundle / "shared"), "/image's own"]
    assert result["env"]["BUZZFLOW_CODE_DIR"] == str(bundle / "src")


def test_hyperparameters_come_before_the_arguments_and_as_variables(run, tmp_path):
    values = {
        "learning-rate": "0.1",
        "empty": "",
        "b": "it's $HOME 'é' \\",
        "sagemaker_program": "x",
        "_tuning_objective_metric": "m",
    }
    config(tmp_path, "input/config/hyperparameters.json", values | {"depth": 6, "list": [1, 2]})
    result = shown(run("python3", "src/show.py", "--last", "a b", ""))
    assert result["argv"] == [
        *["--b", "it's $HOME 'é' \\", "--depth", "6", "--empty", "", "--learning-rate", "0.1", "--list", "[1, 2]"],
        *["--last", "a b", ""],
    ]
    env = result["env"]
    assert json.loads(env["SM_HPS"]) == {
        "b": values["b"],
        "depth": "6",
        "empty": "",
        "learning-rate": "0.1",
        "list": "[1, 2]",
    }
    assert (env["SM_HP_LEARNING_RATE"], env["SM_HP_B"], env["SM_HP_EMPTY"]) == ("0.1", values["b"], "")


def test_a_container_without_configuration_is_one_machine(run):
    env = shown(run())["env"]
    assert (env["SM_HPS"], env["SM_CURRENT_HOST"], json.loads(env["SM_HOSTS"])) == ("{}", "algo-1", ["algo-1"])
    assert env["SM_LOG_LEVEL"] == "20"
    assert int(env["SM_NUM_CPUS"]) >= 1
    assert int(env["SM_NUM_GPUS"]) >= 0


@pytest.mark.parametrize("place", ["input/config/resourceconfig.json", "config/resourceconfig.json"])
def test_training_and_processing_find_their_machines(run, tmp_path, place):
    resources = {"current_host": "algo-2", "hosts": ["algo-1", "algo-2"], "network_interface_name": "eth0"}
    config(tmp_path, place, resources)
    env = shown(run(SM_LOG_LEVEL="10"))["env"]
    assert (env["SM_CURRENT_HOST"], env["SM_LOG_LEVEL"]) == ("algo-2", "10")
    assert json.loads(env["SM_HOSTS"]) == ["algo-1", "algo-2"]
    assert json.loads(env["SM_RESOURCE_CONFIG"]) == resources


@pytest.mark.parametrize("content", ["{", "[]", '{"a": "x\\u0000"}'])
def test_a_configuration_that_cannot_be_used_is_said(run, tmp_path, content):
    config(tmp_path, "input/config/hyperparameters.json", content)
    result = run()
    assert result.returncode == 1
    assert result.stderr.startswith("buzzflow: ")
    assert "Traceback" not in result.stderr


def test_the_exit_code_is_the_scripts_own(run, bundle):
    (bundle / "src/fail.py").write_text("raise SystemExit(42)")
    assert run("python3", "src/fail.py").returncode == 42


def test_a_module_named_like_one_of_the_standard_library_does_not_break_the_start(run, bundle):
    for name in ("json", "signal", "pathlib", "re"):
        (bundle / f"src/{name}.py").write_text("raise ImportError('mine')")
    (bundle / "src/fine.sh").write_text("exit 7")
    assert run("sh", "src/fine.sh").returncode == 7


def test_a_shell_script_gets_the_same_variables_and_arguments(run, bundle, tmp_path):
    config(tmp_path, "input/config/hyperparameters.json", {"a": "1"})
    (bundle / "src/show.sh").write_text('echo "$* $SM_CURRENT_HOST $SM_HP_A"; yes | head -n 1')
    result = run("sh", "src/show.sh", "b c")
    assert (result.stdout, result.stderr) == ("--a 1 b c algo-1 1\ny\n", "")


def test_a_shell_script_runs_without_python(run, bundle, tmp_path):
    config(tmp_path, "input/config/hyperparameters.json", {"a": "1"})
    (bundle / "src/show.sh").write_text('echo "$BUZZFLOW_CODE_DIR|$*"; exit 3')
    result = run("sh", "src/show.sh", "b", path=no_python(tmp_path))
    assert (result.returncode, result.stdout) == (3, f"{bundle / 'src'}|b\n")
    assert "no Python to read hyperparameters.json" in result.stderr


def test_python_is_used_when_there_is_no_python3(run, tmp_path):
    assert (
        shown(run("python3", path=no_python(tmp_path, python=f'exec {sys.executable} "$@"')))["env"]["SM_HPS"] == "{}"
    )


def test_an_old_python_is_left_alone(run, bundle, tmp_path):
    (bundle / "src/x.sh").write_text("exit 5")
    path = no_python(tmp_path, python="exit 1")
    assert run("sh", "src/x.sh", path=path).returncode == 5
    assert "older than Python 3.6" in run("python3", path=path).stderr


def test_an_image_without_the_interpreter_says_so(run, bundle, tmp_path):
    result = run("python3", path=no_python(tmp_path))
    assert (result.returncode, result.stderr) == (127, "buzzflow: the image has no python3, which src/show.py needs\n")


def test_a_script_that_is_not_in_the_bundle_is_said(run):
    assert "src/none.py is not in the code bundle" in run("python3", "src/none.py").stderr


PIP = """echo "$@" >> "$LOG"
case "$*" in "-m pip --version") exit $NO_PIP;; "-m pip install"*) exit $BAD_PIP;; esac
exec %s "$@"
"""


@pytest.fixture
def pip(tmp_path):
    """Variables for a Python whose pip only writes down what it was asked."""
    path = no_python(tmp_path, python3=PIP % sys.executable)
    return {"path": path, "LOG": str(tmp_path / "log"), "NO_PIP": "0", "BAD_PIP": "0"}


def test_requirements_are_installed_before_the_script_starts(run, bundle, pip):
    (bundle / "requirements.txt").write_text("numpy\n")
    result = run(**pip)
    assert result.returncode == 0
    assert result.stderr == "buzzflow: installing requirements.txt\n"
    asked = Path(pip["LOG"]).read_text().splitlines()
    assert asked[1] == f"-m pip install --disable-pip-version-check --quiet -r {bundle / 'requirements.txt'}"
    assert len(asked) == 4  # is there a pip, install, entry.py, the script


def test_requirements_that_are_installed_already_are_left_alone(run, bundle, pip):
    (bundle / "requirements.txt").write_text("numpy\n")
    result = run(**pip, BUZZFLOW_REQUIREMENTS="installed")
    assert (result.returncode, result.stderr) == (0, "")
    assert "pip" not in Path(pip["LOG"]).read_text()


@pytest.mark.parametrize(("variable", "message"), [("NO_PIP", "the image has no pip"), ("BAD_PIP", "(exit code 9)")])
def test_requirements_that_cannot_be_installed_end_the_step(run, bundle, pip, variable, message):
    (bundle / "requirements.txt").write_text("numpy\n")
    result = run(**pip | {variable: "9"})
    assert result.returncode == 1
    assert message in result.stderr
    assert result.stdout == ""


def test_requirements_without_python_end_the_step(run, bundle, tmp_path):
    (bundle / "requirements.txt").write_text("numpy\n")
    (bundle / "src/x.sh").write_text("exit 0")
    result = run("sh", "src/x.sh", path=no_python(tmp_path))
    assert (result.returncode, result.stderr) == (
        1,
        "buzzflow: the image has no Python to install requirements.txt with\n",
    )


WAIT = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))
print("ready", flush=True)
time.sleep(60)
"""


def test_signals_reach_the_script(bundle, shell):
    (bundle / "src/wait.py").write_text(WAIT)
    command = [*shell, str(bundle / "entry.sh"), "python3", "src/wait.py"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 9


def test_a_signal_ends_the_installation(bundle, shell, tmp_path):
    (bundle / "requirements.txt").write_text("numpy\n")
    slow = 'case "$*" in "-m pip install"*) echo "$$" > "$LOG"; exec sleep 60;; esac'
    environment = {"PATH": f"{no_python(tmp_path, python3=slow)}:{os.environ['PATH']}", "LOG": str(tmp_path / "log")}
    command = [*shell, str(bundle / "entry.sh"), "python3", "src/show.py"]
    with subprocess.Popen(command, env=environment) as process:
        give_up = time.monotonic() + 10
        while not ((log := tmp_path / "log").exists() and log.read_text().strip()) and time.monotonic() < give_up:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 143


def test_the_entry_script_is_clean_for_shellcheck():
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not installed")
    subprocess.run(["shellcheck", "--shell=sh", str(dict(entry_files())["entry.sh"])], check=True)


@pytest.mark.docker
@pytest.mark.parametrize("shell_in_image", ["/bin/sh", "busybox sh"])
def test_a_container_is_its_script(docker_engine, python_image, bundle, shell_in_image):
    for path in (bundle, *bundle.rglob("*")):
        path.chmod(0o755 if stat.S_ISDIR(path.stat().st_mode) else 0o644)
    (bundle / "src/wait.py").write_text(
        "import os; from common import word; print(word, os.getpid(), flush=True)\n" + WAIT
    )
    (bundle / "shared/common.py").write_text("word = 'shared'")
    container = docker_engine.containers.create(
        python_image,
        [*shell_in_image.split(), "/opt/ml/processing/input/code/entry.sh", "python3", "src/wait.py"],
        network_mode="none",
    )
    try:
        container.put_archive("/", _archive(bundle))
        container.start()
        give_up = time.monotonic() + 30
        while b"ready" not in container.logs() and time.monotonic() < give_up:
            time.sleep(0.1)
        assert container.logs() == b"shared 1\nready\n"
        container.kill("SIGTERM")
        assert container.wait(timeout=20)["StatusCode"] == 9
    finally:
        container.remove(force=True)


def _archive(bundle):
    import io
    import tarfile

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(bundle, "opt/ml/processing/input/code")
    return buffer.getvalue()


# ------------------------------------------------------------------ archives, torchrun, serving code, secrets


def packed(folder, name, *members):
    """Write an archive of (name, content) and of ready TarInfo members."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(folder / name, "w:gz") as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                tar.addfile(info, io.BytesIO(member[1].encode()))


def test_archives_are_unpacked_beside_themselves(run, tmp_path):
    data = tmp_path / "in"
    packed(data / "deep", "model.tar.gz", ("model.txt", "7"), ("a/b.txt", "8"))
    shown(run(BUZZFLOW_EXTRACT=json.dumps([str(data)])))
    assert (data / "deep/model.txt").read_text() == "7"
    assert (data / "deep/a/b.txt").read_text() == "8"


@pytest.mark.parametrize("name", ["../out.txt", "/tmp/buzzflow-out.txt", "a/../../out.txt"])
def test_an_archive_with_a_member_outside_of_its_folder_stops_the_step(run, tmp_path, name):
    packed(tmp_path / "in", "m.tar.gz", (name, "x"))
    result = run(BUZZFLOW_EXTRACT=json.dumps([str(tmp_path / "in")]))
    assert (result.returncode, result.stdout) == (1, "")
    assert f"an archive has a member outside of its folder: {name}" in result.stderr
    assert not (tmp_path / "out.txt").exists()


def test_links_in_an_archive_are_left_out(run, tmp_path):
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc"
    packed(tmp_path / "in", "m.tar.gz", link, ("link/passwd", "x"))
    result = run(BUZZFLOW_EXTRACT=json.dumps([str(tmp_path / "in")]))
    assert result.returncode == 0
    assert "left out of what was unpacked, as it is no file: link" in result.stderr
    assert (tmp_path / "in/link/passwd").read_text() == "x"


def test_a_broken_archive_stops_the_step(run, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/m.tar.gz").write_bytes(b"no archive")
    result = run(BUZZFLOW_EXTRACT=json.dumps([str(tmp_path / "in")]))
    assert result.returncode == 1
    assert "buzzflow: cannot unpack" in result.stderr


def test_a_damaged_archive_stops_the_step(run, tmp_path):
    packed(tmp_path / "in", "m.tar.gz", ("big.bin", "".join(chr(97 + i * 7919 % 26) for i in range(50_000))))
    archive = tmp_path / "in/m.tar.gz"
    content = bytearray(archive.read_bytes())
    content[-6] ^= 0xFF  # in the checksum
    archive.write_bytes(content)
    result = run(BUZZFLOW_EXTRACT=json.dumps([str(tmp_path / "in")]))
    assert result.returncode == 1
    assert "buzzflow: cannot unpack" in result.stderr
    assert "Traceback" not in result.stderr


def test_other_names_of_a_file_and_execute_bits_are_kept(run, tmp_path):
    script = tarfile.TarInfo("run.sh")
    script.mode = 0o755
    other = tarfile.TarInfo("other.txt")
    other.type, other.linkname = tarfile.LNKTYPE, "model.txt"
    packed(tmp_path / "in", "m.tar.gz", ("model.txt", "7"), other, script)
    shown(run(BUZZFLOW_EXTRACT=json.dumps([str(tmp_path / "in")])))
    assert (tmp_path / "in/other.txt").read_text() == "7"
    assert stat.S_IMODE((tmp_path / "in/run.sh").stat().st_mode) == 0o755


def test_an_archive_does_not_overwrite_itself_and_folders_are_no_archives(run, tmp_path):
    (tmp_path / "in/data.tar").mkdir(parents=True)
    shown(run(BUZZFLOW_EXTRACT=json.dumps([str(tmp_path / "in")])))
    packed(tmp_path / "in", "m.tar.gz", ("m.tar.gz", "x"))
    before = (tmp_path / "in/m.tar.gz").read_bytes()
    result = run(BUZZFLOW_EXTRACT=json.dumps([str(tmp_path / "in")]))
    assert (result.returncode, (tmp_path / "in/m.tar.gz").read_bytes()) == (1, before)
    assert "it has a member of its own name" in result.stderr


def test_torchrun_starts_the_script_on_this_machine_of_the_job(run, tmp_path, bundle):
    torch = bundle.parent / "site" / "torch" / "distributed"
    torch.mkdir(parents=True)
    for package in (torch.parent, torch):
        (package / "__init__.py").touch()
    (torch / "run.py").write_text(SHOW)
    config(tmp_path, "input/config/resourceconfig.json", {"current_host": "algo-2", "hosts": ["algo-1", "algo-2"]})
    config(tmp_path, "input/config/hyperparameters.json", {"lr": "0.1"})
    result = shown(run("torchrun", "src/show.py", "--last", PYTHONPATH=str(torch.parents[1])))
    assert result["argv"] == [
        "--nnodes=2",
        "--node_rank=1",
        f"--nproc_per_node={len([*Path('/dev').glob('nvidia[0-9]*')]) or 1}",
        "--master_addr=algo-1",
        "--master_port=7777",
        str(bundle / "src/show.py"),
        "--lr",
        "0.1",
        "--last",
    ]


def test_serving_code_is_laid_beside_the_model_when_the_script_ended_well(run, bundle, tmp_path):
    (bundle / "inference/deep").mkdir(parents=True)
    (bundle / "inference/inference.py").write_text("def model_fn(folder): ...\n")
    (bundle / "inference/deep/requirements.txt").write_text("numpy\n")
    (bundle / "src/train.py").write_text(f"open({str(tmp_path / 'ml/model/model.txt')!r}, 'w').write('7')")
    (tmp_path / "ml/model").mkdir(parents=True)
    assert run("python3", "src/train.py").returncode == 0
    files = {str(p.relative_to(tmp_path / "ml/model")) for p in (tmp_path / "ml/model").rglob("*") if p.is_file()}
    assert files == {"model.txt", "code/inference.py", "code/deep/requirements.txt"}


def test_a_script_that_fails_keeps_its_exit_code_and_gets_no_serving_code(run, bundle, tmp_path):
    (bundle / "inference").mkdir()
    (bundle / "inference/inference.py").touch()
    (bundle / "src/train.py").write_text("raise SystemExit(7)")
    assert run("python3", "src/train.py").returncode == 7
    assert not (tmp_path / "ml/model/code").exists()


def test_a_script_beside_serving_code_is_stopped_by_its_signal(bundle, tmp_path):
    (bundle / "inference").mkdir()
    (bundle / "inference/inference.py").touch()
    (bundle / "src/train.py").write_text(
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: exit(9))\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    command = ["sh", str(bundle / "entry.sh"), "python3", "src/train.py"]
    environment = {"PATH": os.environ["PATH"], "BUZZFLOW_OPT_ML": str(tmp_path / "ml")}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 9


@pytest.fixture(scope="module")
def secrets_manager():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    variables = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "not-a-real-one",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
    }
    keys = {
        "aws_access_key_id": variables["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": variables["AWS_SECRET_ACCESS_KEY"],
    }
    client = boto3.client("secretsmanager", endpoint_url=variables["AWS_ENDPOINT_URL"], region_name="eu-west-1", **keys)
    client.create_secret(Name="ctr/database", SecretString="it's s3cret $HOME")
    client.create_secret(Name="binary", SecretBinary=b"\x00\x01")
    client.close()
    yield variables
    server.stop()


@pytest.mark.enable_socket
def test_a_secret_becomes_a_variable(bundle, tmp_path, secrets_manager):
    result = shown(entered(bundle, tmp_path, secrets_manager, {"DB_PASSWORD": "ctr/database"}))
    assert result["env"]["DB_PASSWORD"] == "it's s3cret $HOME"


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("name", "why"), [("missing", "cannot read the step's secrets:"), ("binary", "secret binary is binary")]
)
def test_a_secret_that_cannot_be_read_stops_the_step(bundle, tmp_path, secrets_manager, name, why):
    result = entered(bundle, tmp_path, secrets_manager, {"DB_PASSWORD": name})
    assert (result.returncode, result.stdout) == (1, "")
    assert f"buzzflow: {why}" in result.stderr


def entered(bundle, tmp_path, variables, secrets):
    """Run the entry script with the Python of the tests, which has boto3."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "BUZZFLOW_OPT_ML": str(tmp_path / "ml"), **variables}
    command = ["sh", str(bundle / "entry.sh"), "python3", "src/show.py"]
    environment["BUZZFLOW_SECRETS"] = json.dumps(secrets)
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_an_image_without_python_says_that_it_reads_no_secrets(bundle, tmp_path):
    (bundle / "src/run.sh").write_text("echo ran\n")
    environment = {"PATH": no_python(tmp_path), "BUZZFLOW_SECRETS": '{"A": "b"}'}
    command = [shutil.which("sh"), str(bundle / "entry.sh"), "sh", "src/run.sh"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stdout) == (1, "")
    assert "the image has no Python to read the step's secrets with" in result.stderr
