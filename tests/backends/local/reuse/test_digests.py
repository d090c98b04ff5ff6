"""Digests of data: of contents, and read once."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from buzzflow.backends.local.reuse import digests as module
from buzzflow.backends.local.reuse.digests import Digests

LONG_AGO = (1_600_000_000_000_000_000, 1_600_000_000_000_000_000)


def old(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    os.utime(file, ns=LONG_AGO)
    return file


def test_a_file_has_the_digest_of_its_content(tmp_path: Path) -> None:
    assert Digests(tmp_path).of(old(tmp_path / "a", "x")) == hashlib.sha256(b"x").hexdigest()


def test_names_and_contents_of_a_folder_count_and_nothing_else(tmp_path: Path) -> None:
    for name in ("one", "two"):
        old(tmp_path / name / "a.txt", "1")
        old(tmp_path / name / "deep" / "b.txt", "2")
    found = Digests(tmp_path / "cache")
    same = found.of(tmp_path / "one")
    assert found.of(tmp_path / "two") == same
    (tmp_path / "two" / "a.txt").rename(tmp_path / "two" / "c.txt")
    assert found.of(tmp_path / "two") != same
    (tmp_path / "one" / "link").symlink_to("deep")
    assert found.of(tmp_path / "one") != same


def test_a_file_is_read_once_while_it_stays_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = old(tmp_path / "a", "1")
    first = Digests(tmp_path / "cache")
    digest = first.of(file)
    first.save()
    with monkeypatch.context() as patch:
        patch.setattr(module, "sha256_of", lambda _: pytest.fail("it was read again"))
        assert Digests(tmp_path / "cache").of(file) == digest
    file.write_text("2")
    assert Digests(tmp_path / "cache").of(file) != digest


def test_a_file_that_is_still_being_written_is_not_remembered(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    found = Digests(tmp_path / "cache")
    found.of(tmp_path / "a")
    found.save()
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"a": 1}', '{"a": ["x", 1, 1, "d"]}', "null"])
def test_a_memo_that_something_else_has_written_is_no_problem(tmp_path: Path, content: str) -> None:
    (tmp_path / "digests.json").write_text(content)
    assert Digests(tmp_path).of(old(tmp_path / "a", "x")) == hashlib.sha256(b"x").hexdigest()


def test_the_memo_is_json_by_path(tmp_path: Path) -> None:
    file = old(tmp_path / "a", "x")
    found = Digests(tmp_path)
    found.of(file)
    found.save()
    [(name, entry)] = json.loads((tmp_path / "digests.json").read_text()).items()
    assert (name, entry[1:]) == (str(file), [1, LONG_AGO[1], hashlib.sha256(b"x").hexdigest()])
