"""A run's maximum is what its jobs cost if each runs until its timeout; what cannot be bounded says why."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzzflow import ir
from buzzflow.backends.sagemaker.cost import run_cost
from buzzflow.instances.prices import machine, per_hour, price_list

HOUR = 3600
M5, M5_4X, G5 = "ml.m5.xlarge", "ml.m5.4xlarge", "ml.g5.xlarge"
JOB_ERROR = ir.Retry(("job_internal_error",), max_attempts=1)
DAY_OF_PRICES = price_list().date
SIZE = ir.ParameterReference("size", ir.Kind.TEXT)
NUMBER = ir.ParameterReference("number", ir.Kind.NUMBER)
# a run-time value that no parameter bounds
FOUND = ir.JsonReference("extract", "report", ("n",))


def usd(instance, kind="processing"):
    price = per_hour(instance, kind, "us-east-1")
    assert price is not None
    return price


@pytest.fixture(scope="module")
def cost(make):
    """Return what a run of some steps costs, in us-east-1."""

    def cost(*steps, region="us-east-1", parameters=()):
        environment = replace(make.environment, region=region)
        return run_cost(make.pipeline(*steps, environment=environment, parameters=parameters))

    return cost


def only(run):
    [step] = run.steps
    return step


# ------------------------------------------------------------------ one job


def test_a_job_costs_its_timeout_on_all_its_machines(cost, make):
    run = cost(make.processing(timeout=2 * HOUR, instance=ir.Instance(M5, 3)))
    assert run.maximum == pytest.approx(3 * 2 * usd(M5))
    assert (only(run).instance, only(run).count, only(run).hours) == (M5, 3, 2)


def test_the_day_of_the_prices_and_their_source_are_told(cost, make):
    run = cost(make.processing())
    assert run.prices == DAY_OF_PRICES >= date(2026, 9, 1)
    assert "AWS Price List" in run.source


@pytest.mark.parametrize("kind", ["processing", "training"])
def test_without_a_timeout_the_service_stops_a_job_after_a_day(cost, make, kind):
    run = cost(getattr(make, kind)())
    assert run.maximum == pytest.approx(24 * usd(M5, kind))


def test_a_notebook_is_a_training_job(cost, make):
    job = make.job(timeout=HOUR, instance=ir.Instance(G5))
    run = cost(ir.Step("explore", ir.Notebook(job, "n.ipynb", "python3")))
    assert run.maximum == pytest.approx(usd(G5, "training"))


def test_a_spot_machine_costs_at_most_what_it_costs_on_demand(cost, make):
    run = cost(make.training(timeout=HOUR, spot=ir.Spot(9 * HOUR)))
    assert run.maximum == pytest.approx(usd(M5, "training"))
    assert any("on-demand" in told for told in run.assumptions)


def test_machines_that_are_kept_warm_are_paid(cost, make):
    run = cost(make.training(timeout=HOUR, instance=ir.Instance(M5, keep_alive=HOUR // 2)))
    assert run.maximum == pytest.approx(1.5 * usd(M5, "training"))


def test_of_fallbacks_the_dearest_counts(cost, make):
    run = cost(make.training(timeout=HOUR, instance=ir.Instance(M5, fallbacks=(M5_4X, "ml.m5.2xlarge"))))
    assert run.maximum == pytest.approx(usd(M5_4X, "training"))
    assert only(run).instance == M5_4X


def test_a_fallback_without_a_price_makes_the_job_unknown(cost, make):
    run = cost(make.training(timeout=HOUR, instance=ir.Instance(M5, fallbacks=("ml.z9.xlarge",))))
    assert run.maximum is None
    assert "no price of ml.z9.xlarge" in only(run).unknown


# ------------------------------------------------------------------ retries


def test_errors_of_a_job_add_so_many_runs(cost, make):
    run = cost(make.processing(timeout=HOUR, step={"retry": (replace(JOB_ERROR, max_attempts=3),)}))
    assert run.maximum == pytest.approx(4 * usd(M5))
    assert run.assumptions == ("retried 3 times after job_internal_error",)


def test_errors_before_a_job_starts_add_nothing(cost, make):
    retry = (ir.Retry(("throttling", "service_fault"), max_attempts=20),)
    assert cost(make.processing(timeout=HOUR, step={"retry": retry})).maximum == pytest.approx(usd(M5))


def test_until_it_gives_up_a_further_run_may_start(cost, make):
    retry = (ir.Retry(("capacity_error",), give_up_after=5 * HOUR),)
    assert cost(make.processing(timeout=HOUR, step={"retry": retry})).maximum == pytest.approx((1 + 5 + 1) * usd(M5))


def test_a_tuning_job_is_not_tried_again_after_its_own_errors(cost, make):
    once = cost(_tuning(make, max_jobs=2)).maximum
    assert cost(_tuning(make, JOB_ERROR, max_jobs=2)).maximum == once
    assert cost(_tuning(make, replace(JOB_ERROR, errors=("capacity_error",)), max_jobs=2)).maximum == 2 * once


# ------------------------------------------------------------------ tuning


def _tuning(make, *retry, timeout=HOUR, **search):
    ranges = search.pop("ranges", (ir.Range("eta", "continuous", 0.0, 1.0),))
    training = ir.Training(make.job(timeout=timeout))
    return ir.Step("tune", ir.Tuning(training, ir.Search("auc", maximize=True, ranges=ranges, **search)), retry=retry)


def test_a_search_costs_all_its_tries(cost, make):
    assert cost(_tuning(make, max_jobs=20, max_parallel_jobs=4)).maximum == pytest.approx(20 * usd(M5, "training"))


def test_a_search_costs_no_more_than_its_own_timeout_allows(cost, make):
    run = cost(_tuning(make, max_jobs=100, max_parallel_jobs=4, timeout=HOUR * 2))
    assert run.maximum == pytest.approx(200 * usd(M5, "training"))
    bounded = ir.Search("auc", maximize=True, ranges=(), max_jobs=100, max_parallel_jobs=4, timeout=3 * HOUR)
    step = ir.Step("tune", ir.Tuning(ir.Training(make.job(timeout=2 * HOUR)), bounded))
    assert cost(step).maximum == pytest.approx(12 * usd(M5, "training"))


def test_a_grid_has_as_many_tries_as_cells(cost, make):
    cells = (ir.Range("a", "values", values=("1", "2", "3")), ir.Range("b", "values", values=("x", "y")))
    assert cost(_tuning(make, ranges=cells, strategy="grid")).maximum == pytest.approx(6 * usd(M5, "training"))


def test_tries_that_only_the_run_knows_are_bounded_by_the_searches_timeout(cost, make):
    search = ir.Search("auc", maximize=True, ranges=(), max_jobs=FOUND, max_parallel_jobs=2, timeout=HOUR)
    step = ir.Step("tune", ir.Tuning(ir.Training(make.job()), search))
    assert cost(step).maximum == pytest.approx(2 * usd(M5, "training"))
    unlimited = replace(step, work=replace(step.work, search=replace(search, timeout=None)))
    assert only(cost(unlimited)).unknown == "its number of tries is known only to the run"


# ------------------------------------------------------------------ parameters


def test_the_default_of_a_parameter_counts_and_is_told(cost, make):
    parameters = (ir.Parameter("size", "string", M5_4X), ir.Parameter("number", "integer", 2))
    run = cost(make.processing(timeout=HOUR, instance=ir.Instance(SIZE, NUMBER)), parameters=parameters)
    assert run.maximum == pytest.approx(2 * usd(M5_4X))
    assert run.assumptions == ("parameter 'number': its default 2", f"parameter 'size': its default {M5_4X}")


def test_of_choices_the_dearest_counts(cost, make):
    parameters = (
        ir.Parameter("size", "string", M5, (M5, M5_4X, G5)),
        ir.Parameter("number", "integer", 1, (1, 5, 3)),
    )
    run = cost(make.processing(timeout=HOUR, instance=ir.Instance(SIZE, NUMBER)), parameters=parameters)
    assert run.maximum == pytest.approx(5 * max(usd(M5), usd(M5_4X), usd(G5)))


def test_a_part_of_a_name_may_be_a_parameter(cost, make):
    parameters = (ir.Parameter("size", "string", "large", ("large", "4xlarge")),)
    job = make.processing(timeout=HOUR, instance=ir.Instance(ir.Text(("ml.m5.", SIZE))))
    assert cost(job, parameters=parameters).maximum == pytest.approx(usd(M5_4X))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"instance": ir.Instance(SIZE)}, "parameter 'size' has no default and no choices"),
        ({"instance": ir.Instance(M5, FOUND)}, "its number of machines is known only to the run"),
        ({"timeout": FOUND}, "its timeout is known only to the run"),
        ({"instance": ir.Instance(FOUND)}, "its instance type is known only to the run"),
    ],
)
def test_what_only_the_run_knows_is_unknown(cost, make, fields, why):
    run = cost(make.processing(**fields), parameters=(ir.Parameter("size", "string"),))
    assert (run.maximum, only(run).unknown) == (None, why)


# ------------------------------------------------------------------ steps without a limit, and without a price


def test_a_region_without_prices_is_unknown(cost, make):
    run = cost(make.processing(), region="eu-isoe-west-1")
    assert run.maximum is None
    assert only(run).unknown.startswith("the price table has no prices for eu-isoe-west-1")
    assert only(cost(make.processing(), region=None)).unknown == "the environment names no region"


def test_a_transform_job_has_no_timeout(cost, make):
    transform = ir.Transform("m", ir.TransformInput("s3://b/"), make.job())
    assert "no timeout" in only(cost(ir.Step("score", transform))).unknown


@pytest.mark.parametrize("kind", ["emr", "emr_serverless", "job", "raw"])
def test_steps_in_the_services_words_are_unknown(cost, kind):
    assert only(cost(ir.Step("s", ir.Service(kind, "X")))).unknown == f"what a step of type {kind} runs on is not read"


def test_calls_and_models_cost_no_machine(cost):
    run = cost(ir.Step("ask", ir.Lambda("f")), ir.Step("wait", ir.Callback("q")), ir.Step("serve", ir.Model(())))
    assert (run.maximum, run.unknown) == (0.0, ())


def test_a_patch_of_the_machines_is_not_read(cost, make):
    patch = ir.Mapping((("StoppingCondition", ir.Mapping((("MaxRuntimeInSeconds", 60),))),))
    assert only(cost(make.processing(step={"patch": patch}))).unknown == "arguments_patch changes its StoppingCondition"
    harmless = ir.Mapping((("Environment", ir.Mapping(())),))
    assert cost(make.processing(timeout=HOUR, step={"patch": harmless})).maximum == pytest.approx(usd(M5))


def test_a_check_that_asks_a_model_pays_its_endpoint_too(cost, make):
    predictor = ir.Mapping((("instance_type", "ml.m5.large"), ("initial_instance_count", 2)))
    check = ir.Check(
        "model_bias", make.job(timeout=HOUR), "s3://b/", "csv", analysis=ir.Mapping((("predictor", predictor),))
    )
    run = cost(ir.Step("fair", check))
    assert [step.instance for step in run.steps] == [M5, "ml.m5.large"]
    assert run.maximum == pytest.approx(usd(M5) + 2 * usd("ml.m5.large", "hosting"))


# ------------------------------------------------------------------ the whole run


def _branching(make, then_hours, else_hours):
    condition = ir.Condition(ir.Comparison("==", 1, 1), ("a",), ("b",))
    return (
        ir.Step("gate", condition),
        make.processing("a", timeout=then_hours * HOUR, step={"branch": ir.Branch("gate", taken=True)}),
        make.processing("b", timeout=else_hours * HOUR, step={"branch": ir.Branch("gate", taken=False)}),
    )


def test_of_a_condition_the_dearer_side_counts(cost, make):
    run = cost(*_branching(make, 2, 5), make.processing("before", timeout=HOUR))
    assert run.maximum == pytest.approx(6 * usd(M5))
    assert [step.step for step in run.steps if not step.counted] == ["a"]


def test_conditions_inside_of_conditions_count_once(cost, make):
    inner = ir.Condition(ir.Comparison("==", 1, 1), ("c",), ("d",))
    run = cost(
        *_branching(make, 1, 3),
        ir.Step("again", inner, branch=ir.Branch("gate", taken=True)),
        make.processing("c", timeout=4 * HOUR, step={"branch": ir.Branch("again", taken=True)}),
        make.processing("d", timeout=HOUR, step={"branch": ir.Branch("again", taken=False)}),
    )
    assert run.maximum == pytest.approx((1 + 4) * usd(M5))


def test_an_unknown_side_makes_the_whole_unknown(cost, make):
    gate, _, b = _branching(make, 1, 3)
    run = cost(gate, ir.Step("a", ir.Service("emr", "EMR"), branch=ir.Branch("gate", taken=True)), b)
    assert run.maximum is None
    assert run.known == pytest.approx(3 * usd(M5))


def test_nobody_knows_how_often_the_body_of_a_foreach_runs(cost, make):
    each = ir.Step("days", ir.Foreach(FOUND, 5, ("one",)))
    run = cost(each, make.processing("one", timeout=HOUR, step={"inside": "days"}))
    [_, body] = run.steps
    assert (run.maximum, run.known) == (None, 0.0)
    assert body.unknown.startswith("it runs once for every item of 'days' (at most 0.23 USD each)")


def test_an_endpoint_costs_by_the_hour_beside_the_run(cost):
    variant = ir.Mapping((("InstanceType", M5), ("InitialInstanceCount", 2)))
    serverless = ir.Mapping((("ServerlessConfig", ir.Mapping(())),))
    arguments = ir.Mapping((("ProductionVariants", ir.Sequence((variant, serverless))),))
    run = cost(ir.Step("config", ir.Service("endpoint_config", "EndpointConfig", arguments)))
    first, second = run.endpoints
    assert run.maximum == 0.0
    assert first.per_hour == pytest.approx(2 * usd(M5, "hosting"))
    assert second.unknown == "a serverless variant costs by request"


def test_an_endpoint_of_a_configuration_from_elsewhere_is_unknown(cost):
    [endpoint] = cost(ir.Step("serve", ir.Service("endpoint", "Endpoint"))).endpoints
    assert endpoint.unknown == "its configuration is not made in this pipeline"


# ------------------------------------------------------------------ what holds for all


jobs = st.fixed_dictionaries(
    {
        "count": st.integers(1, 50),
        "timeout": st.integers(60, 400_000),
        "attempts": st.integers(1, 20),
        "instance": st.sampled_from([M5, M5_4X, G5]),
    }
)


def _step(make, drawn):
    return make.processing(
        timeout=drawn["timeout"],
        instance=ir.Instance(drawn["instance"], drawn["count"]),
        step={"retry": (replace(JOB_ERROR, max_attempts=drawn["attempts"]),)},
    )


@given(jobs, st.sampled_from(["count", "timeout", "attempts"]), st.integers(1, 20))
def test_more_of_anything_costs_more(cost, make, drawn, what, more):
    less = cost(_step(make, drawn)).maximum
    assert cost(_step(make, {**drawn, what: drawn[what] + more})).maximum > less > 0


@given(st.integers(1, 24), st.integers(1, 24))
def test_a_condition_costs_the_maximum_of_its_sides(cost, make, then_hours, else_hours):
    run = cost(*_branching(make, then_hours, else_hours))
    assert run.maximum == pytest.approx(max(then_hours, else_hours) * usd(M5))


@given(st.lists(st.integers(1, 24), min_size=1, max_size=8))
def test_steps_without_a_condition_add_up(cost, make, hours):
    run = cost(*(make.processing(f"s{i}", timeout=h * HOUR) for i, h in enumerate(hours)))
    assert run.maximum == pytest.approx(sum(hours) * usd(M5))


# ------------------------------------------------------------------ the table


def test_a_machine_is_what_ec2_says():
    assert (machine(M5).vcpus, machine(M5).memory_gib, machine(M5).accelerators) == (4, 16, 0)
    g5 = machine("ml.g5.12xlarge")
    assert (g5.vcpus, g5.memory_gib, g5.accelerators, g5.accelerator) == (48, 192, 4, "NVIDIA A10G")
    assert machine("ml.trn1.32xlarge").accelerator == "AWS Trainium"
    assert machine("ml.z9.xlarge") is None


def test_what_the_table_lacks_is_none():
    assert per_hour(M5, "transform", "us-east-1") is None  # the list that it was made from says nothing of it
    assert per_hour("ml.z9.xlarge", "training", "us-east-1") is None
    assert per_hour(M5, "training", "eu-isoe-west-1") is None
