// The host: its state, its memory's parts, and what is done with its guests together.

import { UNKNOWN, age, clock, printable, share, size } from "./words.js";

const PARTS = ["own", "guests", "leased", "reserve", "headroom"];
const STATES = ["plenty", "comfort", "tight", "hard", "emergency"];

export class Host {
  constructor(root) {
    this._root = root;
    this._svg = root.querySelector(".parts");
    this._was = new Map();
  }

  draw(status) {
    const seen = status.hypervisors.filter((each) => each.state != null);
    const worst = seen.reduce((one, other) => (STATES.indexOf(other.state) > STATES.indexOf(one.state) ? other : one), seen[0]);
    this._root.dataset.state = worst?.state ?? "";
    this._set("#host-state", worst?.state ?? UNKNOWN);
    this._set("#host-sentence", worst?.sentence ?? "no guest was looked at yet");
    this._mode(status);
    this._notices(status);
    if (status.host && this._svg) this._parts(status.host);
    const facts = {
      total: size(status.host?.total_bytes),
      pressure: share(status.host?.pressure_some_ratio),
      held: `${size(worst?.held_bytes)} of ${size(worst?.budget_bytes)}`,
      given: size(worst?.given_back_bytes),
      managed: `${worst?.guests.managed ?? UNKNOWN} of ${worst?.guests.total ?? UNKNOWN}`,
      look: `${age(worst?.last_tick?.age_seconds)} ago`,
    };
    for (const [fact, text] of Object.entries(facts)) this._set(`[data-fact="${fact}"]`, text);
    this._worst = worst;
  }

  // What was true when it came ages until the next look comes.
  look(seconds) {
    if (this._worst?.last_tick) this._set('[data-fact="look"]', `${age(seconds)} ago`);
  }

  _mode(status) {
    const mode = document.querySelector("#mode");
    if (mode.textContent === status.mode) return;
    mode.textContent = status.mode;
    mode.className = `chip ${status.mode}`;
  }

  _notices(status) {
    const paused = status.paused;
    const until = paused?.until ? `until ${clock(paused.until)}` : "until resumed";
    const why = paused?.why ? `: ${paused.why}` : "";
    this._notice("#paused", paused && `Nothing is written: everybody is held ${until}, by ${paused.who}${why}.`);
    const dumb = status.hypervisors.flatMap((each) => each.unanswered);
    const settings = !status.settings.succeeded && `Settings could not be read, those before are in force: ${status.settings.error}`;
    const silent = dumb.length > 0 && `No answer from ${dumb.join(", ")}: their guests stay as they are`;
    this._notice("#trouble", [settings, silent].filter(Boolean).join("; "));
  }

  _notice(where, text) {
    this._set(where, text ? printable(text) : "");
    this._root.querySelector(where).hidden = !text;
  }

  _parts(host) {
    let start = 0;
    for (const part of PARTS) {
      const bytes = host[`${part}_bytes`];
      const width = (100 * (bytes ?? 0)) / Math.max(1, host.total_bytes);
      const rect = this._svg.querySelector(`.${part}`);
      rect.setAttribute("x", `${start.toFixed(2)}%`);
      rect.setAttribute("width", `${width.toFixed(2)}%`);
      this._set(`.legend .${part} dd`, size(bytes));
      start += width;
    }
    const said = [...this._root.querySelectorAll(".legend div")].map((each) =>
      `${each.querySelector("dt").textContent} ${each.querySelector("dd").textContent}`);
    said.forEach((words, index) => { this._svg.children[index].firstElementChild.textContent = words; });
    this._svg.setAttribute("aria-label", `The host's memory: ${said.join(", ")}`);
  }

  _set(where, text) {
    if (this._was.get(where) === text) return;
    this._was.set(where, text);
    this._root.querySelector(where).textContent = text;
  }
}
