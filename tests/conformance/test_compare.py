"""What the comparison takes for the same, and what not."""

from __future__ import annotations

import pytest

from tests.conformance.compare import ABSENT, differences, normalised

REFERENCE = {"Get": "Parameters.day"}


def join(on: str, *values: object) -> dict[str, object]:
    return {"Std:Join": {"On": on, "Values": [*values]}}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (join("/", "s3://b", REFERENCE, "x"), join("", "s3://b/", REFERENCE, "/x")),
        (join("/", "s3:/", "b", REFERENCE, ""), join("", "s3://b/", REFERENCE, "/")),
        (join("", join("-", "a", REFERENCE), "b"), join("", "a-", REFERENCE, "b")),
        (join("/", "s3://b", "m.json"), "s3://b/m.json"),
        ([{"Name": "a", "x": 1}, {"Name": "b"}], [{"Name": "b"}, {"Name": "a", "x": 1.0}]),
        ({"DependsOn": ["a", {"Step": "b", "Trigger": "Any"}]}, {"DependsOn": [{"Step": "b", "Trigger": "Any"}, "a"]}),
    ],
)
def test_two_spellings_are_the_same(one: object, other: object) -> None:
    assert normalised(one) == normalised(other)
    assert differences("case", {"x": one}, {"x": other}) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (REFERENCE, join("", REFERENCE)),
        (join("/", "a", REFERENCE), join("", "a", REFERENCE)),
        (1, True),
        (None, ABSENT),
        (["a", "b"], ["b", "a"]),
        ([{"Name": "a"}, {"Name": "a"}], [{"Name": "a"}]),
        ({"ChannelName": "a"}, [{"ChannelName": "a"}]),
    ],
)
def test_these_differ(one: object, other: object) -> None:
    found = differences("case", {"x": one}, {} if other is ABSENT else {"x": other})
    assert found
    assert all(difference.place.startswith("Pipeline.x") for difference in found)


def test_a_difference_is_placed_in_its_step_however_deep_that_is() -> None:
    def definition(uri: str) -> dict[str, object]:
        channel = {"ChannelName": "train", "S3Uri": uri}
        train = {"Name": "train", "Type": "Training", "Arguments": {"InputDataConfig": [channel]}}
        return {"Steps": [{"Name": "c", "Type": "Condition", "Arguments": {"IfSteps": [train]}}]}

    [found] = differences("case", definition("s3://a/"), definition("s3://b/"))
    assert (found.step, found.place) == ("train", "Training.Arguments.InputDataConfig[train].S3Uri")
    assert str(found) == (
        "case, step 'train', Training.Arguments.InputDataConfig[train].S3Uri: SDK 's3://a/', buzzflow 's3://b/'"
    )


def test_a_step_that_one_side_lacks_is_a_difference() -> None:
    step = {"Name": "a", "Type": "Fail", "Arguments": {}}
    [found] = differences("case", {"Steps": [step, {**step, "Name": "b"}]}, {"Steps": [step]})
    assert (found.place, found.ours) == ("Pipeline.Steps[b]", ABSENT)
