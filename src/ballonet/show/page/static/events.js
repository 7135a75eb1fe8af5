// What happened, newest first, and what comes next; lists of words that are made of text alone.

import { aim, href } from "./guests.js";
import { clock, printable, size } from "./words.js";

const MOST = 200;

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function item(parts) {
  const made = document.createElement("li");
  parts.filter(Boolean).forEach((part) => made.append(part, " "));
  return made;
}

// Times on the reader's clock, wherever the service wrote them.
export function localise(root) {
  for (const time of root.querySelectorAll("time")) {
    time.title = time.dateTime;
    time.textContent = clock(time.dateTime);
  }
}

export class Happened {
  constructor(root, acts) {
    this._list = root.querySelector(".events");
    this._nothing = root.querySelector("#nothing");
    this._text = root.querySelector("#events-text");
    this._kind = root.querySelector("#events-kind");
    this._acts = new Set(acts.split(" "));
    localise(this._list);
    for (const field of [this._text, this._kind]) field.addEventListener("input", () => this._filter());
  }

  take(event) {
    if (this._list.querySelector(`[data-id="${event.id}"]`)) return;
    const [, step, reason] = /^(.*?) {2}(.*)$/s.exec(event.sentence) ?? [null, "", event.sentence];
    const made = item([
      element("time", clock(event.at), { datetime: event.at, title: event.at }),
      event.uuid ? element("a", printable(event.name ?? event.uuid), { href: href(event.uuid) }) : element("i", "host"),
      !event.written && this._acts.has(event.kind) && element("em", "would"),
      element("b", printable(step)),
      element("span", printable(reason)),
    ]);
    made.dataset.id = event.id;
    made.dataset.kind = event.kind;
    this._list.prepend(made);
    made.hidden = !this._fits(made);
    if (!made.hidden) this._nothing.hidden = true;
    while (this._list.children.length > MOST) this._list.lastElementChild.remove();
  }

  _fits(each) {
    const words = this._text.value.trim().toLowerCase(), kind = this._kind.value;
    return (!kind || each.dataset.kind === kind) && each.textContent.toLowerCase().includes(words);
  }

  _filter() {
    for (const each of this._list.children) each.hidden = !this._fits(each);
    this._nothing.hidden = this._list.querySelector("li:not([hidden])") != null;
    this._nothing.textContent = this._list.children.length ? "Nothing that fits." : "Nothing happened yet.";
  }
}

export class Next {
  constructor(root) {
    this._list = root.querySelector(".steps");
    this._said = root.querySelector("#next-said");
    this._was = null;
  }

  draw(overview) {
    const steps = overview.guests.filter((guest) => aim(guest) != null);
    const is = JSON.stringify(steps.map((guest) => [guest.uuid, guest.actual_bytes, aim(guest), guest.sentence]));
    const { paused, mode } = overview.status;
    this._said.textContent = !steps.length ? "Every guest stays as it is."
      : paused ? "Paused: this is not carried out."
      : mode === "observe" ? "Observed only: this is not carried out."
      : "Decided at the last look, and under way.";
    if (is === this._was) return;
    this._was = is;
    this._list.replaceChildren(...steps.map((guest) => item([
      element("a", printable(guest.name), { href: href(guest.uuid) }),
      element("b", `${size(guest.actual_bytes)} → ${size(aim(guest))}`),
      element("span", printable(guest.sentence)),
    ])));
  }
}
