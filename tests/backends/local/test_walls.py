"""A step may leave anything where its data is taken: no link of its own leads anywhere."""

from __future__ import annotations

import json
import os
import tarfile
import threading
from pathlib import Path

import pytest

from buzzflow.backends.local import plan
from buzzflow.backends.local.evaluate import EvaluationError, Known, value
from buzzflow.backends.local.steps.log import StepLog
from buzzflow.backends.local.steps.staging import Stage, pack
from buzzflow.backends.local.store import AddressError, Store
from buzzflow.backends.local.walls import LinkError, read_some, refuse_foreign_links, within


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A folder that no step should reach."""
    folder = tmp_path / "host"
    folder.mkdir()
    (folder / "secret.json").write_text('{"key": "value of the host"}')
    (folder / "failure").write_text("text of the host")
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "s3", "s3://bucket/run/", tmp_path / "outputs", {})


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "stage" / "out"
    folder.mkdir(parents=True)
    return folder


def test_a_link_in_place_of_an_output_is_refused(host: Path, output: Path) -> None:
    output.rmdir()
    output.symlink_to(host)
    with pytest.raises(LinkError, match="out is a link"):
        within(output.parent, output)
    assert (host / "secret.json").exists()


def test_a_link_out_of_an_output_is_not_stored(host: Path, output: Path, store: Store) -> None:
    (output / "sub").symlink_to(host)
    with pytest.raises(LinkError, match="sub is a link that leads out of the output"):
        store.put(output, "s3://bucket/data/")
    assert not store.path("s3://bucket/data/sub/secret.json").exists()


@pytest.mark.parametrize("target", ["/etc/passwd", "../../host/secret.json", "nowhere/../../../host"])
def test_links_that_lead_out_are_foreign(target: str, host: Path, output: Path) -> None:
    (output / "x").symlink_to(target)
    with pytest.raises(LinkError):
        refuse_foreign_links(output)


def test_a_link_within_an_output_is_kept(output: Path, store: Store) -> None:
    (output / "v3").mkdir()
    (output / "v3" / "m").write_text("3")
    (output / "latest").symlink_to("v3")
    store.put(output, "s3://bucket/models/")
    assert (store.path("s3://bucket/models/") / "latest" / "m").read_text() == "3"


def test_an_address_does_not_lead_through_a_link(host: Path, store: Store, tmp_path: Path) -> None:
    (tmp_path / "s3" / "bucket" / "x").mkdir(parents=True)
    (tmp_path / "s3" / "bucket" / "x" / "sub").symlink_to(host)
    for address in ("s3://bucket/x/sub/", "s3://bucket/x/sub/secret.json"):
        with pytest.raises(AddressError, match="is a link"):
            store.path(address)


def test_a_pipe_is_no_data(output: Path, store: Store) -> None:
    os.mkfifo(output / "p")
    with pytest.raises(LinkError, match="p is neither a file nor a folder"):
        store.put(output, "s3://bucket/data/")


def test_a_failure_file_behind_a_link_is_not_read(host: Path, tmp_path: Path) -> None:
    stage = Stage(tmp_path / "stage")
    stage.folder.mkdir()
    (stage.folder / "output").symlink_to(host)
    assert stage.message() is None


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_only_an_ordinary_file_is_read(kind: str, host: Path, output: Path) -> None:
    file = output / "m.json"
    if kind == "link":
        file.symlink_to(host / "secret.json")
    elif kind == "pipe":
        os.mkfifo(file)
    else:
        file.mkdir()
    with pytest.raises(LinkError):
        read_some(file, 10)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[" * 200_000, "is no JSON"),
        ('{"a": ' + "1" * 5_000 + "}", "is no JSON"),
        ('{"a": NaN}', "is nan, which is no number"),
        ("x" * 2_000_000, "is larger than 1024 KiB"),
        ('{"a": "\ud800"}'.encode("utf-8", "surrogatepass").decode("latin-1"), "has no value"),
    ],
)
def test_a_hostile_report_is_told(content: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "m.json"
    file.write_text(content)
    known = Known({}, {}, reports={("s", "r"): file})
    path = ["b"] if told == "has no value" else ["a"]
    with pytest.raises(EvaluationError, match=told):
        value(plan.ReportValue(step="s", report="r", path=path), known)


def test_numbers_of_any_size_compare(tmp_path: Path) -> None:
    from buzzflow.backends.local.evaluate import holds

    file = tmp_path / "m.json"
    file.write_text(json.dumps({"a": 10**400}))
    known = Known({}, {}, reports={("s", "r"): file})
    huge = plan.ReportValue(step="s", report="r", path=["a"])
    assert holds(plan.Compare(operator=">", left=huge, right=0.5), known)


def test_packing_ends_when_the_run_is_stopped(output: Path, tmp_path: Path) -> None:
    with (output / "w").open("wb") as file:
        file.truncate(2**40)
    stop = threading.Event()
    timer = threading.Timer(0.5, stop.set)
    timer.start()
    with pytest.raises(InterruptedError):
        pack(output, tmp_path / "model.tar.gz", stop)
    timer.join()
    assert [p.name for p in tmp_path.glob("model*")] == []


def test_a_packed_link_stays_a_link(host: Path, output: Path, tmp_path: Path) -> None:
    (output / "x").symlink_to(host / "secret.json")
    pack(output, tmp_path / "model.tar.gz", threading.Event())
    with tarfile.open(tmp_path / "model.tar.gz") as tar:
        assert [(m.name, m.issym()) for m in tar] == [("x", True)]


def test_a_pattern_that_takes_too_long_is_dropped_with_a_warning(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        log = StepLog("s", file, lambda _event: None, {"slow": "(a|a)+$", "auc": "auc=([0-9.]+)"})
        log.write(b"a" * 40 + b"b\nauc=0.7\n")
    assert log.metrics == {"auc": 0.7}
    assert [w.partition(" is")[0] for w in log.warnings] == ["metric 'slow'"]
