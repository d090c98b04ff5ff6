"""From what a step used to the instance that fits it: the cheapest with the margin, and what is said beside it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzzflow.instances.advice import Advice, Asked, Verdict, advise
from buzzflow.instances.names import Kind, names
from buzzflow.instances.need import GIB, RESERVED_GIB, Used, UsedGpu, need_of, slower
from buzzflow.instances.offers import fits, market_of, offer, offers
from buzzflow.instances.prices import Machine, machine, per_hour

HERE = market_of("us-east-1")


def used(gib: float, mean: float | None = 0.9, peak: float | None = 1.2, *, gpu: UsedGpu | None = None) -> Used:
    return Used(600, int(gib * GIB), mean, peak, samples=100, gpu=gpu)


def advice(instance: str, what: Used, kind: Kind = "processing", count: int = 1) -> Advice:
    return advise(Asked(instance, kind, count), what, HERE)


# ------------------------------------------------------------------ needs


def test_a_need_is_memory_with_margin_and_what_the_instance_takes_itself():
    need = need_of(used(2), machine("ml.m5.large"), 0.3)
    assert need.memory_gib == pytest.approx(2 * 1.3 + RESERVED_GIB)


@pytest.mark.parametrize(
    ("mean", "peak", "cores"),
    [
        (1.0, 8.0, 1.3),  # the mean with its margin: a short peak takes longer
        (3.5, 4.0, 4.0),  # at most the peak: more than it ever used helps nobody
        (1.0, None, 1.3),
        (None, None, 4.0),  # nobody read it: as many as are asked for
    ],
)
def test_cores_are_the_mean_with_margin_at_most_the_peak(mean, peak, cores):
    assert need_of(used(1, mean, peak), machine("ml.m5.xlarge"), 0.3).cores == pytest.approx(cores)


def test_a_step_is_slowed_down_by_its_peak_alone():
    two = Machine(2, 8)
    assert slower(used(1, 1.0, 2.0), two) == 1.0
    assert slower(used(1, 1.0, 4.0), two) == pytest.approx(0.75 + 0.25 * 2)  # a quarter of the time twice as long
    assert slower(used(1, 4.0, 4.0), two) == pytest.approx(2.0)


# ------------------------------------------------------------------ which fits


@pytest.mark.parametrize(
    ("asks", "what", "verdict", "best", "saving"),
    [
        ("ml.m5.4xlarge", used(1.8), "cheaper", "ml.t3.medium", 94),
        ("ml.t3.medium", used(1.8), "right", "ml.t3.medium", 0),
        ("ml.m5.large", used(14), "too small", "ml.r6i.xlarge", None),
        ("ml.m5.large", used(6), "tight", "ml.r6i.large", None),
        ("ml.m5.xlarge", used(6, 3.5, 4), "right", "ml.m5.xlarge", 0),  # m6i costs the same: no reason to change
        ("ml.m5.large", used(2, 3.5, 4), "slow", "ml.c6i.xlarge", 5),
        ("ml.m5.4xlarge", used(1.8, 1.4, 1.5), "cheaper", "ml.c7i.large", 88),  # too busy for a burstable one
        ("ml.m5.24xlarge", used(6000), "too small", None, None),
        ("ml.p3.2xlarge", used(6), "unknown", None, None),
    ],
)
def test_the_cheapest_that_fits_is_advised(asks, what, verdict, best, saving):
    found = advice(asks, what)
    assert (found.verdict, found.best and found.best.instance, found.saving) == (verdict, best, saving)


@given(
    gib=st.floats(0.001, 900),
    peak=st.floats(0.01, 100),
    share=st.floats(0.01, 1),
    kind=st.sampled_from(["processing", "training", "transform"]),
    margin=st.floats(0, 2),
    asks=st.sampled_from(["ml.m5.large", "ml.m5.24xlarge", "ml.g5.2xlarge", "ml.c5.9xlarge"]),
)
def test_what_is_advised_fits_with_the_margin_and_nothing_cheaper_does(gib, peak, share, kind, margin, asks):
    what = used(gib, peak * share, peak)
    found = advise(Asked(asks, kind), what, HERE, margin=margin)
    for one in (found.best, *(other.offer for other in found.others)):
        if one is not None:
            assert one.instance in names(kind)
            assert one.machine is not None
            assert one.machine.memory_gib >= what.memory_gib * (1 + margin) + RESERVED_GIB
            assert one.machine.vcpus >= min(what.cores_mean * (1 + margin), what.cores_peak)
    fitting = [o for o in offers(kind, HERE, what) if fits(o, found.need)]
    assert (found.best is None) == (not fitting)
    if found.best is not None and found.best.cost is not None:
        assert found.best.cost <= min(o.cost for o in fitting)
    named = [found.asks.instance, *(other.offer.instance for other in found.others)]
    assert len({*named}) == len(named)
    assert len(found.others) <= 2
    if found.saving is not None:
        assert 0 <= found.saving <= 100


def test_alternatives_say_why_one_may_want_them():
    found = advice("ml.m5.4xlarge", used(1.8))
    assert [(o.offer.instance, o.why) for o in found.others] == [
        ("ml.c7i.large", "steady CPU"),
        ("ml.m6i.large", "twice the memory"),
    ]
    slow = advice("ml.m5.xlarge", used(0.2, 1.5, 8))
    assert (slow.others[0].offer.instance, slow.others[0].why) == ("ml.c6i.2xlarge", "cores for its peak")
    assert slow.caveats == ("up to 56 % longer than here on ml.c7i.large: its peak was 8.0 cores",)


# ------------------------------------------------------------------ prices


def test_a_region_without_prices_is_compared_at_those_of_another_and_says_so():
    market = market_of("eu-west-1")
    assert (market.region, market.prices, market.is_known) == ("eu-west-1", "us-east-1", False)
    assert market_of("us-east-1").is_known
    assert not market_of(None).is_known


def test_a_kind_without_prices_gets_the_smallest_and_no_saving():
    found = advice("ml.m5.4xlarge", used(1.8), "transform")
    assert found.best is not None
    assert found.best.per_hour is None
    assert found.best.machine == Machine(2, 4)
    assert (found.verdict, found.saving) == (Verdict.SMALLER, None)


def test_a_run_costs_what_it_takes_on_all_machines():
    one = offer("ml.m5.xlarge", "training", HERE, used(1))
    price = per_hour("ml.m5.xlarge", "training", "us-east-1")
    assert price is not None
    assert one.per_run(1800, 2) == pytest.approx(price)


# ------------------------------------------------------------------ GPUs


def test_a_gpu_that_nobody_could_measure_is_kept():
    found = advice("ml.g5.4xlarge", used(6), "training")
    assert found.best is not None
    assert found.best.instance == "ml.g5.xlarge"
    assert found.confidence == "medium"
    assert found.caveats[0] == "no GPU could be measured here: it keeps the 1 x NVIDIA A10G that it asks for"


def test_a_gpu_that_was_used_is_sized_by_its_memory():
    small = advice("ml.g5.4xlarge", used(6, gpu=UsedGpu("NVIDIA RTX", 0.9, 5 * GIB)), "training")
    large = advice("ml.g5.4xlarge", used(6, gpu=UsedGpu("NVIDIA RTX", 0.9, 16 * GIB)), "training")
    assert small.best is not None
    assert large.best is not None
    assert small.best.instance == "ml.g4dn.xlarge"  # 16 GiB
    assert large.best.instance == "ml.g6.xlarge"  # 22 GiB: 16 with the margin are 20.8
    assert "measured on NVIDIA RTX: another GPU has another speed" in small.caveats


def test_several_busy_gpus_need_several():
    found = advice("ml.g5.12xlarge", used(6, gpu=UsedGpu("NVIDIA RTX", 3.6, 40 * GIB)), "training")
    assert found.need.accelerators == 4
    assert found.best is not None
    assert found.best.machine is not None
    assert found.best.machine.accelerators >= 4


def test_a_gpu_that_was_not_used_is_spared():
    found = advice("ml.g5.4xlarge", used(6, gpu=UsedGpu("NVIDIA RTX", 0.0, 0)), "training")
    assert found.best is not None
    assert found.best.machine is not None
    assert not found.best.machine.accelerators
    assert found.caveats == (
        "did not use a GPU here, and asks for NVIDIA A10G: without, its image must be one for CPU",
    )


def test_a_step_that_used_a_gpu_and_asks_for_none_is_told():
    found = advice("ml.m5.4xlarge", used(6, gpu=UsedGpu("NVIDIA RTX", 0.5, GIB)), "training")
    assert found.verdict is Verdict.TOO_SMALL


def test_other_accelerators_are_kept_too():
    found = advice("ml.trn1.32xlarge", used(6), "training")
    assert found.need.accelerator == "AWS Trainium"


# ------------------------------------------------------------------ what is said beside it


def test_sample_data_is_said_and_lowers_the_confidence():
    direct = advise(Asked("ml.m5.xlarge", "training", 1, {"train": 12 * 2**20, "test": 300}), used(1), HERE)
    after = advise(Asked("ml.m5.xlarge", "training", 1, {}, ["extract"]), used(1), HERE)
    grows = "memory and time grow with the data, how much is unknown"
    assert direct.caveats[0] == f"measured with sample data (12 MiB): {grows}"
    assert after.caveats[0] == f"comes after sample data (in extract): {grows}"
    assert direct.confidence == after.confidence == "medium"
    assert advice("ml.m5.xlarge", used(1)).confidence == "good"


@pytest.mark.parametrize(
    ("what", "told", "confidence"),
    [
        (Used(0.4, GIB, 0.5, 0.5), "ran for 0.4 s, too short to tell much", "low"),
        (Used(9, GIB, 0.5, 0.5, samples=2), "was looked at 2 times only: a peak may be missing", "medium"),
        (Used(9, GIB, samples=9), "nobody could read its CPU here: it gets as many cores as it asks for", "low"),
        (
            Used(9, GIB, 0.5, 0.5, with_cached_files=True, samples=9),
            "the memory is with files that the system would drop when it needs room: the step may need less",
            "good",
        ),
        (
            Used(9, GIB, 0.9, 0.9, samples=9),
            "ml.t3.medium is burstable: more than 0.4 cores are on credit, and a long step may be slowed down",
            "good",
        ),
    ],
)
def test_what_the_figures_leave_open_is_said(what, told, confidence):
    found = advice("ml.m5.xlarge", what)
    assert told in found.caveats
    assert found.confidence == confidence


def test_several_machines_are_each_sized_for_all_the_work():
    found = advice("ml.m5.xlarge", used(1), count=2)
    assert "asks 2 machines, and the figures are of the work of all: each may need less" in found.caveats
