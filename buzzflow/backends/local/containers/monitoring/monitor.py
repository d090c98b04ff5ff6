"""Watch over a run's monitoring: it starts beside the steps, is asked at each step's end, and never holds one up.

A step's figures are completed in its own thread, before it is told that it ended: so manifest, table and report agree
at any moment, and nothing has to be mended at the end of the run. A query takes some milliseconds; the first that goes
wrong is the last, and has cost at most `_QUERY_SECONDS`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from buzzflow.backends.local.containers.api import Client
from buzzflow.backends.local.containers.client import engine_errors, message_of
from buzzflow.backends.local.containers.labels import remove_container, remove_network
from buzzflow.backends.local.containers.monitoring.images import MonitoringImages, fetch_images, missing_images
from buzzflow.backends.local.containers.monitoring.series import (
    NoAnswerError,
    NotReadyError,
    Query,
    is_scraped,
    query_of,
    usage_of,
)
from buzzflow.backends.local.containers.monitoring.services import ClosedError, Launch, Services
from buzzflow.metrics import Usage
from buzzflow.metrics.merge import completed

_START_AFTER_SECONDS = 1.0  # most of a short run would be starting what could not measure it
_FIRST_SCRAPE_SECONDS = 12.0  # Prometheus looks for its targets 5 s after its start; a busy machine takes longer
_LONG_STEP_SECONDS = 3.0  # so long a step cannot go unseen
_QUERY_SECONDS = 1.0
_CLOSE_SECONDS = 3.0


class Monitor:
    """Cares for the two containers of *run*. *tell* takes news, *warn* the one warning of a run."""

    def __init__(
        self,
        client: Client,
        run: str,
        images: MonitoringImages,
        cache_folder: Path,
        tell: Callable[[str], None],
        warn: Callable[[str], None],
    ) -> None:
        self._client, self._images, self._cache_folder = client, images, cache_folder
        self._tell, self._warn = tell, warn
        self._closed = threading.Event()
        self._launch = Launch(client, run, images, self._closed.is_set)
        self._lock = threading.Lock()
        self._has_given_up = self._is_fetching = False
        self._services: Services | None = None
        self._query: Query | None = None
        self._started = 0.0
        self._thread = threading.Thread(target=self._start, name="buzzflow-monitoring", daemon=True)
        self._thread.start()

    def completed(self, container: str, usage: Usage) -> Usage:
        """Return the figures of an ended *container* that is still there, with what Prometheus knows of it."""
        query, services = self._query, self._services
        if query is None or services is None or (span := self._span(container)) is None:
            return usage
        began, ended = span
        is_young = time.monotonic() - self._started < _FIRST_SCRAPE_SECONDS
        try:
            scraped = usage_of(query, container, began, ended)
            if not is_young:
                self._look(query, ended, scraped, is_long=ended - began > _LONG_STEP_SECONDS)
        except NoAnswerError as e:
            why = self._why_it_ended(services.prometheus)
            if why is not None or not (is_young and isinstance(e, NotReadyError)):
                self._give_up(f"Prometheus is of no use: {why or e}")
            return usage
        return completed(usage, scraped)

    def close(self) -> bool:
        """Remove both containers and their network; False when more may come up yet. May be called twice."""
        self._closed.set()
        self._query = None
        if not self._is_fetching:
            self._thread.join(_CLOSE_SECONDS)  # what it still makes then, it removes by itself
        self._remove()
        return self._is_fetching or not self._thread.is_alive()

    def _start(self) -> None:
        if self._closed.wait(_START_AFTER_SECONDS):
            return
        try:
            if missing := missing_images(self._client, self._images):
                self._is_fetching = True
                fetch_images(missing, self._cache_folder, self._say)
                return
            services = self._launch.start()
        except ClosedError:
            self._remove()
            return
        except engine_errors() as e:
            self._give_up(f"cAdvisor and Prometheus cannot be started: {message_of(e)}")
            self._remove()
            return
        self._started = time.monotonic()
        self._services = services
        self._query = query_of(services.url, _QUERY_SECONDS)
        if self._closed.is_set():
            self._remove()

    def _span(self, container: str) -> tuple[float, float] | None:
        """Return when *container* began and ended, in seconds since 1970 by the daemon's clock."""
        try:
            state = self._client.api.inspect_container(container)["State"]
        except engine_errors():
            return None
        began, ended = (datetime.fromisoformat(state[name]).timestamp() for name in ("StartedAt", "FinishedAt"))
        return (began, ended) if ended > began else None

    def _look(self, query: Query, at: float, scraped: Usage, *, is_long: bool) -> None:
        """Find out why a step that must have been seen has not been."""
        if not is_scraped(query, at):
            self._give_up("cAdvisor does not answer Prometheus")
        elif is_long and not scraped.samples:
            self._give_up("cAdvisor does not see the containers of the steps")

    def _why_it_ended(self, container: str) -> str | None:
        """Return what a container that should run says of its end; None when it runs."""
        try:
            state = self._client.api.inspect_container(container)["State"]
        except engine_errors() as e:
            return f"its container is gone ({message_of(e)})"
        return None if state["Running"] else f"its container ended with exit code {state['ExitCode']}"

    def _give_up(self, why: str) -> None:
        with self._lock:
            first, self._has_given_up = not self._has_given_up, True
        self._query = None
        if first and not self._closed.is_set():
            self._warn(f"{why}; the figures are the steps' own counters, without its time series")

    def _say(self, text: str) -> None:
        if not self._closed.is_set():
            self._tell(text)

    def _remove(self) -> None:
        with ThreadPoolExecutor(2) as pool:  # each takes a moment
            for _ in pool.map(lambda container: remove_container(self._client, container), [*self._launch.made]):
                pass
        if self._launch.network is not None:
            remove_network(self._client, self._launch.network)
