"""Where an address lies on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzzflow.backends.local.store import AddressError, Store

OWN = "s3://bucket/delays/run-1/"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    data = {"s3://raw/day": tmp_path / "sample", "s3://raw/day/deep/": tmp_path / "deep"}
    return Store(tmp_path / "s3", OWN, tmp_path / "outputs", data)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("s3://other/a/b", "s3/other/a/b"),
        ("s3://other/a//b/", "s3/other/a/b"),
        ("s3://other/", "s3/other"),
        (OWN + "train/model/", "outputs/train/model"),
        (OWN, "outputs"),
        ("s3://bucket/delays/run-10/x", "s3/bucket/delays/run-10/x"),
        ("s3://raw/day", "sample"),
        ("s3://raw/day/", "sample"),
        ("s3://raw/day/x.csv", "sample/x.csv"),
        ("s3://raw/day-before/x.csv", "s3/raw/day-before/x.csv"),
        ("s3://raw/day/deep/x", "deep/x"),
        ("s3://raw/day/deep", "deep"),
    ],
)
def test_an_address_lies_in_its_place(address: str, place: str, store: Store, tmp_path: Path) -> None:
    assert store.path(address) == tmp_path / place


@pytest.mark.parametrize(
    "address",
    ["", "file:///etc/passwd", "/etc/passwd", "s3://bucket", "s3://UPPER/x", "s3://../x", "s3://b/x", "S3://bucket/x"],
)
def test_what_is_no_address_is_told(address: str, store: Store) -> None:
    with pytest.raises(AddressError, match="is no address: s3://bucket/folder/"):
        store.path(address)


@pytest.mark.parametrize("start", ["s3://other/", OWN, "s3://raw/day/"])
@pytest.mark.parametrize("way_out", ["../x", "a/../../x", "./x", "a/..", "a\0b"])
def test_no_address_leaves_its_folder(start: str, way_out: str, store: Store) -> None:
    with pytest.raises(AddressError, match="leaves its folder"):
        store.path(start + way_out)


@given(key=st.text(max_size=20), start=st.sampled_from(["s3://other/", OWN, "s3://raw/day/"]))
def test_whatever_the_key_a_path_stays_in_the_store(key: str, start: str) -> None:
    root = Path("/state")
    store = Store(root / "s3", OWN, root / "outputs", {"s3://raw/day": root / "sample"})
    try:
        path = store.path(start + key)
    except AddressError:
        return
    assert path.is_relative_to(root)
    assert ".." not in path.parts


def test_contents_are_moved_over_what_is_there(store: Store, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, text in ((first, "old"), (second, "new")):
        (folder / "sub").mkdir(parents=True)
        (folder / "a.txt").write_text(text)
        (folder / "sub" / f"{text}.txt").write_text(text)
    (first / "kept.txt").write_text("kept")
    address = "s3://other/place/"
    assert not store.holds(address)
    store.put(first, address)
    store.put(second, address)
    place = store.path(address)
    assert store.holds(address)
    assert (place / "a.txt").read_text() == "new"
    assert (place / "kept.txt").read_text() == "kept"
    assert [p.name for p in (place / "sub").iterdir()] == ["new.txt"]
