"""The fixture `aws`, for all tests: an empty account, and this process's environment pointed at it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.aws.fake import FakeAws

_REMOVED = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CA_BUNDLE")


@pytest.fixture(scope="session")
def aws_server() -> Iterator[FakeAws]:
    from tests.aws.fake import serving  # moto takes a second to import, and few tests need it

    with serving() as fake:
        yield fake


@pytest.fixture
def aws(aws_server: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAws]:
    """An empty account. What boto3 makes in this process finds it too; children need `aws.env`."""
    for name in _REMOVED:
        monkeypatch.delenv(name, raising=False)
    for name, value in aws_server.env.items():
        monkeypatch.setenv(name, value)
    aws_server.reset()
    yield aws_server
    if aws_server.broken:
        raise aws_server.broken[0]
