"""Read what Prometheus has of one container, and make a step's figures of it."""

from __future__ import annotations

import io
import math
import queue
import threading
from collections.abc import Callable, Iterable
from typing import Any

from buzzflow.metrics import Sample, Usage, UsageRecorder

SOURCE = "prometheus"
_FIELDS = {
    "container_cpu_usage_seconds_total": "cpu_seconds",
    "container_memory_usage_bytes": "memory_bytes",
    "container_memory_max_usage_bytes": "memory_peak_bytes",
    "container_memory_working_set_bytes": "working_set_bytes",
    "container_fs_reads_bytes_total": "disk_read_bytes",
    "container_fs_writes_bytes_total": "disk_written_bytes",
    "container_network_receive_bytes_total": "network_received_bytes",
    "container_network_transmit_bytes_total": "network_sent_bytes",
}
METRICS = tuple(_FIELDS)
_MOST_SAMPLES = 2400  # of a longer step, so many at even distances
_SCRAPE_SECONDS = 0.5
_MOST_BYTES = 16 * 2**20
_NOT_PROMETHEUS = "its answer is not Prometheus'"
_OF_OTHERS = (KeyError, ValueError, TypeError, IndexError, AttributeError)  # what other JSON than Prometheus' leads to

Query = Callable[[str, float], list[dict[str, Any]]]


class NoAnswerError(Exception):
    """Prometheus did not answer in time, or not as Prometheus does; the text says how."""


class NotReadyError(NoAnswerError):
    """Nobody listens, or Prometheus says that it is not ready, as both are just after its start."""


def query_of(url: str, seconds: float) -> Query:
    """Return a function that asks the Prometheus at *url* a query, evaluated at a time; NoAnswerError within *seconds*.

    The HTTP client's own time-out is for each piece of an answer. A server that sends one byte now and then, or never
    stops, would hold it for ever: so the call has a thread, which is not waited for, and an answer a greatest length.
    """

    def query(text: str, at: float) -> list[dict[str, Any]]:
        answers: queue.SimpleQueue[list[dict[str, Any]] | Exception] = queue.SimpleQueue()
        threading.Thread(target=_ask, args=(url, text, at, seconds, answers), daemon=True).start()
        try:
            answer = answers.get(timeout=seconds)
        except queue.Empty:
            raise NoAnswerError(f"it has not answered within {seconds:g} s") from None
        if isinstance(answer, Exception):
            raise _no_answer(answer) from answer
        return answer

    return query


def _ask(url: str, text: str, at: float, seconds: float, answers: queue.SimpleQueue[Any]) -> None:
    try:
        answers.put(_answer(url, text, at, seconds))
    except Exception as e:  # noqa: BLE001 - an answer may be anything; who asked decides
        answers.put(e)


def _answer(url: str, text: str, at: float, seconds: float) -> list[dict[str, Any]]:
    from prometheus_api_client import PrometheusConnect
    from requests import Response, Session
    from urllib3 import Retry

    class Bounded(Session):
        """Reads an answer up to the greatest length, from this machine only: no proxy, no other address."""

        def request(self, *arguments: Any, **options: Any) -> Response:
            """Send a request as the SDK wants it."""
            options |= {"stream": True, "allow_redirects": False}
            response = super().request(*arguments, **options)
            with response:
                body = response.raw.read(_MOST_BYTES, decode_content=True)
                if response.raw.read(1):
                    raise NoAnswerError("its answer does not end")
            response.raw = io.BytesIO(body)
            return response

    with Bounded() as session:
        session.trust_env = False
        server = PrometheusConnect(url, session=session, timeout=seconds, retry=Retry(total=0))
        found = server.custom_query(text, params={"time": f"{at:.3f}"})
    if not isinstance(found, list):
        raise NoAnswerError(_NOT_PROMETHEUS)
    return found


def _no_answer(error: Exception) -> NoAnswerError:
    from requests import ConnectionError as CannotConnect
    from requests import Timeout

    match error:
        case NoAnswerError():
            return error
        case Timeout():
            return NoAnswerError("it does not answer")
        case CannotConnect():
            return NotReadyError("nobody answers at its port")
        case _ if "Status Code 503" in str(error):
            return NotReadyError("it is not ready")
        case _:
            return NoAnswerError(f"{_NOT_PROMETHEUS} ({str(error)[:80]})")


def is_scraped(query: Query, at: float) -> bool:
    """Tell whether Prometheus reached cAdvisor at its last try before *at*."""
    found = query("up", at)
    try:
        return any(float(series["value"][1]) == 1 for series in found)
    except _OF_OTHERS:
        raise NoAnswerError(_NOT_PROMETHEUS) from None


def usage_of(query: Query, container: str, began: float, ended: float) -> Usage:
    """Return the figures of *container*, by id, between two times in seconds since 1970.

    Series are chosen by the end of their `id`, `/docker/<id>` or `docker-<id>.scope`: names and labels are there only
    when cAdvisor could ask Docker, and groups that a container makes inside its own would count twice. A series stays
    for five minutes after its container, so the time bounds it, too.
    """
    seconds = math.ceil(ended - began) + 2
    step = math.ceil(seconds / _MOST_SAMPLES / _SCRAPE_SECONDS) * _SCRAPE_SECONDS
    every = "" if step <= _SCRAPE_SECONDS else f":{round(step * 1000)}ms"
    names = "|".join(METRICS)
    text = f'{{__name__=~"{names}",id=~".*{container}([.]scope)?"}}[{seconds}s{every}]'
    recorder = UsageRecorder(SOURCE, began)
    found = query(text, ended + 1)
    try:
        samples = samples_of(found)
    except _OF_OTHERS:
        raise NoAnswerError(_NOT_PROMETHEUS) from None
    for sample in samples:
        if began <= sample.at <= ended + _SCRAPE_SECONDS:
            recorder.add(sample)
    return recorder.finish(ended - began)


def samples_of(series: Iterable[dict[str, Any]]) -> list[Sample]:
    """Return a reading for each time at which CPU and memory are known; interfaces and devices are added up."""
    table: dict[float, dict[str, float]] = {}
    for one in series:
        field = _FIELDS.get(one["metric"].get("__name__", ""))
        if field is None:
            continue
        for at, text in one["values"]:
            row = table.setdefault(float(at), {})
            row[field] = row.get(field, 0.0) + float(text)
    rows = sorted((at, row) for at, row in table.items() if "cpu_seconds" in row and "memory_bytes" in row)
    return [_sample(at, row) for at, row in rows]


def _sample(at: float, row: dict[str, float]) -> Sample:
    whole = {name: int(value) for name, value in row.items() if name != "cpu_seconds"}
    return Sample(
        at=at,
        cpu_seconds=row["cpu_seconds"],
        memory_bytes=whole["memory_bytes"],
        memory_peak_bytes=whole.get("memory_peak_bytes"),
        working_set_bytes=whole.get("working_set_bytes"),
        disk_read_bytes=whole.get("disk_read_bytes"),
        disk_written_bytes=whole.get("disk_written_bytes"),
        network_received_bytes=whole.get("network_received_bytes"),
        network_sent_bytes=whole.get("network_sent_bytes"),
    )
