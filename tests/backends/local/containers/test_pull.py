"""Images come from a registry once, when the policy says so, and a refusal says why."""

from __future__ import annotations

import json
import os
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker
import pytest

from buzzflow.backends.local.containers.executor import DockerExecutor
from buzzflow.backends.local.containers.monitoring import MonitoringImages
from buzzflow.backends.local.containers.pull import PullPolicy, registry_of
from buzzflow.backends.local.events import Transfer
from buzzflow.backends.local.executor import End, ExecutorError, Outcome, Setting, Task
from tests.deploying.registry import Pushed, registry

pytestmark = pytest.mark.docker


@pytest.fixture
def images(docker_engine: docker.DockerClient) -> Iterator[Pushed]:
    """A registry; what the engine pulls from it is removed afterwards."""
    with registry() as pushed:
        yield pushed
        for image in docker_engine.images.list():
            for tag in image.tags:
                if tag.startswith(f"127.0.0.1:{pushed.port}/"):
                    docker_engine.images.remove(tag, force=True)


@pytest.fixture
def executor_with(docker_engine: docker.DockerClient, tmp_path: Path) -> Iterator[Callable[..., DockerExecutor]]:
    made: list[DockerExecutor] = []

    def make(pull: PullPolicy = PullPolicy.MISSING) -> DockerExecutor:
        made.append(DockerExecutor(f"test-{uuid.uuid4().hex[:8]}", tmp_path / "cache", pull=pull))
        return made[-1]

    yield make
    for executor in made:
        executor.close()


def prepared(executor: DockerExecutor, *images: str) -> list[str | Transfer]:
    told: list[str | Transfer] = []
    executor.prepare([Setting(image) for image in images], told.append)
    return told


def ran(executor: DockerExecutor, image: str) -> Outcome:
    task = Task("r", "step", Setting(image), None, (), {}, (), network=False)
    return executor.run(task, lambda _: None, threading.Event())


def test_an_image_is_fetched_once_however_many_steps_want_it(images: Pushed, executor_with: Callable) -> None:
    name = images.add("team/model", "1", b"one")
    executor = executor_with()
    with ThreadPoolExecutor(6) as pool:
        told = [text for texts in pool.map(lambda _: prepared(executor, name), range(6)) for text in texts]
    assert f"pulling image {name}" in told
    assert sum("pulling" in text for text in told if isinstance(text, str)) == 1
    assert prepared(executor_with(), name) == []


def test_progress_is_told_in_bytes_and_ends(images: Pushed, executor_with: Callable) -> None:
    name = images.add("team/large", "1", os.urandom(4_000_000))
    images.pause = 0.15
    told = [t for t in prepared(executor_with(), name) if isinstance(t, Transfer)]
    assert [t.what for t in told] == [f"image {name}"] * len(told)
    shares = [(t.done, t.total) for t in told[:-1]]
    assert len(shares) > 1
    assert all(total > 4_000_000 and done <= total for done, total in shares)
    assert [done for done, _ in shares] == sorted(done for done, _ in shares)
    assert told[-1] == Transfer(f"image {name}", None, None)


def test_never_fetches_nothing_and_names_every_image(images: Pushed, executor_with: Callable) -> None:
    names = [images.add("team/a", "1", b"a"), images.add("team/b", "1", b"b")]
    with pytest.raises(ExecutorError) as caught:
        prepared(executor_with(PullPolicy.NEVER), *names)
    problems = [caught.value, *caught.value.others]
    assert [problem.image for problem in problems] == names
    assert all("--pull never" in problem.summary for problem in problems)
    assert not images.asked
    prepared(executor_with(), names[0])
    assert prepared(executor_with(PullPolicy.NEVER), names[0]) == []


def test_never_holds_for_what_measures_the_steps_too(images: Pushed, executor_with: Callable) -> None:
    name = images.add("team/cadvisor", "1", b"one")
    told: list[str] = []
    executor_with(PullPolicy.NEVER).monitor(MonitoringImages(name, name), told.append, told.append)
    assert told == ["steps are measured without cAdvisor and Prometheus: --pull never, and their images are not here"]
    assert not images.asked


def test_always_asks_and_tells_what_is_newer(images: Pushed, executor_with: Callable) -> None:
    name = images.add("team/model", "latest", b"one")
    prepared(executor_with(), name)
    assert not any("newer" in str(text) for text in prepared(executor_with(PullPolicy.ALWAYS), name))
    images.add("team/model", "latest", b"two")
    assert prepared(executor_with(), name) == []
    told = prepared(executor_with(PullPolicy.ALWAYS), name)
    assert any("a newer image" in str(text) and " is now " in str(text) for text in told)


@pytest.mark.parametrize(
    ("change", "summary", "hint"),
    [
        pytest.param(lambda r: r.manifests.clear(), "there is no image {} at {}", "its name and tag", id="404"),
        pytest.param(
            lambda r: setattr(r, "login", "a:b"), "may not be pulled from {1}", "`docker login {1}`", id="401"
        ),
        pytest.param(lambda r: setattr(r, "damaged", True), "{} arrived damaged from {}", "try again", id="damaged"),
    ],
)
def test_a_refusal_says_why(change: Callable, summary: str, hint: str, images: Pushed, executor_with: Callable) -> None:
    name = images.add("team/model", "1", os.urandom(100_000))
    change(images)
    host = f"127.0.0.1:{images.port}"
    with pytest.raises(ExecutorError) as caught:
        prepared(executor_with(), name)
    assert summary.format(name, host) in caught.value.summary
    assert hint.format(name, host) in (caught.value.hint or "")
    assert caught.value.image == name


def test_the_logins_of_the_users_docker_are_used(
    images: Pushed, executor_with: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = images.add("team/model", "1", b"one")
    images.login = "someone:secret"
    auths = {f"127.0.0.1:{images.port}": {"auth": "c29tZW9uZTpzZWNyZXQ="}}
    (tmp_path / "config.json").write_text(json.dumps({"auths": auths}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert any("pulled" in str(text) for text in prepared(executor_with(), name))


def test_a_private_registry_of_aws_is_told_with_its_login(
    executor_with: Callable, docker_engine: docker.DockerClient
) -> None:
    from buzzflow.backends.local.containers.pull import _not_pulled

    host = "111122223333.dkr.ecr.us-west-2.amazonaws.com"
    problem = _not_pulled(f"{host}/model:1", "no basic auth credentials", 500)
    assert f"aws ecr get-login-password --region us-west-2 | docker login --username AWS --password-stdin {host}" in (
        problem.hint or ""
    )


def test_an_image_for_another_processor_is_warned_about_once_and_named_when_it_fails(
    images: Pushed, executor_with: Callable
) -> None:
    program = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\x16\x00" + bytes(44)  # e_machine 22: s390x
    name = images.add("team/other", "1", program, architecture="s390x")
    executor = executor_with()
    told = [*prepared(executor, name), *prepared(executor, name)]
    assert len([text for text in told if "is for s390x, and this Docker is" in str(text)]) == 1
    outcome = ran(executor, name)
    assert (outcome.end, outcome.exit_code) == (End.EXITED, 1)
    assert (outcome.detail or "").startswith("exec format error: '/bin/sh' is for another kind of processor")
    assert "the image is for s390x, and this Docker is amd64" in (outcome.detail or "")


@pytest.mark.parametrize(
    ("image", "host"),
    [
        ("python:3.11", "Docker Hub"),
        ("team/model:1", "Docker Hub"),
        ("localhost/model", "localhost"),
        ("localhost:5000/model", "localhost:5000"),
        ("ghcr.io/team/model@sha256:1", "ghcr.io"),
    ],
)
def test_the_registry_stands_in_the_name(image: str, host: str) -> None:
    assert registry_of(image) == host
