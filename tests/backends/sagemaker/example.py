"""A pipeline with every step type and nearly every field, for goldens. Needs nothing but buzzflow."""

from buzzflow import ir

ROLE = "arn:aws:iam::111122223333:role/R"
SKLEARN = ir.FrameworkImage("sklearn", "1.4-2")
RUN = ir.RunReference("id")
FIRST_DAY = ir.ParameterReference("first_day", ir.Kind.TEXT)
MIN_AUC = ir.ParameterReference("min_auc", ir.Kind.NUMBER)
RATE = ir.ParameterReference("learning_rate", ir.Kind.NUMBER)
AUC = ir.JsonReference("evaluate", "report", ("auc",))


def example() -> ir.Pipeline:
    return ir.Pipeline(
        name="delays",
        steps=(extract(), train(), evaluate(), good_enough(), publish(), reject()),
        parameters=(
            ir.Parameter("first_day", "string", "2013-01-01", ("2013-01-01", "2013-07-01")),
            ir.Parameter("learning_rate", "float", 1),
            ir.Parameter("min_auc", "float", 0.68),
            ir.Parameter("machines", "integer"),
            ir.Parameter("verbose", "boolean", False),
        ),
        environment=ir.Environment("research", "111122223333", "us-west-2", "example-bucket", "research-"),
    )


def extract() -> ir.Step:
    job = ir.Job(
        image=SKLEARN,
        code=ir.Code("src/extract.py", "python3", ir.Bundle("a" * 64, ()), "src/requirements.txt"),
        arguments=("--from", FIRST_DAY),
        outputs=tuple(ir.Output(name, f"/opt/ml/processing/output/{name}") for name in ("train", "test")),
        instance=ir.Instance("ml.m5.large", ir.ParameterReference("machines", ir.Kind.NUMBER)),
        network=ir.Network(("subnet-1",), ("sg-1",), encrypt_traffic=True),
        encryption=ir.Encryption("alias/disk", "alias/data"),
        role=ROLE,
        timeout=900,
        tags=(("team", "research"), ("größe", "Ä")),
    )
    return ir.Step(
        "extract", ir.Processing(job), description="Joins flights and weather", cache=ir.Cache(expire_after=30 * 86_400)
    )


def train() -> ir.Step:
    job = ir.Job(
        image=SKLEARN,
        code=ir.Code("src/train.py", "python3", ir.Bundle("b" * 64, ())),
        environment=(("LOG_LEVEL", "info"),),
        inputs=(
            ir.Input("train", ir.OutputReference("extract", "train"), "/opt/ml/input/data/train", mode="fast_file"),
        ),
        role=ROLE,
        timeout=1800,
    )
    work = ir.Training(
        job,
        hyperparameters=(("learning_rate", ir.Text((RATE,))), ("max_iter", "150")),
        metrics=(("validation_auc", "validation_auc=([0-9.]+)"),),
        spot=ir.Spot(3600),
        checkpoints=ir.Checkpoints("/opt/ml/checkpoints"),
    )
    retry = ir.Retry(("throttling", "capacity_error"), interval=60, max_attempts=3)
    return ir.Step("train", work, (ir.Need("extract", ir.Because.REFERENCE),), retry=(retry,))


def evaluate() -> ir.Step:
    model = ir.PropertyReference("train", "model", ir.Kind.ARTIFACT)
    test = ir.Text((ir.OutputReference("extract", "test"), "/flights.csv"))
    job = ir.Job(
        image=SKLEARN,
        entrypoint=("python3", "/opt/program/evaluate.py"),
        inputs=(
            ir.Input("model", model, "/opt/ml/processing/input/model"),
            ir.Input("test", test, "/opt/ml/processing/input/test"),
        ),
        outputs=(
            ir.Output("report", "/opt/ml/processing/output/report", reports=(ir.JsonFile("report", "metrics.json"),)),
        ),
        role=ROLE,
    )
    needs = (ir.Need("train", ir.Because.REFERENCE), ir.Need("extract", ir.Because.REFERENCE))
    return ir.Step("evaluate", ir.Processing(job), needs)


def good_enough() -> ir.Step:
    gain = ir.JsonReference("evaluate", "report", ("folds", "0", "auc-gain"))
    trained = ir.PropertyReference("train", "metrics.validation_auc", ir.Kind.NUMBER)
    either = ir.Any((ir.Comparison(">", gain, 0), ir.Not(ir.Comparison("<", trained, 0.9))))
    test = ir.All((ir.Comparison(">=", AUC, MIN_AUC), either, ir.Not(ir.Membership(FIRST_DAY, ("2012-01-01", "x")))))
    work = ir.Condition(test, then=("publish",), otherwise=("reject",))
    return ir.Step("good_enough", work, (ir.Need("evaluate", ir.Because.REFERENCE),))


def publish() -> ir.Step:
    job = ir.Job(image=SKLEARN, arguments=(ir.Text(("auc=", AUC, " run=", RUN)),), role=ROLE)
    needs = (ir.Need("good_enough", ir.Because.BRANCH), ir.Need("extract", ir.Because.ORDER))
    return ir.Step("publish", ir.Processing(job), needs, ir.Branch("good_enough", taken=True))


def reject() -> ir.Step:
    message = ir.Text(("AUC ", AUC, " is not enough: ", MIN_AUC, " is asked for"))
    needs = (ir.Need("good_enough", ir.Because.BRANCH),)
    return ir.Step("reject", ir.Fail(message), needs, ir.Branch("good_enough", taken=False))
