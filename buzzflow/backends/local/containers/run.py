"""Run one container to its end, and say how it ended."""

from __future__ import annotations

import contextlib
import re
import signal
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from buzzflow.backends.local.containers.api import Client, Json
from buzzflow.backends.local.containers.client import engine_errors, message_of, status_of
from buzzflow.backends.local.containers.logs import LogReader
from buzzflow.backends.local.containers.meter import Meter, reader_for
from buzzflow.backends.local.executor import End, ExecutorError, Outcome
from buzzflow.metrics import Usage

AWAY_SECONDS = 60.0
_GRACE = {End.TIMED_OUT: 5.0, End.STOPPED: 3.0}
_LOOK_SECONDS = 1.0
_TICK_SECONDS = 0.05
_KILL_SECONDS = 1.5
_CANNOT_START, _NOT_FOUND = 126, 127  # what a shell and `docker run` answer
NOT_STARTED = (1, _CANNOT_START, _NOT_FOUND)  # 1 is tini's for what is neither absent nor forbidden
_KILLED = 128 + signal.SIGKILL
_BY_SIGNALS = {_KILLED: "SIGKILL", 128 + signal.SIGTERM: "SIGTERM"}
_OF_TINI = re.compile(rb"\[FATAL tini \(\d+\)\] exec (.*) failed: (.*)")


class LostError(Exception):
    """The daemon or the container went away."""


def start(client: Client, container: str) -> Outcome | None:
    """Start *container*; return an outcome only if what it should run cannot run."""
    try:
        client.api.start(container)
    except engine_errors() as e:
        if (code := _code_of(message_of(e))) is not None:
            return Outcome(End.EXITED, code, Usage(0.0), _in_users_words(message_of(e)))
        if status_of(e) is None:
            raise ExecutorError(f"the Docker daemon does not answer: {message_of(e)}", unreachable=True) from e
        raise ExecutorError(f"Docker cannot start the step: {message_of(e)}") from e
    return None


class Watch:
    """Follows a started container; *is_closed* is set when somebody removes everything of the run."""

    def __init__(self, client: Client, container: str, memory_bytes: int, is_closed: threading.Event) -> None:
        self._client, self._container, self._memory_bytes = client, container, memory_bytes
        self._is_closed = is_closed
        self._began = self._answered = time.monotonic()
        self._was_away = False

    def to_the_end(self, log: Callable[[bytes], None], stop: threading.Event, timeout: float | None) -> Outcome:
        """Return how the container ended; it still exists then, if the daemon does."""
        reader = LogReader(self._client, self._container, log)
        meter = self._meter()
        try:
            end, state = self._wait(reader, stop, timeout)
            if end is not End.STOPPED:  # who stops a run does not wait for the rest of a long log
                reader.finish()
        except LostError as e:
            return self._lost(str(e), meter)
        finally:
            reader.abandon()
            if meter is not None:
                meter.finish(0.0)
        if reader.failure is not None:
            raise reader.failure
        wall = _wall_seconds(state) if state else time.monotonic() - self._began
        usage = meter.finish(wall) if meter else Usage(wall)
        if state is None:
            return Outcome(end, None, usage, "Docker did not say how it ended")
        if end is End.EXITED:
            end, detail = self._judge(state, reader.tail)
            return Outcome(end, state["ExitCode"], usage, detail)
        return Outcome(end, state["ExitCode"], usage)

    def _wait(self, reader: LogReader, stop: threading.Event, timeout: float | None) -> tuple[End, Json | None]:
        while True:
            state = self._ended_state()
            if state is not None or reader.failure is not None:
                return End.EXITED, state
            if stop.is_set() or self._is_closed.is_set():
                return End.STOPPED, self._end(End.STOPPED, stop)
            if timeout is not None and time.monotonic() - self._began >= timeout:
                return End.TIMED_OUT, self._end(End.TIMED_OUT, stop)
            self._pause(reader, stop, timeout)

    def _pause(self, reader: LogReader, stop: threading.Event, timeout: float | None) -> None:
        """Return when it is time to look at the container: its output ended, a second passed, or it has to end."""
        look_at = time.monotonic() + _LOOK_SECONDS
        if timeout is not None:
            look_at = min(look_at, self._began + timeout)
        if reader.ended.is_set():  # it ends or is gone: look often
            look_at = time.monotonic()
            reader.ended.clear()
        while not reader.ended.wait(_TICK_SECONDS):
            if stop.is_set() or self._is_closed.is_set() or time.monotonic() >= look_at or reader.failure is not None:
                return

    def _end(self, end: End, stop: threading.Event) -> Json | None:
        """Ask the container to end, then make it; return its last state."""
        self._kill("SIGTERM")
        give_up = time.monotonic() + _GRACE[end]
        killed = False
        while (state := self._ended_state()) is None:
            in_a_hurry = end is End.TIMED_OUT and stop.is_set()
            if not killed and (in_a_hurry or time.monotonic() >= give_up):
                killed = True
                self._kill("SIGKILL")
                give_up = time.monotonic() + _KILL_SECONDS
            elif killed and time.monotonic() >= give_up:
                return None
            time.sleep(_TICK_SECONDS)
        return state

    def _kill(self, name: str) -> None:
        with contextlib.suppress(*engine_errors()):
            self._client.api.kill(self._container, signal=name)

    def _ended_state(self) -> Json | None:
        """Return the container's state if it has ended; None while it runs, or nobody can say."""
        inspected = self._inspect()
        if inspected is None or inspected["State"]["Status"] not in ("exited", "dead"):
            return None
        state: Json = inspected["State"]
        return state

    def _inspect(self) -> dict[str, Any] | None:
        try:
            inspected: dict[str, Any] = self._client.api.inspect_container(self._container)
        except engine_errors() as e:
            if status_of(e) == 404:
                raise LostError("its container was removed by somebody else") from e
            self._was_away = True
            if time.monotonic() - self._answered > AWAY_SECONDS:
                raise LostError(f"the Docker daemon has not answered for {AWAY_SECONDS:.0f} s") from e
            return None
        self._answered = time.monotonic()
        return inspected

    def _meter(self) -> Meter | None:
        with contextlib.suppress(Exception):  # a step does not fail because it cannot be measured
            state = self._client.api.inspect_container(self._container)["State"]
            since = time.time() - datetime.fromisoformat(state["StartedAt"]).timestamp()
            began = time.monotonic() - (since if 0 <= since < 5 else 0)  # another machine's clock may differ
            if state["Pid"]:
                return Meter(reader_for(self._client, self._container, state["Pid"]), began)
        return None

    def _lost(self, detail: str, meter: Meter | None) -> Outcome:
        wall = time.monotonic() - self._began
        usage = meter.finish(wall) if meter else Usage(wall)
        if self._is_closed.is_set():
            return Outcome(End.STOPPED, None, usage)
        return Outcome(End.LOST, None, usage, detail)

    def _judge(self, state: Json, tail: bytes) -> tuple[End, str | None]:
        """Say how a container ended by itself. Only the flag tells a lack of memory: 137 is also `docker kill`."""
        code = state["ExitCode"]
        limit = f"the limit is {self._memory_bytes / 2**20:,.0f} MiB"
        if state["OOMKilled"] and code == _KILLED:
            return End.OUT_OF_MEMORY, f"the step needed more memory than it may have: {limit}"
        if state["OOMKilled"] and code != 0:
            return End.OUT_OF_MEMORY, f"a child process of the step was killed for lack of memory: {limit}"
        if state["OOMKilled"]:
            return End.EXITED, f"a child process of the step was killed for lack of memory: {limit}"
        if code in NOT_STARTED and (match := _OF_TINI.search(tail)):
            program, reason = (part.decode(errors="replace").strip() for part in match.groups())
            return End.EXITED, _cannot_run(program, reason)
        if self._was_away:
            return End.EXITED, "the Docker daemon went away while the step ran"
        if code in _BY_SIGNALS and not state["Error"]:
            return End.EXITED, f"killed by {_BY_SIGNALS[code]}, which buzzflow did not send"
        return End.EXITED, state["Error"] or None


def _wall_seconds(state: Json) -> float:
    begun, ended = (datetime.fromisoformat(state[name]) for name in ("StartedAt", "FinishedAt"))
    return max(0.0, (ended - begun).total_seconds())


def _code_of(message: str) -> int | None:
    """Return the exit code for a start that failed because of the program, None for other reasons."""
    if "executable file not found" in message or re.search(r"exec:? .*no such file or directory", message):
        return _NOT_FOUND
    if re.search(r"exec.*(permission denied|format error)", message) or "is a directory" in message:
        return _CANNOT_START
    return None


def _in_users_words(message: str) -> str:
    match = re.search(r'exec:? "?([^":]+)"?: (.*)', message)
    return _cannot_run(match[1], match[2]) if match else message


def _cannot_run(program: str, reason: str) -> str:
    lowered = reason.lower()
    if "not found" in lowered or "no such file" in lowered:
        return f"the image has no program {program!r} (or the interpreter that its first line names)"
    if "permission denied" in lowered:
        return f"{program!r} in the image may not be executed by the step's user"
    if "format error" in lowered:
        return f"{program!r} is for another kind of processor, or a script without its first line `#!`"
    return f"{program!r} cannot run: {reason}"
