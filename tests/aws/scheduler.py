"""EventBridge Scheduler, stricter than moto: expressions, time zones, groups, windows and client tokens.

Syntax: "Schedule types in EventBridge Scheduler" in its user guide.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from tests.aws.errors import ServiceError
from tests.aws.exchange import Request, Response
from tests.aws.moto_app import Moto
from tests.aws.operations import Operation
from tests.aws.shapes import check_request
from tests.aws.tokens import Tokens

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS: tuple[tuple[int, int, tuple[str, ...]], ...] = (
    (0, 59, ()),
    (0, 23, ()),
    (1, 31, ()),
    (1, 12, _MONTHS),
    (1, 7, _DAYS),
    (1970, 2199, ()),
)
_DAY_OF_MONTH, _DAY_OF_WEEK = 2, 4
_RATE = re.compile(r"rate\(([1-9]\d*) (minutes?|hours?|days?)\)")
_PUTS = ("CreateSchedule", "UpdateSchedule")


class Scheduler:
    """Schedules, kept by moto once they are found to be right."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto
        self._tokens = Tokens()

    def reset(self) -> None:
        self._tokens.clear()

    def answer(self, request: Request, operation: Operation) -> Response:
        if operation.name not in _PUTS:
            return self._moto.answer(request)
        members = request.json()
        name = request.path.rpartition("/")[2]
        check_request("scheduler", operation.name, members | {"Name": name})
        self._check(members)
        token = members.pop("ClientToken", "")
        group = members.get("GroupName", "default")
        if not self._moto.has_schedule_group(operation.region, group):
            raise ServiceError("ResourceNotFoundException", f"Schedule group {group} does not exist.", 404)
        return self._tokens.once(operation.name, token, members | {"Name": name}, lambda: self._moto.answer(request))

    def _check(self, members: dict[str, Any]) -> None:
        expression = members["ScheduleExpression"]
        if not is_expression(expression):
            raise ServiceError("ValidationException", f"Invalid Schedule Expression {expression}.")
        zone = members.get("ScheduleExpressionTimezone", "UTC")
        if zone not in _zones():
            raise ServiceError("ValidationException", f"Invalid Schedule Expression Timezone {zone}.")
        window = members["FlexibleTimeWindow"]
        if (window["Mode"] == "FLEXIBLE") != ("MaximumWindowInMinutes" in window):
            raise ServiceError(
                "ValidationException", "MaximumWindowInMinutes goes with the mode FLEXIBLE, and only it."
            )
        if not re.match(r"arn:aws[a-z-]*:[a-z0-9-]+:", members["Target"]["Arn"]):
            raise ServiceError(
                "ValidationException", f"Provided Arn {members['Target']['Arn']} is not in correct format."
            )


def is_expression(text: str) -> bool:
    """Tell whether *text* is at(…), rate(…) or cron(…) as the service reads it."""
    if text.startswith("rate(") and (found := _RATE.fullmatch(text)):
        return (found[1] == "1") != found[2].endswith("s")
    if text.startswith("at(") and text.endswith(")"):
        return _is_time(text[3:-1])
    return text.startswith("cron(") and text.endswith(")") and _is_cron(text[5:-1].split())


def _is_time(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        return False
    return True


def _is_cron(fields: list[str]) -> bool:
    if len(fields) != len(_FIELDS) or (fields[_DAY_OF_MONTH] == "?") == (fields[_DAY_OF_WEEK] == "?"):
        return False
    return all(_is_field(n, text.upper()) for n, text in enumerate(fields))


def _is_field(position: int, text: str) -> bool:
    if text == "?":
        return position in (_DAY_OF_MONTH, _DAY_OF_WEEK)
    if position == _DAY_OF_MONTH and re.fullmatch(r"L|LW|([1-9]|[12]\d|3[01])W", text):
        return True
    if position == _DAY_OF_WEEK and re.fullmatch(r"L|[1-7]L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)#[1-5]", text):
        return True
    return all(_is_range(position, part) for part in text.split(","))


def _is_range(position: int, text: str) -> bool:
    low, high, names = _FIELDS[position]
    span, slash, step = text.partition("/")
    if slash and not (step.isascii() and step.isdecimal() and int(step) > 0):
        return False
    if span == "*":
        return True
    ends = [names.index(end) + low if end in names else end for end in span.split("-")]
    numbers = [int(end) for end in ends if str(end).isascii() and str(end).isdecimal()]
    return len(ends) == len(numbers) <= 2 and all(low <= number <= high for number in numbers)


@cache
def _zones() -> set[str]:
    return available_timezones()
