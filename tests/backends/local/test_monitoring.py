"""Real cAdvisor and Prometheus beside the steps: what they add, who can reach them, and that their loss is no harm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import docker
import pytest

from buzzflow.backends.local.containers.executor import DockerExecutor
from buzzflow.backends.local.containers.monitoring import MonitoringImages, monitoring_images
from buzzflow.backends.local.containers.monitoring.series import NotReadyError
from buzzflow.backends.local.executor import End, Outcome, Setting, Task

pytestmark = pytest.mark.docker

T = TypeVar("T")
COMMAND = str(Path(sys.executable).with_name("buzzflow"))
IMAGES = MonitoringImages(
    cadvisor=os.environ.get("BUZZFLOW_TEST_CADVISOR", "buzzflow-test/cadvisor:latest"),
    prometheus=os.environ.get("BUZZFLOW_TEST_PROMETHEUS", "buzzflow-test/prometheus:latest"),
)
MOST_ADDED_SECONDS = 5.0
BURN = """
import time
held = bytearray(60_000_000); held[::4096] = b"x" * len(held[::4096])
end = time.monotonic() + {seconds}
while time.monotonic() < end: pass
"""


@dataclass
class Watched:
    """A run with monitoring, and what it said."""

    engine: docker.DockerClient
    executor: DockerExecutor
    run_id: str
    image: str
    told: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)

    def run(self, code: str, step: str = "step", **environment: str) -> Outcome:
        task = Task(self.run_id, step, Setting(self.image), ("python3", "-c", code), (), environment, ())
        return self.executor.run(task, lambda _: None, threading.Event())

    def start(self, images: MonitoringImages = IMAGES) -> None:
        self.executor.monitor(images, self.told.append, self.warned.append)

    def container(self, what: str) -> docker.models.containers.Container:
        [found] = [c for c in self.of_run() if c.name.endswith(f"-{what}") and "-monitoring-" in c.name]
        return found

    def of_run(self) -> list[docker.models.containers.Container]:
        label = {"label": f"buzzflow.run={self.run_id}"}
        return self.engine.containers.list(all=True, filters=label, ignore_removed=True)

    @property
    def url(self) -> str:
        services = self.executor._monitor._services
        assert services is not None
        return services.url

    def wait_until_started(self) -> None:
        wait_for(lambda: self.executor._monitor._services)

    def wait_until_scraped(self) -> None:
        self.wait_until_started()
        wait_for(lambda: self.query("up == 1"))

    def query(self, text: str) -> list[dict[str, object]]:
        monitor = self.executor._monitor
        try:
            return monitor._query(text, time.time() + 0.5) if monitor._query else []
        except NotReadyError:
            return []


@pytest.fixture(scope="module")
def watched_of(
    docker_engine: docker.DockerClient, python_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Watched]]:
    made: list[Watched] = []

    def make(cache: Path | None = None) -> Watched:
        run_id = f"test-{uuid.uuid4().hex[:8]}"
        executor = DockerExecutor(run_id, cache or tmp_path_factory.mktemp("cache"))
        made.append(Watched(docker_engine, executor, run_id, python_image))
        return made[-1]

    yield make
    for watched in made:
        watched.executor.close()
        assert not watched.of_run()


@pytest.fixture(scope="module")
def watched(watched_of: Callable[[], Watched]) -> Watched:
    """A run whose Prometheus has already reached cAdvisor."""
    watched = watched_of()
    watched.start()
    watched.wait_until_scraped()
    return watched


# ------------------------------------------------------------------ figures


def test_a_step_of_three_seconds_has_the_curves_of_prometheus_and_exact_totals(watched: Watched) -> None:
    usage = watched.run(BURN.format(seconds=3.5) + "print(time.process_time())").usage
    assert usage.source == "cgroup"
    assert usage.sources["curves"] == "prometheus"
    assert 3 <= len(usage.curves.at) <= 30
    assert len(usage.curves.disk_written_bytes) == len(usage.curves.at)
    assert usage.curves.cpu_cores[-1] > 0.1
    assert 60e6 < max(usage.curves.memory_bytes) <= usage.memory_peak_bytes < 90e6
    assert not watched.warned


def test_run_and_step_are_labels_of_the_series(watched: Watched) -> None:
    watched.run(BURN.format(seconds=2), "labelled")
    labels = f'container_label_buzzflow_run="{watched.run_id}",container_label_buzzflow_step="labelled"'
    [memory] = watched.query(f"max_over_time(container_memory_usage_bytes{{{labels}}}[1m])")
    assert memory["metric"]["name"] == f"buzzflow-{watched.run_id}-labelled"
    [network] = watched.query(f"max_over_time(container_network_receive_bytes_total{{{labels}}}[1m])")
    assert network["metric"]["interface"] == "eth0"


def test_a_step_that_is_too_short_to_be_scraped_has_all_figures(watched: Watched) -> None:
    usage = watched.run("import time; time.sleep(0.3)").usage
    assert usage.source == "cgroup"
    assert "curves" not in usage.sources
    assert None not in (usage.cpu_seconds, usage.cpu_mean, usage.memory_peak_bytes, usage.memory_mean_bytes)
    assert usage.curves.at


# ------------------------------------------------------------------ walls


def test_nothing_listens_beyond_this_machine(watched: Watched) -> None:
    ports = watched.container("prometheus").attrs["NetworkSettings"]["Ports"]
    assert {binding["HostIp"] for bindings in ports.values() for binding in bindings or ()} == {"127.0.0.1"}
    published = {binding["HostPort"] for bindings in ports.values() for binding in bindings or ()}
    assert len(published) == 1
    assert not watched.container("cadvisor").attrs["NetworkSettings"]["Ports"]
    listening = _listening()
    assert {address for address, port in listening if str(port) in published} == {"127.0.0.1"}


def _listening() -> set[tuple[str, int]]:
    """Return addresses and ports of listening sockets of this machine, as `ss -ltn` does."""
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, *_ = line.split()
        if state == "0A":
            address, port = local.split(":")
            octets = bytes.fromhex(address)[::-1]
            found.add((".".join(map(str, octets)), int(port, 16)))
    for line in Path("/proc/net/tcp6").read_text().splitlines()[1:]:
        _, local, _, state, *_ = line.split()
        if state == "0A":
            address, port = local.split(":")
            found.add((f"[{address}]", int(port, 16)))
    return found


def test_prometheus_is_below_a_path_of_the_runs_own_and_cannot_be_administered(watched: Watched) -> None:
    root, _, path = watched.url.rpartition("/")
    assert len(path) == 32
    assert _status(f"{watched.url}/api/v1/query?query=up") == 200
    assert _status(f"{root}/api/v1/query?query=up") == 404
    for administration in ("/-/quit", "/-/reload", "/api/v1/admin/tsdb/snapshot", "/api/v1/admin/tsdb/delete_series"):
        assert _status(watched.url + administration, "POST") >= 400, administration
    request = urllib.request.Request(f"{watched.url}/api/v1/query?query=up", headers={"Origin": "http://example.com"})
    with urllib.request.urlopen(request) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] is None


def _status(url: str, method: str = "GET") -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as e:
        with e:
            return int(e.code)


def test_a_secret_of_a_step_is_nowhere_in_the_metrics(watched: Watched) -> None:
    with ThreadPoolExecutor() as pool:
        running = pool.submit(watched.run, "import time; time.sleep(3)", "holder", PASSWORD="hunter-2-canary")
        wait_for(lambda: "holder" in _metrics(watched))
        metrics = _metrics(watched)
        assert "canary" not in metrics
        assert "PASSWORD" not in metrics
        assert running.result().exit_code == 0


def _metrics(watched: Watched) -> str:
    command = ["wget", "-qO-", "http://127.0.0.1:8080/metrics"]
    return str(watched.container("cadvisor").exec_run(command).output.decode())


def test_neither_is_privileged_and_steps_cannot_reach_them(watched: Watched) -> None:
    for what in ("prometheus", "cadvisor"):
        settings = watched.container(what).attrs["HostConfig"]
        assert (settings["Privileged"], settings["CapAdd"], settings["CapDrop"]) == (False, None, ["ALL"])
        assert settings["ReadonlyRootfs"]
        assert all(mount["ReadOnly"] for mount in settings.get("Mounts") or ())
        assert settings["Memory"] <= 512 * 2**20
    [address] = [n["IPAddress"] for n in watched.container("prometheus").attrs["NetworkSettings"]["Networks"].values()]
    code = f"""
import socket
for port in (8080, 9090):
    try:
        socket.create_connection(({address!r}, port), 1)
    except OSError:
        continue
    raise SystemExit(f"reached {{port}}")
"""
    assert watched.run(code).exit_code == 0


# ------------------------------------------------------------------ beginning and end


def test_nothing_is_left_of_a_run_and_nothing_of_one_that_ends_meanwhile(watched_of: Callable[[], Watched]) -> None:
    for pause in (0.0, 1.05, 1.3, 3.0):
        watched = watched_of()
        watched.start()
        time.sleep(pause)
        begun = time.monotonic()
        watched.executor.close()
        assert time.monotonic() - begun < MOST_ADDED_SECONDS
        watched.executor._monitor._thread.join(10)  # on a busy machine; else it has ended
        assert not watched.of_run()
        assert not watched.engine.networks.list(filters={"label": f"buzzflow.run={watched.run_id}"})
        assert not watched.warned


def test_the_volume_of_prometheus_goes_with_it(watched_of: Callable[[], Watched]) -> None:
    watched = watched_of()
    watched.start()
    watched.wait_until_started()
    [volume] = [m["Name"] for m in watched.container("prometheus").attrs["Mounts"] if m["Type"] == "volume"]
    watched.executor.close()
    assert volume not in {v.name for v in watched.engine.volumes.list()}


# ------------------------------------------------------------------ faults


def test_images_that_are_not_here_are_told_once(watched_of: Callable[..., Watched], tmp_path: Path) -> None:
    images = MonitoringImages("localhost:9/cadvisor:none", IMAGES.prometheus)
    first, second = watched_of(tmp_path), watched_of(tmp_path)
    first.start(images)
    wait_for(lambda: first.told)
    assert first.run("pass").exit_code == 0
    [told] = first.told
    assert told.startswith("cadvisor:none cannot be pulled, so steps are measured without them: ")
    second.start(images)
    second.executor._monitor._thread.join(10)
    assert (second.told, second.warned, first.warned) == ([], [], [])
    assert json.loads((tmp_path / "monitoring-images.json").read_text())["failed"] is True


def test_images_can_be_named_by_their_address() -> None:
    ours = monitoring_images({})
    assert "@sha256:" in ours.cadvisor
    assert "@sha256:" in ours.prometheus
    cadvisor, prometheus = (image.partition("@")[0] for image in (ours.cadvisor, ours.prometheus))
    assert monitoring_images({cadvisor: "a", prometheus: "b"}) == MonitoringImages("a", "b")


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["cadvisor killed", "prometheus killed", "both paused", "both stopped by a signal"])
def test_services_that_go_away_cost_a_warning_and_little_time(fault: str, watched_of: Callable[[], Watched]) -> None:
    watched = watched_of()
    watched.start()
    watched.wait_until_scraped()
    watched.executor._monitor._started -= 10  # as if it had been there for a while
    containers = [watched.container(what) for what in ("cadvisor", "prometheus")]
    match fault:
        case "cadvisor killed":
            containers[0].kill()
        case "prometheus killed":
            containers[1].kill()
        case "both paused":
            for container in containers:
                container.pause()
        case _:
            for container in containers:
                os.kill(container.attrs["State"]["Pid"], 19)
    time.sleep(1)  # for a scrape that fails
    added = _added(watched)
    assert len(watched.warned) == 1, watched.warned
    assert "the figures are the steps' own counters" in watched.warned[0]
    assert added < MOST_ADDED_SECONDS


def _added(watched: Watched) -> float:
    """Run steps, one after the other, and close; return what that took besides the steps and their containers."""
    bare = time.monotonic()
    outcome = watched.run("pass", "bare")
    container_seconds = time.monotonic() - bare - outcome.usage.wall_seconds
    begun, steps = time.monotonic(), 0.0
    for number in range(3):
        outcome = watched.run("import time; time.sleep(1)", f"s{number}")
        assert (outcome.end, outcome.exit_code) == (End.EXITED, 0)
        assert outcome.usage.source == "cgroup"
        assert outcome.usage.cpu_seconds is not None
        steps += outcome.usage.wall_seconds
    watched.executor.close()
    assert not watched.of_run()
    return time.monotonic() - begun - steps - 3 * min(container_seconds, 0.3)


SERVERS = {
    "500s": "self.send_error(500)",
    "endless": "self.send_response(200); self.end_headers(); [self.wfile.write(b'x' * 65536) for _ in iter(int, 1)]",
    "drip": "self.send_response(200); self.end_headers();"
    " [(self.wfile.write(b'x'), self.wfile.flush(), time.sleep(0.1)) for _ in iter(int, 1)]",
    "ends": None,
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*SERVERS])
def test_an_image_that_is_not_prometheus_costs_a_warning_and_little_time(
    kind: str, watched_of: Callable[[], Watched], other_image: Callable[[str], str]
) -> None:
    body = SERVERS[kind]
    program = (
        "raise SystemExit(3)"
        if body is None
        else f"""
import http.server, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        {body}
http.server.ThreadingHTTPServer(("", 9090), Handler).serve_forever()
"""
    )
    watched = watched_of()
    watched.start(MonitoringImages(IMAGES.cadvisor, other_image(program)))
    wait_for(lambda: watched.executor._monitor._services or watched.warned)
    time.sleep(1)
    assert _added(watched) < MOST_ADDED_SECONDS
    [warned] = watched.warned
    assert "Prometheus" in warned


@pytest.fixture
def other_image(docker_engine: docker.DockerClient, python_image: str) -> Iterator[Callable[[str], str]]:
    made: list[str] = []

    def make(program: str) -> str:
        name = f"buzzflow-test/other-{uuid.uuid4().hex[:8]}"
        container = docker_engine.containers.create(python_image)
        container.commit(name, changes=[f"ENTRYPOINT {json.dumps(['python3', '-c', program])}"])
        container.remove()
        made.append(name)
        return name

    yield make
    for name in made:
        docker_engine.images.remove(name, force=True)


@pytest.mark.slow
def test_a_run_of_the_command_survives_the_loss_of_prometheus(
    tmp_path: Path, docker_engine: docker.DockerClient, python_image: str
) -> None:
    """All of it once through the command: the exit code, the warning, the manifest."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "pipeline.yaml").write_text(
        f"""\
name: lost-{uuid.uuid4().hex[:6]}
defaults: {{image: '{python_image}'}}
steps:
  long: {{type: processing, entrypoint: [/bin/sleep, '4']}}
  short: {{type: processing, entrypoint: [/bin/sleep, '1'], depends_on: [long]}}
"""
    )
    ours = monitoring_images({})
    cadvisor, prometheus = (image.partition("@")[0] for image in (ours.cadvisor, ours.prometheus))
    replaced = {cadvisor: IMAGES.cadvisor, prometheus: IMAGES.prometheus}
    (tmp_path / "pipeline.local.yaml").write_text(json.dumps({"local": {"images": replaced}}))
    command = [COMMAND, "create", str(tmp_path), "--local=docker", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        run = wait_for(lambda: next((tmp_path / ".buzzflow" / "runs").glob("*"), None)).name
        name = f"buzzflow-monitoring-{run}-prometheus"
        wait_for(lambda: docker_engine.containers.list(filters={"name": name}))[0].kill()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert err.count("warning") == 1, err
    assert json.loads(out)["steps"]["long"]["usage_source"] == "cgroup"


@pytest.mark.parametrize("switch", ["option", "setting"])
def test_monitoring_can_be_switched_off(
    switch: str, tmp_path: Path, docker_engine: docker.DockerClient, python_image: str
) -> None:
    (tmp_path / ".git").mkdir()
    step = "{type: processing, entrypoint: [/bin/sleep, '3']}"
    (tmp_path / "pipeline.yaml").write_text(
        f"name: nap\ndefaults: {{image: '{python_image}'}}\nsteps: {{nap: {step}}}\n"
    )
    local = {"images": {}, "monitoring": switch == "option"}
    (tmp_path / "pipeline.local.yaml").write_text(json.dumps({"local": local}))
    options = ["--no-monitoring"] if switch == "option" else []
    command = [COMMAND, "create", str(tmp_path), "--local=docker", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "prometheus" not in done.stderr
    assert not (tmp_path / ".buzzflow" / "cache" / "monitoring-images.json").exists()


def wait_for(question: Callable[[], T | None], seconds: float = 30) -> T:
    give_up = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < give_up, f"waited {seconds} s in vain"
        time.sleep(0.05)
    return answer
