import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from buzzflow import ir
from buzzflow.loader.bundle import digest
from buzzflow.loader.code import CodeRequest, collect_code, stage_bundle

PROJECT = Path("projects/p")
MODULES = ("extract", "evaluate", "util", "deep/mod", "deep/__init__")
STATEMENTS = ("import util", "from deep import mod", "import deep.mod", "from global_common import text", "import json")

contents = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=30)
modules = st.lists(st.sampled_from(STATEMENTS), max_size=3).map("\n".join)
data = st.dictionaries(st.from_regex(r"[a-z]{1,4}(/[a-z]{1,3})?\.(sql|json)", fullmatch=True), contents, max_size=4)


@st.composite
def trees(draw):
    """The files of a repository by path: two scripts, what they may import, and data."""
    files = {str(PROJECT / f"{name}.py"): draw(modules) for name in MODULES}
    files |= {str(PROJECT / name): text for name, text in draw(data).items()}
    return files | {
        "global_common/__init__.py": "",
        "global_common/text.py": draw(modules),
        "experiment_manager/__init__.py": "",
    }


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def bundles(root) -> dict[str, ir.Bundle]:
    requests = [CodeRequest(step, f"{step}.py", root / PROJECT) for step in ("extract", "evaluate")]
    return {step: code.bundle for step, code in collect_code(requests, root).code.items()}


def folder():
    return tempfile.TemporaryDirectory(prefix="code-")


@given(trees(), st.randoms(use_true_random=False))
def test_equal_trees_have_equal_digests_wherever_and_in_whatever_order_they_were_written(files, random):
    with folder() as one, folder() as two:
        write(Path(one), files)
        shuffled = [*files.items()]
        random.shuffle(shuffled)
        old = os.umask(0o077)
        try:
            write(Path(two) / "further/down", dict(shuffled))
        finally:
            os.umask(old)
        assert bundles(Path(one)) == bundles(Path(two) / "further/down")


@given(trees(), st.integers(0, 2**31 - 1))
def test_what_is_not_content_changes_no_digest(files, time):
    with folder() as place:
        root = Path(place)
        write(root, files)
        before = bundles(root)
        for path in [*root.rglob("*")]:
            os.utime(path, (time, time))
            if path.is_file():
                path.chmod(path.stat().st_mode ^ 0o044)
        ignored = (
            "__pycache__/util.cpython-311.pyc",
            "deep/__pycache__/x.pyc",
            "util.pyc",
            ".git/HEAD",
            "tests/t.sql",
            "README.md",
        )
        write(root, {str(PROJECT / name): "x" for name in ignored})
        assert bundles(root) == before


@given(trees(), st.data())
def test_a_digest_changes_exactly_when_a_file_that_travels_does(files, data):
    edited = data.draw(st.sampled_from(sorted(files)))
    with folder() as place:
        root = Path(place)
        write(root, files)
        before = bundles(root)
        write(root, {edited: files[edited] + "\n# edited"})
        after = bundles(root)
    for step, bundle in before.items():
        path = edited.replace(str(PROJECT), "src") if edited.startswith(str(PROJECT)) else f"shared/{edited}"
        assert (bundle.digest != after[step].digest) == (path in {f.path for f in bundle.files})


@given(trees())
def test_editing_one_script_leaves_the_other_one_its_digest(files):
    with folder() as place:
        root = Path(place)
        write(root, files)
        before = bundles(root)
        write(root, {str(PROJECT / "evaluate.py"): "print('edited')"})
        after = bundles(root)
    assert after["extract"] == before["extract"]
    assert after["evaluate"].digest != before["evaluate"].digest


@given(trees())
@settings(max_examples=25)
def test_a_staged_bundle_collects_to_the_files_that_it_was_made_of(files):
    with folder() as place:
        root = Path(place)
        write(root, files)
        collected = collect_code([CodeRequest("extract", "extract.py", root / PROJECT)], root)
        bundle = collected.code["extract"].bundle
        stage_bundle(bundle, collected.contents, root / "staged")
        found = {
            p.relative_to(root / "staged").as_posix(): p.stat().st_size
            for p in (root / "staged").rglob("*")
            if p.is_file()
        }
        assert found == {f.path: f.size for f in bundle.files}
        shutil.rmtree(root / "staged")


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=4)
hashes = st.integers(0, 3).map(lambda n: f"{n:064x}")
entries = st.lists(
    st.builds(ir.BundleFile, names, hashes, st.just(0), st.booleans()), unique_by=lambda f: f.path, max_size=4
)


@given(entries, entries, st.randoms(use_true_random=False))
def test_two_bundles_have_one_address_exactly_when_they_hold_the_same(one, two, random):
    shuffled = one[:]
    random.shuffle(shuffled)
    assert digest(one) == digest(shuffled)
    assert (digest(one) == digest(two)) == (set(one) == set(two))


def test_the_digest_is_the_same_under_every_hash_seed(tmp_path):
    files = {str(PROJECT / f"{name}.py"): "\n".join(STATEMENTS) for name in MODULES}
    write(tmp_path, files | {f"{PROJECT}/d{n}.sql": str(n) for n in range(20)} | {"global_common/text.py": ""})
    program = (
        "import sys; from pathlib import Path; from buzzflow.loader.code import CodeRequest, collect_code;"
        "root = Path(sys.argv[1]);"
        "print(collect_code([CodeRequest('s', 'extract.py', root / 'projects/p')], root).code['s'])"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert all(a == b for a, b in itertools.pairwise(printed))
