// The table of guests: rows are kept and only what changed is set; filter, order and keys.

import { RangeBar } from "./bars.js";
import { Sparks } from "./sparks.js";
import { age, printable, size } from "./words.js";

const WAITED_FOR = new Set(["booting", "no data"]);
// Who needs a look comes first when ordered by state.
const RANK = ["swapping", "stuck", "no data", "growing", "shrinking", "at floor", "paused", "booting", "steady", "ignored"];
const names = new Intl.Collator("en", { numeric: true }).compare;
const ORDERS = {
  name: (guest) => guest.name,
  state: (guest) => RANK.indexOf(guest.state),
  actual: (guest) => guest.actual_bytes ?? -1,
  usable: (guest) => guest.usable_bytes ?? -1,
  age: (guest) => guest.stats_age_seconds ?? Infinity,
};

export function usable(guest) {
  const waits = guest.usable_bytes == null && guest.stats_age_seconds == null && WAITED_FOR.has(guest.state);
  return waits ? "waiting" : size(guest.usable_bytes);
}

// The size that a guest is on its way to; null: it stays as it is.
export function aim(guest) {
  const onItsWay = guest.state === "growing" || guest.state === "shrinking";
  return guest.target_bytes ?? (onItsWay ? guest.told_bytes : null);
}

export function inWords(guest) {
  const target = aim(guest) == null ? "stays" : `next ${size(aim(guest))}`;
  return `floor ${size(guest.floor_bytes)}, needs ${size(guest.need_bytes)}, has ${size(guest.actual_bytes)}, ` +
    `${target}, ceiling ${size(guest.ceiling_bytes)}`;
}

export const href = (uuid) => `/guest/${encodeURIComponent(uuid)}`;

class Row {
  constructor(element) {
    const cell = (name) => element.querySelector(`.${name}`);
    this.element = element;
    this.link = cell("who").querySelector("a");
    this._bar = new RangeBar(cell("range"));
    this._texts = {
      name: this.link, state: cell("state"), why: cell("why"), usable: cell("usable"), age: cell("age"),
      actual: cell("actual").querySelector("span"), maximum: cell("actual").querySelector("small"),
    };
    this._path = Sparks.draw(cell("past"));
    this._was = {};
  }

  draw(guest, sparks) {
    this.guest = guest;
    this.words = `${guest.name} ${guest.state}`.toLowerCase();
    this._set("name", printable(guest.name));
    if (this._set("state", guest.state)) this.element.dataset.state = guest.state;
    this._set("why", printable(guest.sentence));
    this._set("usable", usable(guest));
    this._set("age", age(guest.stats_age_seconds));
    this._set("maximum", `of ${size(guest.maximum_bytes)}`);
    const before = this._was.actual;
    if (this._set("actual", size(guest.actual_bytes)) && before != null) flash(this._texts.actual);
    this._bar.draw(guest, aim(guest), inWords(guest));
    const path = sparks.path(guest.uuid, guest.maximum_bytes);
    if (this._was.path !== path) this._path.setAttribute("d", (this._was.path = path));
  }

  _set(key, text) {
    if (this._was[key] === text) return false;
    this._was[key] = text;
    this._texts[key].textContent = text;
    return true;
  }
}

function flash(element) {
  element.classList.remove("changed");
  requestAnimationFrame(() => element.classList.add("changed"));
}

export class Guests {
  // `open(uuid)` shows why a guest has its size.
  constructor(root, open) {
    this._root = root;
    this._body = root.querySelector("tbody");
    this._template = root.querySelector("template");
    this._nobody = root.querySelector("#nobody");
    this._count = root.querySelector("#count");
    this._filter = root.querySelector("#filter");
    this._rows = new Map();
    this._order = { by: "name", down: false };
    this._sparks = new Sparks();
    for (const element of this._body.children) this._rows.set(element.dataset.uuid, new Row(element));
    this._filter.addEventListener("input", () => this._arrange());
    this._heads();
    this._keys(open);
  }

  load(at) {
    return this._sparks.load(at);
  }

  draw(overview) {
    this._sparks.take(overview);
    const gone = new Set(this._rows.keys());
    for (const guest of overview.guests) {
      gone.delete(guest.uuid);
      let row = this._rows.get(guest.uuid);
      if (!row) this._rows.set(guest.uuid, (row = this._new(guest.uuid)));
      row.draw(guest, this._sparks);
    }
    for (const uuid of gone) {
      this._rows.get(uuid).element.remove();
      this._rows.delete(uuid);
      this._sparks.forget(uuid);
    }
    this._arrange();
  }

  row(uuid) {
    return this._rows.get(uuid);
  }

  focusFilter() {
    this._filter.focus();
    this._filter.select();
  }

  _new(uuid) {
    const element = this._template.content.querySelector("tr").cloneNode(true);
    element.dataset.uuid = uuid;
    element.querySelector("a").setAttribute("href", href(uuid));
    return new Row(element);
  }

  // Put rows in order, moving only those that stand elsewhere, and hide those that do not fit the filter.
  _arrange() {
    const key = ORDERS[this._order.by], sign = this._order.down ? -1 : 1;
    const rows = [...this._rows.values()].filter((row) => row.guest);
    rows.sort((one, other) => {
      const [a, b] = [key(one.guest), key(other.guest)];
      const apart = typeof a === "string" ? names(a, b) : a - b;
      return sign * apart || names(one.guest.name, other.guest.name);
    });
    const words = this._filter.value.trim().toLowerCase();
    let shown = 0, at = this._body.firstElementChild;
    for (const row of rows) {
      if (row.element === at) at = at.nextElementSibling;
      else this._body.insertBefore(row.element, at);
      const fits = row.words.includes(words);
      if (row.element.hidden === fits) row.element.hidden = !fits;
      shown += fits;
    }
    this._count.textContent = shown === rows.length ? String(shown) : `${shown} of ${rows.length}`;
    this._nobody.hidden = shown > 0;
    this._nobody.textContent = rows.length ? "No guest fits the filter." : "No guest runs.";
  }

  _heads() {
    for (const head of this._root.querySelectorAll("th[data-sort]")) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const by = head.dataset.sort;
        const first = by === "actual" || by === "usable" || by === "age";  // the largest first
        this._order = { by, down: this._order.by === by ? !this._order.down : first };
        this._mark();
        this._arrange();
      });
    }
    this._mark();
  }

  _mark() {
    for (const head of this._root.querySelectorAll("th[data-sort]")) {
      if (head.dataset.sort !== this._order.by) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", this._order.down ? "descending" : "ascending");
    }
  }

  _keys(open) {
    this._body.addEventListener("click", (event) => {
      const row = event.target.closest("tr");
      if (!row || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      open(row.dataset.uuid);
    });
    this._root.addEventListener("keydown", (event) => {
      const steps = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape" && event.target === this._filter) {
        this._filter.value = "";
        this._arrange();
        this._filter.blur();
      } else if (steps && (event.target === this._filter || this._body.contains(event.target))) {
        event.preventDefault();
        this._step(event.target.closest("tbody tr"), steps);
      } else if (event.key === "Enter" && event.target === this._filter) {
        this._step(null, 1);
      }
    });
  }

  _step(from, steps) {
    const shown = [...this._body.children].filter((row) => !row.hidden);
    const at = from ? shown.indexOf(from) + steps : 0;
    if (at < 0) this.focusFilter();
    else shown[Math.min(at, shown.length - 1)]?.querySelector("a").focus();
  }
}
