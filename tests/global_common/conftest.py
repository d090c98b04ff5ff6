"""Athena and S3 over HTTP: moto's server, whose queries answer what the test queued."""

import json
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

REGION = "us-west-2"
BUCKET = "results"


@dataclass(frozen=True)
class AthenaServer:
    """What a test tells the server, and what it may ask it afterwards."""

    url: str
    session: boto3.Session
    output_location: str = f"s3://{BUCKET}/athena/"

    def will_answer(self, columns: dict[str, str], *rows: Sequence[str | None]) -> None:
        """Queue the result of the next query; None is NULL."""
        self.will_answer_rows([*columns.items()], [*columns], *rows)

    def will_answer_rows(self, columns: list[tuple[str, str]], *rows: Sequence[str | None]) -> None:
        """Queue exactly these rows, for results whose first row is not the header or whose names are not unique."""
        result = {
            "rows": [{"Data": [{} if cell is None else {"VarCharValue": cell} for cell in row]} for row in rows],
            "column_info": [{"Name": name, "Type": kind} for name, kind in columns],
        }
        self._post("static/athena/query-results", {"region": REGION, "results": [result]})

    def takes(self, questions: int) -> None:
        """Let a query pass to its next state (queued, running, succeeded) only at every nth question."""
        transition = {"progression": "manual", "times": questions}
        self._post("state-manager/set-transition", {"model_name": "athena::execution", "transition": transition})

    def executions(self) -> list[dict[str, Any]]:
        """Return all queries that were started, as Athena describes them."""
        client = self.session.client("athena", region_name=REGION)
        ids = client.list_query_executions()["QueryExecutionIds"]
        found = [client.get_query_execution(QueryExecutionId=i)["QueryExecution"] for i in ids]
        client.close()
        return found

    def ends_queries(self, state: str, reason: str | None) -> None:
        """Let queries end so. Moto's always succeed, so the answer is changed on its way through the real client."""

        def change(parsed: dict[str, Any], **_: Any) -> None:
            status = parsed["QueryExecution"]["Status"]
            status.update({"State": state}, **({"StateChangeReason": reason} if reason else {}))

        self.session.events.register("after-call.athena.GetQueryExecution", change)

    def on_request(self, operation: str, act: Callable[..., None]) -> None:
        """Call *act* before each request of *operation* of Athena leaves."""
        self.session.events.register(f"before-send.athena.{operation}", act)

    def _post(self, path: str, body: Any) -> None:
        data = json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/moto-api/{path}", data, {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=10).close()


@pytest.fixture(scope="session")
def _moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def athena(_moto: str, monkeypatch: pytest.MonkeyPatch) -> AthenaServer:
    """An empty Athena with the bucket for its results; boto3 finds it through the environment."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "BUZZFLOW_ATHENA_OUTPUT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", _moto)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-real-secret")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    server = AthenaServer(_moto, boto3.Session())
    server._post("reset", {})
    server._post("state-manager/unset-transition", {"model_name": "athena::execution"})
    # Without boto3, whose clients take longer to make than the tests to run.
    where = f"<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
    urllib.request.urlopen(
        urllib.request.Request(f"{_moto}/{BUCKET}", where.encode(), method="PUT"), timeout=10
    ).close()
    return server
