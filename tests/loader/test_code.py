import os
import socket
from pathlib import Path

import pytest

from buzzflow import ir
from buzzflow.diagnostics import Diagnostic, PipelineError, Severity
from buzzflow.entry import entry_files
from buzzflow.loader import bundle as bundles
from buzzflow.loader.code import CodeRequest, CollectedCode, collect_code, stage_bundle

PROJECT = "projects/research/ctr"


@pytest.fixture
def root(tmp_path):
    """A repository with shared packages of its own and an empty project."""
    write(tmp_path, "global_common/__init__.py", "")
    write(tmp_path, "global_common/query.py", "from global_common.text import strip\n")
    write(tmp_path, "global_common/text.py", "def strip(): ...\n")
    write(tmp_path, "global_common/s3.py", "import boto3\n")
    write(tmp_path, "experiment_manager/__init__.py", "")
    write(tmp_path, "experiment_manager/metrics.py", "")
    (tmp_path / PROJECT).mkdir(parents=True)
    return tmp_path


def write(root, name, content=""):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def request(root, entry_point="train.py", step="train", **fields):
    return CodeRequest(step, entry_point, root / PROJECT, **fields)


def collect(root, *args, **fields) -> ir.Code:
    return collect_code([request(root, *args, **fields)], root).code["train"]


def shipped(code: ir.Code) -> set[str]:
    """The bundle's files, without the two that every bundle has."""
    return {f.path for f in code.bundle.files} - {"entry.sh", "entry.py"}


def problems(root, *args, **fields) -> tuple[Diagnostic, ...]:
    with pytest.raises(PipelineError) as error:
        collect(root, *args, **fields)
    return error.value.diagnostics


def problem(root, *args, **fields) -> Diagnostic:
    (found,) = problems(root, *args, **fields)
    return found


# ------------------------------------------------------------------ what travels


def test_a_bundle_holds_the_script_and_the_entry_files(root):
    write(root, f"{PROJECT}/train.py", "import json, numpy\n")
    code = collect(root)
    assert [f.path for f in code.bundle.files] == ["entry.py", "entry.sh", "src/train.py"]
    assert (code.entry_point, code.interpreter, code.requirements) == ("src/train.py", "python3", None)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("import features", {"src/features.py"}),
        ("import pkg.deep.leaf", {"src/pkg/__init__.py", "src/pkg/deep/__init__.py", "src/pkg/deep/leaf.py"}),
        ("from pkg import plain", {"src/pkg/__init__.py", "src/pkg/plain.py"}),
        ("from pkg.plain import anything", {"src/pkg/__init__.py", "src/pkg/plain.py"}),
        (
            "from pkg.rel import x",
            {"src/pkg/__init__.py", "src/pkg/rel.py", "src/pkg/plain.py", "src/pkg/deep/__init__.py"},
        ),
        ("from pkg.star import *", {"src/pkg/__init__.py", "src/pkg/star/__init__.py", "src/pkg/star/one.py"}),
        ("import namespace.mod", {"src/namespace/mod.py"}),
        ("def f():\n    import features", {"src/features.py"}),
        ("try:\n    import cudf\nexcept ImportError:\n    import features", {"src/features.py"}),
        ("if False:\n    import features", {"src/features.py"}),
        ("import importlib\nimportlib.import_module('pkg.plain')", {"src/pkg/__init__.py", "src/pkg/plain.py"}),
        ("__import__('features')", {"src/features.py"}),
        (
            "from global_common import query",
            {"shared/global_common/__init__.py", "shared/global_common/query.py", "shared/global_common/text.py"},
        ),
        ("import experiment_manager", {"shared/experiment_manager/__init__.py"}),
        ("x = '\\d'", set()),  # Python warns of this string
    ],
)
def test_a_bundle_holds_what_the_script_imports_and_nothing_else(root, statement, expected):
    write(root, f"{PROJECT}/train.py", statement)
    for name in (
        "features",
        "other",
        "pkg/plain",
        "pkg/__init__",
        "pkg/deep/leaf",
        "pkg/star/one",
        "pkg/star/two",
        "namespace/mod",
    ):
        write(root, f"{PROJECT}/{name}.py")
    write(root, f"{PROJECT}/pkg/deep/__init__.py")
    write(root, f"{PROJECT}/pkg/star/__init__.py", "__all__ = ['one']")
    write(root, f"{PROJECT}/pkg/rel.py", "from . import plain\nfrom .deep import x\nfrom .... import beyond\n")
    assert shipped(collect(root)) == expected | {"src/train.py"}


def test_imports_that_go_round_in_a_circle_end(root):
    write(root, f"{PROJECT}/train.py", "import a")
    write(root, f"{PROJECT}/a.py", "import b")
    write(root, f"{PROJECT}/b.py", "import a, train")
    assert shipped(collect(root)) == {"src/train.py", "src/a.py", "src/b.py"}


def test_a_script_in_a_folder_of_the_source_imports_from_both(root):
    write(root, f"{PROJECT}/steps/train.py", "import beside, above")
    write(root, f"{PROJECT}/steps/beside.py")
    write(root, f"{PROJECT}/above.py")
    code = collect(root, "steps/train.py", source_dir=".")
    assert code.entry_point == "src/steps/train.py"
    assert shipped(code) == {"src/steps/train.py", "src/steps/beside.py", "src/above.py"}


def test_data_files_travel_but_what_belongs_to_the_project_stays(root):
    write(root, f"{PROJECT}/train.py")
    travelling = ["query/a.sql", "words.txt", "deep/er/model.json"]
    staying = [
        *("pipeline.yaml", "a.pipeline.yaml", "pipeline.local.yaml", "environment.yaml", "tests/data.csv", ".env"),
        *(
            "__pycache__/x.pyc",
            ".git/config",
            "requirements-dev.txt",
            "README.md",
            "other.py",
            "venv/pyvenv.cfg",
            "venv/x",
        ),
    ]
    for name in (*travelling, *staying):
        write(root, f"{PROJECT}/{name}")
    assert shipped(collect(root)) == {"src/train.py", *(f"src/{name}" for name in travelling)}


def test_ignore_files_have_the_rules_of_git(root):
    write(root, f"{PROJECT}/train.py")
    for name in ("data/a.csv", "keep.csv", "drop.csv", "deep/drop.csv", "top.txt", "deep/top.txt", "README.md"):
        write(root, f"{PROJECT}/{name}")
    write(root, ".buzzflowignore", "*.csv\n")
    write(root, f"{PROJECT}/.buzzflowignore", "# comment\n/top.txt\n!keep.csv\n!README.md\ndata/\n!data/a.csv\n")
    assert shipped(collect(root)) == {"src/train.py", "src/keep.csv", "src/deep/top.txt", "src/README.md"}


def test_include_brings_modules_with_their_packages_and_their_imports(root):
    write(root, f"{PROJECT}/train.py")
    write(root, f"{PROJECT}/plugins/__init__.py")
    write(root, f"{PROJECT}/plugins/one.py", "import features")
    write(root, f"{PROJECT}/features.py")
    expected = {"src/train.py", "src/plugins/__init__.py", "src/plugins/one.py", "src/features.py"}
    assert shipped(collect(root, include=("plugins/o*.py",))) == expected


def test_include_reaches_the_repository_and_what_is_ignored(root):
    write(root, f"{PROJECT}/train.py")
    write(root, f"{PROJECT}/.buzzflowignore", "data/\n")
    write(root, f"{PROJECT}/data/a/small.csv")
    write(root, f"{PROJECT}/data/.hidden")
    write(root, "projects/base/sql/a.sql")
    write(root, "global_common/plugins/p.py")
    code = collect(
        root, include=("data", "projects/base/**/*.sql", "../../base/sql/*.sql", "global_common/plugins/*.py")
    )
    assert shipped(code) == {
        *("src/train.py", "src/data/a/small.csv", "src/projects/base/sql/a.sql"),
        *("shared/global_common/plugins/p.py", "shared/global_common/__init__.py"),
    }


def test_a_shell_script_brings_all_of_its_folder_and_what_that_imports(root):
    write(root, f"{PROJECT}/run.sh")
    write(root, f"{PROJECT}/tool.py", "import global_common.text")
    write(root, f"{PROJECT}/broken.py", "print 'Python 2'")
    collected = collect_code([request(root, "run.sh")], root)
    code = collected.code["train"]
    assert code.interpreter == "sh"
    assert shipped(code) == {
        *("src/run.sh", "src/tool.py", "src/broken.py"),
        *("shared/global_common/__init__.py", "shared/global_common/text.py"),
    }
    assert [(d.code, d.severity) for d in collected.warnings] == [("BF132", Severity.WARNING)]


def test_requirements_beside_the_script_are_used_unasked(root):
    write(root, f"{PROJECT}/train.py")
    write(root, f"{PROJECT}/requirements.txt", "-r more/base.txt\nnumpy\n")
    write(root, f"{PROJECT}/more/base.txt", "--constraint=c.in # pinned\n-r https://example.org/x.txt\n")
    write(root, f"{PROJECT}/more/c.in", "-r ../requirements.txt\n")
    write(root, f"{PROJECT}/gpu.txt", "torch\n")
    code = collect(root)
    assert code.requirements == "requirements.txt"
    assert {"requirements.txt", "more/base.txt", "more/c.in"} <= shipped(code)
    named = collect_code([request(root, requirements="gpu.txt")], root)
    content = {f.path: named.contents[f.sha256] for f in named.code["train"].bundle.files}
    assert content["requirements.txt"].read_text() == "torch\n"


def test_paths_may_start_at_the_repository(root):
    write(root, f"{PROJECT}/src/train.py")
    for fields in (
        {"entry_point": f"{PROJECT}/src/train.py"},
        {"entry_point": "train.py", "source_dir": f"{PROJECT}/src"},
        {"entry_point": "src/train.py", "source_dir": "src"},
    ):
        assert collect(root, **fields).entry_point == "src/train.py"


def test_without_shared_packages_in_the_repository_the_installed_ones_travel(tmp_path):
    write(tmp_path, f"{PROJECT}/train.py", "from global_common.step import inputs")
    code = collect(tmp_path)
    assert shipped(code) == {"src/train.py", "shared/global_common/__init__.py", "shared/global_common/step.py"}


def test_a_script_at_the_root_keeps_shared_packages_apart(root):
    write(root, "train.py", "import global_common.text")
    write(root, "global_common/py.typed")
    code = collect_code([CodeRequest("train", "train.py", root)], root).code["train"]
    assert shipped(code) == {"src/train.py", "shared/global_common/__init__.py", "shared/global_common/text.py"}


# ------------------------------------------------------------------ what is refused


def test_a_missing_script_gets_a_close_name(root):
    write(root, f"{PROJECT}/train.py")
    write(root, f"{PROJECT}/steps/other.py")
    found = problem(root, "trian.py")
    assert (found.code, found.path) == ("BF130", ("steps", "train", "code", "entry_point"))
    assert found.hint == "did you mean 'train.py'?"
    assert problem(root, "other.py").hint == "did you mean 'steps/other.py'?"


def test_everything_that_is_missing_is_told_at_once(root):
    write(root, f"{PROJECT}/train.py")
    found = problems(root, source_dir="scr", requirements="req.txt", include=("train.py", "*.nothing"), interpreter="")
    assert [(d.code, d.path[3:]) for d in found] == [
        *[("BF130", ("source_dir",)), ("BF130", ("requirements",)), ("BF135", ("include", 1))]
    ]


@pytest.mark.parametrize("entry_point", ["", ".", "..", "a\0b", "x" * 5000, "tests/../none.py"])
def test_a_strange_script_is_a_diagnostic(root, entry_point):
    assert {d.code for d in problems(root, entry_point, interpreter="sh")} <= {"BF130", "BF131"}


@pytest.mark.parametrize("path", ["/etc/passwd", "../../../../../../../../etc/passwd", "link.py"])
def test_a_script_outside_the_repository_is_refused(root, path):
    (root / PROJECT / "link.py").symlink_to("/etc/passwd")
    assert problem(root, path, interpreter="sh").code == "BF131"


@pytest.mark.parametrize(
    "glob", ["/etc/*", "../../../../../../../../../../etc/*", "x/*/../../../../../etc/*", "", "**foo", "a\0"]
)
def test_include_stays_inside_the_repository(root, glob):
    write(root, f"{PROJECT}/train.py")
    assert problem(root, include=(glob,)).code in {"BF131", "BF135"}


def test_links_travel_as_what_they_link_to_unless_it_is_outside(root, tmp_path_factory):
    write(root, f"{PROJECT}/train.py")
    write(root, "projects/base/words.txt", "a")
    (root / PROJECT / "words.txt").symlink_to("../../base/words.txt")
    (root / PROJECT / "base").symlink_to("../../base")
    (root / PROJECT / "loop").symlink_to(".")
    assert shipped(collect(root)) == {"src/train.py", "src/words.txt", "src/base/words.txt"}
    (root / PROJECT / "etc").symlink_to(tmp_path_factory.mktemp("outside"))
    (root / PROJECT / "nothing").symlink_to("nowhere")
    found = problems(root)
    assert {d.code for d in found} == {"BF131"}
    assert ["link that leads out" in found[0].summary, "link to nothing" in found[1].summary] == [True, True]


def test_what_is_no_ordinary_file_is_refused(root):
    write(root, f"{PROJECT}/train.py", "import pipe")
    os.mkfifo(root / PROJECT / "fifo")
    os.mkfifo(root / PROJECT / "pipe.py")
    found = problem(root)
    assert (found.code, "fifo is not an ordinary file" in found.summary) == ("BF131", True)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"import x\ndef f(:\n", 2),
        (b"a = 1\0", 1),
        (b"# \xff\n", 1),
        (b"x = " + b"(" * 300, 1),
        (b"# coding: nonsense\n", 1),
    ],
)
def test_python_that_cannot_be_read_is_told_once_with_its_line(root, content, line):
    write(root, f"{PROJECT}/a.py", "import broken")
    write(root, f"{PROJECT}/b.py", "import broken")
    write(root, f"{PROJECT}/broken.py", content)
    with pytest.raises(PipelineError) as error:
        collect_code([request(root, "a.py", "a"), request(root, "b.py", "b")], root)
    (found,) = error.value.diagnostics
    assert (found.code, found.path, found.span.line) == ("BF132", ("steps", "a", "code"), line)
    assert found.span.file.endswith("broken.py")


def test_no_code_of_the_user_runs(root):
    write(root, f"{PROJECT}/train.py", "import evil\nopen('ran', 'w')")
    write(root, f"{PROJECT}/evil.py", "raise SystemExit(f'ran {open(__file__)}')")
    assert "src/evil.py" in shipped(collect(root))
    assert not Path("ran").exists()


def test_a_dynamic_import_is_a_warning_until_modules_are_included(root):
    write(root, f"{PROJECT}/train.py", "import importlib\n\nmodel = importlib.import_module(f'models.{name}')\n")
    write(root, f"{PROJECT}/models/big.py")
    collected = collect_code([request(root)], root)
    (warning,) = collected.warnings
    assert (warning.code, warning.is_error, warning.span.line, warning.span.column) == ("BF134", False, 3, 9)
    assert "include" in warning.hint
    assert not collect_code([request(root, include=("models/*.py",))], root).warnings


def test_a_bundle_that_is_too_large_names_its_largest_files(root):
    write(root, f"{PROJECT}/train.py")
    with (root / PROJECT / "huge.bin").open("wb") as huge:
        huge.truncate(101 * 1024**2)
    found = problem(root)
    assert found.code == "BF133"
    assert found.summary == "the code has 101 MiB, and a bundle may have 100 MiB"
    assert "src/huge.bin (101 MiB)" in found.hint
    assert ".buzzflowignore" in found.hint


def test_a_bundle_of_too_many_files_names_their_folder(root, monkeypatch):
    monkeypatch.setattr(bundles, "MOST_FILES", 20)
    write(root, f"{PROJECT}/train.py")
    for number in range(21):
        write(root, f"{PROJECT}/images/{number}.png")
    found = problem(root)
    assert (found.code, "src/images (21)" in found.hint) == ("BF133", True)


def test_requirements_that_reach_out_of_their_folder_are_refused(root):
    write(root, f"{PROJECT}/train.py")
    write(root, f"{PROJECT}/requirements.txt", "-r ../base.txt\n")
    assert problem(root).code == "BF130"


def test_each_file_is_read_once_for_all_steps(root, monkeypatch):
    read: list[str] = []
    file_digest = bundles.hashlib.file_digest
    monkeypatch.setattr(bundles.hashlib, "file_digest", lambda f, kind: read.append(f.name) or file_digest(f, kind))
    write(root, f"{PROJECT}/train.py", "import shared_by_both")
    write(root, f"{PROJECT}/test.py", "import shared_by_both")
    write(root, f"{PROJECT}/shared_by_both.py")
    collect_code([request(root, "train.py", "a"), request(root, "test.py", "b"), request(root, "test.py", "c")], root)
    assert len(read) == len(set(read)) == 5


def test_sockets_of_other_programs_are_refused(root):
    write(root, f"{PROJECT}/train.py")
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(root / PROJECT)
        server.bind("s")
        assert problem(root).code == "BF131"


@pytest.fixture(autouse=True)
def _stay(monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))


# ------------------------------------------------------------------ staging


@pytest.fixture
def collected(root) -> CollectedCode:
    write(root, f"{PROJECT}/train.py", "import features")
    write(root, f"{PROJECT}/features.py", "x = 1")
    write(root, f"{PROJECT}/tool.sh", "exit 0").chmod(0o700)
    return collect_code([request(root)], root)


def test_a_staged_bundle_has_the_bytes_and_the_modes_that_it_says(collected, tmp_path):
    bundle = collected.code["train"].bundle
    old = os.umask(0o077)
    try:
        stage_bundle(bundle, collected.contents, tmp_path / "deep" / "code")
    finally:
        os.umask(old)
    files = {p.relative_to(tmp_path / "deep/code").as_posix(): p for p in (tmp_path / "deep/code").rglob("*")}
    modes = {name: path.stat().st_mode & 0o777 for name, path in files.items()}
    assert modes.pop("src") == 0o755
    assert modes == {f.path: 0o755 if f.executable else 0o644 for f in bundle.files}
    assert modes["src/tool.sh"] == 0o755
    assert files["entry.sh"].read_bytes() == dict(entry_files())["entry.sh"].read_bytes()
    stage_bundle(bundle, {}, tmp_path / "deep" / "code")  # is there already


def test_a_file_that_changes_while_it_is_staged_leaves_nothing_behind(collected, root, tmp_path):
    write(root, f"{PROJECT}/features.py", "x = 2")
    (root / PROJECT / "tool.sh").unlink()
    with pytest.raises(PipelineError) as error:
        stage_bundle(collected.code["train"].bundle, collected.contents, tmp_path / "stage" / "code")
    assert [d.code for d in error.value.diagnostics] == ["BF136", "BF136"]
    assert "features.py changed while it was read" in error.value.diagnostics[0].summary
    assert [*(tmp_path / "stage").iterdir()] == []
