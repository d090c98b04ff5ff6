"""Steps in containers of a real Docker engine: what they see, what they may, how they end, what they leave."""

import contextlib
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import docker
import psutil
import pytest

from buzzflow.backends.local.containers import run as container_run
from buzzflow.backends.local.containers.control_group import ControlGroupReader
from buzzflow.backends.local.containers.executor import DockerExecutor, docker_problem, reap
from buzzflow.backends.local.containers.labels import build_name
from buzzflow.backends.local.containers.meter import StatsReader, reader_for
from buzzflow.backends.local.containers.pip_settings import index_settings
from buzzflow.backends.local.executor import End, ExecutorError, Mount, Outcome, Setting, Task

pytestmark = pytest.mark.docker

T = TypeVar("T")
MIB = 2**20
ROOT = Path(__file__).parents[3]


@dataclass
class Bench:
    """An executor and what a test asks of it."""

    executor: DockerExecutor
    run_id: str
    image: str
    said: bytearray = field(default_factory=bytearray)
    stop: threading.Event = field(default_factory=threading.Event)

    def task(self, code: str, *arguments: str, **changes: object) -> Task:
        task = Task(self.run_id, "step", Setting(self.image), ("python3", "-c", code), arguments, {}, ())
        return replace(task, **changes)

    def run(self, code: str, *arguments: str, **changes: object) -> Outcome:
        return self.executor.run(self.task(code, *arguments, **changes), self.said.extend, self.stop)

    @property
    def text(self) -> str:
        return self.said.decode()


@pytest.fixture
def bench(bench_of: Callable[..., Bench]) -> Bench:
    return bench_of()


@pytest.fixture
def bench_of(docker_engine: docker.DockerClient, python_image: str, tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    made: list[DockerExecutor] = []

    def make(**options: object) -> Bench:
        run_id = f"test-{uuid.uuid4().hex[:8]}"
        made.append(DockerExecutor(run_id, tmp_path / "cache", **options))
        return Bench(made[-1], run_id, python_image)

    yield make
    for executor in made:
        executor.close()


@pytest.fixture
def requirement(docker_engine: docker.DockerClient) -> Iterator[str]:
    """A requirement that no image has been made for yet; the image is removed afterwards."""
    before = _layers(docker_engine)
    yield f"six==1.16.0  # {uuid.uuid4()}\n"
    for image in _layers(docker_engine) - before:
        docker_engine.images.remove(image, force=True)


def _layers(engine: docker.DockerClient) -> set[str]:
    return {image.id for image in engine.images.list("buzzflow/requirements")}


# ------------------------------------------------------------------ output and ends


def test_a_step_says_what_it_says_and_ends_as_it_ends(bench: Bench) -> None:
    outcome = bench.run(
        "import sys; print('out', *sys.argv[1:]); print('err', file=sys.stderr); sys.exit(3)", "a b", "$x"
    )
    assert (outcome.end, outcome.exit_code, outcome.detail) == (End.EXITED, 3, None)
    assert sorted(bench.text.splitlines()) == ["err", "out a b $x"]


def test_output_comes_while_the_step_runs(bench: Bench) -> None:
    seen: list[float] = []
    code = "import time; print('first', flush=True); time.sleep(1.5)"
    bench.executor.run(bench.task(code), lambda _: seen.append(time.monotonic()), bench.stop)
    assert time.monotonic() - seen[0] > 1


def test_long_lines_and_much_output_arrive_whole(bench: Bench) -> None:
    outcome = bench.run("print('x' * 300_000); [print(f'{n:09}' * 10) for n in range(10_000)]")
    assert outcome.exit_code == 0
    lines = bench.text.splitlines()
    assert lines[0] == "x" * 300_000
    assert lines[1:] == [f"{n:09}" * 10 for n in range(10_000)]


def test_bytes_that_are_no_text_and_a_last_line_without_end_arrive(bench: Bench) -> None:
    bench.run(r"import sys; sys.stdout.buffer.write(b'a\xff\xfe\xc3b\nlast')")
    text = bench.said.decode(errors="replace")
    assert text.startswith("a\ufffd")
    assert text.endswith("b\nlast")


def test_a_step_may_close_its_output_and_go_on(bench: Bench) -> None:
    outcome = bench.run("import os, time; os.close(1); os.close(2); time.sleep(1.2); os._exit(5)")
    assert outcome.exit_code == 5
    assert outcome.usage.wall_seconds > 1.2


def test_a_log_that_cannot_be_written_is_told_and_leaves_no_container(
    bench: Bench, docker_engine: docker.DockerClient
) -> None:
    def full(_: bytes) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        bench.executor.run(bench.task("import time; print('x', flush=True); time.sleep(30)"), full, bench.stop)
    assert not _containers(docker_engine, bench.run_id)


@pytest.mark.parametrize(
    ("entrypoint", "code", "detail"),
    [
        (("no-such-program",), 127, "the image has no program 'no-such-program'"),
        (("/etc/passwd",), 126, "'/etc/passwd' in the image may not be executed"),
    ],
)
def test_what_cannot_be_executed_is_named(bench: Bench, entrypoint: tuple[str, ...], code: int, detail: str) -> None:
    outcome = bench.run("", entrypoint=entrypoint)
    assert (outcome.end, outcome.exit_code) == (End.EXITED, code)
    assert outcome.detail is not None
    assert outcome.detail.startswith(detail)


def test_an_image_may_have_its_own_command(bench: Bench) -> None:
    outcome = bench.run("", entrypoint=None, arguments=("python3", "-c", "print(1)"))
    assert (outcome.exit_code, bench.text) == (0, "1\n")


# ------------------------------------------------------------------ walls

PROBE = """
import json, os, pathlib
status = dict(l.split(":\\t", 1) for l in pathlib.Path("/proc/self/status").read_text().splitlines() if ":\\t" in l)
def may_write(folder):
    try:
        pathlib.Path(folder, "probe").write_text("x")
    except OSError:
        return False
    return True
script = pathlib.Path("/tmp/run.sh"); script.write_text("#!/bin/sh\\nexit 0\\n"); script.chmod(0o755)
print(json.dumps({
    **{k: status[k].strip() for k in ("CapEff", "CapPrm", "NoNewPrivs", "Seccomp")},
    "uid": os.getuid(), "gid": os.getgid(),
    "writable": [d for d in ("/", "/etc", "/usr", "/var/tmp", "/tmp") if may_write(d)],
    "environment": dict(os.environ), "socket": os.path.exists("/var/run/docker.sock"),
    "interfaces": sorted(os.listdir("/sys/class/net")), "executes": os.system("/tmp/run.sh") == 0,
    "mode": oct(os.stat("/tmp").st_mode),
}))
"""


def test_a_step_is_behind_walls(bench: Bench) -> None:
    assert bench.run(PROBE, network=False).exit_code == 0
    seen = json.loads(bench.text)
    assert int(seen["CapEff"], 16) == int(seen["CapPrm"], 16) == 0
    assert (seen["NoNewPrivs"], seen["Seccomp"]) == ("1", "2")
    assert seen["uid"] == (os.getuid() or 1000)
    assert (seen["writable"], seen["mode"], seen["executes"]) == (["/tmp"], "0o41777", True)
    assert not seen["socket"]
    assert seen["interfaces"] == ["lo"]


def test_a_step_gets_its_own_environment_and_nothing_of_the_callers(
    bench: Bench, docker_engine: docker.DockerClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    monkeypatch.setenv("HTTP_PROXY", "http://canary")
    bench.run(PROBE, environment={"A": "1=2", "EMPTY": ""})
    environment = json.loads(bench.text)["environment"]
    image = dict(e.split("=", 1) for e in docker_engine.images.get(bench.image).attrs["Config"]["Env"])
    own = {"A": "1=2", "EMPTY": "", "HOME": "/tmp"}
    assert {k: v for k, v in environment.items() if image.get(k) != v and k not in ("HOSTNAME", "LC_CTYPE")} == own


def test_docker_is_asked_for_the_walls(bench: Bench, docker_engine: docker.DockerClient, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    mounts = (Mount(tmp_path / "in", "/opt/ml/in", read_only=True),)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(bench.run, "import time; time.sleep(30)", mounts=mounts)
        found = _wait_for(lambda: _containers(docker_engine, bench.run_id, status="running"))
        host = found[0].attrs["HostConfig"]
        bench.stop.set()
        assert running.result().end is End.STOPPED
    assert host["CapDrop"] == ["ALL"]
    assert host["CapAdd"] is None
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["ReadonlyRootfs"]
    assert host["Init"]
    assert host["PidsLimit"] == 4096
    assert host["Memory"] == host["MemorySwap"] == int(docker_engine.info()["MemTotal"] * 0.9)
    assert not host["Privileged"]
    assert not host["Binds"]
    assert [(m["Source"], m["Target"], m["ReadOnly"]) for m in host["Mounts"]] == [
        (str(tmp_path / "in"), "/opt/ml/in", True)
    ]
    assert (host["PidMode"], host["IpcMode"], host["UTSMode"], host["UsernsMode"]) == ("", "private", "", "")
    [network] = docker_engine.networks.list(filters={"label": f"buzzflow.run={bench.run_id}"})
    assert host["NetworkMode"] == network.id
    labels = found[0].labels
    assert (labels["buzzflow.run"], labels["buzzflow.step"]) == (bench.run_id, "step")
    assert labels["buzzflow.owner"].startswith(f"{os.getpid()}:")


@pytest.mark.parametrize("source", ["/var/run/docker.sock", "/var/run", "/", "/no/such/folder"])
def test_no_step_sees_docker_or_what_does_not_exist(bench: Bench, source: str) -> None:
    with pytest.raises(ExecutorError, match=r"gives control over Docker|there is no /no/such/folder"):
        bench.run("", mounts=(Mount(Path(source), "/mnt", read_only=True),))


def test_files_belong_to_the_caller_and_can_be_removed(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    (folder / "there").mkdir(parents=True)
    (folder / "there" / "already").write_text("x")
    code = """
import os, pathlib
p = pathlib.Path("/opt/ml/out"); (p / "a/b").mkdir(parents=True, mode=0o700)
(p / "a/b/c").write_text("y"); (p / "a/b/c").chmod(0o600)
(p / "there/already").write_text("z"); (p / "link").symlink_to("/etc/passwd")
"""
    outcome = bench.run(code, mounts=(Mount(folder, "/opt/ml/out", read_only=False),))
    assert outcome.exit_code == 0, bench.text
    owners = {(path.lstat().st_uid, path.lstat().st_gid) for path in (folder, *folder.rglob("*"))}
    assert owners == {(os.getuid(), os.getgid())}
    assert Path("/etc/passwd").stat().st_uid == 0
    again = (Mount(folder, "/opt/ml/in", read_only=True),)
    assert bench.run("print(open('/opt/ml/in/a/b/c').read())", mounts=again).exit_code == 0
    assert bench.run("open('/opt/ml/in/new', 'w')", mounts=again).exit_code == 1


def test_a_step_without_network_reaches_nothing(bench: Bench) -> None:
    code = "import socket; socket.create_connection(('192.0.2.1', 80), 3)"
    assert bench.run(code, network=False).exit_code == 1
    assert "Network is unreachable" in bench.text


# ------------------------------------------------------------------ ends that were not the step's wish


def test_a_step_that_needs_more_memory_than_there_is_says_so(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of(memory_bytes=64 * MIB)
    outcome = bench.run("x = b'x' * 200_000_000")
    assert (outcome.end, outcome.exit_code) == (End.OUT_OF_MEMORY, 137)
    assert outcome.detail == "the step needed more memory than it may have: the limit is 64 MiB"


def test_a_child_that_needs_more_memory_than_there_is_is_told_apart(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of(memory_bytes=64 * MIB)
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'x = b\"x\" * 200_000_000'])"
    outcome = bench.run(f"{child}; sys.exit(1)")
    assert (outcome.end, outcome.exit_code) == (End.OUT_OF_MEMORY, 1)
    assert outcome.detail is not None
    assert outcome.detail.startswith("a child process of the step was killed for lack of memory")
    survived = bench.run(child)
    assert (survived.end, survived.exit_code) == (End.EXITED, 0)


def test_a_killed_step_did_not_run_out_of_memory(bench: Bench) -> None:
    outcome = bench.run("import os; os.kill(os.getpid(), 9)")
    assert (outcome.end, outcome.exit_code) == (End.EXITED, 137)


def test_a_step_has_its_time_and_no_more(bench: Bench) -> None:
    began = time.monotonic()
    outcome = bench.run("import time; print('here', flush=True); time.sleep(60)", timeout=1.0)
    assert (outcome.end, bench.text) == (End.TIMED_OUT, "here\n")
    assert 1 <= time.monotonic() - began < 4


def test_a_step_that_ignores_sigterm_is_stopped_within_five_seconds(bench: Bench) -> None:
    code = "import signal, time; signal.signal(15, lambda *_: print('no', flush=True)); print('yes', flush=True)\n"
    with ThreadPoolExecutor() as pool:
        running = pool.submit(bench.run, code + "while True: time.sleep(1)")
        _wait_for(lambda: b"yes" in bench.said)
        began = time.monotonic()
        bench.stop.set()
        outcome = running.result()
    assert time.monotonic() - began < 5
    assert (outcome.end, outcome.exit_code) == (End.STOPPED, 137)
    assert bench.text == "yes\nno\n"


def test_a_step_can_tidy_up_when_it_is_stopped(bench: Bench) -> None:
    code = (
        "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(7)); print('on', flush=True); time.sleep(60)"
    )
    with ThreadPoolExecutor() as pool:
        running = pool.submit(bench.run, code)
        _wait_for(lambda: bench.said)
        bench.stop.set()
        outcome = running.result()
    assert (outcome.end, outcome.exit_code) == (End.STOPPED, 7)


def test_a_container_that_somebody_removes_is_lost(bench: Bench, docker_engine: docker.DockerClient) -> None:
    with ThreadPoolExecutor() as pool:
        running = pool.submit(bench.run, "import time; print('on', flush=True); time.sleep(60)")
        _wait_for(lambda: bench.said)
        _containers(docker_engine, bench.run_id)[0].remove(force=True)
        outcome = running.result()
    assert (outcome.end, outcome.detail) == (End.LOST, "its container was removed by somebody else")


# ------------------------------------------------------------------ a daemon that goes away


ENGINE = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")


class Line:
    """A socket that leads to the engine's own, and can be cut."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: list[socket.socket] = []
        self.connect()

    def connect(self) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._path))
        self._listener.listen()
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        self._path.unlink()
        for end in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._open.clear()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, far = listener.accept()[0], socket.socket(socket.AF_UNIX)
                far.connect(ENGINE)
                self._open += [near, far]
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._copy, args=ends, daemon=True).start()

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@pytest.fixture
def line(tmp_path: Path, docker_engine: docker.DockerClient) -> Iterator[tuple[Line, docker.DockerClient]]:
    if not Path(ENGINE).exists():
        pytest.skip(f"the engine answers over the network, and only a socket here ({ENGINE}) can be cut")
    line = Line(tmp_path / "d.sock")
    client = docker.DockerClient(base_url=f"unix://{tmp_path}/d.sock")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the SDK leaves the sockets that broke
        yield line, client
        client.close()
        line.cut()
        gc.collect()


def test_a_daemon_that_comes_back_costs_no_line_of_output(
    line: tuple[Line, docker.DockerClient], bench_of: Callable[..., Bench]
) -> None:
    bench = bench_of(client=line[1])
    code = "import time\nfor n in range(300): print(n, flush=True); time.sleep(0.01)\nraise SystemExit(4)"
    with ThreadPoolExecutor() as pool:
        running = pool.submit(bench.run, code)
        _wait_for(lambda: bench.said.count(b"\n") > 50)
        line[0].cut()
        time.sleep(1)
        line[0].connect()
        outcome = running.result()
    assert (outcome.end, outcome.exit_code) == (End.EXITED, 4)
    assert bench.text.splitlines() == [str(n) for n in range(300)]


def test_a_daemon_that_stays_away_loses_the_step(
    line: tuple[Line, docker.DockerClient],
    bench_of: Callable[..., Bench],
    docker_engine: docker.DockerClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(container_run, "AWAY_SECONDS", 1.0)
    bench = bench_of(client=line[1])
    with ThreadPoolExecutor() as pool:
        running = pool.submit(bench.run, "import time; print('on', flush=True); time.sleep(60)")
        _wait_for(lambda: bench.said)
        line[0].cut()
        outcome = running.result()
    line[0].connect()
    assert (outcome.end, outcome.detail) == (End.LOST, "the Docker daemon has not answered for 1 s")
    bench.executor.close()
    assert not _containers(docker_engine, bench.run_id)


# ------------------------------------------------------------------ several, and what is left


def test_four_steps_run_at_once(bench: Bench) -> None:
    with ThreadPoolExecutor(4) as pool:
        said = [bytearray() for _ in range(4)]
        began = time.monotonic()
        running = [
            pool.submit(bench.executor.run, bench.task(f"import time; time.sleep(2); print({n})"), s.extend, bench.stop)
            for n, s in enumerate(said)
        ]
        assert [r.result().exit_code for r in running] == [0] * 4
    assert [s.decode() for s in said] == ["0\n", "1\n", "2\n", "3\n"]
    assert time.monotonic() - began < 7


def test_closing_stops_what_runs_and_leaves_nothing(bench: Bench, docker_engine: docker.DockerClient) -> None:
    with ThreadPoolExecutor() as pool:
        running = pool.submit(bench.run, "import time; print('on', flush=True); time.sleep(60)")
        _wait_for(lambda: bench.said)
        bench.executor.close()
        assert running.result().end is End.STOPPED
    bench.executor.close()
    assert not _containers(docker_engine, bench.run_id)
    assert not docker_engine.networks.list(filters={"label": f"buzzflow.run={bench.run_id}"})


def _is_left(engine: docker.DockerClient, run_id: str) -> bool:
    return bool(_containers(engine, run_id) or engine.networks.list(filters={"label": f"buzzflow.run={run_id}"}))


@pytest.mark.parametrize("keeper", ["lives", "dies too"])
def test_a_killed_run_is_tidied_up(
    keeper: str, bench_of: Callable[..., Bench], docker_engine: docker.DockerClient
) -> None:
    run_id = f"test-{uuid.uuid4().hex[:8]}"
    code = f"""
import threading; from pathlib import Path
from buzzflow.backends.local.containers.executor import DockerExecutor
from buzzflow.backends.local.executor import Setting, Task
entry = ("python3", "-c", "import time; time.sleep(600)")
task = Task({run_id!r}, "s", Setting({bench_of().image!r}), entry, (), {{}}, ())
DockerExecutor({run_id!r}, Path("/nonexistent")).run(task, print, threading.Event())
"""
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as process:
        _wait_for(lambda: _containers(docker_engine, run_id, status="running"))
        assert f"buzzflow-{run_id}-s" not in reap(docker_engine), "its owner still lives"
        if keeper == "dies too":
            for child in psutil.Process(process.pid).children():
                child.kill()
        process.send_signal(signal.SIGKILL)
    if keeper == "dies too":  # then the next run does it
        bench = bench_of()
        assert f"buzzflow-{run_id}-s" in "".join(bench.executor.notes)
    _wait_for(lambda: not _is_left(docker_engine, run_id))


def test_a_killed_installation_is_tidied_up(bench: Bench, docker_engine: docker.DockerClient) -> None:
    code = "from buzzflow.backends.local.containers.labels import build_name; print(build_name('0' * 16))"
    dead = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    living = build_name("0" * 16)
    made = [docker_engine.containers.create(bench.image, name=name) for name in (dead, living)]
    assert [name for name in reap(docker_engine) if name in (dead, living)] == [dead]
    made[1].remove()


# ------------------------------------------------------------------ images and requirements


def test_an_image_that_is_nowhere_is_named(bench: Bench) -> None:
    with pytest.raises(ExecutorError) as caught:
        bench.executor.prepare([Setting("127.0.0.1:1/no/such:1")], lambda _: None)
    assert caught.value.unreachable
    assert "127.0.0.1:1/no/such:1" in caught.value.summary
    assert "local.images" in (caught.value.hint or "")


def test_requirements_are_installed_once_for_each_content(
    bench_of: Callable[..., Bench],
    requirement: str,
    docker_engine: docker.DockerClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIP_TRUSTED_HOST", "canary-host")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    bench, told = bench_of(), []
    setting = Setting(bench.image, (requirement, "# nothing\n"))
    before = _layers(docker_engine)
    with ThreadPoolExecutor() as pool:
        for prepared in [
            pool.submit(b.executor.prepare, [setting] * 2, told.append) for b in (bench, bench, bench_of())
        ]:
            prepared.result()
    assert [line.split(" in ")[0] for line in told] == [
        f"installing six==1.16.0 over image {bench.image}",
        f"installed requirements over image {bench.image}",
    ]
    [layer] = _layers(docker_engine) - before
    again, told = bench_of(), []
    began = time.monotonic()
    again.executor.prepare([setting], told.append)
    assert time.monotonic() - began < 0.3
    assert not told
    code = "import six; print(six.__version__, six.__cached__)"
    assert bench.run(code, setting=setting).exit_code == 0
    version, compiled = bench.text.split()
    assert version == "1.16.0"
    assert bench.run(f"import os; os.stat({compiled!r})", setting=setting).exit_code == 0
    base, made = (docker_engine.images.get(name).attrs["Config"] for name in (bench.image, layer))
    for name in ("Entrypoint", "Cmd", "Env", "User", "WorkingDir", "ExposedPorts", "Volumes", "Healthcheck"):
        assert (made.get(name) or None) == (base.get(name) or None), name
    told = json.dumps([docker_engine.images.get(layer).attrs, docker_engine.images.get(layer).history()])
    assert "canary-host" not in told
    assert not docker_engine.containers.list(all=True, filters={"name": "buzzflow-requirements-"})


def test_the_settings_of_an_image_outlive_the_installation(
    bench: Bench, requirement: str, docker_engine: docker.DockerClient
) -> None:
    own = f"buzzflow-test/own-{uuid.uuid4().hex[:8]}"
    changes = ["USER 1234:5678", 'ENTRYPOINT ["python3", "-c"]', 'CMD ["print(41 + 1)"]', "WORKDIR /srv", "ENV A=b"]
    container = docker_engine.containers.create(bench.image)
    container.commit(own, changes=changes)
    container.remove()
    try:
        setting = Setting(own, (requirement,))
        bench.executor.prepare([setting], lambda _: None)
        outcome = bench.run("", setting=setting, entrypoint=None)
        assert (outcome.exit_code, bench.text) == (0, "42\n")
        base = docker_engine.images.get(own).attrs["Config"]
        [made] = [
            i for i in docker_engine.images.list("buzzflow/requirements") if i.labels["buzzflow.base"] == _id(own)
        ]
        for name in ("Entrypoint", "Cmd", "Env", "User", "WorkingDir"):
            assert made.attrs["Config"][name] == base[name], name
    finally:
        for image in docker_engine.images.list("buzzflow/requirements"):
            if image.labels["buzzflow.base"] == docker_engine.images.get(own).id:
                docker_engine.images.remove(image.id, force=True)
        docker_engine.images.remove(own, force=True)


def _id(image: str) -> str:
    client = docker.from_env()
    try:
        return str(client.images.get(image).id)
    finally:
        client.close()


def test_a_failed_installation_says_what_pip_said_and_keeps_no_password(
    bench: Bench, docker_engine: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://user:canary@pypi.org/simple")
    requirement = "no-such-package-of-buzzflow\n"
    before = _layers(docker_engine)
    with pytest.raises(ExecutorError) as caught:
        bench.executor.prepare([Setting(bench.image, (requirement,))], lambda _: None)
    assert "No matching distribution found for no-such-package-of-buzzflow" in caught.value.summary
    assert len(caught.value.summary.splitlines()) <= 16
    assert "://****@pypi.org" in caught.value.summary
    assert "canary" not in caught.value.summary
    assert not caught.value.unreachable
    assert caught.value.hint == (
        f"each requirement needs a version for the Python of the image: docker run --rm -it {bench.image} python3 -V"
    )
    assert _layers(docker_engine) == before
    assert not docker_engine.containers.list(all=True, filters={"name": "buzzflow-requirements-"})


def test_index_settings_come_from_the_environment_before_pips_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("[global]\nindex-url = https://of-the-file/\nextra-index-url = file:///x https://y/\nproxy = p\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    monkeypatch.setenv("PIP_INDEX_URL", "https://of-the-environment/")
    monkeypatch.setenv("PIP_TARGET", "/somewhere")
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    found = {name: value for name, value in index_settings().items() if name != "PIP_TRUSTED_HOST"}
    assert found == {"PIP_INDEX_URL": "https://of-the-environment/", "PIP_EXTRA_INDEX_URL": "https://y/"}


# ------------------------------------------------------------------ usage


def test_what_a_short_step_used_is_right(bench: Bench) -> None:
    code = """
import time
x = bytearray(100_000_000); x[::4096] = b"x" * len(x[::4096]); del x
end = time.monotonic() + 2
while time.monotonic() < end: pass
print(time.process_time())
"""
    usage = bench.run(code).usage
    assert usage.source == "cgroup"
    assert usage.cpu_seconds == pytest.approx(float(bench.text), rel=0.07)  # the container's own start is in it
    assert usage.memory_peak_bytes is not None
    assert 100e6 < usage.memory_peak_bytes < 125e6
    assert usage.cpu_mean is not None
    assert usage.wall_seconds == pytest.approx(2.2, abs=0.5)
    assert usage.memory_mean_bytes is not None
    assert usage.memory_mean_bytes < 30e6
    assert usage.working_set_peak_bytes is not None
    assert usage.working_set_peak_bytes <= usage.memory_peak_bytes


def test_disk_and_network_of_a_step_are_read(bench: Bench, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    code = """
import socket, threading, time
with open("/opt/ml/out/data", "wb") as file:
    for _ in range(20): file.write(b"x" * 1_000_000)
server = socket.create_server(("0.0.0.0", 0))
socket.create_connection(("127.0.0.1", server.getsockname()[1])).sendall(b"x" * 1000)
time.sleep(0.5)
"""
    usage = bench.run(code, mounts=(Mount(out, "/opt/ml/out", read_only=False),)).usage
    assert usage.disk_written_bytes == pytest.approx(20e6, rel=0.05)
    assert usage.disk_read_bytes is not None
    assert usage.network_received_bytes is not None
    assert usage.network_received_bytes < 20_000  # what a container hears from itself is not the network
    assert usage.curves.at[-1] == pytest.approx(usage.wall_seconds, abs=0.3)
    assert len(usage.curves.at) == len(usage.curves.cpu_cores) == len(usage.curves.disk_written_bytes)


def test_a_step_without_network_has_no_network_figures(bench: Bench) -> None:
    usage = bench.run("import time; time.sleep(0.3)", network=False).usage
    assert (usage.network_received_bytes, usage.network_sent_bytes) == (None, None)


def test_a_step_is_measured_through_docker_where_its_control_group_is_not_here(
    bench: Bench, docker_engine: docker.DockerClient, tmp_path: Path
) -> None:
    with ThreadPoolExecutor() as pool:
        running = pool.submit(
            bench.run, "import time; x = bytearray(50_000_000); print('on', flush=True); time.sleep(60)"
        )
        _wait_for(lambda: bench.said)
        container = _containers(docker_engine, bench.run_id)[0]
        assert isinstance(reader_for(docker_engine, container.id, container.attrs["State"]["Pid"]), ControlGroupReader)
        for pid, proc in ((os.getpid(), Path("/proc")), (1, tmp_path)):
            reader = reader_for(docker_engine, container.id, pid, proc)
            assert isinstance(reader, StatsReader)
            reading = reader.read()
            assert reading is not None
            assert reading.cpu_seconds > 0
            assert reading.memory_bytes > 50e6
            assert reading.working_set_bytes is not None
            assert reading.network_received_bytes is not None
        bench.stop.set()
        assert running.result().usage.source == "cgroup"


# ------------------------------------------------------------------ is there a Docker at all?


def test_a_daemon_that_answers_is_no_problem() -> None:
    assert docker_problem() is None


@pytest.mark.parametrize("host", ["tcp://127.0.0.1:1", "unix:///no/such.sock"])
def test_a_daemon_that_does_not_answer_is_told(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the SDK leaves a socket open when it cannot connect
        problem = docker_problem()
        gc.collect()
    assert problem is not None
    assert host in problem


def test_importing_the_executor_imports_no_sdk() -> None:
    code = "import sys, buzzflow.backends.local.containers.executor; sys.exit('docker' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def _containers(engine: docker.DockerClient, run_id: str, **filters: str) -> list[docker.models.containers.Container]:
    return engine.containers.list(all=True, filters={"label": f"buzzflow.run={run_id}", **filters}, ignore_removed=True)


def _wait_for(question: Callable[[], T]) -> T:
    give_up = time.monotonic() + 20
    while not (answer := question()):
        assert time.monotonic() < give_up, "waited 20 s in vain"
        time.sleep(0.05)
    return answer
