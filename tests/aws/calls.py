"""The record of all calls that the fake was asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.aws.operations import Operation


@dataclass(frozen=True)
class Call:
    """One request: *status* is None until it is answered, and stays so when no answer is sent.

    *handled* says whether the service acted on it (or refused it): a fault may come before that, and after.
    """

    number: int
    service: str
    operation: str
    resource: str
    writes: bool
    status: int | None = None
    handled: bool = False
    fault: str | None = None

    def __str__(self) -> str:
        fault = f" [{self.fault}]" if self.fault else ""
        return f"{self.number}. {self.service}:{self.operation} {self.resource} -> {self.status}{fault}"


class Calls:
    """All calls since the last reset, in the order in which they came."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Call]:
        return iter([*self._calls])

    def __len__(self) -> int:
        return len(self._calls)

    def __getitem__(self, position: int) -> Call:
        return self._calls[position]

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()

    def of(self, operation: str) -> list[Call]:
        """Return the calls of *operation*, such as "UpdatePipeline"."""
        return [call for call in self if call.operation == operation]

    @property
    def names(self) -> list[str]:
        return [call.operation for call in self]

    @property
    def writing(self) -> list[Call]:
        """The calls that a service acted on and that change something: empty for a deploy that has nothing to do."""
        return [call for call in self if call.writes and call.handled]

    def started(self, operation: Operation) -> Call:
        with self._lock:
            call = Call(len(self._calls) + 1, operation.service, operation.name, operation.resource, operation.writes)
            self._calls.append(call)
            return call

    def noted(self, call: Call, *, status: int | None, handled: bool, fault: str | None) -> None:
        with self._lock:
            if call.number <= len(self._calls):  # a call that a reset forgot may still end
                self._calls[call.number - 1] = replace(call, status=status, handled=handled, fault=fault)
