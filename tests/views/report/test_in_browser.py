"""The report in a real browser: bars, curves, tabs, colours, widths; and a hostile run that changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from buzzflow.backends.local.events import State
from buzzflow.driver.advice import advise_run
from buzzflow.views.report import write_report
from tests.browser import Browser, Page
from tests.views.report.made import Made, failed, good, make_run

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
LONG = [
    Made(
        f"a-rather-long-step-name-{i:02}-of-a-foreach",
        needs=() if i < 4 else (f"a-rather-long-step-name-{i - 4:02}-of-a-foreach",),
        began=(i // 4) * 7.0,
        seconds=6.0,
    )
    for i in range(40)
]


@pytest.fixture
def report(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens the report of a made run; at the end, the browser must not have complained or asked for anything."""
    pages: list[Page] = []

    def report(
        steps: Sequence[Made], width: int = 1280, *, dark: bool = False, script: bool = True, **run: Any
    ) -> Page:
        folder = make_run(tmp_path / ".buzzflow" / "runs" / f"20261122-101500-{len(pages):04}", steps, **run)
        page = browser.page(width, dark=dark, script=script)
        pages.append(page)
        page.open(write_report(folder, fitting=advise_run(folder)).as_uri())
        return page

    yield report
    for page in pages:
        assert page.problems == []
        assert all(address.startswith(("file://", "data:")) for address in page.requests)
        assert len([address for address in page.requests if address.startswith("file://")]) == 1
        page.close()


def box(page: Page, selector: str) -> dict[str, float]:
    return page.evaluate(f"document.querySelector({json.dumps(selector)}).getBoundingClientRect().toJSON()")


def choose(page: Page, tab: str) -> None:
    page.evaluate(f"document.getElementById('tab-{tab}').click()")
    page.settle()


# ------------------------------------------------------------------ the timeline


def test_bars_stand_where_their_steps_ran(report: Open) -> None:
    page = report([Made("a", began=0.0, seconds=5.0), Made("b", needs="a", began=5.0, seconds=2.5)], seconds=10.0)
    track = box(page, ".gantt li:nth-child(2) .track")
    for row, (begin, width) in ((2, (0.0, 0.5)), (3, (0.5, 0.25))):
        bar = box(page, f".gantt li:nth-child({row}) rect")
        assert bar["left"] == pytest.approx(track["left"] + begin * track["width"], abs=1)
        assert bar["width"] == pytest.approx(width * track["width"], abs=1)
    ticks = page.evaluate("[...document.querySelectorAll('.gantt .axis text')].map(t => t.textContent)")
    assert ticks == ["0 s", "2 s", "4 s", "6 s", "8 s"]


def test_names_do_not_run_into_bars(report: Open) -> None:
    page = report(LONG)
    overlaps = page.evaluate(
        "[...document.querySelectorAll('.gantt li > a')].filter(row => row.querySelector('.name')"
        ".getBoundingClientRect().right > row.querySelector('.track').getBoundingClientRect().left).length"
    )
    assert overlaps == 0


def test_a_row_leads_to_its_step_and_opens_it(report: Open) -> None:
    page = report(good())
    page.evaluate("document.querySelector('.gantt li:nth-child(6) > a').click()")
    page.wait("document.querySelector('#step-5').open")
    assert page.evaluate("document.getElementById('steps').checkVisibility()")
    assert page.evaluate("document.querySelector('#step-5 .name').textContent") == "train"
    assert 0 <= box(page, "#step-5")["top"] < 300


# ------------------------------------------------------------------ curves

PAINTED = """(figure => {
  const canvas = document.querySelector(`figure[data-step="${figure[0]}"][data-figure="${figure[1]}"] canvas`);
  if (!canvas) return -1;
  const [r, g, b] = figure[2], data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let found = 0;
  for (let i = 0; i < data.length; i += 4) {
    const off = Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b);
    if (data[i + 3] > 200 && off < 30) found++;
  }
  return found;
})"""


def painted(page: Page, step: str, figure: str, colour: tuple[int, int, int]) -> int:
    """Return how many pixels of a chart have the colour of its curve; -1 when there is no chart."""
    return page.evaluate(f"{PAINTED}({json.dumps([step, figure, colour])})")


def test_the_curves_of_the_run_are_drawn_below_the_timeline_on_its_axis(report: Open) -> None:
    page = report(good())
    assert painted(page, "run", "cpu_cores", (47, 100, 214)) > 300
    assert painted(page, "run", "memory_bytes", (138, 69, 196)) > 300
    plot, track = box(page, "figure[data-step=run] .u-over"), box(page, ".gantt .track")
    assert (plot["left"], plot["width"]) == (pytest.approx(track["left"], abs=2), pytest.approx(track["width"], abs=2))


def test_the_curves_of_a_step_are_drawn_when_it_is_opened_and_redrawn_in_the_dark(report: Open) -> None:
    page = report(good())
    choose(page, "steps")
    assert painted(page, "step-5", "cpu_cores", (47, 100, 214)) == -1
    page.evaluate("document.getElementById('step-5').open = true")
    page.wait("document.querySelector('#step-5 canvas')")
    page.settle()
    assert painted(page, "step-5", "cpu_cores", (47, 100, 214)) > 200
    page.evaluate("document.getElementById('theme').click()")
    page.settle()
    assert painted(page, "step-5", "cpu_cores", (111, 157, 251)) > 200


def test_a_run_without_curves_has_no_empty_charts(report: Open) -> None:
    page = report([Made("a", curves=False), Made("b", load=None)])
    assert page.evaluate("document.querySelectorAll('figure, canvas').length") == 0


# ------------------------------------------------------------------ tabs


def test_tabs_work_with_the_mouse_and_the_keyboard(report: Open) -> None:
    page = report(good())
    shown = "[...document.querySelectorAll('.panel')].filter(p => p.checkVisibility() && !p.hidden).map(p => p.id)"
    assert page.evaluate(shown) == ["timeline"]
    choose(page, "graph")
    assert page.evaluate(shown) == ["graph"]
    page.evaluate("document.getElementById('tab-graph').focus()")
    page.press("ArrowRight")
    assert page.evaluate(shown) == ["values"]
    page.press("End")
    assert page.evaluate(shown) == ["advice"]
    page.press("ArrowRight")
    assert page.evaluate(shown) == ["timeline"]
    assert page.evaluate("document.activeElement.getAttribute('aria-selected')") == "true"


def test_the_search_of_the_browser_finds_logs_in_other_tabs(report: Open) -> None:
    page = report(good())
    assert page.evaluate("document.getElementById('steps').getAttribute('hidden')") == "until-found"
    assert page.evaluate("document.getElementById('step-1').textContent.includes('336776 flights')")


def test_without_scripts_all_sections_stand_one_below_the_other(report: Open, browser: Browser) -> None:
    page = report(good(), script=False)
    document = page.command("DOM.getDocument", depth=0)["root"]["nodeId"]
    tops = []
    for name in ("timeline", "steps", "graph", "values", "advice"):
        node = page.command("DOM.querySelector", nodeId=document, selector=f"#{name}")["nodeId"]
        tops.append(page.command("DOM.getBoxModel", nodeId=node)["model"]["border"][1])
    assert tops == sorted(set(tops))


def test_the_names_in_the_graph_fit_into_their_nodes(report: Open) -> None:
    page = report(LONG)
    choose(page, "graph")
    wide = page.evaluate(
        "[...document.querySelectorAll('.dag .node')].filter(node => node.querySelector('.name').getBBox().width"
        " > node.querySelector('.shape').getBBox().width - 4).length"
    )
    assert wide == 0


# ------------------------------------------------------------------ what failed


def test_the_failure_is_seen_without_scrolling(report: Open) -> None:
    for width, height in ((1280, 900), (420, 800)):
        page = report(failed(), width, state=State.FAILED)
        page.resize(width, height)
        assert box(page, ".failure .reason")["bottom"] < height
        assert box(page, ".failure pre")["bottom"] < height
        told = page.evaluate("document.querySelector('.failure').innerText")
        assert "KeyError: \"['wind_gust'] not in index\"" in told
        assert "Not run because of it: evaluate" in told


# ------------------------------------------------------------------ colours and widths

CONTRAST = r"""(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgba(getComputedStyle(e).backgroundColor);
      if (colour[3] > 250) return colour;
    }
    return rgba(getComputedStyle(document.documentElement).colorScheme === "dark" ? "#000" : "#fff");
  };
  const bad = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; node = walker.nextNode();) {
    const e = node.parentElement;
    if (!node.data.trim() || !e.checkVisibility() || ["SCRIPT", "STYLE"].includes(e.tagName)) continue;
    const style = getComputedStyle(e), svg = e instanceof SVGElement;
    const over = svg && e.closest(".node")?.querySelector(".shape");
    const front = light(rgba(svg ? style.fill : style.color));
    const back = light(over ? rgba(getComputedStyle(over).fill) : behind(e));
    const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    if (ratio < 4.5) bad.push(`${node.data.trim().slice(0, 30)} in ${e.tagName}: ${ratio.toFixed(2)}`);
  }
  return bad;
})()"""


@pytest.mark.parametrize("dark", [False, True])
def test_all_text_stands_out_in_light_and_dark(dark: bool, report: Open) -> None:
    page = report(failed(), dark=dark, state=State.FAILED, notices=["3 metrics are not read"])
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    for tab in ("timeline", "steps", "graph", "values", "advice"):
        choose(page, tab)
        assert page.evaluate(CONTRAST) == []
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(13, 17, 23)" if dark else "rgb(245, 246, 248)"
    )


def test_the_button_changes_the_colours_whatever_the_system_prefers(report: Open) -> None:
    page = report(good(), dark=True)
    page.evaluate("document.getElementById('theme').click()")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(245, 246, 248)"
    page.evaluate("document.getElementById('theme').click()")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 17, 23)"


@pytest.mark.parametrize("steps", [good(), failed(), LONG, [Made("a")]], ids=["good", "failed", "long", "one"])
def test_nothing_is_wider_than_a_phone(steps: list[Made], report: Open) -> None:
    page = report(steps, 420)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    for tab in ("timeline", "steps", "graph", "values", "advice"):
        choose(page, tab)
        assert page.evaluate("document.documentElement.scrollWidth") == 420, tab


# ------------------------------------------------------------------ a hostile run

EVIL = (
    "</script><script>window.owned=1</script><img src=x onerror='window.owned=2'><!--\u2028\u202e<style>*{display:none}"
)


def test_text_of_a_run_never_becomes_part_of_the_page(report: Open) -> None:
    steps = [
        Made(
            "bad",
            state=State.FAILED,
            reason=EVIL,
            log=f"{EVIL}\n]]>&lt;b>\x1b[2J\x00\n",
            warnings=[EVIL],
            metrics={EVIL: 1.0},
            report={EVIL: 0.5, "text": EVIL},
            how=EVIL,
        ),
        Made("next", needs=("bad",), state=State.SKIPPED, began=None, seconds=None, reason=EVIL),
    ]
    page = report(steps, state=State.FAILED, parameters={EVIL: EVIL}, pipeline="<b>x", notices=[EVIL])
    for tab in ("timeline", "steps", "graph", "values"):
        choose(page, tab)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.settle()
    assert page.evaluate("[typeof window.owned, document.querySelectorAll('img, b').length]") == ["undefined", 0]
    assert page.evaluate("document.querySelectorAll('style').length") == 3
    assert "<img src=x onerror='window.owned=2'>" in page.evaluate(
        "document.querySelector('.failure .reason').innerText"
    )
