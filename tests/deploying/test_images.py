"""An image that is built from a folder is built here and pushed once."""

from __future__ import annotations

import hashlib
import json

import docker
import pytest

from buzzflow import ir
from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.deploying.images import Registry
from buzzflow.diagnostics import PipelineError
from buzzflow.loader.bundle import digest

from .conftest import NAME
from .registry import registry


def context_of(folder, dockerfile):
    """Return a folder with a Dockerfile as a bundle, and its contents."""
    file = folder / "Dockerfile"
    file.write_text(dockerfile)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    files = (ir.BundleFile("Dockerfile", sha256, file.stat().st_size),)
    return ir.Bundle(digest(files), files), {sha256: file}


@pytest.mark.docker
def test_an_image_is_built_and_pushed(account, docker_engine, python_image, tmp_path):
    context, contents = context_of(tmp_path, f"FROM {python_image}\nLABEL made=here\n")
    with registry() as pushed:
        uri = f"127.0.0.1:{pushed.port}/buzzflow:{context.digest[:32]}"
        Registry(Account("us-west-2"), account.account, contents, docker.from_env).publish(uri, context)
        docker_engine.images.remove(uri, force=True)
    manifest = json.loads(pushed.manifests[f"buzzflow:{context.digest[:32]}"])
    config = json.loads(pushed.blobs[manifest["config"]["digest"]])
    assert config["config"]["Labels"]["made"] == "here"


@pytest.mark.docker
def test_a_dockerfile_that_fails_is_told_with_its_last_lines(account, python_image, tmp_path):
    context, contents = context_of(tmp_path, f"FROM {python_image}\nRUN echo before && false\n")
    made = Registry(Account("us-west-2"), account.account, contents, docker.from_env)
    with pytest.raises(PipelineError, match="BF618") as caught:
        made.publish("127.0.0.1:9/buzzflow:x", context)
    assert "before" in str(caught.value.diagnostics[0].hint)


@pytest.mark.docker
def test_a_registry_that_does_not_answer_is_told(account, docker_engine, python_image, tmp_path):
    context, contents = context_of(tmp_path, f"FROM {python_image}\n")
    made = Registry(Account("us-west-2"), account.account, contents, docker.from_env)
    with pytest.raises(PipelineError, match="BF618"):
        made.publish("127.0.0.1:9/buzzflow:x", context)
    docker_engine.images.remove("127.0.0.1:9/buzzflow:x", force=True)


def test_no_docker_is_told(account, socket_enabled, tmp_path):
    def no_docker():
        raise docker.errors.DockerException("no socket")

    context, contents = context_of(tmp_path, "FROM scratch\n")
    with pytest.raises(PipelineError, match="BF618: Docker cannot make"):
        Registry(Account("us-west-2"), account.account, contents, no_docker).publish("127.0.0.1:9/buzzflow:x", context)


def test_whether_it_is_there_is_asked(account, socket_enabled):
    ecr = account.client("ecr")
    made = Registry(Account("us-west-2"), account.account, {}, docker.from_env)
    uri = "111122223333.dkr.ecr.us-west-2.amazonaws.com/buzzflow:abc"
    with pytest.raises(PipelineError, match="BF618: the account has no repository 'buzzflow'"):
        made.exists(uri)
    ecr.create_repository(repositoryName="buzzflow")
    assert not made.exists(uri)
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json"}
    ecr.put_image(repositoryName="buzzflow", imageManifest=json.dumps(manifest), imageTag="abc")
    assert made.exists(uri)


def test_an_image_that_is_there_is_not_built_again(account, repository, buzzflow):
    repository.change('image: "sklearn:1.2-1"', "image: {build: docker}")
    repository.write("projects/research/churn/docker/Dockerfile", "FROM scratch\n")
    shown = json.loads(buzzflow("create", "projects/research/churn", "--dry-run", "--json").stdout)
    tag = shown["Steps"][0]["Arguments"]["AppSpecification"]["ImageUri"].rpartition(":")[2]
    ecr = account.client("ecr")
    ecr.create_repository(repositoryName="buzzflow")
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json"}
    ecr.put_image(repositoryName="buzzflow", imageManifest=json.dumps(manifest), imageTag=tag)
    done = buzzflow("create", "projects", DOCKER_HOST="unix:///nowhere.sock")
    assert done.returncode == 0, done.stderr
    assert account.pipeline(NAME) is not None
