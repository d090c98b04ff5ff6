"""Every question that loading asks of the machine, so that the answers can be kept and asked again.

What validation says is a function of the program, of its arguments, and of the answers given here: it may go to the
file system and to process variables by no other way. `tests/loader/test_disk.py` holds that. Inside `remembering`,
each question goes to the machine once; inside `Memory.asked`, what was asked is written down.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

Question = Literal["kind", "link", "real", "facts", "entries", "glob", "sha256", "variable"]
Answer = str | tuple[str, ...]
Asked = dict[tuple[Question, str], Answer]
Identity = tuple[int, int, int, int, int]  # of a file's content: device, inode, size, time of content and of status

MOST_MATCHES = 20_001
_SETTLED = 2_000_000_000  # nanoseconds: a younger file may change again without its times telling
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.EBADF, errno.ELOOP)
_FAILED = "!"  # begins the answer of the system that it cannot tell; its error number follows
_CHANGED = f"{_FAILED}{errno.EAGAIN}"  # no file gives this answer


class Entry(NamedTuple):
    """One name in a folder; *is_folder* follows a link."""

    name: str
    is_folder: bool
    is_link: bool


class Memory:
    """What has been asked: each answer once, and the identity of each content that was read."""

    def __init__(self) -> None:
        self._known: Asked = {}
        self._status: dict[str, os.stat_result | int] = {}
        self._asked: list[Asked] = []
        self.identities: dict[str, Identity] = {}  # only of files that have settled

    @contextmanager
    def asked(self) -> Iterator[Asked]:
        """Give a table that fills with what is asked inside the block, and the answers."""
        table: Asked = {}
        self._asked.append(table)
        try:
            yield table
        finally:
            self._asked.pop()

    def ask(self, question: Question, subject: str) -> Answer:
        """Return the answer, from the machine when it is asked the first time."""
        key = (question, subject)
        answer = self._known.get(key)
        if answer is None:
            answer = self._known[key] = _QUESTIONS[question](subject, self)
        for table in self._asked:
            table.setdefault(key, answer)
        return answer

    def status(self, path: str) -> os.stat_result | int:
        """Return what the system says of *path*, links followed, or the number of its error."""
        found = self._status.get(path)
        if found is None:
            found = self._status[path] = _status(path)
        return found

    def read(self, path: str, content: bytes, identity: Identity | None) -> None:
        """Take note of a content. One that changed in the meantime has no answer: nobody knows which one counted."""
        key: tuple[Question, str] = ("sha256", path)
        sha256 = hashlib.sha256(content).hexdigest()
        if self._known.setdefault(key, sha256) != sha256:
            self._known[key] = sha256 = _CHANGED
            self.identities.pop(path, None)
            for table in self._asked:
                table[key] = sha256
        elif identity is not None:
            self.identities[path] = identity
        for table in self._asked:
            table.setdefault(key, sha256)

    def is_still(self, path: str, identity: Identity) -> bool:
        """Whether the content of *path* is the one that had *identity*."""
        status = self.status(path)
        return not isinstance(status, int) and _identity(status) == identity


_memory: ContextVar[Memory | None] = ContextVar("memory", default=None)


@contextmanager
def remembering() -> Iterator[Memory]:
    """Ask the machine each question once inside the block, which must be short: nothing is forgotten in it."""
    token = _memory.set(memory := Memory())
    try:
        yield memory
    finally:
        _memory.reset(token)


def _ask(question: Question, subject: str) -> Answer:
    memory = _memory.get()
    return _QUESTIONS[question](subject, None) if memory is None else memory.ask(question, subject)


# ------------------------------------------------------------------ what others ask


def is_file(path: Path) -> bool:
    """Whether *path* is an ordinary file, links followed."""
    return _kind(path) == "file"


def is_folder(path: Path) -> bool:
    """Whether *path* is a folder, links followed."""
    return _kind(path) == "folder"


def exists(path: Path) -> bool:
    """Whether there is anything, links followed."""
    return _kind(path) != ""


def is_link(path: Path) -> bool:
    """Whether *path* itself is a link."""
    return _told(_ask("link", _absolute(path)), path) == "link"


def is_there(path: Path) -> bool:
    """Whether there is anything, be it a link that leads nowhere."""
    return _ask("link", _absolute(path)) in ("link", "itself")


def real(path: Path) -> Path:
    """Return *path* without links, as far as it exists."""
    return Path(str(_ask("real", _absolute(path))))


def facts(path: Path) -> tuple[int, bool]:
    """Return an ordinary file's size, and whether its owner may execute it."""
    _, size, executable, _ = _told_all(_ask("facts", _absolute(path)), path)
    return int(size), executable == "x"


def is_readable(path: Path) -> bool:
    """Whether this process may read *path*."""
    return _told_all(_ask("facts", _absolute(path)), path)[3] == "r"


def entries(folder: Path) -> list[Entry]:
    """Return what is in *folder*, by name."""
    told = _told_all(_ask("entries", _absolute(folder)), folder)
    return [Entry(t[2:], t[0] == "d", t[1] == "l") for t in told]


def glob(folder: Path, pattern: str, *, hidden: bool) -> list[Path]:
    """Return what *pattern* matches below *folder*, sorted; *hidden* adds dot files and byte code."""
    question = f"{_absolute(folder)}\0{pattern}\0{'hidden' if hidden else ''}"
    return [folder / found for found in _told_all(_ask("glob", question), folder)]


def read(path: Path) -> bytes:
    """Return the content of a file."""
    memory = _memory.get()
    if memory is None:
        return path.read_bytes()
    absolute = _absolute(path)
    try:
        content, identity = _content(absolute)
    except OSError:
        memory.ask("sha256", absolute)  # its answer is that it cannot be read
        raise
    memory.read(absolute, content, identity)
    return content


def sha256(path: Path) -> str:
    """Return the digest of a file's content."""
    return str(_told(_ask("sha256", _absolute(path)), path))


def variable(name: str) -> str | None:
    """Return the value of a process variable."""
    _ask("variable", name)
    return os.environ.get(name)


def _kind(path: Path) -> str:
    try:
        return str(_told(_ask("kind", _absolute(path)), path))
    except ValueError:  # a name that no file can have
        return ""


def _absolute(path: Path) -> str:
    text = str(path)
    return text if text.startswith("/") else os.path.join(os.getcwd(), text)  # noqa: PTH109, PTH118  # quick, often asked


def _told(answer: Answer, path: Path) -> Answer:
    if isinstance(answer, str) and answer.startswith(_FAILED):
        number = int(answer[1:])
        raise OSError(number, os.strerror(number), str(path))
    return answer


def _told_all(answer: Answer, path: Path) -> tuple[str, ...]:
    told = _told(answer, path)
    assert isinstance(told, tuple)
    return told


# ------------------------------------------------------------------ what the machine answers


def _status(path: str) -> os.stat_result | int:
    try:
        return os.stat(path)  # noqa: PTH116  # quick, often asked
    except OSError as e:
        return e.errno or errno.EIO


def _of(path: str, memory: Memory | None) -> os.stat_result | int:
    return _status(path) if memory is None else memory.status(path)


def _answer_kind(path: str, memory: Memory | None) -> Answer:
    status = _of(path, memory)
    if isinstance(status, int):
        return "" if status in _ABSENT else f"{_FAILED}{status}"
    return "file" if stat.S_ISREG(status.st_mode) else "folder" if stat.S_ISDIR(status.st_mode) else "other"


def _answer_link(path: str, _memory: Memory | None) -> Answer:
    try:
        return "link" if stat.S_ISLNK(os.lstat(path).st_mode) else "itself"
    except OSError as e:
        return "" if e.errno in _ABSENT else f"{_FAILED}{e.errno}"
    except ValueError:
        return ""


def _answer_real(path: str, memory: Memory | None) -> Answer:
    """Ask of the folder first: many paths share it."""
    folder, _, name = path.rpartition("/")
    if memory is None or not folder or name in ("", ".", "..") or _answer_link(path, None) == "link":
        return os.path.realpath(path)
    return f"{str(memory.ask('real', folder)).rstrip('/')}/{name}"


def _answer_facts(path: str, memory: Memory | None) -> Answer:
    status = _of(path, memory)
    if isinstance(status, int):
        return f"{_FAILED}{status}"
    ordinary = "ordinary" if stat.S_ISREG(status.st_mode) else "other"
    executable = "x" if status.st_mode & stat.S_IXUSR else ""
    return ordinary, str(status.st_size), executable, "r" if os.access(path, os.R_OK) else ""


def _answer_entries(path: str, _memory: Memory | None) -> Answer:
    try:
        with os.scandir(path) as found:
            return tuple(
                f"{'d' if _is_folder(e) else '-'}{'l' if e.is_symlink() else '-'}{e.name}"
                for e in sorted(found, key=lambda e: e.name)
            )
    except OSError as e:
        return f"{_FAILED}{e.errno}"


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _answer_glob(question: str, _memory: Memory | None) -> Answer:
    folder, pattern, hidden = question.split("\0")
    start = Path(folder)
    found = (p.relative_to(start) for p in start.glob(pattern))
    wanted = (p for p in found if hidden or not any(s.startswith(".") or s == "__pycache__" for s in p.parts))
    return tuple(sorted(str(p) for p in islice(wanted, MOST_MATCHES)))


def _answer_sha256(path: str, memory: Memory | None) -> Answer:
    try:
        begun = time.time_ns()
        with open(path, "rb") as opened:  # noqa: PTH123  # quick, often asked
            identity = _settled(os.fstat(opened.fileno()), begun)
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as e:
        return f"{_FAILED}{e.errno}"
    if memory is not None and identity is not None:
        memory.identities[path] = identity
    return digest


def _answer_variable(name: str, _memory: Memory | None) -> Answer:
    value = os.environ.get(name)
    return "" if value is None else hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()


def _content(path: str) -> tuple[bytes, Identity | None]:
    begun = time.time_ns()
    with open(path, "rb") as opened:  # noqa: PTH123  # quick, often asked
        identity = _settled(os.fstat(opened.fileno()), begun)  # before reading: a change while reading shows
        return opened.read(), identity


def _settled(status: os.stat_result, now: int) -> Identity | None:
    """Return the identity of a content that is old enough for a later change to show in its times."""
    return _identity(status) if max(status.st_mtime_ns, status.st_ctime_ns) < now - _SETTLED else None


def _identity(status: os.stat_result) -> Identity:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


_QUESTIONS: dict[Question, Callable[[str, Memory | None], Answer]] = {
    "kind": _answer_kind,
    "link": _answer_link,
    "real": _answer_real,
    "facts": _answer_facts,
    "entries": _answer_entries,
    "glob": _answer_glob,
    "sha256": _answer_sha256,
    "variable": _answer_variable,
}
