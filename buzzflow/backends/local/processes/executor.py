"""Run steps as processes of this machine, where there is no Docker: each sees its own /opt/ml if that is possible."""

from __future__ import annotations

import contextlib
import platform
import re
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psutil

from buzzflow.backends.local.executor import End, ExecutorError, Mount, Outcome, Setting, Task
from buzzflow.backends.local.keeper import Keeper
from buzzflow.backends.local.processes.meter import ProcessMeter, out_of_memory_kills
from buzzflow.backends.local.processes.sandboxed_process import SandboxedProcess, Spec
from buzzflow.backends.local.processes.virtual_environments import virtual_environment

IN_DOCKER_ONLY = "start Docker, or try one machine: instance: {count: 1} in pipeline.local.yaml"
_OPT_ML = "/opt/ml"
_SHARE_OF_MEMORY = 0.9
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_READ_EVERY = 0.05
_GRACE = {End.TIMED_OUT: 5.0, End.STOPPED: 3.0}
_KILLED = 128 + signal.SIGKILL


class ProcessExecutor:
    """Runs tasks as child processes, in namespaces unless *own_folders* is False or the machine has none."""

    name = "process"
    engine = f"Python {platform.python_version()}"

    def __init__(self, run_id: str, cache_folder: Path, *, own_folders: bool = True) -> None:
        self._run_id = run_id
        self.memory_bytes: int | None = int(psutil.virtual_memory().total * _SHARE_OF_MEMORY)
        self._environments = cache_folder / "venvs"
        problem = namespace_problem() if own_folders else "switched off"
        self._own_folders = problem is None
        self._closed = threading.Event()
        self._rooms: set[Path] = set()
        self._running: set[SandboxedProcess] = set()
        self._keeper = Keeper("process", run_id, tempfile.gettempdir())
        self.notes = [f"steps run with this machine's Python {platform.python_version()}, not in their images"]
        if problem is not None:
            self.notes.append(
                f"this machine can't give steps their own {_OPT_ML} ({problem}): steps must use the variables,"
                " read-only inputs are not protected and no step is cut off from the network"
            )
        elif not _can_cut_network():
            self.notes.append("this machine can't cut steps off from the network: isolated steps have it too")

    def prepare(self, settings: Sequence[Setting], tell: Callable[[str], None]) -> None:
        """Make a virtual environment for each set of requirements; the images do not matter."""
        if any(setting.context is not None for setting in settings):
            hint = "start Docker, or name another image for local runs in pipeline.local.yaml"
            raise ExecutorError("an image that is built from a folder runs in Docker only", hint)
        for requirements in dict.fromkeys(setting.on_this_machine for setting in settings):
            virtual_environment(self._environments, requirements, tell)

    def run(self, task: Task, log: Callable[[bytes], None], stop: threading.Event) -> Outcome:
        """Run *task* to its end; nothing that it started outlives it."""
        if task.entrypoint is None:
            raise ExecutorError(
                f"an image's own entrypoint cannot run without Docker (step {task.step!r})",
                "name the step's entrypoint in the pipeline, or start Docker",
            )
        if task.serving is not None:
            raise ExecutorError(f"step {task.step!r} starts a model's container", "start Docker")
        if task.host is not None:
            raise ExecutorError(f"step {task.step!r} wants several machines, which are containers", IN_DOCKER_ONLY)
        environment = virtual_environment(self._environments, task.setting.on_this_machine, lambda _: None)
        with self._room() as room:
            spec = self._spec(task, task.entrypoint, room, environment)
            kills_before = out_of_memory_kills()
            with self._started(spec, log) as process:
                meter = ProcessMeter(process.pid)
                end = self._watch(process, meter, task.timeout, stop)
                meter.kill_leftovers(unwatched=process.is_lost)
                process.finish()
            if process.problem is not None:
                raise ExecutorError(f"step {task.step!r} cannot be given its folders: {process.problem}")
            usage = meter.finish(process.ended.totals)
            code, detail = process.ended.code, process.ended.detail
            if end is End.EXITED and process.was_killed:
                end = End.STOPPED  # by `close`
            elif end is End.EXITED:
                end, detail = _judge(code, detail, memory_kill=out_of_memory_kills() > kills_before)
        return Outcome(end, code if code is None or code >= 0 else 128 - code, usage, detail)

    def identify(self, setting: Setting) -> tuple[str, str | None]:
        """Return the name of the virtual environment: there is no image."""
        return virtual_environment(self._environments, setting.on_this_machine, lambda _: None).name, None

    def close(self) -> None:
        """End what still runs and remove the temporary folders."""
        self._closed.set()
        for process in tuple(self._running):
            process.kill()
        give_up = time.monotonic() + 5
        while self._running and time.monotonic() < give_up:
            time.sleep(0.01)
        for room in tuple(self._rooms):
            _remove(room)
        self._keeper.dismiss(is_tidy=True)

    def _watch(
        self, process: SandboxedProcess, meter: ProcessMeter, timeout: float | None, stop: threading.Event
    ) -> End:
        """Measure until the step ends, and end it when that is due."""
        end, kill_at = End.EXITED, float("inf")
        deadline = float("inf") if timeout is None else time.monotonic() + timeout
        while not process.wait(_READ_EVERY):
            meter.read()
            now = time.monotonic()
            stopped = stop.is_set() or self._closed.is_set()
            if end is End.EXITED and (stopped or now >= deadline):
                end = End.STOPPED if stopped else End.TIMED_OUT
                kill_at = now + _GRACE[end]
                process.terminate()
            elif end is End.TIMED_OUT and stopped:
                kill_at = min(kill_at, now + _GRACE[End.STOPPED])
            if now >= kill_at:
                process.kill()
                kill_at = now + 1
        return end

    def _spec(self, task: Task, entrypoint: Sequence[str], room: Path, environment: Path) -> Spec:
        """Return what to start: with mounts, or with the paths that stand for them."""
        home, temporary, opt_ml = room / "home", room / "tmp", room / "ml"
        for folder in (home, temporary, opt_ml):
            folder.mkdir()
        ours = {"HOME": str(home), "TMPDIR": str(temporary), "LANG": "C.UTF-8", "VIRTUAL_ENV": str(environment)}
        theirs, argv = dict(task.environment), [*entrypoint, *task.arguments]
        mounts: list[Mount] | None = None
        if self._own_folders:
            # What a step writes below /opt/ml outside of its mounts goes to the room, not to memory.
            own = [] if any(m.target == _OPT_ML for m in task.mounts) else [Mount(opt_ml, _OPT_ML, read_only=False)]
            mounts = [*own, *task.mounts]
        else:
            rewrite = _rewriter(task.mounts, opt_ml)
            theirs = {name: rewrite(value) for name, value in theirs.items()}
            argv = [rewrite(word) for word in argv]
            ours["BUZZFLOW_OPT_ML"] = str(_links(task.mounts, opt_ml))
        path = f"{environment / 'bin'}:{theirs.get('PATH', _DEFAULT_PATH)}"
        return Spec(
            argv, {**ours, **theirs, "PATH": path}, str(home), mounts, network=task.network or not _can_cut_network()
        )

    @contextmanager
    def _started(self, spec: Spec, log: Callable[[bytes], None]) -> Iterator[SandboxedProcess]:
        with SandboxedProcess(spec, log) as process:
            self._running.add(process)
            try:
                yield process
            finally:
                self._running.discard(process)

    @contextmanager
    def _room(self) -> Iterator[Path]:
        room = Path(tempfile.mkdtemp(prefix=f"buzzflow-{self._run_id}-"))
        self._rooms.add(room)
        try:
            yield room
        finally:
            _remove(room)
            self._rooms.discard(room)


@cache
def namespace_problem() -> str | None:
    """Return why a step cannot have its own folders here and what to do about it, in one line; None when it can."""
    return _try(network=True)


@cache
def _can_cut_network() -> bool:
    return namespace_problem() is None and _try(network=False) is None


def _try(*, network: bool) -> str | None:
    with tempfile.TemporaryDirectory(prefix="buzzflow-") as folder:
        mounts = [Mount(Path(folder), f"{_OPT_ML}/input", read_only=True)]
        with (
            contextlib.suppress(OSError),
            SandboxedProcess(Spec(None, {}, "/", mounts, network=network), _ignore) as process,
        ):
            process.wait(10)
            process.finish()
            return process.problem
    return "a helper process cannot be started"


def _ignore(_: bytes) -> None: ...


def _judge(code: int | None, detail: str | None, *, memory_kill: bool) -> tuple[End, str | None]:
    """Tell what an end that nobody asked for was."""
    if code is None:
        return End.LOST, "the process that watches over the step was killed"
    if detail is not None or code == 0:
        return End.EXITED, detail
    killed = code in {-signal.SIGKILL, _KILLED}  # the second is what a shell makes of the first
    if memory_kill:
        what = (
            "the system killed the step for lack of memory"
            if killed
            else "the system killed a process of it for memory"
        )
        return (End.OUT_OF_MEMORY if killed else End.EXITED), what
    if code < 0:
        return End.EXITED, f"killed by {signal.Signals(-code).name}, which buzzflow did not send"
    return End.EXITED, None


def _rewriter(mounts: Sequence[Mount], opt_ml: Path) -> Callable[[str], str]:
    """Return what replaces each mount's target by its source, wherever a text has it as a whole path."""
    sources: Mapping[str, str] = {_OPT_ML: str(opt_ml)} | {m.target: str(m.source) for m in mounts}
    longest_first = "|".join(re.escape(target) for target in sorted(sources, key=len, reverse=True))
    pattern = re.compile(rf"(?<![\w./-])(?:{longest_first})(?![\w.-])")
    return lambda text: pattern.sub(lambda found: sources[found[0]], text)


def _links(mounts: Sequence[Mount], opt_ml: Path) -> Path:
    """Return the folder that stands for /opt/ml: *opt_ml*, with a link to each mount's source."""
    for mount in sorted(mounts, key=lambda m: len(m.target)):
        if mount.target == _OPT_ML:
            return mount.source
        if not mount.target.startswith(_OPT_ML + "/"):
            continue
        link = opt_ml / mount.target.removeprefix(_OPT_ML + "/")
        if any(parent.is_symlink() for parent in link.parents if parent.is_relative_to(opt_ml)):
            continue  # inside another mount, whose source is not ours to change
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(mount.source.absolute())
    return opt_ml


def _remove(room: Path) -> None:
    """Remove a folder, also where the step took away the right to."""
    shutil.rmtree(room, ignore_errors=True)
    if room.exists():
        for folder in [room, *(p for p in room.rglob("*") if p.is_dir() and not p.is_symlink())]:
            with contextlib.suppress(OSError):
                folder.chmod(0o700)
        shutil.rmtree(room, ignore_errors=True)
