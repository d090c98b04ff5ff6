"""Run steps as Docker containers of this machine, each behind the same walls."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from buzzflow.backends.local.containers.api import Client, Json
from buzzflow.backends.local.containers.client import (
    connect,
    docker_problem,
    engine_errors,
    is_on_this_machine,
    message_of,
    status_of,
)
from buzzflow.backends.local.containers.container import Limits, container_config, container_name, step_user
from buzzflow.backends.local.containers.images import Images
from buzzflow.backends.local.containers.labels import labels, reap, remove_container, remove_network, remove_run
from buzzflow.backends.local.containers.monitoring import Monitor, MonitoringImages, missing_images
from buzzflow.backends.local.containers.networks import GroupNetworks, address_of
from buzzflow.backends.local.containers.ownership import lent, take_back, take_back_of_the_dead
from buzzflow.backends.local.containers.pull import PullPolicy
from buzzflow.backends.local.containers.run import NOT_STARTED, Watch, start
from buzzflow.backends.local.executor import End, ExecutorError, Outcome, Setting, Task, Tell
from buzzflow.backends.local.keeper import Keeper
from buzzflow.metrics import Usage

__all__ = ["DockerExecutor", "docker_problem", "reap"]

_CALL_SECONDS = 60
_IMAGE_CALL_SECONDS = 1800  # a layer of several GB is committed in one call without a word
_SHARE_OF_MEMORY = 0.9


class DockerExecutor:
    """Runs tasks as containers. *memory_bytes* is what each may have, by default nine tenths of the machine's."""

    name = "docker"

    def __init__(
        self,
        run_id: str,
        cache_folder: Path,
        client: Client | None = None,
        *,
        memory_bytes: int | None = None,
        pull: PullPolicy = PullPolicy.MISSING,
    ) -> None:
        self._run = run_id
        self._own_clients: list[Client] = []
        try:
            self._client = client or self._own(_CALL_SECONDS)
            slow_client = client or self._own(_IMAGE_CALL_SECONDS)
            info = self._client.api.info()
        except engine_errors() as e:
            raise ExecutorError(f"Docker cannot be used: {docker_problem() or message_of(e)}", unreachable=True) from e
        self.memory_bytes: int | None = memory_bytes or int(info["MemTotal"] * _SHARE_OF_MEMORY)
        self._limits = Limits(step_user(info.get("SecurityOptions") or []), self.memory_bytes)
        self.engine = f"Docker {info.get('ServerVersion', '')}".strip()
        self.notes: list[str] = []
        self._images = Images(slow_client, cache_folder, info.get("Architecture", ""), pull)
        self._pull = pull
        self._network_lock = threading.Lock()
        self._network: str | None = None
        self._groups = GroupNetworks(self._client, run_id)
        self._is_closed = threading.Event()
        self._cache_folder = cache_folder
        self._monitor: Monitor | None = None
        self._ledger = cache_folder / "lent" / run_id
        self._keeper = Keeper("docker", run_id, str(self._ledger))
        take_back_of_the_dead(self._ledger.parent)
        if removed := reap(self._client):
            self.notes.append(f"removed what a killed run left behind: {', '.join(removed)}")

    def monitor(self, images: MonitoringImages, tell: Callable[[str], None], warn: Callable[[str], None]) -> None:
        """Have cAdvisor and Prometheus measure the steps that come; nothing waits for them. Either may be slow to."""
        if self._pull is PullPolicy.NEVER and missing_images(self._client, images):
            tell("steps are measured without cAdvisor and Prometheus: --pull never, and their images are not here")
        elif is_on_this_machine():
            self._monitor = Monitor(self._client, self._run, images, self._cache_folder, tell, warn)

    def prepare(self, settings: Sequence[Setting], tell: Tell) -> None:
        """Pull images and install requirements over them, once for each content; ExecutorError has all that fail."""
        failed: dict[str, ExecutorError] = {}
        for setting in dict.fromkeys(settings):
            try:
                self._images.ready(setting, tell)
            except ExecutorError as e:
                failed.setdefault(e.summary, e)
        if failed:
            first, *others = sorted(failed.values(), key=lambda e: e.unreachable)  # a wrong name stays one elsewhere
            first.others = tuple(others)
            raise first

    def run(self, task: Task, log: Callable[[bytes], None], stop: threading.Event) -> Outcome:
        """Run *task* to its end; its container is gone afterwards. ExecutorError when it cannot be started."""
        image = self._images.ready(task.setting, lambda _: None)
        if stop.is_set() or self._is_closed.is_set():
            return Outcome(End.STOPPED, None, Usage(0.0))
        with self._network_of(task) as network, lent(task.mounts, self._limits.user, self._ledger):
            config = container_config(task, image, self._limits, network, labels(self._run, task.step))
            try:
                container = self._create(config, container_name(task))
            except _NothingToRunError as e:
                return Outcome(End.EXITED, 127, Usage(0.0), str(e))
            try:
                failed = start(self._client, container)
                if failed is None and task.serving is not None:
                    task.serving.listening(*address_of(self._client, container, task.serving.port))
                watch = Watch(self._client, container, self._limits.memory_bytes, self._is_closed)
                outcome = failed or self._measured(container, watch.to_the_end(log, stop, task.timeout))
                return self._explained(outcome, task)
            finally:
                remove_container(self._client, container)

    def identify(self, setting: Setting) -> tuple[str, str | None]:
        """Return the id of the image, requirements and all, and the digest by which its registry knows its base."""
        return self._images.ready(setting, lambda _: None), self._images.digest_of(setting)

    def close(self) -> None:
        """Remove the containers and the networks of this run."""
        self._is_closed.set()
        is_over = self._monitor is None or self._monitor.close()
        is_tidy = remove_run(self._client, self._run)
        if is_tidy:
            take_back(self._ledger)
        self._keeper.dismiss(is_tidy=is_tidy and is_over)
        for client in self._own_clients:
            with contextlib.suppress(*engine_errors()):
                client.close()

    def _measured(self, container: str, outcome: Outcome) -> Outcome:
        if self._monitor is None or outcome.end in (End.STOPPED, End.LOST):
            return outcome
        return replace(outcome, usage=self._monitor.completed(container, outcome.usage))

    def _explained(self, outcome: Outcome, task: Task) -> Outcome:
        """Name the kinds of processor where they are why a program could not start."""
        kind = self._images.foreign(task.setting.image)
        if kind is None or outcome.detail is None or outcome.exit_code not in NOT_STARTED:
            return outcome
        why = f"the image is for {kind}, and this Docker is {self._images.architecture} without an emulator for it"
        return replace(outcome, detail=f"exec format error: {outcome.detail}; {why}")

    def _own(self, timeout: int) -> Client:
        self._own_clients.append(connect(timeout))
        return self._own_clients[-1]

    def _create(self, config: Json, name: str) -> str:
        """Create the container; a name that is taken gets an end of its own."""
        for attempt in range(1, 100):
            try:
                made = self._client.api.create_container_from_config(
                    config, name if attempt == 1 else f"{name}-{attempt}"
                )
            except engine_errors() as e:
                if status_of(e) == 409 and "already in use" in message_of(e):
                    continue
                raise _not_created(e, config["Image"]) from e
            return str(made["Id"])
        raise ExecutorError(f"there are 99 containers named {name} already", "`docker ps --all` shows them")

    @contextlib.contextmanager
    def _network_of(self, task: Task) -> Iterator[str]:
        walled_server = task.serving is not None and not task.network  # reached through a network of its own
        if task.group is not None or walled_server:
            with self._groups.joined(task.group or task.step, internal=not task.network) as network:
                yield network
        else:
            yield self._run_network() if task.network else "none"

    def _run_network(self) -> str:
        """Return the run's own network: containers of the default one see those of everybody."""
        with self._network_lock:
            if self._network is None:
                name = container_name(Task(self._run, "", Setting(""), None, (), {}, ())).rstrip("-")
                try:
                    made = self._client.api.create_network(name, driver="bridge", labels=labels(self._run))
                except engine_errors() as e:
                    hint = "`docker network prune` removes those that nothing uses" if "pool" in message_of(e) else None
                    raise ExecutorError(f"Docker cannot make a network for the run: {message_of(e)}", hint) from e
                self._network = str(made["Id"])
                if self._is_closed.is_set():
                    remove_network(self._client, self._network)
            return self._network


class _NothingToRunError(Exception):
    pass


def _not_created(error: Exception, image: str) -> Exception:
    message = message_of(error)
    if "no command specified" in message.lower():
        return _NothingToRunError("the image has no command of its own: give the step an entrypoint")
    if status_of(error) is None:
        return ExecutorError(f"the Docker daemon does not answer: {message}", unreachable=True)
    if "bind source path" in message or "mounts denied" in message.lower():
        hint = "the folders of a run must be where the Docker daemon can see them: on its machine, and shared with it"
        return ExecutorError(f"Docker cannot mount a folder of the step: {message}", hint)
    if status_of(error) == 404:
        return ExecutorError(f"the image {image} has been removed meanwhile", "run again")
    return ExecutorError(f"Docker cannot make a container for the step: {message}")
