// Curves: a chart for each figure.chart, drawn with uPlot when it is first seen, and again when width or colours change.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const drawn = new Map();

function coloursOf(element) {
  // light-dark() is resolved only in a property that takes a colour
  const probe = element.appendChild(document.createElement("i"));
  const resolved = name => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const found = { line: resolved("line"), soft: resolved("soft"), curve: resolved("curve") };
  probe.remove();
  return found;
}

function told(figure, value) {
  if (!value) return value === 0 ? "0" : "";
  if (figure === "cpu_cores") return value.toFixed(2);
  const mebibytes = value / 2 ** 20;
  return mebibytes < 1000 ? `${Math.round(mebibytes)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`;
}

function moment(seconds) {
  if (seconds < 60) return `${+seconds.toFixed(2)} s`;
  const whole = Math.round(seconds), two = n => String(n).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes}:${two(whole % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

function faint(colour) {
  return colour.replace("rgb(", "rgba(").replace(")", ", 0.14)");
}

// round numbers of bytes are powers of two, and of seconds those of clocks
const SECONDS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400];
const BYTES = Array.from({ length: 45 }, (_, i) => 2 ** i);

function beside(box) {
  // the chart of the whole run lies below the timeline: the same moment is at the same place
  const track = document.querySelector(".gantt .track"), wide = matchMedia("(min-width: 641px)").matches;
  if (!track || !wide) return [58, 12];
  const outer = box.getBoundingClientRect(), inner = track.getBoundingClientRect();
  return [inner.left - outer.left, outer.right - inner.right];
}

function options(box, figure, width, isRun, end, readout) {
  const { line, soft, curve } = coloursOf(box);
  const [left, right] = isRun ? beside(box) : [58, 12];
  const axis = { stroke: soft, font: "11.5px system-ui, sans-serif", grid: { stroke: line, width: 1 }, ticks: { show: false } };
  return {
    width, height: 150, padding: [10, right, 0, 0], legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { x: { time: false, range: [0, end] }, y: { range: (_u, _low, high) => [0, (high || 1) * 1.08] } },
    axes: [
      { ...axis, size: 26, space: 60, incrs: SECONDS, grid: { show: false },
        splits: isRun ? () => data.ticks : undefined, values: (_u, ticks) => ticks.map(moment) },
      { ...axis, size: left, space: 24, incrs: figure === "cpu_cores" ? undefined : BYTES,
        values: (_u, ticks) => ticks.map(t => figure === "cpu_cores" ? `${+t.toFixed(2)}` : told(figure, t)) },
    ],
    series: [{}, { stroke: curve, width: 1.6, fill: faint(curve), points: { show: false } }],
    hooks: { setCursor: [u => {
      const i = u.cursor.idx;
      readout.textContent = i == null ? readout.dataset.rest : `${told(figure, u.data[1][i])} at ${moment(u.data[0][i])}`;
    }] },
  };
}

function draw(element) {
  const { step, figure } = element.dataset;
  const columns = step === "run" ? data.run : data.steps[step];
  if (!columns || !columns[figure]) { element.remove(); return; }
  let box = element.querySelector(".plot"), readout = element.querySelector(".figures");
  if (!box) {
    readout = element.querySelector("figcaption").appendChild(document.createElement("span"));
    readout.className = "figures";
    readout.dataset.rest = `highest ${told(figure, Math.max(...columns[figure]))}`;
    readout.textContent = readout.dataset.rest;
    box = element.appendChild(document.createElement("div"));
    box.className = "plot";
    box.setAttribute("role", "img");
    box.setAttribute("aria-label", `${element.querySelector("figcaption").textContent} over time`);
  }
  const width = Math.floor(box.clientWidth);
  if (width < 50) return;
  drawn.get(element)?.destroy();
  const end = step === "run" ? data.seconds : Math.max(...columns.at);
  const chart = new uPlot(options(box, figure, width, step === "run", end, readout), [columns.at, columns[figure]], box);
  drawn.set(element, chart);
}

function drawVisible() {
  for (const element of document.querySelectorAll("figure.chart")) {
    if (element.checkVisibility() && element.clientWidth) draw(element);
  }
}
