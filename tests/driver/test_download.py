"""What a local run lacks comes from S3, when the caller allows so much: whole, once, and never silently changed."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from buzzflow.backends.local.events import Event, Notice, Transfer
from buzzflow.diagnostics import PipelineError
from buzzflow.driver import check
from buzzflow.driver.local import LocalOptions, LocalRun, run_local
from tests.aws.faults import Fault

BUCKET = "example-ml"
MB = 1_000_000
PIPELINE = """\
parameters: {day: "2026-01-01"}
steps:
  count:
    type: processing
    image: python:3.11-slim
    entrypoint: [/bin/sh, -c, 'cat "$BUZZFLOW_DAYS"/a > "$BUZZFLOW_OUT"/all']
    environment_variables: {BUZZFLOW_DAYS: /opt/ml/processing/input/days, BUZZFLOW_OUT: /opt/ml/processing/output/all}
    inputs: {days: "s3://example-ml/days/${param:day}/", settings: s3://example-ml/settings.json}
    outputs: [all]
"""


class Repository:
    """A pipeline that reads a folder and an object, and the bucket that has them."""

    def __init__(self, folder: Path, aws: Any) -> None:
        self.folder, self.aws = folder, aws
        self.events: list[Event] = []
        self.stop = threading.Event()
        (folder / ".git").mkdir(parents=True)
        (folder / "pipeline.yaml").write_text(PIPELINE)
        aws.make_bucket(BUCKET)

    def put(self, **objects: bytes) -> None:
        for key, body in objects.items():
            self.aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)

    def run(self, download: int | None = MB, **more: Any) -> LocalRun:
        self.events = []
        checked = check(self.folder, backend="local", local=True)
        return run_local(checked, LocalOptions("process", download=download, **more), self.events.append, self.stop)

    def refused(self, download: int | None = MB) -> list[tuple[str, str]]:
        with pytest.raises(PipelineError) as caught:
            self.run(download)
        return [(d.code, d.summary) for d in caught.value.diagnostics]

    @property
    def told(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Notice)]

    @property
    def kept(self) -> list[str]:
        state = self.folder / ".buzzflow" / "downloads"
        return sorted(str(p.relative_to(state).as_posix()) for p in state.rglob("*") if p.is_file())


@pytest.fixture
def repository(tmp_path: Path, aws: Any, socket_enabled: None) -> Repository:
    made = Repository(tmp_path / "ml", aws)
    made.put(**{"days/2026-01-01/a": b"one ", "days/2026-01-01/deep/b": b"", "settings.json": b"{}"})
    made.put(**{"days/2026-01-01-old/c": b"another folder", "days/2026-01-01/": b""})
    return made


def test_what_is_missing_is_fetched_once_and_found_by_later_runs(repository: Repository) -> None:
    run = repository.run()
    assert (run.outputs["count", "all"] / "all").read_bytes() == b"one "
    assert any("fetching s3://example-ml/days/2026-01-01/ (4 bytes)" in text for text in repository.told)
    transfers = [e for e in repository.events if isinstance(e, Transfer)]
    assert transfers[0].total == 6
    assert transfers[-1].done is None
    kept = {path.split("/", 1)[1] for path in repository.kept}
    assert kept == {"source.json", "data/settings.json", "data/a", "data/deep/b"}
    repository.aws.calls.clear()
    repository.run(download=None)
    assert not repository.aws.calls
    repository.run()
    assert not repository.aws.calls.of("GetObject")
    assert not any("was fetched before" in text for text in repository.told)


def test_what_changed_in_s3_is_told_and_the_old_is_used(repository: Repository) -> None:
    repository.run()
    repository.put(**{"days/2026-01-01/a": b"two ", "days/2026-01-01/new": b"x"})
    run = repository.run()
    assert (run.outputs["count", "all"] / "all").read_bytes() == b"one "
    [told] = [text for text in repository.told if "was fetched before" in text]
    assert "s3://example-ml/days/2026-01-01/ was fetched before, and in S3 2 objects differ: delete " in told


def test_more_than_the_caller_allows_is_told_with_sizes_and_nothing_is_fetched(repository: Repository) -> None:
    repository.put(**{"days/2026-01-01/large": bytes(3 * MB)})
    problems = repository.refused(2 * MB)
    assert problems[0] == ("BF562", "what is missing here has 3.0 MB, and --download allows 2.0 MB")
    assert problems[1] == (
        "BF501",
        "s3://example-ml/days/2026-01-01/ is not on this machine: 3.0 MB in 3 objects",
    )
    assert not repository.aws.calls.of("GetObject")
    assert not repository.kept


def test_what_is_nowhere_is_told(repository: Repository) -> None:
    (repository.folder / "pipeline.yaml").write_text(PIPELINE.replace("settings.json", "setings.json"))
    assert repository.refused() == [
        ("BF501", "there is no data for s3://example-ml/setings.json, neither here nor in S3")
    ]


def test_another_mistake_comes_before_any_connection(repository: Repository) -> None:
    (repository.folder / "pipeline.yaml").write_text(PIPELINE.replace("python:3.11-slim", "pytorch:2.5"))
    repository.aws.calls.clear()
    assert ("BF503", "no public image is known that stands in for pytorch:2.5") in repository.refused()
    assert not repository.aws.calls


def test_without_credentials_the_missing_sources_are_told_too(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert [code for code, _ in repository.refused()] == ["BF600", "BF501", "BF501"]


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.TRUNCATED, Fault.UNAVAILABLE])
def test_an_answer_that_breaks_off_is_asked_for_again(fault: Fault, repository: Repository) -> None:
    repository.put(**{"days/2026-01-01/a": bytes(range(256)) * 4000})
    repository.aws.faults.on("GetObject", fault)
    run = repository.run(10 * MB)
    assert (run.outputs["count", "all"] / "all").read_bytes() == bytes(range(256)) * 4000


def test_what_may_not_be_read_leaves_nothing(repository: Repository) -> None:
    repository.aws.faults.on("GetObject", Fault.ACCESS_DENIED, times=99)
    assert [code for code, _ in repository.refused()] == ["BF604"]
    assert not repository.kept


def test_a_stop_ends_the_fetching_and_leaves_nothing(repository: Repository) -> None:
    repository.put(**{"days/2026-01-01/a": bytes(20 * MB)})
    checked = check(repository.folder, backend="local", local=True)

    def stop(event: Event) -> None:
        if isinstance(event, Transfer):
            repository.stop.set()

    with pytest.raises(KeyboardInterrupt):
        run_local(checked, LocalOptions("process", download=100 * MB), stop, repository.stop)
    assert not repository.kept


@pytest.mark.parametrize(
    "key", ["days/2026-01-01/../../../etc/passwd", "days/2026-01-01//x", f"days/2026-01-01/{'x' * 300}"]
)
def test_a_key_that_can_be_no_file_is_refused(key: str, repository: Repository) -> None:
    repository.put(**{key: b"x"})
    [(code, summary), *_] = repository.refused()
    assert code == "BF563"
    assert "cannot be a file here" in summary


def test_a_record_says_what_was_fetched(repository: Repository) -> None:
    repository.run()
    records = [
        json.loads((repository.folder / ".buzzflow/downloads" / path).read_text())
        for path in repository.kept
        if path.endswith("source.json")
    ]
    assert sorted(record["address"] for record in records) == [
        "s3://example-ml/days/2026-01-01/",
        "s3://example-ml/settings.json",
    ]
    assert {name for record in records for name in record["objects"]} == {"a", "deep/b", "settings.json"}


def test_what_was_fetched_is_no_sample(repository: Repository) -> None:
    run = repository.run()
    manifest = json.loads((run.report.folder / "manifest.json").read_text())
    assert not manifest["steps"]["count"].get("sample_data")
