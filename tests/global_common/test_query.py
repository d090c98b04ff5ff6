"""Queries on Athena, against moto's server over HTTP."""

import datetime
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from global_common.query import AthenaQueryError, run_athena_query

pd = pytest.importorskip("pandas")
pytestmark = pytest.mark.enable_socket

ROWS = ({"id": "bigint", "name": "varchar"}, ["1", "Ä,\n\u2028b"], ["2", ""], [None, None])
CSV = '"id","name"\n"1","Ä,\n\u2028b"\n"2",""\n,\n'


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_query_returns_a_data_frame(athena: Any) -> None:
    athena.will_answer({"id": "bigint", "name": "varchar"}, ["1", "a"], ["2", "b"])
    frame = run_athena_query("select id, name from t", output_location=athena.output_location)
    assert frame.to_dict("list") == {"id": [1, 2], "name": ["a", "b"]}
    assert [e["Query"] for e in athena.executions()] == ["select id, name from t"]


@pytest.mark.parametrize("output_location", ["s3://results/athena/", None], ids=["from S3", "from pages"])
def test_every_column_has_the_type_of_athena(athena: Any, output_location: str | None) -> None:
    values = {
        "tinyint": ("7", 7, "Int8"),
        "smallint": ("-8", -8, "Int16"),
        "integer": ("9", 9, "Int32"),
        "bigint": ("9007199254740993", 9007199254740993, "Int64"),
        "double": ("-Infinity", float("-inf"), "float64"),
        "real": ("0.5", 0.5, "float32"),
        "boolean": ("true", True, "boolean"),
        "decimal(10,2)": ("1.10", Decimal("1.10"), "object"),
        "date": ("2026-01-02", pd.Timestamp("2026-01-02"), None),
        "timestamp(3)": ("2026-01-02 03:04:05.678", pd.Timestamp("2026-01-02 03:04:05.678"), None),
        "timestamp(3) with time zone": ("2026-01-02 03:04:05.678 UTC", "2026-01-02 03:04:05.678 UTC", "string"),
        "varchar(5)": ("", "", "string"),
        "array(bigint)": ("[1, 2]", "[1, 2]", "string"),
    }
    columns = {f"c{i}": kind for i, kind in enumerate(values)}
    athena.will_answer(columns, [text for text, _, _ in values.values()], [None] * len(values))
    frame = run_athena_query("select *", output_location=output_location)
    assert [*frame.iloc[0]] == [value for _, value, _ in values.values()]
    assert frame.iloc[1].isna().all()
    for (_, _, dtype), found in zip(values.values(), frame.dtypes, strict=True):
        assert found == dtype if dtype else found.kind == "M"


@pytest.mark.parametrize("count", [0, 1], ids=["no rows", "only NULL"])
def test_a_column_without_values_is_a_column(athena: Any, count: int) -> None:
    kinds = ["bigint", "double", "boolean", "decimal", "date", "timestamp", "varchar"]
    athena.will_answer({kind: kind for kind in kinds}, *([[None] * len(kinds)] * count))
    frame = run_athena_query("select *", output_location=athena.output_location)
    assert [*frame.columns] == kinds
    assert len(frame) == count
    assert frame.isna().all(axis=None)


def test_a_single_null_is_a_row(athena: Any) -> None:
    athena.will_answer({"n": "varchar"}, [None], [""], [None])
    frame = run_athena_query("select n", output_location=athena.output_location)
    assert frame["n"].isna().to_list() == [True, False, True]


def test_the_end_of_time_is_a_date(athena: Any) -> None:
    athena.will_answer({"until": "date"}, ["9999-12-31"])
    frame = run_athena_query("select until", output_location=athena.output_location)
    assert [(d.year, d.month, d.day) for d in frame["until"]] == [(9999, 12, 31)]


def test_null_differs_from_the_empty_text_and_text_keeps_its_lines(athena: Any) -> None:
    athena.will_answer(*ROWS)
    frame = run_athena_query("select id, name", output_location=athena.output_location)
    assert frame["name"].to_list()[:2] == ["Ä,\n\u2028b", ""]
    assert frame["name"].isna().to_list() == [False, False, True]


def test_quotes_in_the_csv_are_doubled(athena: Any) -> None:
    # Moto writes values into the CSV as they are, so the doubled quotes of Athena are the test's.
    athena.will_answer({"a": "varchar", "b": "varchar"}, ['say ""hi"", ok', '""'], ['""\n,""', ""])
    frame = run_athena_query("select a, b", output_location=athena.output_location)
    assert frame.to_dict("list") == {"a": ['say "hi", ok', '"\n,"'], "b": ['"', ""]}


def test_two_columns_may_have_one_name(athena: Any) -> None:
    athena.will_answer_rows([("n", "bigint"), ("n", "varchar")], ["n", "n"], ["1", "a"])
    frame = run_athena_query("select 1 n, 'a' n", output_location=athena.output_location)
    assert [*frame.columns] == ["n", "n"]
    assert [*frame.iloc[0]] == [1, "a"]


def test_a_statement_without_rows_returns_an_empty_frame(athena: Any) -> None:
    assert run_athena_query("create table t as select 1").empty


def test_a_listing_has_no_header_to_skip(athena: Any) -> None:
    athena.will_answer_rows([("tab_name", "string")], ["clicks"], ["views"])
    assert run_athena_query("show tables")["tab_name"].to_list() == ["clicks", "views"]


def test_a_description_is_split_into_its_columns(athena: Any) -> None:
    columns = [("col_name", "string"), ("data_type", "string"), ("comment", "string")]
    athena.will_answer_rows(columns, ["id    \tbigint   \t"])
    assert run_athena_query("describe t").to_dict("list") == {
        "col_name": ["id"],
        "data_type": ["bigint"],
        "comment": [""],
    }


def test_a_csv_file_is_the_result_byte_for_byte(athena: Any, tmp_path: Path) -> None:
    athena.will_answer(*ROWS)
    path = run_athena_query("select *", tmp_path / "new" / "rows.csv", output_location=athena.output_location)
    assert path == tmp_path / "new" / "rows.csv"
    assert path.read_bytes() == CSV.encode()
    assert _files(path.parent) == ["rows.csv"]


def test_a_csv_file_from_pages_has_the_same_form(athena: Any, tmp_path: Path) -> None:
    athena.will_answer(*ROWS)
    assert run_athena_query("select *", str(tmp_path / "rows.csv")).read_bytes() == CSV.encode()


def test_a_csv_file_needs_no_pandas(athena: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    athena.will_answer(*ROWS)
    run_athena_query("select *", tmp_path / "rows.csv", output_location=athena.output_location)
    assert (tmp_path / "rows.csv").read_bytes() == CSV.encode()


def test_a_parquet_file_keeps_types_and_nulls(athena: Any, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    columns = {"id": "bigint", "name": "varchar", "price": "decimal(5,2)", "day": "date"}
    athena.will_answer(columns, ["1", "", "1.10", "2026-01-02"], [None, None, None, None])
    path = run_athena_query("select *", tmp_path / "rows.parquet", output_location=athena.output_location)
    frame = pd.read_parquet(path)
    assert [*frame.iloc[0]] == [1, "", Decimal("1.10"), pd.Timestamp("2026-01-02")]
    assert frame.iloc[1].isna().all()
    assert _files(tmp_path) == ["rows.parquet"]


@pytest.mark.parametrize(
    ("name", "missing", "hint"),
    [
        (None, "pandas", "a DataFrame needs pandas: add it to the step's requirements.txt"),
        ("rows.parquet", "pandas", "a .parquet file needs pandas"),
        ("rows.parquet", "pyarrow", "a .parquet file needs pyarrow"),
    ],
)
def test_a_missing_package_is_told_before_the_query_costs_anything(
    athena: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str | None, missing: str, hint: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=hint):
        run_athena_query("select 1", tmp_path / name if name else None)
    assert athena.executions() == []


def test_another_extension_is_refused_before_the_query_costs_anything(athena: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"rows\.json' must end in \.csv or \.parquet"):
        run_athena_query("select 1", tmp_path / "rows.json")
    assert athena.executions() == []


def test_a_failed_download_leaves_the_old_file_alone(athena: Any, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("old")
    with pytest.raises(ClientError, match="404"):
        run_athena_query("select 1", tmp_path / "rows.csv", output_location=athena.output_location)
    assert _files(tmp_path) == ["rows.csv"]
    assert (tmp_path / "rows.csv").read_text() == "old"


def test_the_request_names_database_workgroup_and_output_location(athena: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUZZFLOW_ATHENA_OUTPUT", "s3://results/from-variable")
    athena.will_answer({"n": "bigint"}, ["1"])
    run_athena_query("select 1", database="ads", workgroup="primary", output_location="s3://results/given")
    [execution] = athena.executions()
    assert execution["QueryExecutionContext"] == {"Database": "ads"}
    assert execution["WorkGroup"] == "primary"
    assert execution["ResultConfiguration"]["OutputLocation"].startswith("s3://results/given/")


def test_the_output_location_may_come_from_the_variable(athena: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUZZFLOW_ATHENA_OUTPUT", "s3://results/from-variable/")
    athena.will_answer({"n": "bigint"}, ["1"])
    assert run_athena_query("select 1")["n"].to_list() == [1]
    [execution] = athena.executions()
    assert execution["ResultConfiguration"]["OutputLocation"].startswith("s3://results/from-variable/")


def test_without_an_output_location_the_workgroup_decides(athena: Any) -> None:
    run_athena_query("select 1")
    [execution] = athena.executions()
    assert "ResultConfiguration" not in execution


def test_a_queued_and_running_query_is_waited_for(athena: Any) -> None:
    athena.takes(2)
    athena.will_answer({"n": "bigint"}, ["1"])
    frame = run_athena_query("select 1", output_location=athena.output_location, timeout=30)
    assert frame["n"].to_list() == [1]


def test_a_query_that_takes_too_long_is_stopped(athena: Any) -> None:
    athena.takes(1000)
    with pytest.raises(AthenaQueryError, match=r"TIMED_OUT: it was QUEUED after 0\.3 s and was stopped") as e:
        run_athena_query("select 1", timeout=0.3)
    assert e.value.state == "TIMED_OUT"
    assert [x["Status"]["State"] for x in athena.executions()] == ["CANCELLED"]


def test_an_interrupted_wait_stops_the_query(athena: Any) -> None:
    def interrupt(**_: Any) -> None:
        raise KeyboardInterrupt

    athena.takes(1000)
    athena.on_request("GetQueryExecution", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_athena_query("select 1", session=athena.session)
    athena.session.events.unregister("before-send.athena.GetQueryExecution", interrupt)
    assert [x["Status"]["State"] for x in athena.executions()] == ["CANCELLED"]


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_a_query_that_fails_says_why_which_and_where(athena: Any, state: str) -> None:
    athena.ends_queries(state, "line 2:6: Table 'ads.click' does not exist")
    query = "select *\nfrom ads.click\nwhere " + "x" * 200 + "\na\nb\nlast line"
    with pytest.raises(AthenaQueryError) as e:
        run_athena_query(query, session=athena.session)
    [execution] = athena.executions()
    message = str(e.value).splitlines()
    assert message[0] == f"Athena query {e.value.query_id} {state}: line 2:6: Table 'ads.click' does not exist"
    assert message[1:3] == ["  select *", "  from ads.click"]
    assert message[3].endswith("xxx…")
    assert message[4:] == ["  a", "  b", "  …"]
    assert (e.value.state, e.value.query_id) == (state, execution["QueryExecutionId"])
    assert "not-a-real-secret" not in str(e.value)


def test_a_query_that_was_cancelled_by_somebody_needs_no_reason(athena: Any) -> None:
    athena.ends_queries("CANCELLED", None)
    with pytest.raises(AthenaQueryError, match="CANCELLED: Athena gives no reason"):
        run_athena_query("select 1", session=athena.session)


def test_dates_of_python_fill_a_query_that_runs(athena: Any, tmp_path: Path) -> None:
    from global_common.query import load_query

    (tmp_path / "q.sql").write_text("select * from {table:identifier} where d = {day:literal}")
    query = load_query(tmp_path / "q.sql", table="ads.clicks", day=datetime.date(2026, 1, 2))
    athena.will_answer({"n": "bigint"}, ["1"])
    run_athena_query(query, output_location=athena.output_location)
    assert [e["Query"] for e in athena.executions()] == ['select * from "ads"."clicks" where d = DATE \'2026-01-02\'']
