"""Load SQL templates and run them on Amazon Athena.

query = load_query("query/train.sql", run_date="2026-01-01", countries=["DE", "AT"])
frame = run_athena_query(query, database="ads", output_location="s3://bucket/athena/")
"""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from global_common.athena_result import Athena, Clients, read_frame, write_csv
from global_common.sql_template import QueryTemplateError, fill

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from boto3 import Session
    from pandas import DataFrame  # type: ignore[import-not-found,import-untyped,unused-ignore]

__all__ = ["AthenaQueryError", "QueryTemplateError", "load_query", "run_athena_query"]

_FIRST_WAIT, _LONGEST_WAIT = 0.2, 10.0  # seconds


class AthenaQueryError(RuntimeError):
    """Athena did not finish a query; `state` is FAILED, CANCELLED or TIMED_OUT, `reason` says why."""

    def __init__(self, query_id: str, state: str, reason: str, query: str) -> None:
        super().__init__(f"Athena query {query_id} {state}: {reason}\n{_first_lines(query)}")
        self.query_id = query_id
        self.state = state
        self.reason = reason


def load_query(query_file_path: str | os.PathLike[str], **kwargs: Any) -> str:
    """Return the SQL of a UTF-8 file with its placeholders filled from *kwargs*.

    | placeholder         | becomes                                                                                  |
    | ------------------- | ---------------------------------------------------------------------------------------- |
    | `{name}`            | the value's text as it is. It is *not* quoted: only for text that the code itself chose  |
    | `{name:literal}`    | a SQL literal: `'it''s'`, `1.5`, `true`, `DATE '2026-01-01'`, `TIMESTAMP '…'`,           |
    |                     | `DECIMAL '1.10'`, `NULL`. Use it for whatever comes from outside                         |
    | `{name:identifier}` | a checked name in double quotes: `"ads"."clicks"`                                        |

    Values are text, numbers, booleans, dates, datetimes, `Decimal`, and lists and tuples of them, which become literals
    (or identifiers) with commas between them, also in `{name}`: `IN ({ids})`. The rules of quoting are those of
    Athena's SELECT, INSERT and CREATE TABLE AS; Hive's DDL has others. `{{name}}` stays as `{name}`, and every other
    brace stays as it is, so JSON and regular expressions need no escapes. Comments are filled like the rest.

    Raises one `QueryTemplateError` with file, line and a close name for everything that does not fit: placeholders
    without a value, values without a placeholder, values without a form in SQL.
    """
    path = Path(query_file_path)
    return fill(path.read_text(encoding="utf-8-sig"), kwargs, str(path))


@overload
def run_athena_query(
    athena_query: str,
    save_path: None = None,
    region: str = ...,
    *,
    database: str | None = ...,
    workgroup: str | None = ...,
    output_location: str | None = ...,
    timeout: float = ...,
    session: Session | None = ...,
) -> DataFrame: ...
@overload
def run_athena_query(
    athena_query: str,
    save_path: str | os.PathLike[str],
    region: str = ...,
    *,
    database: str | None = ...,
    workgroup: str | None = ...,
    output_location: str | None = ...,
    timeout: float = ...,
    session: Session | None = ...,
) -> Path: ...
def run_athena_query(
    athena_query: str,
    save_path: str | os.PathLike[str] | None = None,
    region: str = "us-west-2",
    *,
    database: str | None = None,
    workgroup: str | None = None,
    output_location: str | None = None,
    timeout: float = 3600.0,
    session: Session | None = None,
) -> DataFrame | Path:
    """Run a query on Athena, wait for it, and return its result: a DataFrame, or the path of the file it was saved to.

    The DataFrame needs pandas. Integers are `Int8` to `Int64`, booleans `boolean`, doubles `float64`, reals `float32`,
    decimals `Decimal`, dates and timestamps `datetime64`; everything else is text (`string`), also arrays, maps, JSON,
    and timestamps with a time zone. NULL is NA and differs from the empty text, except that a float has only NaN.

    A *save_path* ending in `.csv` gets Athena's own file, byte for byte, without pandas and of any size; one ending in
    `.parquet` needs pandas, pyarrow and the memory for the DataFrame. A file appears whole or not at all.

    Athena stores the result under *output_location*, else under the variable `BUZZFLOW_ATHENA_OUTPUT`, else where the
    workgroup says. A query that takes longer than *timeout* seconds, waiting for its turn included, or whose wait is
    interrupted, is stopped in Athena too.

    Raises `AthenaQueryError` when the query fails, is cancelled or times out, and before it starts ValueError for
    another extension and ImportError for a missing package.
    """
    path = None if save_path is None else Path(save_path)
    _check_target(path)
    clients = _clients(session or import_module("boto3").Session(), region)
    location = output_location or os.environ.get("BUZZFLOW_ATHENA_OUTPUT")
    query_id = clients.athena.start_query_execution(
        QueryString=athena_query,
        **({"QueryExecutionContext": {"Database": database}} if database else {}),
        **({"WorkGroup": workgroup} if workgroup else {}),
        **({"ResultConfiguration": {"OutputLocation": location}} if location else {}),
    )["QueryExecutionId"]
    execution = _finished(clients.athena, query_id, athena_query, timeout)
    if path is None:
        return read_frame(clients, execution)
    with _whole(path) as part:
        if path.suffix == ".csv":
            write_csv(clients, execution, part)
        else:
            read_frame(clients, execution).to_parquet(part, index=False, engine="pyarrow")
    return path


def _check_target(path: Path | None) -> None:
    """Refuse what cannot be saved before the query costs anything."""
    if path is not None and path.suffix not in (".csv", ".parquet"):
        raise ValueError(f"save_path {str(path)!r} must end in .csv or .parquet")
    if path is None:
        what, packages = "a DataFrame", ["pandas"]
    else:
        what, packages = "a .parquet file", ["pandas", "pyarrow"] if path.suffix == ".parquet" else []
    for package in packages:
        try:
            import_module(package)
        except ImportError as e:
            hint = f"{what} needs {package}: add it to the step's requirements.txt, or save to a .csv file"
            raise ImportError(hint, name=package) from e


def _clients(session: Any, region: str) -> Clients:
    config = import_module("botocore.config").Config(retries={"mode": "standard", "max_attempts": 10})
    athena, s3 = (session.client(name, region_name=region, config=config) for name in ("athena", "s3"))
    return Clients(athena, s3)


def _finished(athena: Athena, query_id: str, query: str, timeout: float) -> Mapping[str, Any]:
    """Return the execution of the query once it has succeeded; stop the query when the wait ends early."""
    try:
        execution = _ended(athena, query_id, query, timeout)
    except BaseException:
        # Nobody would read its result, and it would go on costing; what ended the wait is what the caller must see.
        with contextlib.suppress(Exception):
            athena.stop_query_execution(QueryExecutionId=query_id)
        raise
    status = execution["Status"]
    if status["State"] != "SUCCEEDED":
        reason = status.get("StateChangeReason") or "Athena gives no reason"
        raise AthenaQueryError(query_id, status["State"], reason, query)
    return execution


def _ended(athena: Athena, query_id: str, query: str, timeout: float) -> Mapping[str, Any]:
    """Ask with growing pauses until the query is no longer at work."""
    end = time.monotonic() + timeout
    pause = _FIRST_WAIT
    while True:
        execution: Mapping[str, Any] = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        state = execution["Status"]["State"]
        if state not in ("QUEUED", "RUNNING"):
            return execution
        left = end - time.monotonic()
        if left <= 0:
            reason = f"it was {state} after {timeout:g} s and was stopped"
            raise AthenaQueryError(query_id, "TIMED_OUT", reason, query)
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_WAIT)


def _first_lines(query: str, count: int = 5, width: int = 120) -> str:
    lines = query.strip().splitlines()
    shown = [line if len(line) <= width else line[: width - 1] + "…" for line in lines[:count]]
    return "\n".join(f"  {line}" for line in [*shown, *(["…"] if len(lines) > count else [])])


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Give a file beside *path*, which takes its place when all went well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        yield part
        part.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
