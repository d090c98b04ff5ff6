"""Records, requests and answers of a transform."""

from __future__ import annotations

import gzip

import pytest

from buzzflow.backends.local.steps.filters import FilterError, read_filter, select
from buzzflow.backends.local.steps.records import Form, RecordError, assembled, batches, unpacked

CSV, JSON = "text/csv", "application/jsonlines"


def bodies(data: bytes, form: Form) -> list[bytes]:
    return [batch.body for batch in batches(data, form)]


def answered(data: bytes, form: Form, *answers: bytes) -> bytes:
    return b"".join(assembled(b, a, form) for b, a in zip(batches(data, form), answers, strict=True))


def test_a_file_that_is_not_split_is_one_request() -> None:
    assert bodies(b"a\nb\n", Form()) == [b"a\nb\n"]


def test_as_many_records_travel_together_as_fit() -> None:
    lines = b"aaaa\nbbbb\ncccc\n"
    assert bodies(lines, Form(split="line", most_bytes=10)) == [b"aaaa\nbbbb", b"cccc"]
    assert bodies(lines, Form(split="line", single=True)) == [b"aaaa", b"bbbb", b"cccc"]


@pytest.mark.parametrize("split", ["none", "line"])
def test_a_record_that_is_too_large_is_told(split: str) -> None:
    with pytest.raises(RecordError, match=r"a request has 11 bytes, and max_payload_mb allows 10"):
        bodies(b"x" * 11, Form(split=split, most_bytes=10))


def test_answers_are_stored_as_they_are_or_a_line_each() -> None:
    data = b"a\nb\n"
    assert answered(data, Form(split="line", single=True), b"1", b"2") == b"12"
    assert answered(data, Form(split="line", single=True, assemble="line"), b"1", b"2\n") == b"1\n2\n"


def test_columns_are_left_out_and_joined_again() -> None:
    form = Form(
        split="line",
        assemble="line",
        content_type=CSV,
        accept=CSV,
        input_filter=read_filter("$[1:]"),
        output_filter=read_filter("$[0,-1]"),
        join=True,
    )
    data = b'id1,"1,5",2\nid2,3,4\n'
    assert bodies(data, form) == [b'"1,5",2\n3,4']
    assert answered(data, form, b"0.7\n0.9\n") == b"id1,0.7\nid2,0.9\n"


def test_an_answer_stands_beside_the_members_of_its_record() -> None:
    form = Form(
        split="line",
        assemble="line",
        content_type=JSON,
        input_filter=read_filter("$.features"),
        output_filter=read_filter("$['id','SageMakerOutput']"),
        join=True,
    )
    data = b'{"id": 1, "features": [1, 2]}\n'
    assert bodies(data, form) == [b"[1, 2]"]
    assert answered(data, form, b'{"score": 0.5}') == b'{"id": 1, "SageMakerOutput": {"score": 0.5}}\n'


def test_a_list_is_joined_in_an_object_of_its_own() -> None:
    form = Form(content_type="application/json", join=True)
    assert answered(b"[1, 2]", form, b'{"s": 1}') == b'{"SageMakerInput": [1, 2], "SageMakerOutput": {"s": 1}}'


def test_too_few_answers_cannot_be_joined() -> None:
    form = Form(split="line", content_type=CSV, join=True)
    with pytest.raises(RecordError, match="answered 1 lines to 2 records"):
        answered(b"1\n2\n", form, b"7\n")


@pytest.mark.parametrize(("data", "told"), [(b"{", "is no JSON"), (b"[1]", "a record is no object")])
def test_a_record_that_is_no_record_is_told(data: bytes, told: str) -> None:
    form = Form(split="line", content_type=JSON, input_filter=read_filter("$.a"))
    with pytest.raises(RecordError, match=told):
        bodies(data, form)


def test_compressed_files_are_unpacked() -> None:
    assert unpacked(gzip.compress(b"a"), "gzip") == b"a"
    with pytest.raises(RecordError, match="not compressed with gzip"):
        unpacked(b"a", "gzip")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", {"a": {"b": [1, 2, 3]}, "c d": 4}),
        ("$.a.b[0]", 1),
        ("$.a.b[-1]", 3),
        ("$.a.b[0,2]", [1, 3]),
        ("$.a.b[1:]", [2, 3]),
        ("$.a.b[:1,2]", [1, 3]),
        ("$['c d']", 4),
    ],
)
def test_a_filter_takes_a_part(path: str, found: object) -> None:
    assert select({"a": {"b": [1, 2, 3]}, "c d": 4}, read_filter(path)) == found


@pytest.mark.parametrize("path", ["a.b", "$..a", "$[?(@.x)]", "$[*]", "$.", "$[1"])
def test_more_than_names_and_positions_is_refused(path: str) -> None:
    with pytest.raises(FilterError):
        read_filter(path)


def test_a_position_outside_of_the_record_is_told() -> None:
    with pytest.raises(FilterError, match="a record has 2 values, and none at 2"):
        select([1, 2], read_filter("$[2]"))
