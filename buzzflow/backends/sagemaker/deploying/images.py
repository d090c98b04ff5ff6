"""Images that are built from a folder: with Docker, here, and pushed to the account's registry once for equal files."""

from __future__ import annotations

import base64
import re
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from buzzflow import ir
from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.aws.errors import aws_errors, is_refusal
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.loader.bundle import stage_bundle

PLATFORM = "linux/amd64"  # what SageMaker's machines run, whatever this one is
_LAST_LINES = 15
_ADDRESS = re.compile(r"(?P<registry>[^/]+)/(?P<repository>[^:]+):(?P<tag>[^:]+)")


class Images(Protocol):
    """Where built images are kept."""

    def exists(self, uri: str) -> bool:
        """Whether *uri* is there already."""
        ...

    def publish(self, uri: str, context: ir.Bundle) -> None:
        """Build the image from *context* and push it to *uri*; PipelineError tells what went wrong."""
        ...


@dataclass(frozen=True, slots=True)
class Registry:
    """The account's registry, Amazon ECR; *contents* are files by their SHA-256, *docker* makes an engine's client."""

    account: Account
    owner: str
    contents: Mapping[str, Path]
    docker: Callable[[], Any]

    def exists(self, uri: str) -> bool:
        """Whether *uri* is there already."""
        address = _parts(uri)
        with aws_errors():
            try:
                self.account.ecr.describe_images(
                    registryId=self.owner,
                    repositoryName=address["repository"],
                    imageIds=[{"imageTag": address["tag"]}],
                )
            except Exception as e:
                if is_refusal(e, "ImageNotFoundException"):
                    return False
                if is_refusal(e, "RepositoryNotFoundException"):
                    raise _no_repository(address["repository"]) from None
                raise
        return True

    def publish(self, uri: str, context: ir.Bundle) -> None:
        """Build the image from *context* and push it to *uri*; PipelineError BF618 tells what went wrong."""
        from docker.errors import DockerException

        with aws_errors():
            token = self.account.ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        user, _, password = base64.b64decode(token).decode().partition(":")
        try:
            client = self.docker()
            try:
                self._build(client, uri, context)
                repository, _, tag = uri.rpartition(":")
                login = {"username": user, "password": password}
                _follow(client.api.push(repository, tag, auth_config=login, stream=True, decode=True), "pushed", uri)
            finally:
                client.close()
        except (DockerException, OSError) as e:
            raise _failed(f"Docker cannot make {uri}: {e}", "start Docker: an image is built here") from e

    def _build(self, client: Any, uri: str, context: ir.Bundle) -> None:
        with tempfile.TemporaryDirectory(prefix="buzzflow-") as folder:
            place = Path(folder) / "context"
            stage_bundle(context, self.contents, place)
            messages = client.api.build(path=str(place), tag=uri, platform=PLATFORM, rm=True, forcerm=True, decode=True)
            _follow(messages, "built", uri)


def _follow(messages: Iterable[Mapping[str, Any]], done: str, uri: str) -> None:
    """Read what the engine says to the end; PipelineError when it says that it failed."""
    said: deque[str] = deque(maxlen=_LAST_LINES)
    for message in messages:
        if "error" in message:
            last = "\n".join(line for line in said if line.strip())
            raise _failed(f"{uri} cannot be {done}: {message['error']}", last or None)
        said.extend(str(message.get("stream", "")).splitlines())


def _parts(uri: str) -> Mapping[str, str]:
    found = _ADDRESS.fullmatch(uri)
    assert found is not None, "places.built_image_uri makes it"
    return found.groupdict()


def _no_repository(name: str) -> PipelineError:
    summary = f"the account has no repository {name!r} for images that are built"
    return _failed(summary, f"aws ecr create-repository --repository-name {name}")


def _failed(summary: str, hint: str | None) -> PipelineError:
    return PipelineError([Diagnostic("BF618", " ".join(summary.split()), hint=hint)])
