"""Loading asks the machine through `loader.disk` alone: else what is kept of a validation could be wrong."""

from __future__ import annotations

import ast
import builtins
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import buzzflow
from buzzflow.diagnostics import PipelineError
from buzzflow.driver import check, compile_artifact
from buzzflow.loader import disk
from buzzflow.loader.disk import remembering

SOURCE = Path(buzzflow.__file__).parent
QUESTIONS = {
    *("is_file", "is_dir", "exists", "is_symlink", "stat", "lstat", "resolve", "readlink", "samefile", "is_mount"),
    *("read_text", "read_bytes", "open", "iterdir", "glob", "rglob", "walk", "scandir", "listdir"),
    *("realpath", "lexists", "isfile", "isdir", "islink", "getsize", "getmtime", "access", "environ", "getenv"),
}
ALLOWED = {  # what no result of a validation depends on, or what a question covers
    "loader/disk.py": "the door itself",
    "loader/files.py:_folders_below": "which pipelines there are is looked up each time",
    "loader/files.py:line_of": "for showing a problem",
    "loader/load.py:read": "read_text asks where links lead",
    "loader/code.py:_INSTALLED": "where buzzflow lies is part of the program",
    "loader/bundle.py:stage_bundle": "for runs",
    "loader/bundle.py:_copy": "for runs",
    "loader/bundle.py:_put": "for runs",
}


def own_questions(file: Path) -> list[str]:
    """Return the places of *file* that ask the machine themselves."""
    found = []
    tree = ast.parse(file.read_text())
    outer: dict[ast.AST, str] = {}
    for node in ast.walk(tree):  # from the outside to the inside
        name = outer.get(node, "")
        if isinstance(node, ast.FunctionDef):
            name = node.name
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and not name:
            name = node.targets[0].id
        outer |= dict.fromkeys(ast.iter_child_nodes(node), name)
        asks = isinstance(node, ast.Attribute) and node.attr in QUESTIONS
        of = node.value.id if asks and isinstance(node.value, ast.Name) else ""
        allowed = of in ("disk", "files", "ast") or (asks and node.attr == "access" and of != "os")
        if (asks and not allowed) or (isinstance(node, ast.Name) and node.id == "open"):
            found.append(f"{file.relative_to(SOURCE).as_posix()}:{name}")
    return found


@pytest.mark.parametrize("folder", ["loader", "config", "lower", "ir"])
def test_no_stage_asks_the_machine_by_another_way(folder: str) -> None:
    found = {place for file in (SOURCE / folder).rglob("*.py") for place in own_questions(file)}
    assert {p for p in found if p not in ALLOWED and p.partition(":")[0] not in ALLOWED} == set()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files = {
        ".buzzflowignore": "*.tmp\n",
        "global_common/__init__.py": "",
        "global_common/helper.py": "",
        "base/base.yaml": "defaults: {image: 'sklearn:1.4-2'}\n",
        "p/environment.yaml": "{name: p, region: us-west-2, bucket: b-1, role: 'arn:aws:iam::111122223333:role/R'}\n",
        "p/pipeline.yaml": (
            "extends: ../base/base.yaml\ninclude: [more.yaml]\nsteps:\n"
            "  a: {type: processing, code: {entry_point: a.py, include: ['sql/*.sql', 'lib'], source_dir: src}}\n"
            "  b: {type: processing, code: {entry_point: b.sh}}\n"
            "  c: {type: processing, code: c.py, inputs: {d: ./data}}\n"
        ),
        "p/more.yaml": "steps: {stop: {type: fail, message: stop}}\n",
        "p/src/a.py": "import package.module, global_common.helper, json\nfrom . import x\n",
        "p/src/package/module.py": "from .other import *\n",
        "p/src/package/other.py": "__all__ = ['more']\n",
        "p/src/data.csv": "",
        "p/b.sh": "",
        "p/c.py": "import importlib\nimportlib.import_module('b')\n",
        "p/data/d.csv": "",
        "p/requirements.txt": "-r more.txt\n",
        "p/more.txt": "",
        "p/sql/x.sql": "",
        "p/lib/y/z.txt": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "p/src/linked").symlink_to("../lib")
    monkeypatch.chdir(tmp_path)
    return tmp_path


WRONG = {
    "as it is": "",
    "with a name that is almost right": "  d: {type: processing, code: c.pi}\n",
    "with a pattern for nothing": "  d: {type: processing, code: {entry_point: c.py, include: ['*.nothing']}}\n",
    "with a folder that is not there": "  d: {type: processing, code: {entry_point: c.py, source_dir: sr}}\n",
}


@pytest.mark.parametrize("more", WRONG.values(), ids=WRONG.keys())
def test_what_the_machine_is_asked_is_written_down(
    more: str, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = repository / "p" / "pipeline.yaml"
    pipeline.write_text(pipeline.read_text() + more)
    touched: set[str] = set()

    def seen(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any = ".", *args: Any, **kwargs: Any) -> Any:
            if isinstance(path, str | os.PathLike):
                touched.add(os.path.abspath(path))  # noqa: PTH100  # links stay
            return function(path, *args, **kwargs)

        return call

    for module, names in ((os, ("stat", "lstat", "scandir", "listdir", "readlink", "access", "open")), (io, ("open",))):
        for name in names:
            monkeypatch.setattr(module, name, seen(getattr(module, name)))
    monkeypatch.setattr(builtins, "open", seen(builtins.open))
    with remembering() as memory, memory.asked() as asked:
        try:
            compile_artifact(check(Path("p")))
        except PipelineError as e:
            assert more, e
    monkeypatch.undo()
    places = {(q, os.path.abspath(subject.partition("\0")[0])) for q, subject in asked}  # noqa: PTH100  # links stay
    subjects = {place for _, place in places}
    globbed = {place for question, place in places if question == "glob"}
    ours = {t for t in touched if Path(t).is_relative_to(repository) and Path(t) != repository}
    above = {str(folder) for subject in subjects for folder in Path(subject).parents}  # links on the way
    unasked = {t for t in ours - subjects - above if not any(Path(t).is_relative_to(g) for g in globbed)}
    assert len(ours) > 20
    assert unasked == set()


def test_inside_a_memory_the_first_answer_stays(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with remembering():
        assert not disk.is_file(file)
        file.write_text("")
        assert not disk.is_file(file)
    assert disk.is_file(file)


def test_a_file_that_changes_while_it_is_read_has_no_answer(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with remembering() as memory, memory.asked() as asked:
        file.write_text("one")
        disk.read(file)
        file.write_text("two")
        disk.read(file)
    with remembering() as memory:
        assert memory.ask("sha256", str(file)) != asked["sha256", str(file)]


def test_links_are_followed_as_the_system_does(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").write_text("")
    (tmp_path / "link").symlink_to("a/b")
    (tmp_path / "round").symlink_to("round")
    names = ["link", "link/file", "link/../b/file", "a/./b", "nothing/at/all", "link/nothing", "round", "round/x", ""]
    with remembering():
        for name in names:
            path = tmp_path / name
            assert str(disk.real(path)) == os.path.realpath(path)


def test_a_link_to_itself_is_an_entry_and_no_folder(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to("round")
    assert disk.entries(tmp_path) == [("round", False, True)]
    assert not disk.exists(tmp_path / "round")
    assert disk.is_there(tmp_path / "round")
