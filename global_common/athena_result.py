"""Read the result of a finished Athena query: as rows of text, as a pandas DataFrame, as a CSV file."""

from __future__ import annotations

import re
import tempfile
from datetime import datetime
from decimal import Decimal
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pandas import DataFrame, Series  # type: ignore[import-not-found,import-untyped,unused-ignore]

    Row = list[str | None]  # None is NULL, which is not the empty text

__all__ = ["Clients", "read_frame", "write_csv"]

_FIELD = re.compile(r'(?:"([^"]*(?:""[^"]*)*)"|([^,]*))(,|$)')
_INTEGERS = {"tinyint": "Int8", "smallint": "Int16", "int": "Int32", "integer": "Int32", "bigint": "Int64"}
_FLOATS = {"float": "float32", "real": "float32", "double": "float64"}


class Athena(Protocol):
    """What we ask of boto3's Athena client."""

    def start_query_execution(self, **request: Any) -> dict[str, Any]:
        """Start a query."""

    def get_query_execution(self, **request: Any) -> dict[str, Any]:
        """Tell a query's state."""

    def stop_query_execution(self, **request: Any) -> dict[str, Any]:
        """Stop a query."""

    def get_query_results(self, **request: Any) -> dict[str, Any]:
        """Return a page of rows, with their columns."""

    def get_paginator(self, operation_name: str) -> Any:
        """Return what walks all pages of an operation."""


class S3(Protocol):
    """What we ask of boto3's S3 client."""

    def download_fileobj(self, bucket: str, key: str, fileobj: BinaryIO, /) -> None:
        """Write an object into a file."""


class Clients(NamedTuple):
    """The two services that hold a result: Athena has its types, S3 its rows."""

    athena: Athena
    s3: S3


def read_frame(clients: Clients, execution: Mapping[str, Any]) -> DataFrame:
    """Return the result as a DataFrame whose columns have the types that `run_athena_query` lists."""
    pandas = import_module("pandas")
    columns = _columns(clients.athena, execution)
    cells: list[Row] = [[] for _ in columns]
    rows = _table(clients, execution)
    next(rows, None)  # the names, which the columns have too
    for row in rows:
        for i, column in enumerate(cells):
            column.append(row[i] if i < len(row) else None)
    # By position first: a query may give two columns one name.
    frame = pandas.DataFrame({i: _series(pandas, column["Type"], cells[i]) for i, column in enumerate(columns)})
    frame.columns = [column["Name"] for column in columns]
    return frame


def write_csv(clients: Clients, execution: Mapping[str, Any], path: Path) -> None:
    """Write the result to *path* in Athena's form: every value in quotes, NULL as nothing between commas, UTF-8."""
    if location := _csv_object(execution):
        with path.open("wb") as file:
            clients.s3.download_fileobj(*location, file)
        return
    with path.open("w", encoding="utf-8", newline="") as text:
        for row in _table(clients, execution):
            text.write(",".join("" if cell is None else '"' + cell.replace('"', '""') + '"' for cell in row) + "\n")


def _columns(athena: Athena, execution: Mapping[str, Any]) -> list[dict[str, Any]]:
    head = athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"], MaxResults=1)
    return list(head["ResultSet"].get("ResultSetMetadata", {}).get("ColumnInfo", []))


def _table(clients: Clients, execution: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the row of the column names, then the result's rows."""
    location = _csv_object(execution)
    if location is None:
        yield from _pages(clients.athena, execution)
        return
    # S3 gives a large result many times faster than the pages of GetQueryResults, 1000 rows each.
    with tempfile.TemporaryFile() as file, TextIOWrapper(file, encoding="utf-8", newline="\n") as lines:
        clients.s3.download_fileobj(*location, file)
        file.seek(0)
        yield from _csv_rows(lines)


def _csv_object(execution: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return bucket and key, or None: only queries with rows write a CSV, and a workgroup may keep its results."""
    location = str(execution.get("ResultConfiguration", {}).get("OutputLocation", ""))
    match = re.fullmatch(r"s3://([^/]+)/(.+\.csv)", location)
    return (match[1], match[2]) if match else None


def _pages(athena: Athena, execution: Mapping[str, Any]) -> Iterator[Row]:
    columns = _columns(athena, execution)
    names: Row = [column["Name"] for column in columns]
    yield names
    # The first row of a SELECT repeats the names; SHOW, DESCRIBE and EXPLAIN start with their first line.
    repeats = execution.get("StatementType") == "DML"
    pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution["QueryExecutionId"])
    for page in pages:
        for row in page["ResultSet"]["Rows"][1 if repeats else 0 :]:
            cells: Row = [datum.get("VarCharValue") for datum in row.get("Data", [])]
            if len(cells) == 1 < len(columns):  # DESCRIBE: a line of padded text
                cells = [cell.strip() for cell in (cells[0] or "").split("\t")]
            yield cells
        repeats = False


def _csv_rows(lines: Iterable[str]) -> Iterator[Row]:
    """Parse Athena's CSV, where `""` is the empty text and nothing is NULL; the csv module reads both alike."""
    pending: list[str] = []
    open_quote = False
    for line in lines:
        pending.append(line)
        open_quote ^= line.count('"') % 2 == 1
        if not open_quote:
            yield _fields("".join(pending).rstrip("\r\n"))
            pending = []


def _fields(record: str) -> Row:
    fields: Row = []
    start = 0
    while True:
        match = _FIELD.match(record, start)
        if match is None:
            raise ValueError("the result in S3 is no CSV in Athena's form")
        quoted, bare, comma = match.groups()
        fields.append(bare or None if quoted is None else quoted.replace('""', '"'))
        if not comma:
            return fields
        start = match.end()


def _series(pandas: Any, athena_type: str, cells: Row) -> Series:
    """Return the cells as a column; what is not listed here (text, arrays, maps, rows, JSON, …) stays text."""
    name = re.sub(r"\(.*?\)", "", athena_type).strip().lower()
    if name in _INTEGERS:
        return pandas.Series([None if cell is None else int(cell) for cell in cells], dtype=_INTEGERS[name])
    if name in _FLOATS:
        return pandas.Series([float("nan" if cell is None else cell) for cell in cells], dtype=_FLOATS[name])
    if name == "boolean":
        return pandas.Series([None if cell is None else cell == "true" for cell in cells], dtype="boolean")
    if name == "decimal":
        return pandas.Series([None if cell is None else Decimal(cell) for cell in cells], dtype="object")
    if name in ("date", "timestamp"):
        return _datetimes(pandas, cells)
    return pandas.Series(cells, dtype="string")


def _datetimes(pandas: Any, cells: Row) -> Series:
    try:
        return pandas.to_datetime(pandas.Series(cells, dtype="object"))
    except pandas.errors.OutOfBoundsDatetime:  # before pandas 3 a column ends in the year 2262, and 9999-12-31 is usual
        moments = [None if cell is None else datetime.fromisoformat(cell) for cell in cells]
        return pandas.Series(moments, dtype="object")
