"""Secrets are hidden as they are, and as programs usually write them."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from buzzflow.backends.local.hidden import Hidden

SECRET = 's3cr"t\\pass word/é'
KEY = "-----BEGIN KEY-----\nMIIBdata1\nMIIBdata2\n-----"


@pytest.mark.parametrize(
    "written", [SECRET, json.dumps(SECRET), json.dumps({"a": SECRET}, ensure_ascii=False), repr(SECRET), quote(SECRET)]
)
def test_a_secret_is_hidden_however_it_is_written(written: str) -> None:
    hidden = Hidden([SECRET])
    assert "***" in hidden.text(f"it is {written}.")
    assert "pass" not in hidden.text(f"it is {written}.")
    assert b"pass" not in hidden.bytes(f"it is {written}.".encode())


def test_each_line_of_a_secret_is_hidden_but_no_rule() -> None:
    hidden = Hidden([KEY])
    assert [hidden.text(line) for line in KEY.splitlines()] == ["***", "***", "***", "-----"]


def test_nothing_to_hide_changes_nothing() -> None:
    assert not Hidden([" ", ""])
    assert Hidden([]).text("a *** b") == "a *** b"
