// A guest's range bar: the same places as `views.py` reckons, set only where they changed.

export class RangeBar {
  constructor(svg) {
    const part = (name) => svg.querySelector(`.${name}`);
    this._title = svg.querySelector("title");
    this._rects = { allowed: part("allowed"), has: part("has"), met: part("met"), lacks: part("lacks") };
    this._marks = { floor: part("floor"), ceiling: part("ceiling"), target: part("target") };
    this._was = {};
  }

  draw(guest, aim, words) {
    const whole = guest.maximum_bytes;
    const place = (bytes) => (bytes == null || !whole ? null : (100 * Math.min(Math.max(bytes, 0), whole)) / whole);
    const { actual_bytes: actual, need_bytes: need } = guest;
    const known = actual != null && need != null;
    const floor = place(guest.floor_bytes), ceiling = place(guest.ceiling_bytes), has = place(actual) ?? 0;
    this._rect("allowed", floor ?? 0, floor == null || ceiling == null ? 0 : Math.max(0, ceiling - floor));
    this._rect("has", 0, has);
    this._rect("met", 0, known ? place(Math.min(need, actual)) ?? 0 : 0);
    this._rect("lacks", has, known ? place(Math.max(0, need - actual)) ?? 0 : 0);
    this._mark("floor", floor);
    this._mark("ceiling", ceiling);
    this._mark("target", place(aim));
    if (this._changes("words", words)) this._title.textContent = words;
  }

  _changes(key, value) {
    if (this._was[key] === value) return false;
    this._was[key] = value;
    return true;
  }

  _rect(name, start, width) {
    if (!this._changes(name, `${start.toFixed(2)} ${width.toFixed(2)}`)) return;
    this._rects[name].setAttribute("x", `${start.toFixed(2)}%`);
    this._rects[name].setAttribute("width", `${width.toFixed(2)}%`);
  }

  _mark(name, at) {
    const place = at == null ? null : `${at.toFixed(2)}%`;
    if (!this._changes(name, place)) return;
    this._marks[name].toggleAttribute("hidden", place == null);
    if (place != null) this._marks[name].setAttribute("x", place);
  }
}
