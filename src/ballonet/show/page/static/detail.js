// One guest: the service explains it in HTML, which is fetched again while it is looked at.

import { act } from "./actions.js";
import { Charts } from "./charts.js";
import { element, show } from "./dialogs.js";
import { localise } from "./events.js";
import { href } from "./guests.js";

async function fetched(uuid) {
  const answer = await fetch(href(uuid));
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  return found.querySelector("#guest, main section");
}

export class Detail {
  constructor(article) {
    this._article = article;
    this.uuid = article.dataset.uuid;
    localise(article);
    for (const acts of article.querySelectorAll(".acts")) acts.hidden = false;
    article.addEventListener("click", (event) => {
      const button = event.target.closest("[data-act]");
      if (button) act(button.dataset.act, { ...article.dataset });
    });
    this._charts = new Charts(article);
  }

  draw(overview) {
    const guest = overview.guests.find((each) => each.uuid === this.uuid);
    if (guest) this._charts.take(guest, overview.at);
    this._refresh();
  }

  happened(event) {
    this._charts.mark(event);
  }

  recolour() {
    this._charts.recolour();
  }

  end() {
    this._ended = true;
    this._charts.end();
  }

  async _refresh() {
    if (this._fetching) return;
    this._fetching = true;
    try {
      const now = await fetched(this.uuid);
      if (!this._ended && now?.id === "guest") this._replace(now);
    } catch { /* the stream says by itself that nobody answers */ }
    this._fetching = false;
  }

  _replace(now) {
    localise(now);
    Object.assign(this._article.dataset, now.dataset);
    for (const part of now.querySelectorAll("[data-part]")) {
      const old = this._article.querySelector(`[data-part="${part.dataset.part}"]`);
      if (old.innerHTML !== part.innerHTML) old.replaceWith(part);
    }
    this._article.querySelector("h1").replaceChildren(...now.querySelector("h1").childNodes);
    const resume = (root) => root.querySelector('[data-act="resume"]');
    resume(this._article).disabled = resume(now).disabled;
  }
}

// Beside the table, in a drawer; its address is that of the guest's own page.
export class Drawer {
  constructor() {
    this.detail = null;
    addEventListener("popstate", () => {
      if (history.state?.guest) this._show(history.state.guest);
      else this._dialog?.close();
    });
  }

  open(uuid) {
    history.pushState({ guest: uuid }, "", href(uuid));
    return this._show(uuid);
  }

  async _show(uuid) {
    const close = element("button", { type: "button", class: "close quiet", "aria-label": "Close", title: "Close (Esc)" }, "✕");
    const dialog = element("dialog", { class: "drawer", "aria-label": "Why it has its size" }, close);
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      this.detail?.end();
      this.detail = this._dialog = null;
      if (history.state?.guest) history.back();
    });
    this._dialog = show(dialog);
    const article = await fetched(uuid);
    if (!dialog.open || !article) return;
    dialog.append(article);
    if (article.id === "guest") this.detail = new Detail(article);
  }
}
