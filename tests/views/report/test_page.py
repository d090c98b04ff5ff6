"""The report as text: what is in it, what is left out of it, and how large it may become."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from buzzflow.backends.local.events import State
from buzzflow.backends.local.records.manifest import ManifestError, read_manifest, write_manifest
from buzzflow.driver.advice import advise_run
from buzzflow.views.report import report_page, write_report
from buzzflow.views.report.charts import thinned, ticks
from buzzflow.views.report.logs import read_log
from buzzflow.views.report.markup import Markup, data_block, join, tag, text
from tests.views.report.made import Made, failed, good, make_run

NOW = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)


class _Words(HTMLParser):
    """Collects the text that a reader without scripts sees."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, name: str, attrs: list[tuple[str, str | None]]) -> None:
        if name in ("script", "style"):
            self._inside.append(name)

    def handle_endtag(self, name: str) -> None:
        if name in ("script", "style"):
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.found.append(data)


def words(page: str) -> str:
    parser = _Words()
    parser.feed(page)
    return " ".join(" ".join(parser.found).split())


def data_of(page: str) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])


def test_the_page_tells_all_of_a_run_without_scripts(tmp_path: Path) -> None:
    told = words(report_page(make_run(tmp_path / "20261122-101500-3f9a", good()), NOW))
    for part in (
        "flight-delays ✓ succeeded",
        "10 steps",
        "8 succeeded",
        "1 cached",
        "2026-11-22 10:15:00 UTC",
        "run_date 2026-11-21",
        "train auc 0.787",
        "evaluate report.by_carrier.UA 0.79",
        "read 336776 flights of 2013",
        "from run 20261121-081502-77ab",
        "2 x ml.m5.xlarge",
        "CPU mean / peak",
    ):
        assert part in told, part


def test_what_failed_comes_before_all_else(tmp_path: Path) -> None:
    told = words(report_page(make_run(tmp_path / "r", failed(), state=State.FAILED), NOW))
    reason = told.index("exit code 1: KeyError")
    assert reason < told.index("Not run because of it: evaluate, publish.") < told.index("Timeline")
    assert "steps/train/log.txt" in told


def test_of_many_failures_the_first_are_told_and_the_others_named(tmp_path: Path) -> None:
    steps = [Made(f"s{i}", state=State.FAILED, reason=f"no {i}") for i in range(6)]
    told = words(report_page(make_run(tmp_path / "r", steps, state=State.FAILED), NOW))
    assert "3 steps more failed: s3 , s4 , s5" in told


@pytest.mark.parametrize(
    ("owner", "state", "how_long"), [(None, "running", "running for 45 min 00 s"), ("999999:1", "killed", "last seen")]
)
def test_a_run_that_has_not_ended_is_told_so(owner: str | None, state: str, how_long: str, tmp_path: Path) -> None:
    steps = [
        Made("a", seconds=3.0),
        Made("b", "training", ("a",), "running", 3.2, None, None),
        Made("c", needs=("b",), state="waiting", began=None, seconds=None),
    ]
    told = words(report_page(make_run(tmp_path / "r", steps, state="running", its_owner=owner), NOW))
    assert f"flight-delays {'▸' if state == 'running' else '✕'} {state}" in told
    assert how_long in told
    assert f"1 {state}" in told
    assert "1 waiting" in told


def test_without_a_plan_the_graph_has_the_needs_of_the_manifest(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "r", good())
    (folder / "run-plan.json").write_text("{")
    page = report_page(folder, NOW)
    assert page.count('marker-end="url(#arrow)"') == 11
    assert ">data</text>" not in page


def test_what_is_damaged_is_left_out(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "r", good())
    (folder / "steps" / "features" / "usage.json").write_text('{"at": [1, 2], "cpu_cores": [NaN, "x"]}')
    (folder / "steps" / "train" / "usage.json").write_text("[]")
    (folder / "steps" / "evaluate" / "log.txt").unlink()
    (folder / "outputs" / "evaluate" / "report" / "metrics.json").write_text('{"auc": NaN')
    curves = data_of(report_page(folder, NOW))["steps"]
    assert curves["step-4"] == {"at": [1, 2]}
    assert "step-5" not in curves
    assert "step-1" in curves


def test_a_folder_that_holds_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="holds no run"):
        write_report(tmp_path)
    assert not (tmp_path / "report.html").exists()


def test_advice_has_a_section_where_there_is_some(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "r", good())
    assert 'href="#advice"' not in report_page(folder, NOW)
    page = report_page(folder, NOW, advise_run(folder, region="us-east-1"))
    assert 'href="#advice"' in page
    told = words(page)
    assert "train cheaper" in told
    assert "than ml.m5.xlarge" in told
    assert "the cheapest that fits" in told
    assert "holidays: the results of an earlier run were taken" in told


# ------------------------------------------------------------------ the size


def test_200_steps_with_long_logs_and_curves_stay_below_5_megabytes(tmp_path: Path) -> None:
    log = "<&>\"' and more of it " * 30 + "\n"
    steps = [Made(f"step-{i:03}", began=i, seconds=90.0, log=log * 500, report={"x": "<" * 30_000}) for i in range(200)]
    folder = make_run(tmp_path / "r", steps)
    page = report_page(folder, NOW)
    assert 2_000_000 < len(page.encode()) < 5_000_000
    assert "are left out. The whole log:" in page


def test_the_report_of_a_usual_run_is_written_at_once(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "r", good())
    write_report(folder)
    took = []
    for _ in range(3):
        begun = time.perf_counter()
        write_report(folder)
        took.append(time.perf_counter() - begun)
    assert min(took) < 0.1


def test_of_a_log_the_last_whole_lines_stay(tmp_path: Path) -> None:
    file = tmp_path / "log.txt"
    file.write_bytes(b"first\n" + b"middle line\n" * 10 + b"\x1b[31mlast\x1b[0m \xff\r\n50%\r100%")
    log = read_log(file, "log.txt", 60)
    assert log is not None
    assert log.lines[-3:] == ("middle line", "last \ufffd", "100%")
    assert log.cut == 6 + 12 * (10 - (len(log.lines) - 2))
    whole = read_log(file, "log.txt", 10_000)
    assert whole is not None
    assert (whole.lines[0], whole.cut) == ("first", 0)
    assert read_log(tmp_path / "absent", "absent", 100) is None


def test_a_single_endless_line_is_cut_whole(tmp_path: Path) -> None:
    file = tmp_path / "log.txt"
    file.write_bytes(b"x" * 5000)
    log = read_log(file, "log.txt", 1000)
    assert log is not None
    [line] = log.lines
    assert line.startswith("…x")
    assert 100 < len(line) <= 1000
    assert log.cut == 5000 - len(line)


def test_thinned_curves_keep_their_peak_and_their_end() -> None:
    at = [i / 10 for i in range(10_000)]
    cpu = [0.5] * 10_000
    cpu[7777] = 3.9
    found = thinned({"at": at, "cpu_cores": cpu}, 100)
    assert len(found["at"]) == len(found["cpu_cores"]) == 100
    assert max(found["cpu_cores"]) == 3.9
    assert found["at"][-1] == at[-1]


@pytest.mark.parametrize("seconds", [0.05, 0.7, 9, 59, 61, 3600, 100_000, 10**7])
def test_an_axis_has_few_ticks_within_the_run(seconds: float) -> None:
    found = ticks(seconds)
    assert found[0] == 0
    assert found[-1] <= seconds
    assert 1 <= len(found) <= 8


# ------------------------------------------------------------------ markup


def test_text_is_escaped_and_markup_is_not() -> None:
    assert tag("p", "<b>", Markup("<i>"), class_='a"b', data_x=1, hidden=True, open=False) == (
        '<p class="a&quot;b" data-x="1" hidden>&lt;b&gt;<i></p>'
    )
    assert join(["a", Markup("<br>")], " & ") == "a &amp; <br>"
    assert text("a\x1b[31mb\u202ec\nd\ud800") == "abc\nd"


def test_no_text_ends_the_block_of_data() -> None:
    block = data_block("d", {"</script>": "<!--\u2028&"})
    assert block.count("</script>") == 1
    assert "\u2028" not in block
    assert "<!--" not in block


def test_the_page_names_no_address_but_its_own_parts(tmp_path: Path) -> None:
    page = report_page(make_run(tmp_path / "r", good()), NOW)
    tags = re.findall(r"<(?:script|link|img|iframe|object|form|a)\b[^>]*>", page)
    addresses = [address for found in tags for address in re.findall(r'(?:src|href|action)="([^"]*)"', found)]
    assert {a for a in addresses if not a.startswith("#")} == {"data:,"}
    assert "default-src 'none'" in page
    assert "unsafe-inline" not in page


def test_a_manifest_of_a_newer_buzzflow_is_read(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "r", good())
    manifest = read_manifest(folder)
    write_manifest(manifest, folder)
    content = json.loads((folder / "manifest.json").read_text())
    content["steps"]["train"]["moods"] = [1, 2]
    (folder / "manifest.json").write_text(json.dumps(content))
    assert "flight-delays" in report_page(folder, NOW)
