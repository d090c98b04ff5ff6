"""Models that are recorded, registered, or asked; functions that stand in for those of AWS Lambda."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from buzzflow.backends.local.executor import End, Outcome, Task
from buzzflow.backends.local.steps import mlflow_registry
from buzzflow.metrics import Usage
from tests.backends.local.projects import Project, opt_ml

Log = Callable[[bytes], None]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


# ------------------------------------------------------------------ recorded and registered

REGISTER = """
steps:
  train: {type: training, code: train.py}
  register:
    type: register_model
    model_group: ctr
    model: ${step:train.model}
    registry: REGISTRY
    content_types: [text/csv]
    metadata: {run: "${run:id}"}
  use: {type: processing, code: extract.py, arguments: ["${step:register.arn}"]}
"""


def test_a_model_of_the_service_is_a_file_and_a_number(project: Project) -> None:
    first, second = (project.run(REGISTER.replace("REGISTRY", "sagemaker")) for _ in range(2))

    assert first.executor.tasks["use"].arguments == ("local:model-package/ctr/1",)
    assert second.executor.tasks["use"].arguments == ("local:model-package/ctr/2",)
    assert second["register"].result == "ctr version 2"
    kept = json.loads((project.folder / ".buzzflow" / "registry" / "ctr" / "2.json").read_text())
    assert kept["metadata"] == {"run": second.run.report.run}
    assert kept["containers"][0]["ModelDataUrl"].endswith("/output/model.tar.gz")
    assert (kept["approval"], kept["content_types"]) == ("PendingManualApproval", ["text/csv"])


def test_without_mlflow_the_reason_is_recorded(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow_registry, "_NEEDS", ("no_such_package",))
    ran = project.run(REGISTER.replace("REGISTRY", "mlflow"))
    told = "recorded as version 1 below .buzzflow/registry: a local MLflow needs the package no_such_package"
    assert ran["register"].how == told


@pytest.mark.slow
def test_a_model_is_a_version_in_the_local_mlflow(project: Project) -> None:
    ran = project.run(REGISTER.replace("REGISTRY", "mlflow"))

    assert ran["register"].how == "registered in the local MLflow, .buzzflow/mlflow/mlflow.db, as version 1"
    database = project.folder / ".buzzflow" / "mlflow" / "mlflow.db"
    asks = (
        "from mlflow.tracking import MlflowClient as C; import sys;"
        "print(C(tracking_uri=sys.argv[1], registry_uri=sys.argv[1]).get_model_version('ctr', 1).tags['buzzflow.run'])"
    )
    command = [sys.executable, "-W", "ignore", "-c", asks, f"sqlite:///{database}"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == ran.run.report.run


def test_what_a_recorded_step_would_ask_of_the_service_is_kept(project: Project) -> None:
    ran = project.run(
        """
steps:
  served: {type: model, image: img, model: s3://bkt/model.tar.gz, environment_variables: {A: b}}
  config:
    type: endpoint_config
    arguments:
      EndpointConfigName: ctr
      ProductionVariants: [{VariantName: main, ModelName: "${step:served.name}", InitialInstanceCount: 1}]
"""
    )
    kept = json.loads((ran.folder / "steps" / "config" / "recorded.json").read_text())
    assert kept["ProductionVariants"][0]["ModelName"] == f"{ran.run.report.run}-served"
    assert kept["ProductionVariants"][0]["InitialInstanceCount"] == 1
    model = json.loads((ran.folder / "steps" / "served" / "recorded.json").read_text())
    assert model["Containers"] == [{"Image": "img", "ModelDataUrl": "s3://bkt/model.tar.gz", "Environment": {"A": "b"}}]


# ------------------------------------------------------------------ functions

ASK = """
steps:
  ask: {type: lambda, function: "arn:aws:lambda:eu-west-1:111122223333:function:newest", arguments: {n: 3},
        outputs: {uri: {}, age: {type: integer}}}
  use: {type: processing, code: extract.py, arguments: ["${step:ask.outputs.uri}", "${step:ask.outputs.age}"]}
"""
HERE = "local: {steps: {ask: {function: newest.py:handler}}}"


def calls(task: Task, log: Log, _stop: threading.Event) -> Outcome:
    """Call it as a process executor without a private /opt/ml does."""
    mounts = {m.target: str(m.source) for m in task.mounts}
    words = [*task.entrypoint, *task.arguments] if task.entrypoint else []
    for target in sorted(mounts, key=len, reverse=True):
        words = [w.replace(target, mounts[target]) if w.startswith("/opt/ml") else w for w in words]
    done = subprocess.run(
        [sys.executable, *words[1:]], capture_output=True, check=False, env=dict(task.environment), timeout=20
    )
    log(done.stdout + done.stderr)
    return Outcome(End.EXITED, done.returncode, Usage(0.1))


def test_a_function_answers_with_what_it_returns(project: Project) -> None:
    project.write("names.py", "URI = 's3://bkt/'\n")
    project.write(
        "newest.py",
        "import names\n"
        "def handler(event, context):\n"
        "    assert context.get_remaining_time_in_millis() > 0\n"
        "    return {'statusCode': 200, 'uri': names.URI + context.function_name, 'age': event['n']}\n",
    )
    ran = project.run(ASK, HERE, acts={"ask": calls})

    assert ran.executor.tasks["use"].arguments == ("s3://bkt/newest", "3")
    assert ran["ask"].how == "newest.py:handler stands in for the Lambda function"
    assert not any(mount.source == project.folder and not mount.read_only for mount in ran.executor.tasks["ask"].mounts)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return {'uri': 's'}", "the function returned no 'age'; it returned uri"),
        ("return {'uri': 's', 'age': '3'}", "the function returned '3' as 'age', which is of type integer"),
        ("return None", "the function returned no object, and so no uri, age"),
        ("raise ValueError('no model yet')", "exit code 1: ValueError: no model yet"),
        ("return {1, 2}", "exit code 1: TypeError: Object of type set is not JSON serializable"),
    ],
)
def test_what_a_function_does_wrong_fails_the_step(body: str, reason: str, project: Project) -> None:
    project.write("newest.py", f"def handler(event, context):\n    {body}\n")
    ran = project.run(ASK, HERE, acts={"ask": calls})
    assert (ran.states["ask"], ran["ask"].reason) == ("failed", reason)
    assert ran.states["use"] == "skipped"


# ------------------------------------------------------------------ transform


class _Handler(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/ping" else 404)
        self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write("\n".join(line.upper() for line in body.splitlines()).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[tuple[str, int]]:
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield "127.0.0.1", listening.server_port
    listening.shutdown()
    listening.server_close()
    thread.join()


SCORE = """
steps:
  served: {type: model, image: serving, model: s3://bkt/model.tar.gz}
  score:
    type: transform
    model: ${step:served.name}
    inputs: {records: {from: s3://bkt/records/, content_type: text/csv, split: line}}
    outputs: {predictions: {assemble: line}}
    batch: {strategy: single_record, max_concurrent: 3}
  use: {type: processing, code: extract.py, inputs: {p: "${step:score.outputs.predictions}"}}
"""
DATA = "local: {data: {s3://bkt/records: records, s3://bkt/model.tar.gz: model.tar.gz}}"


@pytest.fixture
def records(project: Project) -> Project:
    project.write("records/a.csv", "a,b\nc,d\n")
    project.write("records/deep/b.csv", "e,f\n")
    with tarfile.open(project.folder / "model.tar.gz", "w:gz") as tar:
        tar.add(project.write("weights.txt", "1"), "weights.txt")
    return project


def serves(address: tuple[str, int]) -> Callable[[Task, Log, threading.Event], Outcome]:
    def act(task: Task, log: Log, stop: threading.Event) -> Outcome:
        assert (opt_ml(task) / "model" / "weights.txt").read_text() == "1"
        assert (task.entrypoint, task.arguments) == (None, ("serve",))
        assert task.environment["SAGEMAKER_BATCH_STRATEGY"] == "SINGLE_RECORD"
        log(b"ready\n")
        assert task.serving is not None
        task.serving.listening(*address)
        while not stop.is_set():
            threading.Event().wait(0.02)
        return Outcome(End.STOPPED, 143, Usage(1.0))

    return act


@pytest.mark.enable_socket
def test_every_record_goes_through_the_model(records: Project, server: tuple[str, int]) -> None:
    ran = records.run(SCORE, DATA, acts={"score": serves(server)})

    assert ran.states == {"served": "succeeded", "score": "succeeded", "use": "succeeded"}
    [mount] = [m for m in ran.executor.tasks["use"].mounts if m.target == "/opt/ml/processing/input/p"]
    assert (mount.source / "a.csv.out").read_text() == "A,B\nC,D\n"
    assert (mount.source / "deep" / "b.csv.out").read_text() == "E,F\n"


@pytest.mark.enable_socket
def test_an_answer_that_is_none_fails_the_step(
    records: Project, server: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Handler, "status", 503)
    ran = records.run(SCORE, DATA, acts={"score": serves(server)})
    assert (ran.states["score"], ran.states["use"]) == ("failed", "skipped")
    assert ran["score"].reason == "the model answered 503 to a request: A,B"


def test_a_model_that_ends_by_itself_fails_the_step(records: Project) -> None:
    def ends(_task: Task, log: Log, _stop: threading.Event) -> int:
        log(b"no weights\n")
        return 3

    ran = records.run(SCORE, DATA, acts={"score": ends})
    assert ran["score"].reason == "the model's container ended: exit code 3: no weights"


def test_a_stop_ends_the_model(records: Project) -> None:
    stop = threading.Event()

    def waits(_task: Task, _log: Log, told: threading.Event) -> Outcome:
        stop.set()
        assert told.is_set()
        return Outcome(End.STOPPED, None, Usage(1))

    ran = records.run(SCORE, DATA, acts={"score": waits}, stop=stop)
    assert ran.states == {"served": "succeeded", "score": "stopped", "use": "skipped"}
