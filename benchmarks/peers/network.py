"""What stands between a tool and the network while it is measured: nothing gets out, and every try is counted.

Runs in the environment of each tool, so it imports nothing of this project.
"""

from __future__ import annotations

import io
import re
import socket
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

REFUSED: Counter[str] = Counter()
CALLS: Counter[str] = Counter()
SENT = [0]
ACCOUNT = "111122223333"
LOOPBACK = ("localhost", "127.0.0.1", "::1", None)
TRUST = '{"Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
XML = {
    "sts:GetCallerIdentity": f"<GetCallerIdentityResult><Arn>arn:aws:iam::{ACCOUNT}:role/ml</Arn><UserId>A</UserId>"
    f"<Account>{ACCOUNT}</Account></GetCallerIdentityResult>",
    "iam:GetRole": f"<GetRoleResult><Role><Path>/</Path><Arn>arn:aws:iam::{ACCOUNT}:role/ml</Arn>"
    f"<RoleName>ml</RoleName><RoleId>A</RoleId><CreateDate>2026-01-01T00:00:00Z</CreateDate><AssumeRolePolicyDocument>{TRUST}"
    "</AssumeRolePolicyDocument></Role></GetRoleResult>",
    "iam:SimulatePrincipalPolicy": "<SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults/>"
    "</SimulatePrincipalPolicyResult>",
    "s3:ListBuckets": "<Owner><ID>1</ID></Owner><Buckets><Bucket><Name>example-ml</Name>"
    "<CreationDate>2026-01-01T00:00:00Z</CreationDate></Bucket></Buckets>",
}


def refuse() -> None:
    """Let no look-up and no connection leave this machine, and count them by host."""
    look_up, connect = socket.getaddrinfo, socket.socket.connect

    def guarded_look_up(host: Any, *rest: Any, **named: Any) -> Any:
        if host in LOOPBACK:
            return look_up(host, *rest, **named)
        REFUSED[str(host)] += 1
        raise socket.gaierror(socket.EAI_NONAME, "the benchmark lets nothing out")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in LOOPBACK:
            REFUSED[str(address[0])] += 1
            raise OSError("the benchmark lets nothing out")
        connect(self, address)

    socket.getaddrinfo = guarded_look_up  # type: ignore[assignment]
    socket.socket.connect = guarded_connect  # type: ignore[method-assign, assignment]


def answer() -> None:
    """Answer every request of botocore at once and in memory: AWS without its distance and its credentials."""
    from botocore.awsrequest import AWSResponse
    from botocore.httpsession import URLLib3Session

    def send(_: Any, request: Any) -> AWSResponse:
        body = request.body.read() if hasattr(request.body, "read") else request.body or b""
        body = body.encode() if isinstance(body, str) else body
        host, path = urlsplit(request.url)[1:3]
        call = _name(host, path, request.method, body)
        CALLS[call] += 1
        SENT[0] += len(body)
        inner = XML.get(call, "")
        text = f"<Response>{inner}<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></Response>".encode()
        status = 404 if host.startswith("169.254.") else 200
        headers = {"content-type": "application/xml", "content-length": str(len(text))}
        return AWSResponse(request.url, status, headers, _Body(text))

    URLLib3Session.send = send


class _Body(io.BytesIO):
    def stream(self, **_: Any) -> Any:
        if data := self.read():
            yield data


def _name(host: str, path: str, method: str, body: bytes) -> str:
    if host.startswith("s3.") and (method, path) == ("GET", "/"):
        return "s3:ListBuckets"
    if host.startswith("169.254."):
        return "imds"
    service = next((part for part in host.split(".") if part in ("s3", "sts", "iam", "sagemaker")), host)
    action = re.search(rb"Action=(\w+)", body) if service in ("sts", "iam") else None
    return f"{service}:{action[1].decode() if action else method}"


def seen() -> dict[str, Any]:
    """Return what was tried so far."""
    return {"calls": dict(CALLS), "refused": dict(REFUSED), "sent": SENT[0]}
