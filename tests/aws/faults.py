"""Faults that a test plans: which request they strike, and how."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from tests.aws.operations import Operation


class Fault(Enum):
    """What goes wrong with one request."""

    RESET = "connection reset before the request is handled"
    LOST = "response lost after the request was handled"
    TRUNCATED = "response cut off after the request was handled"
    HANG = "no response after the request was handled, then the connection closes"
    THROTTLE = "throttled"
    INTERNAL = "internal error"
    UNAVAILABLE = "service unavailable"
    EXPIRED_TOKEN = "credentials expired"
    ACCESS_DENIED = "access denied"
    CONFLICT = "conflict with another change"
    KILL_BEFORE = "client killed before the request is handled"
    KILL_AFTER = "client killed after the request was handled"
    TERMINATE = "SIGTERM to the client while the request is handled"
    INTERRUPT = "SIGINT to the client while the request is handled"

    @property
    def handled(self) -> bool:
        """Whether the service still acts on the request."""
        return self in _HANDLED


_HANDLED = {Fault.LOST, Fault.TRUNCATED, Fault.HANG, Fault.KILL_AFTER, Fault.TERMINATE, Fault.INTERRUPT}
# The ten kinds of a sweep over all requests.
SWEEP = (
    Fault.RESET, Fault.LOST, Fault.TRUNCATED, Fault.HANG, Fault.THROTTLE, Fault.INTERNAL, Fault.UNAVAILABLE,
    Fault.EXPIRED_TOKEN, Fault.ACCESS_DENIED, Fault.KILL_AFTER,
)  # fmt: skip


@dataclass
class _Plan:
    fault: Fault
    number: int | None
    operation: str | None
    skip: int
    left: float


class Faults:
    """The plan of a test; requests are counted from 1 since the plan was last cleared."""

    def __init__(self) -> None:
        self._plans: list[_Plan] = []
        self._lock = threading.Lock()
        self._seen = 0
        self._struck: list[tuple[int, Fault]] = []
        self.hang_seconds = 1.0

    def clear(self) -> None:
        with self._lock:
            self._plans.clear()
            self._struck.clear()
            self._seen = 0
            self.hang_seconds = 1.0

    @property
    def struck(self) -> list[tuple[int, Fault]]:
        """The faults that came to pass, each with the number of its request."""
        return [*self._struck]

    @property
    def seen(self) -> int:
        """How many requests came since the plan was cleared."""
        return self._seen

    def at(self, number: int, fault: Fault) -> None:
        """Strike the *number*-th request, whichever it is."""
        self._add(_Plan(fault, number, None, 0, 1))

    def on(self, operation: str, fault: Fault, *, times: int | None = 1, skip: int = 0) -> None:
        """Strike requests of *operation*: so many *times* (None: always), after the first *skip* of them."""
        self._add(_Plan(fault, None, operation, skip, float("inf") if times is None else times))

    def due(self, operation: Operation) -> Fault | None:
        """Count a request and return the fault that strikes it."""
        with self._lock:
            self._seen += 1
            for plan in self._fitting(operation.name):
                if plan.skip:
                    plan.skip -= 1
                    continue
                plan.left -= 1
                self._struck.append((self._seen, plan.fault))
                return plan.fault
            return None

    def _add(self, plan: _Plan) -> None:
        with self._lock:
            self._plans.append(plan)

    def _fitting(self, name: str) -> Iterable[_Plan]:
        for plan in self._plans:
            if plan.left > 0 and (plan.number == self._seen or plan.operation == name):
                yield plan
