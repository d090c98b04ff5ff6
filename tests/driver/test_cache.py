"""What is kept of a validation is used only as long as it would be said again: warm and cold always agree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buzzflow.driver import cache as kept
from buzzflow.driver.cache import open_cache
from buzzflow.driver.tree import validate_all
from buzzflow.driver.validated import Validated
from buzzflow.loader.disk import remembering

PROJECT = "projects/research/p"
PIPELINE = """\
extends: ../../base/base.yaml
include: [more.yaml]
variables: {limit: "${oc.env:LIMIT,2h}"}
steps:
  train:
    type: training
    code: {entry_point: train.py, include: ["sql/*.sql"]}
    timeout: ${variables.limit}
  linked: {type: processing, code: link.py, depends_on: [train]}
"""
FILES = {
    "global_common/__init__.py": "",
    "global_common/helper.py": "A = 1\n",
    "projects/base/base.yaml": "defaults: {image: 'sklearn:1.4-2', instance: {type: ml.m5.large}}\n",
    "projects/research/environment.yaml": (
        "{name: research, region: us-west-2, bucket: example-ml, allow_env: [LIMIT],\n"
        " role: 'arn:aws:iam::111122223333:role/R'}\n"
    ),
    f"{PROJECT}/pipeline.yaml": PIPELINE,
    f"{PROJECT}/more.yaml": "steps: {stop: {type: fail, message: stop}}\n",
    f"{PROJECT}/train.py": "import columns\nimport global_common.helper\nfrom global_common import later\n",
    f"{PROJECT}/columns.py": "COLUMNS = []\n",
    f"{PROJECT}/other.py": "1 +\n",
    f"{PROJECT}/sql/a.sql": "SELECT 1\n",
}
BROKEN = "def broken(:\n"


def write(root: Path) -> Path:
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / ".git").mkdir()
    (root / PROJECT / "link.py").symlink_to("columns.py")
    return root / PROJECT


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))
    monkeypatch.delenv("LIMIT", raising=False)
    folder = write(tmp_path / "repository")
    monkeypatch.chdir(tmp_path / "repository")
    return folder


def results(*, cached: bool, **given: str) -> tuple[Validated, ...]:
    settings = tuple(f"{k}={v}" for k, v in given.items() if k != "backend")
    tree = validate_all([Path("projects")], backend=given.get("backend"), settings=settings, cached=cached)
    return tree.results


def is_known(file: Path) -> bool:
    cache = open_cache(backend=None, settings=())
    assert cache is not None
    with remembering() as memory:
        return cache.find(file, memory) is not None


def replace(file: Path, text: str) -> None:
    """Write another file and move it there, as editors do."""
    other = file.with_name("new")
    other.write_text(text)
    other.replace(file)


def retarget(link: Path, target: str) -> None:
    link.unlink()
    link.symlink_to(target)


def become_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def become_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("")


def keep_time(file: Path, text: str) -> None:
    status = file.stat()
    file.write_text(text)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def add(file: Path, text: str = "") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


CHANGES: dict[str, Callable[[Path], object]] = {  # every one of them changes what validation says
    "the pipeline is edited": lambda p: add(p / "pipeline.yaml", PIPELINE + "  more: {type: fail}\n"),
    "a script is edited": lambda p: add(p / "train.py", BROKEN),
    "a script is edited within its size and time": lambda p: keep_time(p / "columns.py", "COLUMNS = [)\n"),
    "a script is replaced": lambda p: replace(p / "train.py", BROKEN),
    "a script is deleted": lambda p: (p / "train.py").unlink(),
    "a script is renamed": lambda p: (p / "train.py").rename(p / "trains.py"),
    "a script becomes a folder": lambda p: become_folder(p / "train.py"),
    "a script becomes a link out": lambda p: retarget(p / "train.py", "/etc/hostname"),
    "a module is edited": lambda p: add(p / "columns.py", BROKEN),
    "a package takes the place of a module": lambda p: add(p / "columns" / "__init__.py", BROKEN),
    "a shared module is edited": lambda p: add(p.parents[2] / "global_common/helper.py", BROKEN),
    "a shared module appears": lambda p: add(p.parents[2] / "global_common/later.py", BROKEN),
    "a module takes the place of a shared package": lambda p: add(p / "global_common.py", BROKEN),
    "a link leads elsewhere": lambda p: retarget(p / "link.py", "other.py"),
    "a link leads nowhere": lambda p: retarget(p / "link.py", "nothing.py"),
    "requirements appear": lambda p: add(p / "requirements.txt", "-r missing.txt\n"),
    "an ignore file appears": lambda p: (p / ".buzzflowignore").write_bytes(b"\xff\n"),
    "an ignore file appears in the repository": lambda p: (p.parents[2] / ".buzzflowignore").write_bytes(b"\xff\n"),
    "a data file appears": lambda p: (p / "data.csv").symlink_to("/etc/hostname"),
    "a data file appears in a folder": lambda p: (p / "sql" / "data.csv").symlink_to("/etc/hostname"),
    "a file appears that a pattern matches": lambda p: (p / "sql/b.sql").symlink_to("/etc/hostname"),
    "no file is left that a pattern matches": lambda p: (p / "sql/a.sql").unlink(),
    "a folder becomes a file": lambda p: become_file(p / "sql"),
    "a layer is edited": lambda p: add(
        p.parents[1] / "base/base.yaml", "defaults: {image: 'sklearn:1.4-2', imag: x}\n"
    ),
    "a layer is deleted": lambda p: (p.parents[1] / "base/base.yaml").unlink(),
    "a layer extends another": lambda p: add(p.parents[1] / "base/base.yaml", "extends: x.yaml\n"),
    "an included file is edited": lambda p: add(p / "more.yaml", "steps: {train: {type: fail, message: stop}}\n"),
    "the environment is edited": lambda p: add(p.parent / "environment.yaml", "name: research\n"),
    "the environment is deleted": lambda p: (p.parent / "environment.yaml").unlink(),
    "a nearer environment appears": lambda p: add(p / "environment.yaml", "name: mine\n"),
    "a nearer repository appears": lambda p: (p / ".git").mkdir(),
    "the environment becomes a folder": lambda p: become_folder(p.parent / "environment.yaml"),
    "the project moves": lambda p: p.rename(p.with_name("q")),
    "a second pipeline appears": lambda p: add(p / "second.pipeline.yaml", "steps: {}\n"),
    "the pipeline is deleted": lambda p: add(p.with_name("q") / "pipeline.yaml", "x") or (p / "pipeline.yaml").unlink(),
    "a process variable is set": lambda p: os.environ.update(LIMIT="never"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_change_is_seen(change: Callable[[Path], object], project: Path) -> None:
    before = results(cached=True)
    assert results(cached=True) == before == results(cached=False)
    try:
        change(project)
        cold = results(cached=False)
        assert cold != before, "this change would not show: the test proves nothing"
        assert results(cached=True) == cold
        assert results(cached=True) == cold
    finally:
        os.environ.pop("LIMIT", None)


NO_CHANGES: dict[str, Callable[[Path], object]] = {
    "a file is touched": lambda p: os.utime(p / "train.py"),
    "a file is written again": lambda p: replace(p / "train.py", FILES[f"{PROJECT}/train.py"]),
    "a layer for local runs appears": lambda p: add(p / "pipeline.local.yaml", "steps: {}\n"),
    "another project appears": lambda p: add(p.with_name("q") / "train.py", BROKEN),
    "a file of the repository appears": lambda p: add(p.parents[2] / "NEWS.md", "x"),
    "a file nobody imports is edited": lambda p: add(p / "other.py", "2 +\n"),
}


@pytest.mark.parametrize("change", NO_CHANGES.values(), ids=NO_CHANGES.keys())
def test_what_changes_nothing_changes_no_result(change: Callable[[Path], object], project: Path) -> None:
    before = results(cached=True)
    change(project)
    assert results(cached=True) == before == results(cached=False)


@pytest.mark.parametrize("name", ["a file is touched", "another project appears", "a file of the repository appears"])
def test_what_nobody_asked_about_leaves_the_result_known(name: str, project: Path) -> None:
    assert not is_known(project / "pipeline.yaml")
    results(cached=True)
    NO_CHANGES[name](project)
    assert is_known(project / "pipeline.yaml")


@pytest.mark.parametrize(
    "arguments",
    [{"steps.train.timeout": "never"}, {"backend": "local"}, {"backend": "loca"}, {"name": "other", "owner": "me"}],
)
def test_other_arguments_are_another_question(arguments: dict[str, str], project: Path) -> None:
    results(cached=True)
    cold = results(cached=False, **arguments)
    assert results(cached=True, **arguments) == cold
    assert results(cached=True, **arguments) == cold


def test_another_working_folder_is_told_other_paths(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "train.py").write_text(BROKEN)
    [here] = results(cached=True)
    monkeypatch.chdir(project)
    found = validate_all([Path()], backend=None, settings=()).results
    assert found == validate_all([Path()], backend=None, settings=(), cached=False).results
    assert (here.file, found[0].file) == (f"{PROJECT}/pipeline.yaml", "pipeline.yaml")


def test_an_executable_file_is_another_bundle(project: Path) -> None:
    results(cached=True)
    (project / "train.py").chmod(0o755)
    assert not is_known(project / "pipeline.yaml")


def test_a_new_distribution_is_another_program(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results(cached=True)
    assert is_known(project / "pipeline.yaml")
    (tmp_path / "packages" / "backend-1.0.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    assert not is_known(project / "pipeline.yaml")


def test_a_settled_file_is_not_read_again_and_still_seen_to_change(project: Path) -> None:
    results(cached=True)
    time.sleep(2.1)
    results(cached=True)  # now the files are old enough to be known by their times
    status = (project / "columns.py").stat()
    [before] = results(cached=True)
    keep_time(project / "columns.py", "COLUMNS = [)\n")
    after = (project / "columns.py").stat()
    assert (status.st_size, status.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    assert results(cached=True) == results(cached=False) != (before,)


@pytest.fixture
def records(project: Path, tmp_path: Path) -> Iterator[list[Path]]:
    (project / "train.py").write_text(BROKEN)
    results(cached=True)
    found = [*(tmp_path / "user-cache/buzzflow/validate").iterdir()]
    assert found
    yield found


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"program": 1}', "x" * 64 + "\n{}", "\x00\xff"])
def test_a_damaged_record_is_written_anew(damage: str, records: list[Path], project: Path) -> None:
    for record in records:
        record.write_text(damage)
    assert results(cached=True) == results(cached=False)
    assert is_known(project / "pipeline.yaml")


def test_a_record_with_another_letter_does_not_count(records: list[Path], project: Path) -> None:
    for record in records:
        record.write_text(record.read_text().replace("not valid", "all valid"))
    assert not is_known(project / "pipeline.yaml")
    assert results(cached=True) == results(cached=False)


def test_without_a_place_for_it_nothing_is_kept(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert open_cache(backend=None, settings=()) is None
    assert results(cached=True) == results(cached=False)


def test_the_cache_may_be_deleted(records: list[Path], project: Path) -> None:
    shutil.rmtree(records[0].parent)
    assert results(cached=True) == results(cached=False)
    assert is_known(project / "pipeline.yaml")


def test_the_oldest_records_go_when_there_are_too_many(
    records: list[Path], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MOST_RECORDS", 3)
    for number in range(6):
        results(cached=True, name=f"n{number}")
    left = [*records[0].parent.iterdir()]
    assert len(left) == 3
    assert not set(left) & set(records)


def test_nothing_is_written_into_the_repository(project: Path) -> None:
    before = sorted(project.parents[2].rglob("*"))
    results(cached=True)
    assert sorted(project.parents[2].rglob("*")) == before


def test_runs_side_by_side_do_not_break_each_other(project: Path) -> None:
    for number in range(12):
        shutil.copytree(project, project.with_name(f"p{number}"), symlinks=True)
    command = [sys.executable, "-m", "buzzflow", "validate", "--json", "projects"]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]
    outputs = {run.communicate()[0] for run in runs}
    alone = subprocess.run([*command, "--no-cache"], capture_output=True, check=True).stdout
    assert outputs == {alone}


TEXTS = st.sampled_from(
    ["", "x = 1\n", BROKEN, "import other\n", PIPELINE, "steps: {}\n", "-r more.txt\n", "name: a\n"]
)
NAMES = st.sampled_from(
    [*FILES, f"{PROJECT}/requirements.txt", f"{PROJECT}/columns/__init__.py", f"{PROJECT}/sql/b.sql", "projects/x.py"]
)
EDITS = st.tuples(st.sampled_from(["write", "delete", "folder", "link", "move", "touch"]), NAMES, NAMES, TEXTS)


def edit(root: Path, kind: str, name: str, other: str, text: str) -> None:
    place = root / name
    if any((root / p).is_file() or (root / p).is_symlink() for p in Path(name).parents[:-1]):
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    if kind == "touch":
        if place.is_file():
            os.utime(place)
        return
    if kind == "move" and place.is_file() and (root / other).is_file():
        place.replace(root / other)
        return
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
    if kind == "write":
        place.write_text(text)
    elif kind == "folder":
        place.mkdir()
    elif kind == "link":
        place.symlink_to(root / other)


@settings(max_examples=40)
@given(edits=st.lists(EDITS, min_size=1, max_size=5))
def test_after_any_edits_warm_and_cold_agree(
    edits: list[tuple[str, str, str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("edits")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(place / "user-cache"))
        project = write(place / "repository")
        patch.chdir(place / "repository")
        shutil.copytree(project, project.with_name("q"), symlinks=True)
        results(cached=True)
        for given_edit in edits:
            edit(place / "repository", *given_edit)
            assert results(cached=True) == results(cached=False)
