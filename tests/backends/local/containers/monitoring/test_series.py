"""What Prometheus answers becomes a step's figures; what others answer becomes one error, in time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from buzzflow.backends.local.containers.monitoring.series import (
    NoAnswerError,
    NotReadyError,
    is_scraped,
    query_of,
    samples_of,
    usage_of,
)

RECORDED = json.loads((Path(__file__).parent / "recorded" / "cgroup-v1.json").read_text())
CONTAINER = "d4d14fdf3788bdb65b1d151fde617052e19e759bb49800f42da680b1afd10691"
ENDED = RECORDED["at"] - 1
BEGAN = ENDED - 3.12


def recorded(_query: str, _at: float) -> list[dict[str, Any]]:
    return list(RECORDED["result"])


def series(name: str, values: list[tuple[float, str]], **labels: str) -> dict[str, Any]:
    return {"metric": {"__name__": name, **labels}, "values": values}


def test_a_recorded_answer_becomes_figures() -> None:
    usage = usage_of(recorded, CONTAINER, BEGAN, ENDED)
    assert (usage.source, usage.samples) == ("prometheus", len(usage.curves.at))
    assert usage.samples >= 5
    assert usage.cpu_seconds == pytest.approx(2.685, abs=0.5)  # a scrape before the end
    assert usage.cpu_peak == pytest.approx(1.0, abs=0.1)
    assert usage.memory_peak_bytes == 113_143_808  # with the files that the system cached
    assert usage.disk_written_bytes is None  # this kernel's version 1 counts none
    assert all(0 <= at <= 3.2 for at in usage.curves.at)


def test_the_query_is_for_one_container_and_for_its_time() -> None:
    asked: list[tuple[str, float]] = []

    def query(text: str, at: float) -> list[dict[str, Any]]:
        asked.append((text, at))
        return recorded(text, at)

    usage_of(query, CONTAINER, BEGAN, ENDED)
    usage_of(query, CONTAINER, BEGAN, BEGAN + 36_000)
    (short, at), (long, _) = asked
    assert short == RECORDED["query"]
    assert at == pytest.approx(ENDED + 1)
    assert long.endswith("[36002s:15500ms]")  # ten hours in at most 2,400 readings


def test_what_a_series_says_outside_of_the_step_does_not_count() -> None:
    """A dead container's last value is repeated for five minutes."""
    assert usage_of(recorded, CONTAINER, BEGAN + 100, ENDED + 100).samples == 0


def test_interfaces_and_devices_add_up_and_a_reading_needs_cpu_and_memory() -> None:
    """The id is a slice's, as systemd names it in version 2, and its peak 0, as cAdvisor 0.49 says there."""
    group = {"id": f"/system.slice/docker-{CONTAINER}.scope"}
    found = samples_of(
        [
            series("container_cpu_usage_seconds_total", [(1.0, "0.5"), (2.0, "1.5")], cpu="total", **group),
            series("container_memory_usage_bytes", [(1.0, "1e+08"), (2.0, "104857600")], **group),
            series("container_memory_max_usage_bytes", [(2.0, "0")], **group),
            series("container_network_receive_bytes_total", [(2.0, "10")], interface="eth0", **group),
            series("container_network_receive_bytes_total", [(2.0, "5")], interface="eth1", **group),
            series("container_fs_writes_bytes_total", [(2.0, "7"), (3.0, "8")], device="/dev/sda", **group),
            series("container_last_seen", [(2.0, "7")], **group),
        ]
    )
    assert [(sample.at, sample.cpu_seconds) for sample in found] == [(1.0, 0.5), (2.0, 1.5)]
    assert (found[0].memory_bytes, found[0].network_received_bytes) == (100_000_000, None)
    assert (found[1].network_received_bytes, found[1].disk_written_bytes) == (15, 7)


def test_cadvisor_is_scraped_when_up_says_so() -> None:
    assert is_scraped(lambda *_: [{"metric": {}, "value": [1.0, "1"]}], 1.0)
    assert not is_scraped(lambda *_: [{"metric": {}, "value": [1.0, "0"]}], 1.0)
    assert not is_scraped(lambda *_: [], 1.0)


# ------------------------------------------------------------------ servers that are not Prometheus


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b" " * 65536)


def dripping(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


def silent(_handler: BaseHTTPRequestHandler) -> None:
    time.sleep(3)


def failing(handler: BaseHTTPRequestHandler) -> None:
    handler.send_error(500)


def redirecting(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(302)
    handler.send_header("Location", "http://192.0.2.1/")
    handler.end_headers()


def answering(content: object) -> Any:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        body = json.dumps(content).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@contextmanager
def served(answer: Any) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                answer(self)
            except OSError:
                self.close_connection = True  # who asked has left

        def log_message(self, *_: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/prefix"
        server.shutdown()


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    "answer",
    [
        endless,
        dripping,
        silent,
        failing,
        redirecting,
        answering("no"),
        answering({"data": {"result": "no"}}),
        answering({"data": {"result": [{"metric": {"__name__": "container_memory_usage_bytes"}, "values": 3}]}}),
        answering({"data": {"result": [7]}}),
    ],
)
def test_a_server_that_is_not_prometheus_is_an_error_in_time(answer: Any) -> None:
    with served(answer) as url:
        begun = time.monotonic()
        with pytest.raises(NoAnswerError) as caught:
            usage_of(query_of(url, 0.5), CONTAINER, BEGAN, ENDED)
        assert time.monotonic() - begun < 1.5
        assert not isinstance(caught.value, NotReadyError)


@pytest.mark.enable_socket
def test_nobody_at_the_port_and_a_prometheus_that_starts_are_not_ready() -> None:
    with pytest.raises(NotReadyError, match="nobody answers"):
        query_of("http://127.0.0.1:9/x", 1)("up", 0)

    def starting(handler: BaseHTTPRequestHandler) -> None:
        handler.send_error(503)

    with served(starting) as url, pytest.raises(NotReadyError):
        query_of(url, 1)("up", 0)


@pytest.mark.enable_socket
def test_an_answer_is_asked_for_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:3128")
    monkeypatch.setenv("http_proxy", "http://192.0.2.1:3128")
    with served(answering({"status": "success", "data": {"resultType": "vector", "result": []}})) as url:
        assert query_of(url, 1)("up", 5.0) == []
