// What the page does: sections become tabs, links open what they lead to, colours change, charts are drawn when seen.
"use strict";

const panels = [...document.querySelectorAll(".panel")];
const bar = document.querySelector(".tabs");
const tabs = [...bar.querySelectorAll("a")];

function select(id) {
  for (const tab of tabs) {
    const chosen = tab.getAttribute("href") === `#${id}`;
    tab.setAttribute("aria-selected", chosen);
    tab.tabIndex = chosen ? 0 : -1;
  }
  // "until-found": the browser's own search looks into tabs that are not shown
  for (const panel of panels) {
    if (panel.id === id) panel.removeAttribute("hidden");
    else panel.setAttribute("hidden", "until-found");
  }
  drawVisible();
}

function follow() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const panel = target?.closest(".panel");
  if (!panel) return;
  if (target.matches("details")) target.open = true;
  select(panel.id);
  if (target !== panel) target.scrollIntoView({ block: "start" });
}

function makeTabs() {
  document.documentElement.classList.add("has-tabs");
  bar.setAttribute("role", "tablist");
  tabs.forEach((tab, i) => {
    const panel = panels[i];
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panel.id);
    tab.id = `tab-${panel.id}`;
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
    panel.addEventListener("beforematch", () => select(panel.id));
    tab.addEventListener("click", event => {
      event.preventDefault();
      history.replaceState(null, "", `#${panel.id}`);
      select(panel.id);
    });
    tab.addEventListener("keydown", event => {
      const to = { ArrowLeft: i - 1, ArrowRight: i + 1, Home: 0, End: tabs.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      const next = tabs[(to + tabs.length) % tabs.length];
      next.focus();
      next.click();
    });
  });
  select(panels[0].id);
}

function makeTheme() {
  const button = document.getElementById("theme"), root = document.documentElement;
  const preferred = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  const isDark = () => (chosen ?? (preferred.matches ? "dark" : "light")) === "dark";
  const show = () => {
    root.style.colorScheme = chosen ?? "";
    button.textContent = isDark() ? "☀ Light" : "☾ Dark";
    drawVisible();
  };
  button.hidden = false;
  button.addEventListener("click", () => { chosen = isDark() ? "light" : "dark"; show(); });
  preferred.addEventListener("change", show);
  show();
}

makeTabs();
makeTheme();
follow();
// of a failure, the end of the log says most
for (const log of document.querySelectorAll(".failure pre")) log.scrollTop = log.scrollHeight;
addEventListener("hashchange", follow);
for (const step of document.querySelectorAll("details.step")) step.addEventListener("toggle", drawVisible);
let width = innerWidth;
addEventListener("resize", () => {
  if (width === innerWidth) return;
  width = innerWidth;
  drawVisible();
});
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details")) part.open = true;
  for (const panel of panels) panel.removeAttribute("hidden");
  drawVisible();
});
