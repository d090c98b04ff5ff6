"""Which operation of which service a request is, and on which resource, told from botocore's models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qs

from botocore import session as botocore_session
from botocore.model import OperationModel, ServiceModel

from tests.aws.exchange import Request

_READS = re.compile(r"(Get|List|Head|Describe|Filter|Search|Query|Scan|Select|BatchGet|Lookup|TestMetricFilter)")
_SCOPE = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
# Whose name in a signature is not the name of their model.
_MODELS = {"monitoring": "cloudwatch", "servicequotas": "service-quotas"}
# Members that name what a call is about, the most telling first.
_NAMING = (
    "PipelineExecutionArn", "PipelineName", "PipelineArn", "ResourceArn", "CallbackToken", "Name", "TopicArn",
    "logGroupName", "FunctionName", "RoleName", "RuleName", "QueueUrl", "PipelineNamePrefix",
)  # fmt: skip
_PARTS_OF_AN_OBJECT = ("x-amz-copy-source",)


@dataclass(frozen=True)
class Operation:
    """One operation as a client called it; *region* and *key_id* are those of its signature."""

    service: str
    name: str
    resource: str
    region: str
    key_id: str
    protocol: str

    @property
    def writes(self) -> bool:
        return _READS.match(self.name) is None


class Unsigned(Exception):
    """The request carries no signature of version 4, so nobody knows whom it is for."""


def identify(request: Request) -> Operation:
    """Return what *request* asks for.

    Raises:
        Unsigned: without a signature.
        LookupError: when the service has no such operation.
    """
    scope = _SCOPE.search(request.headers.get("authorization", ""))
    if scope is None:
        raise Unsigned
    key_id, region, service = scope.groups()
    model = service_model(_MODELS.get(service, service))
    name = _name(request, model)
    return Operation(service, name, _resource(request, model, name), region, key_id, str(model.resolved_protocol))


@cache
def service_model(service: str) -> ServiceModel:
    return _session().get_service_model(service)


@cache
def _session() -> botocore_session.Session:
    return botocore_session.get_session()


def _name(request: Request, model: ServiceModel) -> str:
    match model.resolved_protocol:
        case "json":
            name = request.headers["x-amz-target"].rpartition(".")[2]
        case "query":
            name = _form(request)["Action"]
        case _:
            return _of_path(request, model).name
    if name not in model.operation_names:
        raise LookupError(f"{model.service_name} has no operation {name}")
    return name


def _form(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def _of_path(request: Request, model: ServiceModel) -> OperationModel:
    """Return the operation of a REST service whose method, path, query and headers fit best."""
    found = [(route.weight(request), route.operation) for route in _routes(model.service_name) if route.fits(request)]
    if not found:
        raise LookupError(f"{model.service_name} has no operation for {request.method} {request.target}")
    return max(found, key=lambda pair: pair[0])[1]


@dataclass(frozen=True)
class _Route:
    operation: OperationModel
    method: str
    path: re.Pattern[str]
    literals: Mapping[str, str]
    required: frozenset[str]
    known: frozenset[str]
    headers: frozenset[str]

    def fits(self, request: Request) -> bool:
        query = request.query
        return (
            self.method == request.method
            and self.path.fullmatch(request.raw_path) is not None
            and all(query.get(k, None) == v or (not v and k in query) for k, v in self.literals.items())
            and self.required <= query.keys()
            and self.headers <= request.headers.keys()
        )

    def weight(self, request: Request) -> tuple[int, int, int]:
        """Return how closely this route fits: what it demands, then what it knows, then how little it leaves open."""
        demanded = len(self.literals) + len(self.required) + len(self.headers)
        return demanded, len(self.known & request.query.keys()), -len(self.known)


@cache
def _routes(service: str) -> tuple[_Route, ...]:
    model = service_model(service)
    return tuple(_route(model.operation_model(name)) for name in model.operation_names)


def _route(operation: OperationModel) -> _Route:
    path, _, query = operation.http["requestUri"].partition("?")
    literals = dict(part.partition("=")[::2] for part in query.split("&")) if query else {}
    members = operation.input_shape.members if operation.input_shape else {}
    required = operation.input_shape.required_members if operation.input_shape else []
    where = {m: (s.serialization.get("location"), s.serialization.get("name", m)) for m, s in members.items()}
    asked = {name for _, (location, name) in where.items() if location == "querystring"}
    return _Route(
        operation,
        operation.http["method"],
        re.compile(_pattern(path) or "/"),
        {k: v for k, v in literals.items() if k != "x-id"},
        frozenset(where[m][1] for m in required if where[m][0] == "querystring"),
        frozenset(asked),
        frozenset(n for m in required if (n := where[m][1].lower()) in _PARTS_OF_AN_OBJECT),
    )


def _pattern(path: str) -> str:
    """Return the expression for a path such as /{Bucket}/{Key+}; a key may hold slashes."""
    parts = re.split(r"(\{[^}]+\})", path)
    made = [".+" if p.endswith("+}") else "[^/]+" if p.startswith("{") else re.escape(p) for p in parts]
    return "".join(made) + "/?" if path.count("{") == 1 and path.startswith("/{") else "".join(made)


def _resource(request: Request, model: ServiceModel, name: str) -> str:
    match model.resolved_protocol:
        case "json":
            members = request.json()
        case "query":
            members = _form(request)
        case _:
            return request.path.strip("/")
    return next((str(members[key]) for key in _NAMING if isinstance(members, dict) and key in members), "")
