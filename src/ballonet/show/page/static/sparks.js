// Each guest's size over the last while, as a line a row: from the service's history, then from what comes.

const POINTS = 60;  // so that the service has a step of that length
const SECONDS = 900;
const HEIGHT = 24;

export class Sparks {
  constructor() {
    this._step = SECONDS / POINTS;
    this._lines = new Map();  // by UUID: sizes, oldest first
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
      for (const each of found.guests) this._lines.set(each.uuid, each.actual_bytes.slice(-POINTS));
    } catch { /* the stream says by itself that nobody answers */ }
  }

  // Take a tick; true where a new point begins, so that all lines move on.
  take(overview) {
    const now = Date.parse(overview.at) / 1000;
    const turns = this._turned == null || now - this._turned >= this._step;
    if (turns) this._turned = now;
    for (const guest of overview.guests) {
      let line = this._lines.get(guest.uuid);
      if (!line) this._lines.set(guest.uuid, (line = []));
      if (turns || !line.length) line.push(guest.actual_bytes);
      else line[line.length - 1] = guest.actual_bytes;
      if (line.length > POINTS) line.shift();
    }
  }

  forget(uuid) {
    this._lines.delete(uuid);
  }

  // The path of a line on the scale of the guest's maximum; a gap where nothing is known.
  path(uuid, maximum) {
    const line = this._lines.get(uuid) ?? [];
    if (!maximum || line.length < 2) return "";
    let path = "", gap = true;
    const first = POINTS - line.length;
    for (let index = 0; index < line.length; index += 1) {
      const value = line[index];
      if (value != null) path += `${gap ? "M" : "L"}${first + index} ${(HEIGHT - 1 - ((HEIGHT - 2) * value) / maximum).toFixed(1)}`;
      gap = value == null;
    }
    return path;
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
