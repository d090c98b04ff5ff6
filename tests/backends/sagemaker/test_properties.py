"""What `${step:name.word}` becomes is a value that the service tells of a step of that type."""

from __future__ import annotations

import re

import pytest

from buzzflow.backends.sagemaker.properties import output_path, property_path
from buzzflow.backends.sagemaker.service.describe import describe_path
from buzzflow.backends.sagemaker.verify import REQUESTS, RESPONSES
from buzzflow.config.steps import STEP_MODELS, type_of
from buzzflow.ir import Kind
from buzzflow.lower.words import PATTERNS, WORDS, kind_of, words_of

# the service tells these of steps that it has no Describe operation for
_NOT_DESCRIBED = frozenset(("condition",))
_TEXTS = frozenset((Kind.URI, Kind.ARTIFACT, Kind.MODEL, Kind.ARN, Kind.TEXT))


def samples(step_type: str) -> list[str]:
    return [word.replace("<k>", "2").replace("<name>", "x") for word in words_of(step_type)]


def parts(path: str) -> tuple[str, ...]:
    return tuple(a or b or c for a, b, c in re.findall(r"([A-Za-z]\w*)|\[(\d+)\]|\['([^']+)'\]", path))


def test_every_step_type_has_its_words_and_a_request_or_none() -> None:
    assert [*WORDS] == [type_of(model) for model in STEP_MODELS]
    assert REQUESTS.keys() | RESPONSES.keys() <= WORDS.keys()
    assert PATTERNS.keys() <= WORDS.keys()


@pytest.mark.parametrize("step_type", [t for t in WORDS if t not in _NOT_DESCRIBED])
def test_every_word_is_something_that_the_service_tells(step_type: str) -> None:
    for word in samples(step_type):
        told = [p for p in property_path(step_type, word) if not p.literal]
        assert told
        for part in told:
            target = describe_path(RESPONSES[step_type], parts(part.text))
            assert target.spelling == part.text
            if len(told) == 1 and target.kind is not Kind.UNKNOWN:
                wanted = kind_of(step_type, word)
                assert (target.kind in _TEXTS) == (wanted in _TEXTS), (word, target.kind)


@pytest.mark.parametrize("step_type", WORDS)
def test_a_type_spells_no_word_that_it_does_not_have(step_type: str) -> None:
    with pytest.raises(KeyError):
        property_path(step_type, "nonsense")
    assert kind_of(step_type, "nonsense") is None


@pytest.mark.parametrize("step_type", ["processing", "transform", "lambda", "callback"])
def test_an_output_is_something_that_the_service_tells(step_type: str) -> None:
    path = output_path(step_type, "o")
    assert describe_path(RESPONSES[step_type], parts(path)).spelling == path


def test_the_best_of_a_tuning_is_the_first_of_its_ranking() -> None:
    assert property_path("tuning", "best.model") == property_path("tuning", "rank.1.model")
    texts = [part.text for part in property_path("tuning", "rank.3.model")]
    assert texts[1:] == ["TrainingJobSummaries[2].TrainingJobName", "/output/model.tar.gz"]
