"""What fits is shown on 80 columns, with every verdict in words, and as JSON."""

from __future__ import annotations

import json
from datetime import date

import pytest
from rich.console import Console, RenderableType

from buzzflow.instances.advice import Advice, Asked, RunAdvice, advise
from buzzflow.instances.need import GIB, Used, UsedGpu
from buzzflow.instances.offers import market_of
from buzzflow.views.advice import as_data, details, lines, verdict


def printed(*screens: RenderableType) -> str:
    console = Console(width=80, highlight=False, emoji=False, markup=False)
    with console.capture() as capture:
        for screen in screens:
            console.print(screen)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def used(gib: float, mean: float = 0.9, peak: float = 1.2, gpu: UsedGpu | None = None) -> Used:
    return Used(600, int(gib * GIB), mean, peak, samples=100, gpu=gpu)


def one(instance: str, what: Used, **asked: object) -> Advice:
    return advise(Asked(instance, **{"kind": "training", **asked}), what, market_of("us-east-1"))


def run(region: str | None = "us-east-1", **steps: Advice) -> RunAdvice:
    day = date(2026, 9, 27)
    return RunAdvice("r1", "delays", None, market_of(region), 0.3, day, steps, {"check": "it did not run"})


@pytest.mark.parametrize(
    ("advice", "told"),
    [
        (one("ml.t3.medium", used(1)), "ml.t3.medium is right"),
        (one("ml.m5.4xlarge", used(1.8)), "ml.t3.medium fits, 94 % cheaper than ml.m5.4xlarge"),
        (one("ml.m5.large", used(2, 3.5, 4)), "ml.m5.large has too few cores to be as fast as here"),
        (one("ml.m5.large", used(6)), "ml.m5.large has less memory than the margin wants"),
        (one("ml.m5.large", used(14)), "used 14.0 GiB, ml.m5.large has 8 GiB: it would be killed"),
        (one("ml.m5.large", used(1, gpu=UsedGpu("RTX", 1, GIB))), "used a GPU, ml.m5.large has too few"),
        (one("ml.p3.2xlarge", used(1)), "nothing can be said of ml.p3.2xlarge"),
        (one("ml.m5.4xlarge", used(1), kind="transform"), "ml.c7i.large fits; what it saves is unknown"),
    ],
)
def test_every_verdict_has_words(advice: Advice, told: str) -> None:
    assert verdict(advice) == told


def test_a_step_is_told_on_80_columns() -> None:
    sampled = one("ml.m5.4xlarge", used(1.8), count=2, sample_data={"train": 12 * 2**20})
    assert printed(details(run(train=sampled))) == (
        "train  ml.t3.medium fits, 94 % cheaper than ml.m5.4xlarge  (medium confidence)\n"
        "  used 0.90 cores, at most 1.20, and 1.8 GiB, in 10 min 00 s\n"
        "  needs 1.17 cores and 2.8 GiB: 30 % more, and 0.5 GiB for the instance itself\n"
        "  instance       vCPU  GiB  USD/h  USD a run\n"
        "> ml.t3.medium      2    4  0.050     0.0167  the cheapest that fits\n"
        "  ml.c7i.large      2    4  0.107     0.0357  steady CPU\n"
        "  ml.m6i.large      2    8  0.115     0.0383  twice the memory\n"
        "  ml.m5.4xlarge    16   64  0.922     0.3073  asked for\n"
        "  measured with sample data (12 MiB): memory and time grow with the data, how\n"
        "  much is unknown\n"
        "  asks 2 machines, and the figures are of the work of all: each may need less\n"
        "  ml.t3.medium is burstable: more than 0.4 cores are on credit, and a long step\n"
        "  may be slowed down\n"
        "\n"
        "check  no advice: it did not run\n"
        "prices: on demand, of 2026-09-27, in us-east-1\n"
        "a run: as long as here, start-up and downloads not included; another CPU has\n"
        "another speed\n"
    )


def test_prices_of_another_region_are_said_to_be() -> None:
    assert ", in us-east-1, for want of those of eu-west-1\n" in printed(
        details(run("eu-west-1", a=one("ml.m5.large", used(1))))
    )
    assert ", in us-east-1, as no region is known\n" in printed(details(run(None, a=one("ml.m5.large", used(1)))))


def test_after_a_run_there_is_a_line_for_what_saves_and_for_what_would_fail() -> None:
    right = one("ml.t3.medium", used(1))
    cheaper = one("ml.m5.4xlarge", used(1.8))
    killed = one("ml.m5.large", used(14))
    short = advise(Asked("ml.m5.4xlarge", "training"), Used(0.4, GIB, 0.9, 1.2), market_of("us-east-1"))
    assert printed(*lines(run(load=right, train=cheaper, join=killed, quick=short))) == (
        "train: 0.9 cores, 1.8 GiB of ml.m5.4xlarge: ml.t3.medium fits, 94 % cheaper\n"
        "join: used 14.0 GiB, ml.m5.large has 8 GiB: it would be killed\n"
        "more: buzzflow advise\n"
    )
    assert [*lines(run(load=right))] == []
    sampled = one("ml.m5.4xlarge", used(1.8), after_samples=["extract"])
    assert printed(*lines(run(train=sampled))).endswith("\nwith sample data; more: buzzflow advise\n")


def test_json_has_all_of_it() -> None:
    told = json.loads(
        json.dumps(as_data(run("eu-west-1", train=one("ml.m5.4xlarge", used(1.8)), p3=one("ml.p3.2xlarge", used(1)))))
    )
    assert told["prices"] == {"region": "us-east-1", "date": "2026-09-27"}
    assert told["without"] == {"check": "it did not run"}
    step = told["steps"]["train"]
    assert (step["verdict"], step["saving_percent"]) == ("cheaper", 94)
    assert step["best"]["instance"] == "ml.t3.medium"
    assert step["best"]["memory_gib"] == 4
    assert [other["why"] for other in step["others"]] == ["steady CPU", "twice the memory"]
    assert told["steps"]["p3"]["best"] is None
