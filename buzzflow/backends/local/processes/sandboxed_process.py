"""One step in the sandbox program: start it, take its output, tell it to end, learn how it ended."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from buzzflow.backends.local.executor import Mount
from buzzflow.backends.local.processes.meter import Totals
from buzzflow.backends.local.processes.virtual_environments import base_python

# Settings that forbid user namespaces: name, the value that does, one that does not. The first is Ubuntu's.
_SWITCHES = (
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("user.max_user_namespaces", "0", "15000"),
    ("user.max_mnt_namespaces", "0", "15000"),
)
_PROGRAM = Path(__file__).with_name("sandbox.py")


@dataclass(frozen=True, slots=True)
class Spec:
    """What to start. *mounts* None means without namespaces; *argv* None only tries them."""

    argv: Sequence[str] | None
    environment: Mapping[str, str]
    folder: str
    mounts: Sequence[Mount] | None
    network: bool

    def to_json(self) -> str:
        """Return it as the sandbox program reads it."""
        mounts = None
        if self.mounts is not None:
            mounts = [{"source": str(m.source), "target": m.target, "read_only": m.read_only} for m in self.mounts]
        words = None if self.argv is None else list(self.argv)
        spec = {"argv": words, "environment": dict(self.environment), "cwd": self.folder, "mounts": mounts}
        return json.dumps({**spec, "network": self.network})


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended; *code* is negative for a signal and None when nobody knows. *totals* is what the system counted."""

    code: int | None = None
    detail: str | None = None
    totals: Totals = field(default_factory=Totals)


class SandboxedProcess:
    """A started step. Leaving it as a context kills what is left of it.

    *log* is called from a thread of its own; what it raises ends the step and comes out of `finish`.
    """

    def __init__(self, spec: Spec, log: Callable[[bytes], None]) -> None:
        self._control: int | None
        self._control_lock = threading.Lock()
        control_reader, self._control = os.pipe()
        self._status, status_writer = os.pipe()
        kept = {k: v for k, v in os.environ.items() if k == "LD_LIBRARY_PATH"}  # some Pythons do not start without
        try:
            self._process = subprocess.Popen(
                [base_python(), "-X", "utf8", "-I", "-S", str(_PROGRAM), str(control_reader), str(status_writer)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                env=kept,
                pass_fds=(control_reader, status_writer),
                start_new_session=True,
            )
        except OSError:
            self._close_control()
            os.close(self._status)
            raise
        finally:
            os.close(control_reader)
            os.close(status_writer)
        self.pid = self._process.pid
        self.ended = Ended()
        self.was_killed = False
        self.problem: str | None = None
        self._answer = b""
        self._over = False
        self._log_failure: BaseException | None = None
        self._reader = threading.Thread(
            target=self._read_output, args=(log,), name=f"output of {self.pid}", daemon=True
        )
        self._reader.start()
        self._send_spec(spec)

    def __enter__(self) -> SandboxedProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._close_control()  # the sandbox takes that for our death, and kills the step
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(2)
        if not self._reader.is_alive() and self._process.stdout is not None:
            self._process.stdout.close()
        os.close(self._status)

    def wait(self, seconds: float) -> bool:
        """Wait for the end; return whether it came."""
        give_up = time.monotonic() + seconds
        while not self._over and self._log_failure is None and self._has_answer(max(give_up - time.monotonic(), 0)):
            pass
        return self._over or self._log_failure is not None

    @property
    def is_lost(self) -> bool:
        """Whether the sandbox ended without a word about the step."""
        return self._over and not self._answer

    def terminate(self) -> None:
        """Ask every process of the step to end."""
        self._send(b"T")

    def kill(self) -> None:
        """End every process of the step."""
        self.was_killed = True
        self._send(b"K")

    def finish(self) -> None:
        """Kill what is left and take over how it ended, or the *problem* that kept the step from starting."""
        self._close_control()
        while not self._over and self._has_answer(5):
            pass
        self._reader.join(2)
        if self._log_failure is not None:
            raise self._log_failure
        answer: dict[str, Any] = {}
        for line in self._answer.splitlines():
            answer.update(json.loads(line))
        if "problem" in answer:
            self.problem = f"{answer['problem']}; {_what_to_do(answer['errno'])}"
        totals = Totals(**{name: answer.get(name) for name in Totals.__slots__})
        self.ended = Ended(answer.get("end"), answer.get("cannot_run"), totals)

    def _has_answer(self, seconds: float) -> bool:
        status = select.poll()
        status.register(self._status, select.POLLIN)
        if not status.poll(seconds * 1000):
            return False
        more = os.read(self._status, 65536)
        self._answer += more
        self._over = not more
        return True

    def _send_spec(self, spec: Spec) -> None:
        with contextlib.suppress(BrokenPipeError), cast("IO[bytes]", self._process.stdin) as stdin:
            rest = memoryview(spec.to_json().encode())
            while rest:
                rest = rest[stdin.write(rest) :]

    def _read_output(self, log: Callable[[bytes], None]) -> None:
        while more := cast("IO[bytes]", self._process.stdout).read(65536):
            if self._log_failure is None:
                try:
                    log(more)
                except BaseException as e:  # noqa: BLE001  # `finish` raises it; until then the step must not block
                    self._log_failure = e

    def _send(self, command: bytes) -> None:
        with self._control_lock, contextlib.suppress(BrokenPipeError):
            if self._control is not None:
                os.write(self._control, command)

    def _close_control(self) -> None:
        with self._control_lock:
            if self._control is not None:
                os.close(self._control)
                self._control = None


def _what_to_do(number: int | None) -> str:
    """Return what makes namespaces possible here."""
    if not sys.platform.startswith("linux"):
        return "only Linux has mount namespaces: start Docker"
    if number not in {errno.EPERM, errno.EACCES, errno.ENOSPC, errno.EINVAL, errno.ENOSYS}:
        return "start Docker to run steps in containers"
    for setting, off, value in _SWITCHES:
        with contextlib.suppress(OSError):
            if Path("/proc/sys", *setting.split(".")).read_text(encoding="ascii").strip() == off:
                return f"allow user namespaces: sudo sysctl {setting}={value}"
    return "a container needs --cap-add SYS_ADMIN --security-opt apparmor=unconfined, a machine user namespaces or root"
