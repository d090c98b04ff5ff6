"""A run's folder alone is enough to do it again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from buzzflow.backends.local import plan
from buzzflow.backends.local.records.recording import RecordError, read_recorded, record_request
from buzzflow.backends.local.request.request import RunRequest

CONTENT = b"print(1)\n"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def request_(tmp_path: Path) -> RunRequest:
    (tmp_path / "main.py").write_bytes(CONTENT)
    files = [plan.CodeFile(path="src/main.py", sha256=DIGEST, size=len(CONTENT))]
    code = plan.Code(digest="0" * 64, path="/opt/ml/processing/input/code", files=files)
    step = plan.ProcessingStep(name="a", container=plan.Container(image="img:1", code=code))
    made = plan.RunPlan(pipeline="p", prefix="s3://b-1/p/", steps=[step])
    state = tmp_path / ".buzzflow"
    data = {"s3://raw/": tmp_path / "sample", "s3://far/": Path("/data/far")}
    request = RunRequest("r1", made, {DIGEST: tmp_path / "main.py"}, state, tmp_path / "p", data=data)
    request.folder.mkdir(parents=True)
    return request


def test_code_is_kept_once_for_all_runs(request_: RunRequest, tmp_path: Path) -> None:
    kept = record_request(request_).contents[DIGEST]
    (tmp_path / "main.py").write_text("edited")
    assert kept == request_.folder / "code" / DIGEST
    assert kept.read_bytes() == CONTENT
    assert kept.samefile(tmp_path / ".buzzflow/cache/code" / DIGEST)


def test_paths_start_at_the_top_where_they_can(request_: RunRequest) -> None:
    record_request(request_)
    text = (request_.folder / "request.json").read_text()
    assert '"s3://raw/": "sample"' in text
    assert '"s3://far/": "/data/far"' in text
    assert '"project": "p"' in text


def test_a_file_that_was_edited_meanwhile_stays_where_it_is(request_: RunRequest, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("edited")
    assert record_request(request_).contents == {DIGEST: tmp_path / "main.py"}
    assert [*(tmp_path / ".buzzflow/cache/code").iterdir()] == []


def test_a_file_that_was_deleted_meanwhile_is_for_its_step_to_tell(request_: RunRequest, tmp_path: Path) -> None:
    (tmp_path / "main.py").unlink()
    assert record_request(request_).contents == {DIGEST: tmp_path / "main.py"}


def test_what_is_missing_is_told(request_: RunRequest) -> None:
    record_request(request_)
    with pytest.raises(RecordError, match=r"holds no run"):
        read_recorded(request_.folder)
