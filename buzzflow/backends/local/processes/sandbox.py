"""Start one step that sees its own folders, and end all of it: `python -I -S sandbox.py CONTROL STATUS < spec`.

A program of its own, standard library only: namespaces want a process without threads. It stays as the parent of
everything that the step starts, so that nothing outlives the step, nor buzzflow.

The spec is JSON on standard input: `argv` (null: only try), `environment`, `cwd`, `network`, `mounts` (null: not even
namespaces). CONTROL takes `T` (terminate) and `K` (kill); its end, when buzzflow died, kills too.
STATUS gives lines of JSON: `problem` (nothing was started), `cannot_run`, `end`.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import re
import resource
import select
import signal
import stat
import struct
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x20000, 0x10000000, 0x40000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 36, 38
# What a mount has, by statvfs's bit, and the mount flag that keeps it: a user namespace may not take these away.
KEPT_FLAGS = {2: 2, 4: 4, 8: 8, 1024: 1024, 2048: 2048, 4096: 1 << 21}
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
SET_UP_FAILED, CANNOT_EXECUTE, NOT_FOUND = 125, 126, 127
LINUX = sys.platform.startswith("linux")
_libc = ctypes.CDLL(None, use_errno=True)


def main(control: int, status: int) -> None:
    """Run the step of the spec to its end and say how it ended."""
    for descriptor in (control, status):
        os.set_inheritable(descriptor, False)  # noqa: FBT003
    spec = json.load(sys.stdin.buffer)
    wake = _wake_up_on(signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    if LINUX:
        _call("prctl", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        _call("prctl", PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    supervisor = os.getpid()
    step = os.fork()
    if step == 0:
        _become(spec, status, supervisor)
    code = _supervise(step, control, wake)
    _end_all(step)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    answer = {"cpu_seconds": used.ru_utime + used.ru_stime, "largest_process_bytes": used.ru_maxrss}
    if LINUX:  # elsewhere memory is in bytes, and the disk's figures are numbers of operations
        answer["largest_process_bytes"] *= 1024
        answer |= {"disk_read_bytes": used.ru_inblock * 512, "disk_written_bytes": used.ru_oublock * 512}
    _tell(status, end=code, **answer)


def _supervise(step: int, control: int, wake: int) -> int:
    """Do as CONTROL says until the step ends; a signal to this process is meant for the step."""
    sources = [control, wake]
    while True:
        if (code := _reap(step)) is not None:
            return code
        ready, _, _ = select.select(sources, [], [])
        if wake in ready and any(number != signal.SIGCHLD for number in os.read(wake, 512)):
            _signal_all(step, signal.SIGKILL)
        if control in ready:
            command = os.read(control, 1)
            _signal_all(step, signal.SIGTERM if command == b"T" else signal.SIGKILL)
            if not command:
                sources.remove(control)


def _reap(step: int) -> int | None:
    while True:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return None
        if pid == step:
            return os.waitstatus_to_exitcode(status)


def _end_all(step: int) -> None:
    """Kill what the step left behind: where orphans come to this process, until none is left."""
    give_up = time.monotonic() + 3
    _signal_all(step, signal.SIGKILL)
    while time.monotonic() < give_up:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            _signal_all(step, signal.SIGKILL)
            time.sleep(0.002)


def _signal_all(step: int, number: int) -> None:
    for pid in _descendants():
        _signal(os.kill, pid, number)
    if not LINUX:
        _signal(os.killpg, step, number)


def _signal(send: Any, pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # it ended a moment ago
        send(pid, number)


def _descendants() -> list[int]:
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_bytes().rpartition(b")")[2].split()[1])
        except (OSError, IndexError):
            continue
        children.setdefault(parent, []).append(int(folder.name))
    found = [os.getpid()]
    for pid in found:
        found += children.get(pid, [])
    return found[1:]


def _become(spec: dict[str, Any], status: int, supervisor: int) -> NoReturn:
    """Turn this process into the step; it never returns."""
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        if spec["mounts"] is not None:
            _enter_namespaces(network=spec["network"])
            _mount_all(spec["mounts"])
        if LINUX:  # after the namespaces: new credentials forget the signal
            _call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            _call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if os.getppid() != supervisor or spec["argv"] is None:
            os._exit(0)
        os.chdir(spec["cwd"])
    except (OSError, AttributeError) as e:  # a libc without such a call
        told = [str(t) for t in (getattr(e, "filename", None), getattr(e, "strerror", None)) if t]
        _tell(status, problem=": ".join(told) or str(e), errno=getattr(e, "errno", None))
        os._exit(SET_UP_FAILED)
    argv = spec["argv"]
    try:
        os.execvpe(argv[0], argv, spec["environment"])  # noqa: S606
    except (OSError, ValueError) as e:
        _tell(status, cannot_run=f"cannot run {argv[0]!r}: {getattr(e, 'strerror', None) or e}")
        missing = isinstance(e, (FileNotFoundError, NotADirectoryError))
        os._exit(NOT_FOUND if missing else CANNOT_EXECUTE)


def _enter_namespaces(*, network: bool) -> None:
    """Leave the machine's mounts, and its network unless *network*; the user stays who they are."""
    wanted = CLONE_NEWNS | (0 if network else CLONE_NEWNET)
    user, group = os.geteuid(), os.getegid()
    try:
        _call("unshare", wanted)
    except PermissionError:  # a user namespace gives the right to make the others
        _call("unshare", wanted | CLONE_NEWUSER)
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
    _mount(None, "/", None, MS_REC | MS_PRIVATE)
    if not network:
        _bring_up_loopback()


def _bring_up_loopback() -> None:
    import socket  # a third of the start's time, and few steps are isolated

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        answer = fcntl.ioctl(s, SIOCGIFFLAGS, struct.pack("16sH14x", b"lo", 0))
        flags = struct.unpack("16sH14x", answer)[1]
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def _mount_all(mounts: list[dict[str, Any]]) -> None:
    """Put each source at its target, outer targets first. The machine's own folders are not changed."""
    # Descriptors, because making room for one target may cover the source of another.
    sources = {m["source"]: os.open(m["source"], os.O_PATH) for m in mounts}
    ours: list[str] = []
    for mount in sorted(mounts, key=lambda m: len(Path(m["target"]).parts)):
        source, target = sources[mount["source"]], os.path.realpath(mount["target"])
        if not Path(target).exists():
            _make_place(target, ours, is_folder=stat.S_ISDIR(os.fstat(source).st_mode))
        _mount(f"/proc/self/fd/{source}", target, None, MS_BIND | MS_REC)
        ours.append(target)
        if mount["read_only"]:
            _make_read_only(target)
    for descriptor in sources.values():
        os.close(descriptor)


def _make_place(target: str, ours: list[str], *, is_folder: bool) -> None:
    """Make a folder or file to mount on, in a folder that only the step sees."""
    nearest = next(p for p in Path(target).parents if p.exists())
    if not any(nearest.is_relative_to(folder) for folder in ours):
        if nearest == Path("/"):
            top = "/" + Path(target).parts[1]
            raise FileNotFoundError(errno.ENOENT, f"a step can have {target} only where {top} exists: make that folder")
        _make_room(nearest)
        ours.append(str(nearest))
    folder = Path(target) if is_folder else Path(target).parent
    folder.mkdir(parents=True, exist_ok=True)
    if not is_folder:
        Path(target).touch()


def _make_room(folder: Path) -> None:
    """Cover *folder* with one in memory that has the same contents and that this process may add to."""
    old = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    mode = stat.S_IMODE(os.fstat(old).st_mode)
    with os.scandir(folder) as listing:
        entries = [(e.name, e.is_symlink(), e.is_dir(follow_symlinks=False)) for e in listing]
    _mount("buzzflow", str(folder), "tmpfs", 0, f"mode={mode:o}")
    for name, is_link, is_folder in entries:
        former, place = f"/proc/self/fd/{old}/{name}", folder / name
        if is_link:
            place.symlink_to(os.readlink(former))  # noqa: PTH115  # the path goes through a descriptor
            continue
        if is_folder:
            place.mkdir()
        else:
            place.touch()
        _mount(former, str(place), None, MS_BIND | MS_REC)
    os.close(old)


def _make_read_only(target: str) -> None:
    """Remount what lies at *target*, and what was mounted inside of it."""
    table = Path("/proc/self/mountinfo").read_bytes().splitlines()
    for raw in {line.split()[4] for line in table}:
        place = os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda m: bytes([int(m[1], 8)]), raw))
        if place == target or place.startswith(target + "/"):
            has = os.statvfs(place).f_flag
            kept = sum(flag for bit, flag in KEPT_FLAGS.items() if has & bit)
            _mount(None, place, None, MS_REMOUNT | MS_BIND | MS_RDONLY | kept)


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    source_, target_, kind_, options_ = (
        os.fsencode(t) if t is not None else None for t in (source, target, kind, options)
    )
    try:
        _call("mount", source_, target_, kind_, flags, options_)
    except OSError as e:
        raise OSError(e.errno, f"cannot mount on {target}: {e.strerror}") from e


def _call(name: str, *arguments: Any) -> None:
    longs = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments]
    if getattr(_libc, name)(*longs) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _wake_up_on(*numbers: int) -> int:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in numbers:
        signal.signal(number, lambda *_: None)
    return reader


def _tell(status: int, **message: Any) -> None:
    os.write(status, json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
