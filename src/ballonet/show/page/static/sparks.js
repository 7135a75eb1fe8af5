// Each guest's size over the last while, as a line a row: from the service's history, then from what comes.

const POINTS = 60;  // so that the service has a step of that length
const SECONDS = 900;
const HEIGHT = 24;

// One guest's sizes, oldest first, and the path of all but the last: that alone moves at most ticks.
class Line {
  constructor(sizes) {
    this._sizes = sizes;
    this._done = null;
  }

  take(size, turns) {
    const sizes = this._sizes;
    if (turns || !sizes.length) {
      sizes.push(size);
      this._done = null;
    } else {
      sizes[sizes.length - 1] = size;
    }
    if (sizes.length > POINTS) sizes.shift();
  }

  path(maximum) {
    const last = this._sizes.length - 1;
    if (!maximum || last < 1) return "";
    if (this._done == null || this._maximum !== maximum) {
      this._maximum = maximum;
      this._done = "";
      for (let index = 0; index < last; index += 1) this._done += this._to(index);
    }
    return this._done + this._to(last);
  }

  // The step to one size, from the one before; a gap where nothing is known.
  _to(index) {
    const size = this._sizes[index];
    if (size == null) return "";
    const height = HEIGHT - 1 - ((HEIGHT - 2) * size) / this._maximum;
    return `${this._sizes[index - 1] == null ? "M" : "L"}${POINTS - this._sizes.length + index} ${height.toFixed(1)}`;
  }
}

export class Sparks {
  constructor() {
    this._step = SECONDS / POINTS;
    this._lines = new Map();  // by UUID
    this._turned = null;  // when the last point began, in seconds of the service's clock
  }

  // Take what was before a moment of the service's clock; a service without history has none.
  async load(at) {
    const since = new Date(Date.parse(at) - SECONDS * 1000).toISOString();
    try {
      const answer = await fetch(`/v1/sparklines?since=${encodeURIComponent(since)}&points=${POINTS}`);
      if (!answer.ok) return;
      const found = await answer.json();
      if (found.step_seconds > 0) this._step = Math.max(found.step_seconds, 1);
      for (const each of found.guests) this._lines.set(each.uuid, new Line(each.actual_bytes.slice(-POINTS)));
    } catch { /* the stream says by itself that nobody answers */ }
  }

  // Take a tick: the last point moves, until its time is over and the next begins.
  take(overview) {
    const now = Date.parse(overview.at) / 1000;
    const turns = this._turned == null || now - this._turned >= this._step;
    if (turns) this._turned = now;
    for (const guest of overview.guests) {
      let line = this._lines.get(guest.uuid);
      if (!line) this._lines.set(guest.uuid, (line = new Line([])));
      line.take(guest.actual_bytes, turns);
    }
  }

  forget(uuid) {
    this._lines.delete(uuid);
  }

  // The path of a line on the scale of the guest's maximum.
  path(uuid, maximum) {
    return this._lines.get(uuid)?.path(maximum) ?? "";
  }

  static draw(cell) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", `0 0 ${POINTS - 1} ${HEIGHT}`);
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(svg.namespaceURI, "path");
    svg.append(path);
    cell.append(svg);
    return path;
  }
}
