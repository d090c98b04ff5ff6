"""Pictures of the golden pipelines, and that no text of a user's becomes more than text in any of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzzflow import ir
from buzzflow.diagnostics import PipelineError
from buzzflow.driver import check
from buzzflow.views.graph import FORMATS, TEXT_FORMATS, TextFormat, drawn, graph_of, png
from buzzflow.views.graph.dot import dot
from buzzflow.views.graph.mermaid import escaped, mermaid
from buzzflow.views.graph.model import Edge, Graph, Node, Shape
from buzzflow.views.graph.svg import svg
from buzzflow.views.graph.text import WIDTH, text

HERE = Path(__file__).parent
PIPELINES = sorted(file.parent for file in (HERE.parents[1] / "goldens").glob("*/pipeline.yaml"))
ENDINGS = {"mermaid": "mmd", "svg": "svg", "text": "txt"}
SVG = "{http://www.w3.org/2000/svg}"


def lowered(folder: Path, tmp_path: Path) -> ir.Pipeline:
    environment = tmp_path / "projects" / "research"
    shutil.copytree(folder, environment / folder.name)
    shutil.copy(folder.parent / "environment.yaml", environment)
    return check(environment / folder.name, backend="sagemaker").pipeline


@pytest.mark.parametrize("folder", PIPELINES, ids=lambda folder: folder.name)
def test_a_right_pipeline_looks_like_what_is_kept(folder: Path, tmp_path: Path) -> None:
    pipeline = lowered(folder, tmp_path)
    forms: tuple[TextFormat, ...] = ("mermaid", "svg", "text")
    for form in forms:
        golden = HERE / "golden" / f"{folder.name}.{ENDINGS[form]}"
        found = drawn(pipeline, form)
        if os.environ.get("UPDATE_GOLDEN"):
            golden.parent.mkdir(exist_ok=True)
            golden.write_text(found, "utf-8")
        assert found == golden.read_text("utf-8")


@pytest.mark.parametrize("folder", PIPELINES, ids=lambda folder: folder.name)
def test_every_format_has_every_step_and_every_need(folder: Path, tmp_path: Path) -> None:
    pipeline = lowered(folder, tmp_path)
    needs = {
        (n.step, s.name, n.because.value) for s in pipeline.steps for n in s.needs if n.because is not ir.Because.BODY
    }
    data = json.loads(drawn(pipeline, "json"))
    assert [node["name"] for node in data["nodes"]] == [s.name for s in pipeline.steps]
    assert {(e["from"], e["to"], e["because"]) for e in data["edges"]} == needs
    for form in TEXT_FORMATS:
        assert all(s.name in drawn(pipeline, form) for s in pipeline.steps)
    arrows = {"reference": "-->", "depends_on": "-.->", "branch": "==>"}
    spelled = re.findall(
        r"^  s_(\S+) (-->|-\.->|==>)(?:\|\"[^\"]*\"\|)? s_(\S+)$", drawn(pipeline, "mermaid"), re.MULTILINE
    )
    known = {s.name.replace("-", "_"): s.name for s in pipeline.steps}
    assert {(known[a], known[b], arrow) for a, arrow, b in spelled} == {(a, b, arrows[why]) for a, b, why in needs}


def graph(*edges: Edge, name: str = "p") -> Graph:
    nodes = (
        Node("extract", "processing", Shape.DATA),
        Node("each_country", "foreach", Shape.LOOP),
        Node("fit", "training", Shape.TRAINING, inside="each_country"),
        Node("score", "transform", Shape.DATA, inside="each_country"),
        Node("good", "condition", Shape.CONDITION),
        Node("stop", "fail", Shape.FAIL),
    )
    return Graph(name, None, nodes, edges)


LOOP = graph(
    Edge("extract", "each_country", ir.Because.REFERENCE, ("countries",)),
    Edge("fit", "score", ir.Because.REFERENCE, ("model",)),
    Edge("extract", "score", ir.Because.REFERENCE, ("test",)),
    Edge("each_country", "good", ir.Because.ORDER),
    Edge("good", "stop", ir.Because.BRANCH, ("no",)),
)


def test_the_body_of_a_foreach_is_a_frame_in_every_picture() -> None:
    flowchart = mermaid(LOOP)
    assert 'subgraph s_each_country["each_country - foreach"]' in flowchart
    assert flowchart.index("subgraph") < flowchart.index("s_fit(") < flowchart.index("\n  end\n")
    assert "subgraph cluster_s_each_country {" in dot(LOOP)
    assert "ltail=cluster_s_each_country" in dot(LOOP)
    page = ET.fromstring(svg(LOOP))
    [frame] = [g for g in page.iter(f"{SVG}g") if g.get("class") == "node foreach"]
    inside = {t.text for t in frame.iter(f"{SVG}text")}
    assert {"fit", "score", "model"} <= inside
    assert "extract" not in inside
    lines = text(LOOP).splitlines()
    assert [line for line in lines if "┊" in line and "fit" in line]


def test_in_the_text_every_level_stands_below_what_it_waits_for() -> None:
    numbers = [re.match(r" *(\d+) .*?(\w+)  ", line) for line in text(LOOP).splitlines()]
    levels = {m[2]: int(m[1]) for m in numbers if m}
    assert levels["extract"] < levels["each_country"] < levels["good"] < levels["stop"]


def test_the_text_fits_a_terminal() -> None:
    names = [f"step_number_{i}" for i in range(30)]
    nodes = tuple(Node(n, "processing", Shape.DATA) for n in names)
    edges = tuple(Edge(a, names[-1], ir.Because.REFERENCE, ("a_long_output_name",)) for a in names[:-1])
    assert max(map(len, text(Graph("p", None, nodes, edges)).splitlines())) <= WIDTH


def test_a_label_of_much_says_how_much_more() -> None:
    assert Edge("a", "b", ir.Because.REFERENCE, ("report.auc", "report.auc_gain")).label == "report.auc +1"
    assert Edge("a", "b", ir.Because.REFERENCE, ("x" * 40,)).label == "x" * 23 + "…"


ATTACKS = [
    '"]; click s_a "javascript:1"',
    "<script>alert(1)</script>",
    "a\nb\r\nc",
    "`md` & #quot;",
    "名前 é ❤",
    "\x00\x1b[31m",
    "%%{init}%%",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_text_stays_a_text(attack: str) -> None:
    nodes = (Node(attack, attack, Shape.DATA, title=attack, description=attack), Node("b", "fail", Shape.FAIL))
    hostile = Graph(attack, attack, nodes, (Edge(attack, "b", ir.Because.REFERENCE, (attack[:20],)),))
    page = ET.fromstring(svg(hostile))
    assert {e.tag.removeprefix(SVG) for e in page.iter()} <= {
        "svg", "title", "style", "defs", "marker", "path", "rect", "g", "text", "tspan"
    }  # fmt: skip
    assert not [a for e in page.iter() for a in e.attrib if a.startswith("on") or "href" in a]
    assert all(len(line) < 400 for line in mermaid(hostile).splitlines())
    assert dot(hostile).count("\n") == len(dot(hostile).splitlines())


@given(st.text())
def test_what_is_escaped_for_mermaid_holds_nothing_that_means_something_to_it(words: str) -> None:
    shown = escaped(words)
    assert not set(shown) & set("\"<>[]{}`|&%'\n\r\\")
    plain = re.sub(r"#(\d+);", lambda m: chr(int(m[1])), shown)
    assert plain == " ".join(words.split())


@given(st.text(max_size=30))
def test_any_text_makes_a_page_that_can_be_read(words: str) -> None:
    nodes = (Node("a", words, Shape.CONDITION, description=words), Node("b", "fail", Shape.FAIL))
    ET.fromstring(svg(Graph(words, words, nodes, (Edge("a", "b", ir.Because.ORDER, (words[:9],)),))))


def test_a_page_needs_nothing_from_elsewhere_and_follows_the_reader() -> None:
    page = svg(LOOP)
    assert re.findall(r"https?://[^\"]+", page) == ["http://www.w3.org/2000/svg"]
    assert "prefers-color-scheme: dark" in page
    assert "prefers-color-scheme" not in svg(LOOP, themed=False)


def test_a_png_is_a_picture_of_the_page_twice_as_large(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py")
    pipeline = lowered(PIPELINES[0], tmp_path)
    try:
        picture = png(pipeline)
    except PipelineError as e:
        pytest.skip(str(e))  # no font
    width = re.search(r'width="([\d.]+)"', svg(graph_of(pipeline), themed=False))
    assert width is not None
    assert picture.startswith(b"\x89PNG\r\n")
    assert abs(int.from_bytes(picture[16:20]) - 2 * float(width[1])) <= 1


def test_without_its_package_a_png_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(PipelineError) as caught:
        png(lowered(PIPELINES[0], tmp_path))
    [problem] = caught.value.diagnostics
    assert problem.code == "BF170"
    assert "pip install 'buzzflow[graph]'" in str(problem.hint)


def test_every_format_but_png_is_text() -> None:
    assert set(FORMATS) - set(TEXT_FORMATS) == {"png"}
