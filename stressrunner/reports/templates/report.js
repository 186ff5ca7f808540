"use strict";
// Values under the pointer: every chart over time shows the same moment.
const LEFT = 54, RIGHT = 350, TOP = 14, BOTTOM = 166, SVG = "http://www.w3.org/2000/svg";
const charts = [...document.querySelectorAll(".charts figure")].map((figure) => {
  const svg = figure.querySelector("svg");
  const names = [...figure.querySelectorAll(".legend span > b")];
  const lines = [...svg.querySelectorAll("path.line")].map((path) => {
    const points = [...path.getAttribute("d").matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map((m) => [+m[1], +m[2]]);
    return { points, number: +path.dataset.line, values: path.dataset.values.split("|") };
  });
  return { figure, svg, names, lines, at: figure.querySelector(".at"), end: +figure.dataset.end, over: "end" in figure.dataset };
});
const clock = (s) => {
  const whole = Math.floor(s), two = (n) => String(n).padStart(2, "0");
  if (s < 60) return s.toFixed(1) + " s";
  const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
  return (hours ? hours + ":" + two(minutes) : minutes) + ":" + two(whole % 60);
};
const nearest = (points, x) => points.reduce((best, point, i) => (Math.abs(point[0] - x) < Math.abs(points[best][0] - x) ? i : best), 0);
const show = (chart, x) => {
  chart.svg.querySelector(".cross")?.remove();
  chart.names.forEach((name) => { name.textContent = ""; });
  chart.at.textContent = "";
  chart.x = x;
  if (x === null) return;
  const group = document.createElementNS(SVG, "g");
  group.setAttribute("class", "cross");
  const rule = document.createElementNS(SVG, "path");
  rule.setAttribute("d", `M${x} ${TOP}V${BOTTOM}`);
  group.append(rule);
  for (const line of chart.lines) {
    const i = nearest(line.points, x), [px, py] = line.points[i];
    // A line that has no value near the moment says nothing about it.
    if (Math.abs(px - x) > Math.max(6, (RIGHT - LEFT) / line.points.length)) continue;
    const dot = document.createElementNS(SVG, "circle");
    dot.setAttribute("class", `dot dot-${line.number % 6}`);
    dot.setAttribute("cx", px); dot.setAttribute("cy", py); dot.setAttribute("r", 2.5);
    group.append(dot);
    chart.names[line.number].textContent = line.values[i];
  }
  if (chart.over) chart.at.textContent = "at " + clock(((x - LEFT) / (RIGHT - LEFT)) * chart.end);
  chart.svg.append(group);
};
const point = (chart, x) => {
  const inside = x === null ? null : Math.min(RIGHT, Math.max(LEFT, x));
  for (const other of chart.over ? charts.filter((one) => one.over) : [chart]) show(other, inside);
};
for (const chart of charts) {
  chart.svg.tabIndex = 0;
  chart.svg.addEventListener("pointermove", (event) => {
    const box = chart.svg.getBoundingClientRect();
    point(chart, ((event.clientX - box.left) / box.width) * chart.svg.viewBox.baseVal.width);
  });
  chart.svg.addEventListener("pointerleave", () => point(chart, null));
  chart.svg.addEventListener("blur", () => { chart.figure.querySelector(".legend").removeAttribute("aria-live"); point(chart, null); });
  chart.svg.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -2, ArrowRight: 2 }[event.key];
    if (event.key === "Escape") point(chart, null);
    if (!step) return;
    event.preventDefault();
    chart.figure.querySelector(".legend").setAttribute("aria-live", "polite");
    point(chart, (chart.x ?? (step > 0 ? LEFT : RIGHT) - step) + step);
  });
}
// Tables: a click on a heading sorts by it, another one the other way round.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    if ("fixed" in head.dataset) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const figures = body.rows.length && "key" in body.rows[0].cells[column].dataset;
      const first = figures ? "descending" : "ascending", second = figures ? "ascending" : "descending";
      const order = head.getAttribute("aria-sort") === first ? second : first, sign = order === "ascending" ? 1 : -1;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const key = (row) => (figures ? row.cells[column].dataset.key : row.cells[column].textContent);
      const compare = (a, b) => {
        if (a === "" || b === "") return (a === "") - (b === "");
        return sign * (figures ? (+a > +b) - (+a < +b) : a.localeCompare(b));
      };
      body.append(...[...body.rows].sort((a, b) => compare(key(a), key(b))));
    });
  });
}
