"""Steps as processes: their own /opt/ml, an end that leaves nothing, an explicit environment, requirements, figures."""

import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from buzzflow.backends.local.executor import End, ExecutorError, Mount, Outcome, Setting, Task
from buzzflow.backends.local.processes.executor import ProcessExecutor, namespace_problem

REPOSITORY = Path(__file__).parents[3]
OPT_ML = "/opt/ml"
DATA = "/opt/ml/input/data/train"
own_folders = pytest.mark.skipif(
    namespace_problem() is not None,
    reason=f"this machine gives processes no folders of their own: {namespace_problem()}",
)


@dataclass
class Steps:
    """Runs commands as steps and keeps what they printed."""

    executor: ProcessExecutor
    stop: threading.Event = field(default_factory=threading.Event)
    output: bytearray = field(default_factory=bytearray)

    def __call__(self, *argv: str, mounts: tuple[Mount, ...] = (), **more) -> Outcome:
        self.output.clear()
        more = {"environment": {}, "arguments": (), "setting": Setting("any"), **more}
        task = Task(run="r", step="s", entrypoint=argv or None, mounts=mounts, **more)
        return self.executor.run(task, self.output.extend, self.stop)

    @property
    def text(self) -> str:
        return self.output.decode()


@pytest.fixture(scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(params=["own folders", "variables only"])
def either(request: pytest.FixtureRequest, cache_folder: Path) -> Iterator[Steps]:
    if request.param == "own folders" and namespace_problem() is not None:
        pytest.skip(f"this machine gives processes no folders of their own: {namespace_problem()}")
    executor = ProcessExecutor("test", cache_folder, own_folders=request.param == "own folders")
    yield Steps(executor)
    executor.close()


@pytest.fixture
def steps(cache_folder: Path) -> Iterator[Steps]:
    executor = ProcessExecutor("test", cache_folder)
    yield Steps(executor)
    executor.close()


@pytest.fixture
def by_variables(cache_folder: Path) -> Iterator[Steps]:
    executor = ProcessExecutor("test", cache_folder, own_folders=False)
    yield Steps(executor)
    executor.close()


def run(code: str) -> tuple[str, str, str]:
    return ("python3", "-c", textwrap.dedent(code))


def left_of(pids: list[int], within: float = 2) -> list[int]:
    give_up = time.monotonic() + within
    while (left := [p for p in pids if alive(p)]) and time.monotonic() < give_up:
        time.sleep(0.02)
    return left


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def after(seconds: float, act: Callable[[], None]) -> None:
    threading.Timer(seconds, act).start()


def content(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


# ------------------------------------------------------------------ folders


@own_folders
def test_a_step_sees_its_inputs_and_leaves_its_outputs_under_opt_ml(steps: Steps, tmp_path: Path) -> None:
    before = Path(OPT_ML).exists()
    source, model = content(tmp_path / "in", rows="1 2 3"), content(tmp_path / "out")
    mounts = (Mount(source, DATA, read_only=True), Mount(model, "/opt/ml/model", read_only=False))
    outcome = steps("sh", "-c", f"cp {DATA}/rows /opt/ml/model/copy; echo gone > /opt/ml/other", mounts=mounts)
    assert (outcome.end, outcome.exit_code, steps.text) == (End.EXITED, 0, "")
    assert (model / "copy").read_text() == "1 2 3"
    assert Path(OPT_ML).exists() is before
    assert [p.name for p in source.iterdir()] == ["rows"]


@own_folders
def test_a_read_only_input_cannot_be_written(steps: Steps, tmp_path: Path) -> None:
    source = content(tmp_path / "in", rows="1")
    outcome = steps("sh", "-c", f"echo 2 > {DATA}/rows", mounts=(Mount(source, DATA, read_only=True),))
    assert outcome.exit_code != 0
    assert "Read-only" in steps.text
    assert (source / "rows").read_text() == "1"


@own_folders
def test_two_steps_at_once_see_different_folders(steps: Steps, cache_folder: Path, tmp_path: Path) -> None:
    meet = threading.Barrier(2)
    seen: dict[str, str] = {}

    def one(name: str) -> None:
        mount = Mount(content(tmp_path / name, who=name), DATA, read_only=True)
        mine = Steps(steps.executor)
        meet.wait()
        mine("sh", "-c", f"sleep 0.5; cat {DATA}/who; ls {OPT_ML}", mounts=(mount,))
        seen[name] = mine.text

    threads = [threading.Thread(target=one, args=(n,)) for n in ("left", "right")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"left": "leftinput\n", "right": "rightinput\n"}


@own_folders
def test_a_missing_source_is_no_failure_of_the_step(steps: Steps, tmp_path: Path) -> None:
    with pytest.raises(ExecutorError, match="No such file"):
        steps("true", mounts=(Mount(tmp_path / "none", DATA, read_only=True),))


def test_without_own_folders_paths_become_the_sources(by_variables: Steps, tmp_path: Path) -> None:
    source, code = content(tmp_path / "in", rows="1 2"), content(tmp_path / "code", script="cat $1 $SM_ROWS")
    mounts = (Mount(source, DATA, read_only=True), Mount(code, "/opt/ml/code", read_only=True))
    environment = {
        "SM_ROWS": f"{DATA}/rows",
        "J": json.dumps({"a": DATA}),
        "NO": f"{DATA}ing/x",
        "OUT": "/opt/ml/output",
    }
    outcome = by_variables(
        "sh", "/opt/ml/code/script", arguments=(f"{DATA}/rows",), environment=environment, mounts=mounts
    )
    assert (outcome.exit_code, by_variables.text) == (0, "1 21 2")
    by_variables(
        "sh", "-c", 'echo "$J $NO"; cat $BUZZFLOW_OPT_ML/input/data/train/rows', environment=environment, mounts=mounts
    )
    first, rows = by_variables.text.splitlines()
    assert json.loads(first.rpartition(" ")[0]) == {"a": str(source)}
    assert "/input/data/training/x" in first
    assert rows == "1 2"
    assert not [p for p in source.iterdir() if p.name != "rows"]
    assert any("steps must use the variables" in note for note in by_variables.executor.notes)


# ------------------------------------------------------------------ environment


def test_a_step_sees_its_own_environment_only(either: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        monkeypatch.setenv(f"CANARY_{number}", "leak")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    outcome = either(*run("import json, os; print(json.dumps(dict(os.environ)))"), environment={"MINE": "é\n"})
    assert outcome.exit_code == 0
    seen = json.loads(either.text)
    allowed = {"MINE", "PATH", "HOME", "TMPDIR", "LANG", "VIRTUAL_ENV", "BUZZFLOW_OPT_ML", "LC_CTYPE"}
    assert set(seen) <= allowed
    assert seen["MINE"] == "é\n"
    assert seen["PATH"].startswith(seen["VIRTUAL_ENV"] + "/bin:")
    assert not Path(seen["HOME"]).exists(), "the temporary home goes with the step"


def test_a_step_sees_no_package_of_buzzflow(either: Steps) -> None:
    code = "import importlib.util as u; print([n for n in ('buzzflow', 'yaml', 'psutil') if u.find_spec(n)])"
    either(*run(code))
    assert either.text == "[]\n"


def test_an_images_own_entrypoint_cannot_run(either: Steps) -> None:
    with pytest.raises(ExecutorError, match="own entrypoint cannot run without Docker"):
        either()


@own_folders
def test_an_isolated_step_has_only_a_network_of_its_own(steps: Steps) -> None:
    if any("cut steps off" in note for note in steps.executor.notes):
        pytest.skip("this kernel gives a process no network of its own, and the executor has said so in its notes")
    code = """
        import socket
        server = socket.create_server(("127.0.0.1", 0))
        socket.create_connection(server.getsockname()).close()
        print([name for _, name in socket.if_nameindex()], open("/proc/net/route").read().count("\\n"))
    """
    assert steps(*run(code), network=False).exit_code == 0, steps.text
    assert "'lo'" in steps.text
    assert "eth" not in steps.text
    assert steps.text.endswith(" 1\n"), "a route leads out"


# ------------------------------------------------------------------ ends


@pytest.mark.parametrize(
    ("argv", "code", "detail"),
    [
        (("true",), 0, None),
        (("sh", "-c", "exit 3"), 3, None),
        (("sh", "-c", "exit 127"), 127, None),
        (("no-such-program",), 127, "cannot run 'no-such-program': No such file or directory"),
        (("/etc/passwd",), 126, "cannot run '/etc/passwd': Permission denied"),
        (("sh", "-c", "kill -TERM $$"), 143, "killed by SIGTERM, which buzzflow did not send"),
        (("sh", "-c", "kill -KILL $$"), 137, "killed by SIGKILL, which buzzflow did not send"),
    ],
)
def test_exit_codes_are_a_shells(either: Steps, argv: tuple[str, ...], code: int, detail: str | None) -> None:
    outcome = either(*argv)
    assert (outcome.end, outcome.exit_code, outcome.detail) == (End.EXITED, code, detail)


def test_output_comes_while_the_step_runs(either: Steps) -> None:
    seen: list[tuple[float, bytes]] = []
    task = Task("r", "s", Setting("any"), ("sh", "-c", "echo a; echo b >&2; sleep 0.6; echo c"), (), {}, ())
    either.executor.run(task, lambda more: seen.append((time.monotonic(), more)), threading.Event())
    assert b"".join(more for _, more in seen) == b"a\nb\nc\n"
    assert seen[-1][0] - seen[0][0] > 0.4


def test_a_broken_log_ends_the_step_and_comes_out(either: Steps) -> None:
    def broken(_: bytes) -> None:
        raise OSError("disk full")

    begin = time.monotonic()
    task = Task("r", "s", Setting("any"), ("sh", "-c", "echo a; exec sleep 60"), (), {}, ())
    with pytest.raises(OSError, match="disk full"):
        either.executor.run(task, broken, threading.Event())
    assert time.monotonic() - begin < 5


def test_a_step_ends_at_its_timeout(either: Steps, tmp_path: Path) -> None:
    code = "trap 'echo bye; exit 0' TERM; sleep 60 & wait"
    outcome = either("sh", "-c", code, timeout=0.5)
    assert (outcome.end, either.text) == (End.TIMED_OUT, "bye\n")
    assert 0.5 <= outcome.usage.wall_seconds < 2.5


def test_a_step_that_ignores_the_request_stops_within_five_seconds(either: Steps, tmp_path: Path) -> None:
    pids = content(tmp_path / "pids")
    code = f"trap '' TERM; sh -c 'echo $$ > {pids}/a; sleep 60' & echo $$ > {pids}/b; sleep 60"
    after(0.5, either.stop.set)
    outcome = either("sh", "-c", code)
    assert (outcome.end, outcome.exit_code) == (End.STOPPED, 137)
    assert outcome.usage.wall_seconds < 0.5 + 5
    assert left_of([int(p.read_text()) for p in pids.iterdir()]) == []


DAEMON = """
    import os, sys, time
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        null = os.open("/dev/null", os.O_RDWR)
        for number in range(3):
            os.dup2(null, number)
        os.environ.clear()
        open(sys.argv[1], "w").write(str(os.getpid()))
        time.sleep(60)
    os.wait()
    while not os.path.exists(sys.argv[1]):
        time.sleep(0.01)
    time.sleep(float(sys.argv[2]))
"""


def test_a_daemon_ends_with_its_step(either: Steps, tmp_path: Path) -> None:
    outcome = either(*run(DAEMON), str(tmp_path / "pid"), "0")
    assert outcome.exit_code == 0, either.text
    assert outcome.usage.wall_seconds < 10
    assert left_of([int((tmp_path / "pid").read_text())], within=0) == []


@pytest.mark.parametrize("own", ["True", "False"])
def test_the_death_of_buzzflow_ends_the_step(own: str, cache_folder: Path, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = f"""
        import sys, threading
        from pathlib import Path
        from buzzflow.backends.local.executor import Setting, Task
        from buzzflow.backends.local.processes.executor import ProcessExecutor
        executor = ProcessExecutor("dies", Path({str(cache_folder)!r}), own_folders={own})
        words = ("python3", "-c", {textwrap.dedent(DAEMON)!r}, {str(pid)!r}, "60")
        executor.run(Task("r", "s", Setting("any"), words, (), {{}}, ()), print, threading.Event())
    """
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], env=environment) as buzzflow:
        give_up = time.monotonic() + 10
        while not (pid.exists() and pid.read_text()) and time.monotonic() < give_up:
            time.sleep(0.02)
        children = [p.pid for p in psutil.Process(buzzflow.pid).children(recursive=True)]
        assert len(children) == 4, "the sandbox, the step, its daemon, and what tidies up"
        assert [*tmp_path.glob("buzzflow-dies-*")]
        buzzflow.send_signal(signal.SIGKILL)
    assert left_of(children) == []
    assert not [*tmp_path.glob("buzzflow-dies-*")]


def test_a_step_that_kills_its_watcher_is_lost_but_leaves_nothing(either: Steps) -> None:
    outcome = either("sh", "-c", "sleep 60.125 & sleep 0.3; kill -KILL $PPID; sleep 60.125")
    assert (outcome.end, outcome.exit_code) == (End.LOST, None)
    assert outcome.usage.wall_seconds < 2
    assert left_of([p.pid for p in psutil.process_iter(["cmdline"]) if "60.125" in (p.info["cmdline"] or ())]) == []


def test_close_ends_what_runs_and_may_come_twice(either: Steps, tmp_path: Path) -> None:
    before = set(Path(os.environ.get("TMPDIR", "/tmp")).glob("buzzflow-test-*"))
    after(0.5, either.executor.close)
    outcome = either("sleep", "60")
    assert outcome.end is End.STOPPED
    assert outcome.usage.wall_seconds < 5
    either.executor.close()
    assert set(Path(os.environ.get("TMPDIR", "/tmp")).glob("buzzflow-test-*")) <= before


def test_a_step_may_take_away_the_rights_to_its_home(either: Steps) -> None:
    either("sh", "-c", "mkdir -p $HOME/a/b; touch $HOME/a/b/c; chmod 0 $HOME/a; echo $HOME")
    assert not Path(either.text.strip()).exists()


def test_a_kill_for_memory_is_told_from_others(cache_folder: Path, tmp_path: Path) -> None:
    group = _memory_group(150 << 20)
    code = f"""
        import os, threading
        from pathlib import Path
        Path({str(group)!r}, "cgroup.procs").write_text(str(os.getpid()))
        from buzzflow.backends.local.executor import Setting, Task
        from buzzflow.backends.local.processes.executor import ProcessExecutor
        executor = ProcessExecutor("memory", Path({str(cache_folder)!r}))
        words = ("python3", "-c", "x = b'a' * (600 << 20)")
        outcome = executor.run(Task("r", "s", Setting("any"), words, (), {{}}, ()), print, threading.Event())
        print(outcome.end, outcome.exit_code, outcome.detail)
    """
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "TMPDIR": str(tmp_path)}
    try:
        command = [sys.executable, "-c", textwrap.dedent(code)]
        said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    finally:
        group.rmdir()
    assert said.stdout == "out_of_memory 137 the system killed the step for lack of memory\n", said.stderr


def _memory_group(limit: int) -> Path:
    """Return a new control group below our own that may use *limit* bytes."""
    for line in Path("/proc/self/cgroup").read_text().splitlines() if Path("/proc/self/cgroup").exists() else ():
        _, controllers, path = line.split(":", 2)
        if controllers not in {"memory", ""}:
            continue
        group = Path("/sys/fs/cgroup", controllers, path.lstrip("/"), f"buzzflow-test-{os.getpid()}")
        try:
            group.mkdir()
            (group / ("memory.limit_in_bytes" if controllers else "memory.max")).write_text(str(limit))
        except OSError:
            if group.exists():
                group.rmdir()
            continue
        return group
    pytest.skip("needs the right to make a memory control group")


# ------------------------------------------------------------------ figures


def test_cpu_is_right_within_a_tenth(either: Steps) -> None:
    code = """
        import os, time
        if os.fork() == 0:
            while time.process_time() < 1: pass
            os._exit(0)
        os.wait()
        while time.process_time() < 1: pass
    """
    usage = either(*run(code)).usage
    assert usage.cpu_seconds == pytest.approx(2.0, rel=0.1)
    assert usage.source == "psutil"
    assert usage.samples >= 20


def test_memory_is_right_within_a_tenth(either: Steps) -> None:
    bare = either(*run("import time; time.sleep(0.2)")).usage.memory_peak_bytes
    usage = either(*run("import time; x = b'a' * 100_000_000; time.sleep(0.3)")).usage
    assert usage.memory_peak_bytes - bare == pytest.approx(100_000_000, rel=0.1)


def test_memory_of_several_processes_adds_up_but_counts_what_they_share_once(either: Steps) -> None:
    code = """
        import os, time
        shared = b'a' * 80_000_000

        for _ in range(2):
            if os.fork() == 0:
                own = b'b' * 40_000_000
                time.sleep(0.8)
                os._exit(0)
        os.wait(), os.wait()
    """
    usage = either(*run(code)).usage
    assert usage.memory_peak_bytes == pytest.approx(170_000_000, rel=0.1)
    assert usage.working_set_peak_bytes <= usage.memory_peak_bytes
    assert usage.memory_mean_bytes < usage.memory_peak_bytes


def test_what_a_step_and_its_children_write_is_counted(either: Steps, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    code = f"""
        import os
        if os.fork() == 0:
            open({str(out / "child")!r}, "wb").write(b"x" * 4_000_000)
            os._exit(0)
        os.wait()
        open({str(out / "own")!r}, "wb").write(b"x" * 6_000_000)
    """
    usage = either(*run(code)).usage
    assert usage.disk_written_bytes == pytest.approx(10_000_000, rel=0.05)
    assert usage.disk_read_bytes is not None
    assert (usage.network_received_bytes, usage.network_sent_bytes) == (None, None)
    assert len(usage.curves.at) == len(usage.curves.memory_bytes) > 0


# ------------------------------------------------------------------ requirements


@pytest.fixture
def wheel(tmp_path: Path) -> str:
    """A requirement that needs no package index."""
    files = {
        "tinything.py": "WORTH = 7\n",
        "tinything-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tinything\nVersion: 1.0\n",
        "tinything-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},sha256={_digest(text)},{len(text)}\n" for name, text in files.items())
    file = tmp_path / "tinything-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as z:
        for name, text in (files | {"tinything-1.0.dist-info/RECORD": record}).items():
            z.writestr(name, text)
    return f"--no-index\ntinything @ {file.as_uri()}\n"


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def test_requirements_are_installed_once_even_by_three_at_once(tmp_path: Path, wheel: str) -> None:
    code = """
        import sys
        from pathlib import Path
        from buzzflow.backends.local.executor import Setting
        from buzzflow.backends.local.processes.executor import ProcessExecutor
        ProcessExecutor("p", Path(sys.argv[1])).prepare([Setting("any", (sys.argv[2],))], print)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "cache"), wheel]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    started = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [process.communicate()[0].splitlines() for process in started]
    assert [p.returncode for p in started] == [0, 0, 0]
    assert sorted(map(len, said)) == [0, 0, 2], said

    steps = Steps(ProcessExecutor("test", tmp_path / "cache"))
    begin = time.monotonic()
    steps.executor.prepare([Setting("any", (wheel,)), Setting("other", (wheel,))], pytest.fail)
    assert time.monotonic() - begin < 0.05
    assert steps(*run("import tinything; print(tinything.WORTH)"), setting=Setting("any", (wheel,))).exit_code == 0
    assert steps.text == "7\n"
    steps.executor.prepare([Setting("any")], lambda _: None)
    assert steps(*run("import tinything")).exit_code == 1, "it is not in the environment without requirements"
    steps.executor.close()


def test_a_half_made_environment_is_made_again(tmp_path: Path) -> None:
    executor = ProcessExecutor("test", tmp_path)
    executor.prepare([Setting("any")], lambda _: None)
    (marker,) = tmp_path.glob("venvs/*/.buzzflow-ready")
    marker.unlink()
    (marker.parent / "bin" / "python").unlink()
    said: list[str] = []
    executor.prepare([Setting("any")], said.append)
    assert said == ["making a virtual environment"]
    assert Steps(executor)("python", "-V").exit_code == 0
    executor.close()


def test_what_pip_says_comes_out_when_it_fails(tmp_path: Path) -> None:
    executor = ProcessExecutor("test", tmp_path)
    with pytest.raises(ExecutorError, match="could not install") as caught:
        executor.prepare([Setting("any", ("--no-index\nno-such-thing==1.0\n",))], lambda _: None)
    assert "no-such-thing==1.0" in caught.value.summary
    assert len(caught.value.summary.splitlines()) <= 16
    assert caught.value.hint is not None
    assert not caught.value.unreachable
    assert not [*tmp_path.glob("venvs/*/.buzzflow-ready")], "a failure is not kept"
    executor.close()


def test_a_python_without_venv_is_told_with_the_package_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    debian = tmp_path / "python3"
    debian.write_text("#!/bin/sh\necho 'ensurepip is not available.'\nexit 1\n")
    debian.chmod(0o755)
    executor = ProcessExecutor("test", tmp_path, own_folders=False)
    monkeypatch.setattr(sys, "_base_executable", str(debian))
    with pytest.raises(ExecutorError, match="ensurepip") as caught:
        executor.prepare([Setting("any", ("x",))], lambda _: None)
    assert "-venv" in str(caught.value.hint)
    executor.close()
