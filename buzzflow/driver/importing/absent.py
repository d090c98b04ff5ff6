"""What the service's own model says of a step as the definition has it."""

from __future__ import annotations

from typing import Any

from buzzflow.backends.sagemaker.importing.services import THIN
from buzzflow.backends.sagemaker.importing.steps import Draft
from buzzflow.backends.sagemaker.service.problem import RequestProblem
from buzzflow.backends.sagemaker.service.requests import request_problems
from buzzflow.backends.sagemaker.text import Object
from buzzflow.backends.sagemaker.verify import REQUESTS
from buzzflow.diagnostics import Severity

_MISSING = "BF431"
# our types by those of a definition, as far as their requests are checked
_TYPES = {
    "Processing": "processing",
    "Training": "training",
    "Tuning": "tuning",
    "Transform": "transform",
    "Model": "model",
    "RegisterModel": "register_model",
    "QualityCheck": "quality_check",
    "AutoML": "automl",
    **THIN,
}
# a role that the service's model does not want, and the language does
_ROLES = {"Model": "ExecutionRoleArn", "EMRServerless": "ExecutionRoleArn", "Job": "RoleArn"}


def request_errors(draft: Draft) -> list[RequestProblem]:
    """Return what the service would refuse in the arguments of *draft*."""
    kind = _TYPES.get(draft.type)
    operation = None if kind is None else REQUESTS[kind]
    arguments = draft.data.get("Arguments", {})
    if operation is None:
        return []
    return [p for p in request_problems(operation, arguments) if p.severity is Severity.ERROR]


def refusal(draft: Draft) -> RequestProblem | None:
    """Return why the step can only be kept in the service's words: its request is none that the service takes.

    What is merely missing can be removed in so many words.
    """
    return next((p for p in request_errors(draft) if p.code != _MISSING or not p.path), None)


def absent_members(draft: Draft) -> Object:
    """Return the patch that removes what a request should have and this one has not."""
    patch: Object = {}
    arguments = draft.data.get("Arguments")
    if (role := _ROLES.get(draft.type)) and isinstance(arguments, dict) and role not in arguments:
        patch[role] = None
    for problem in request_errors(draft):
        here: Any = patch
        *parents, last = problem.path
        for part in parents:
            here = here.setdefault(str(part), {})
        here[str(last)] = None
    return patch
