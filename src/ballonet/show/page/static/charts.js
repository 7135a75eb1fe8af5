// A guest over time: its sizes, and below them what it swapped and faulted, with what was done to it marked.

import { size } from "./words.js";

const POINTS = 300;
const SIZES = [
  ["actual", "actual_bytes", "--met", 2], ["told", "told_bytes", "--has", 1.5], ["need", "need_bytes", "--ink", 1.5],
  ["usable", "usable_bytes", "--good", 1], ["resident", "rss_bytes", "--leased", 1],
];
const FLOWS = [
  ["swapped in", "swap_in_bytes", "--bad", 1.5], ["swapped out", "swap_out_bytes", "--warn", 1.5],
  ["major faults", "major_faults", "--own", 1],
];
const TOTALS = { swap_in_bytes: "swap_in_bytes_total", swap_out_bytes: "swap_out_bytes_total", major_faults: "major_faults_total" };
const KEYS = [...SIZES, ...FLOWS].map(([, key]) => key);

let loading;
function uplot() {
  loading ??= new Promise((resolve, reject) => {
    const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: "/static/uPlot.min.css" });
    const script = Object.assign(document.createElement("script"), { src: "/static/uPlot.iife.min.js" });
    script.onload = () => resolve(window.uPlot);
    script.onerror = reject;
    document.head.append(style, script);
  });
  return loading;
}

// A colour of the page as a canvas takes it: custom properties are not reckoned out.
function colour(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

const time = (seconds) => new Date(seconds * 1000).toLocaleTimeString("en-GB");

export class Charts {
  constructor(article) {
    const section = article.querySelector("#charts");
    this._article = article;
    this._section = section;
    this._uuid = article.dataset.uuid;
    this._marks = [];  // seconds, and whether memory was given
    this._data = null;
    this._totals = {};
    this._plots = [];
    this._span = 900;
    for (const button of section.querySelectorAll("[data-span]")) {
      button.addEventListener("click", () => this._choose(button));
    }
    section.hidden = false;
    this._resized = new ResizeObserver(() => this._fit());
    this._resized.observe(section);
    this._begin(this._span);
  }

  end() {
    this._resized.disconnect();
    this._plots.forEach((plot) => plot.destroy());
    this._plots = [];
    this._ended = true;
  }

  take(guest, at) {
    if (!this._data) return;
    const data = this._data, now = Date.parse(at) / 1000, last = data.at.length - 1;
    const turns = last < 0 || now - data.at[last] >= 0.9 * data.step;
    if (turns) data.at.push(now);
    for (const [, key] of SIZES) put(data[key], turns, guest[key]);
    for (const [, key] of FLOWS) {
      const total = guest[TOTALS[key]], before = this._totals[key];
      const came = total == null || before == null ? null : Math.max(0, total - before);
      this._totals[key] = total;
      const kept = turns ? null : data[key].at(-1);
      put(data[key], turns, came == null ? kept : (kept ?? 0) + came);
    }
    while (data.at[0] < now - this._span) for (const list of Object.values(data)) list.shift?.();
    this._show();
  }

  mark(event) {
    if (event.uuid !== this._uuid || event.to_bytes == null) return;
    this._marks.push([Date.parse(event.at) / 1000, event.to_bytes > event.from_bytes]);
    this._show();
  }

  recolour() {
    this._plots.forEach((plot) => plot.redraw());
  }

  _choose(button) {
    for (const each of this._section.querySelectorAll("[data-span]")) each.setAttribute("aria-pressed", String(each === button));
    this._begin(Number(button.dataset.span));
  }

  async _begin(span) {
    this._span = span;
    const data = await this._history(span);
    this._marks = await this._changes(span);
    this._data = data;
    const made = await uplot();
    if (this._ended || this._span !== span) return;
    if (!this._plots.length) this._make(made);
    this._show();
  }

  // So long ago on the service's clock, which may not be this page's.
  _since(span) {
    return encodeURIComponent(new Date(Date.parse(this._article.dataset.at) - span * 1000).toISOString());
  }

  async _history(span) {
    const empty = Object.fromEntries(KEYS.map((key) => [key, []]));
    const answer = await fetch(`/v1/guests/${encodeURIComponent(this._uuid)}/history?since=${this._since(span)}&points=${POINTS}`);
    if (!answer.ok) return { ...empty, at: [], step: span / POINTS };
    const found = await answer.json();
    return { ...Object.fromEntries(KEYS.map((key) => [key, found[key]])), at: found.at_seconds, step: found.step_seconds || span / POINTS };
  }

  async _changes(span) {
    const answer = await fetch(`/v1/events?guest=${encodeURIComponent(this._uuid)}&since=${this._since(span)}&limit=500`);
    if (!answer.ok) return [];
    const { events } = await answer.json();
    return events.filter((each) => each.to_bytes != null).map((each) => [Date.parse(each.at) / 1000, each.to_bytes > each.from_bytes]);
  }

  _make(uPlot) {
    const drawn = (plot) => {
      this._drawMarks(plot);
      // Where nobody points, the last values stand in the legend, once the cursor has emptied it.
      queueMicrotask(() => plot.cursor.idx ?? plot.setLegend({ idx: this._data.at.length - 1 }));
    };
    const axis = { stroke: () => colour("--muted"), grid: { stroke: () => colour("--line"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
    const options = (lines, height, values, scales) => ({
      width: 300, height, cursor: { sync: { key: "guest" }, y: false }, scales,
      axes: [
        { ...axis, space: 72, size: 30, values: (_, splits, __, ___, step) => splits.map((at) => (step < 60 ? time(at) : time(at).slice(0, 5))) },
        { ...axis, size: 72, incrs: values.incrs, values: (_, splits) => splits.map(values.of) },
        ...(values.right ? [{ ...axis, scale: "count", side: 1, size: 48, grid: { show: false } }] : []),
      ],
      series: [
        { label: "at", value: (_, at) => (at == null ? "–" : time(at)) },
        ...lines.map(([label, , tone, width]) => {
          const counts = label === "major faults";
          return {
            label, width, stroke: () => colour(tone), scale: counts ? "count" : "y", spanGaps: false, points: { show: false },
            dash: label === "told" ? [4, 3] : undefined,
            value: (_, value) => (value == null ? "–" : counts ? `${value.toFixed(1)}/s` : values.of(value)),
          };
        }),
      ],
      hooks: { draw: [drawn] },
    });
    const powers = Array.from({ length: 50 }, (_, power) => 2 ** power);
    const from0 = (least) => ({ range: (_, __, most) => [0, Math.max(least, 1.05 * (most ?? 0))] });
    const place = (name) => this._section.querySelector(`[data-chart="${name}"]`);
    const rate = (value) => (value ? `${size(value)}/s` : "0");
    this._plots = [
      new uPlot(options(SIZES, 260, { of: (value) => (value ? size(value) : "0"), incrs: powers }, { y: from0(1) }), this._series(SIZES), place("sizes")),
      new uPlot(options(FLOWS, 150, { of: rate, incrs: powers, right: true }, { y: from0(2 ** 20), count: from0(10) }), this._series(FLOWS), place("flows")),
    ];
    this._fit();
  }

  _series(lines) {
    const data = this._data;
    const rates = lines === FLOWS;
    return [data.at, ...lines.map(([, key]) => (rates ? data[key].map((came) => (came == null ? null : came / data.step)) : data[key]))];
  }

  _show() {
    this._section.querySelector("[data-none]").hidden = this._data.at.length > 1;
    if (!this._plots.length) return;
    this._plots[0].setData(this._series(SIZES));
    this._plots[1].setData(this._series(FLOWS));
  }

  _drawMarks(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.globalAlpha = 0.3;
    for (const [at, given] of this._marks) {
      const x = Math.round(plot.valToPos(at, "x", true));
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.strokeStyle = ctx.fillStyle = colour(given ? "--accent" : "--muted");
      ctx.setLineDash([3, 4]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.font = `${11 * devicePixelRatio}px system-ui`;
      ctx.fillText(given ? "▲" : "▼", x - 5 * devicePixelRatio, bbox.top + 10 * devicePixelRatio);
    }
    ctx.restore();
  }

  _fit() {
    const width = this._section.clientWidth;
    if (width > 0) this._plots.forEach((plot) => plot.width !== width && plot.setSize({ width, height: plot.height }));
  }
}

function put(list, turns, value) {
  if (turns) list.push(value ?? null);
  else list[list.length - 1] = value ?? null;
}
