"""The sandbox program by itself: what it does to mounts, as root and as a normal user."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from buzzflow.backends.local.executor import Mount
from buzzflow.backends.local.processes.executor import namespace_problem
from buzzflow.backends.local.processes.sandboxed_process import SandboxedProcess, Spec

REPOSITORY = Path(__file__).parents[3]
FILES = [str(Path(__file__).with_name(name)) for name in ("test_process_executor.py", "test_sandbox.py")]
A_NORMAL_USER = 64321
WHAT_DEPENDS_ON_THE_USER = "not variables and not pip_says and not at_once and not cpu"
PATH = "/usr/local/bin:/usr/bin:/bin"

needs_namespaces = pytest.mark.skipif(namespace_problem() is not None, reason=f"no namespaces: {namespace_problem()}")


def sandboxed(script: str, *mounts: Mount) -> tuple[int | None, str, str | None]:
    output = bytearray()
    spec = Spec(("sh", "-c", script), {"PATH": PATH}, "/", mounts, network=True)
    with SandboxedProcess(spec, output.extend) as process:
        process.wait(20)
        process.finish()
        return process.ended.code, output.decode(), process.problem


def folder(parent: Path, name: str, **files: str) -> Path:
    (parent / name).mkdir()
    for file, text in files.items():
        (parent / name / file).write_text(text)
    return parent / name


@needs_namespaces
def test_what_was_below_opt_is_still_there() -> None:
    before = sorted(p.name for p in Path("/opt").iterdir())
    code, output, _ = sandboxed("ls /opt", Mount(Path("/tmp"), "/opt/ml/input", read_only=True))
    assert code == 0
    assert output.split() == sorted({*before, "ml"})
    assert sorted(p.name for p in Path("/opt").iterdir()) == before


@needs_namespaces
def test_room_is_made_anywhere_and_nothing_of_it_stays(tmp_path: Path) -> None:
    place = folder(tmp_path, "place", file="of the host")
    (place / "link").symlink_to("file")
    inner = folder(place, "inner", deep="deep")
    source = folder(tmp_path, "source", a="of the source")
    target = place / "new" / "er"
    script = f"cat {target}/a {place}/file {place}/link {inner}/deep; touch {inner}/written {place}/lost"
    code, output, problem = sandboxed(script, Mount(source, str(target), read_only=True))
    assert (code, output, problem) == (0, "of the sourceof the hostof the hostdeep", None)
    assert sorted(p.name for p in place.iterdir()) == ["file", "inner", "link"]
    assert (inner / "written").exists(), "a folder that was there is the same folder"


@needs_namespaces
def test_a_file_can_be_mounted_and_a_mount_can_lie_in_another(tmp_path: Path) -> None:
    room, data = folder(tmp_path, "room"), folder(tmp_path, "data", rows="1")
    mounts = [
        Mount(data / "rows", "/opt/ml/input/config/one.json", read_only=True),
        Mount(room, "/opt/ml", read_only=False),
        Mount(data, "/opt/ml/input/data", read_only=True),
    ]
    script = "cat /opt/ml/input/config/one.json /opt/ml/input/data/rows; echo x > /opt/ml/input/config/one.json"
    code, output, _ = sandboxed(script, *mounts)
    assert code != 0
    assert output.startswith("11")
    assert "Read-only" in output
    assert (room / "input" / "data").is_dir()
    assert sorted(p.name for p in data.iterdir()) == ["rows"]


@needs_namespaces
def test_a_source_that_is_covered_by_a_target_is_still_found(tmp_path: Path) -> None:
    source = folder(tmp_path, "source", a="a")
    inside = folder(source, "inside", b="b")
    mounts = [
        Mount(folder(tmp_path, "new", c="c"), str(source), read_only=False),
        Mount(inside, "/opt/ml/x", read_only=True),
    ]
    assert sandboxed(f"ls {source} /opt/ml/x/b", *mounts)[1].split() == ["/opt/ml/x/b", f"{source}:", "c"]


@needs_namespaces
def test_what_is_mounted_inside_a_read_only_mount_is_read_only_too(tmp_path: Path) -> None:
    outer = folder(tmp_path, "outer")
    folder(outer, "shm")
    mounts = [Mount(outer, "/opt/ml/in", read_only=False), Mount(Path("/dev"), "/opt/ml/dev", read_only=True)]
    code, output, _ = sandboxed("touch /opt/ml/dev/shm/buzzflow-test", *mounts)
    assert code != 0
    assert "Read-only" in output


@needs_namespaces
def test_a_place_that_cannot_be_made_is_a_problem_and_no_exit_code_of_the_step() -> None:
    code, output, problem = sandboxed("echo ran", Mount(Path("/tmp"), "/no-such-top/x", read_only=True))
    assert output == ""
    assert code == 125
    assert problem is not None
    assert "/no-such-top" in problem


@needs_namespaces
def test_the_user_stays_who_they_are_and_gains_no_rights(tmp_path: Path) -> None:
    script = "id -u; id -g; grep NoNewPrivs /proc/self/status; touch /opt/ml/x/mine"
    code, output, _ = sandboxed(script, Mount(tmp_path, "/opt/ml/x", read_only=False))
    assert code == 0, output
    assert output.split() == [str(os.getuid()), str(os.getgid()), "NoNewPrivs:", "1"]
    assert (tmp_path / "mine").stat().st_uid == os.getuid()


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="the other tests here run as a normal user already")
def test_all_of_this_holds_for_a_normal_user(tmp_path_factory: pytest.TempPathFactory) -> None:
    if missing := [tool for tool in ("unshare", "mount", "setpriv") if shutil.which(tool) is None]:
        pytest.skip(f"becoming another user takes {', '.join(missing)}")
    if namespace_problem() is not None:
        pytest.skip(f"folders cannot be opened to another user: {namespace_problem()}")
    home = Path(tempfile.mkdtemp(prefix="buzzflow-user-", dir="/tmp"))  # pytest's own folders are closed to others
    os.chown(home, A_NORMAL_USER, A_NORMAL_USER)
    pytest_ = [
        sys.executable,
        "-B",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-k",
        WHAT_DEPENDS_ON_THE_USER,
        "--basetemp",
        str(home / "t"),
        *FILES,
    ]
    become = [
        "setpriv",
        f"--reuid={A_NORMAL_USER}",
        f"--regid={A_NORMAL_USER}",
        "--clear-groups",
        "--inh-caps=-all",
        *pytest_,
    ]
    environment = {**os.environ, "HOME": str(home), "TMPDIR": str(home), "PYTHONPATH": str(REPOSITORY)}
    try:
        command = ["unshare", "--mount", "sh", "-euc", _open_to_all(home) + 'exec "$@"', "sh", *become]
        done = subprocess.run(command, env=environment, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    finally:
        shutil.rmtree(home)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    print(done.stdout.splitlines()[-1])


def _open_to_all(home: Path) -> str:
    """Return commands that bring Python and the repository from below closed folders, such as /root, into open ones."""
    closed: dict[Path, list[Path]] = {}
    for path in {Path(sys.base_prefix), Path(sys.prefix), REPOSITORY}:
        for parent in reversed(path.parents):
            if not parent.stat().st_mode & stat.S_IXOTH:
                closed.setdefault(parent, []).append(path)
                break
    lines = []
    for number, (parent, paths) in enumerate(closed.items()):
        asides = {path: home / f"aside-{number}-{n}" for n, path in enumerate(paths)}
        lines += [f"mkdir '{aside}'; mount --bind '{path}' '{aside}'" for path, aside in asides.items()]
        lines += [f"mount -t tmpfs -o mode=755 none '{parent}'"]
        lines += [f"mkdir -p '{path}'; mount --bind '{aside}' '{path}'" for path, aside in asides.items()]
    return "".join(line + "\n" for line in lines)
