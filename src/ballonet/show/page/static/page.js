// Brings the page to life: what the service drew stays as it is, and is kept up to date from its stream.

import { act } from "./actions.js";
import { Detail, Drawer } from "./detail.js";
import { help } from "./dialogs.js";
import { Happened, Next, localise } from "./events.js";
import { Guests } from "./guests.js";
import { Host } from "./host.js";
import { Stream } from "./stream.js";
import { age, clock } from "./words.js";

const whole = document.querySelector("#overview");
const article = document.querySelector("main > #guest");
let guests = null, drawer = null, alone = null;

// --- light and dark, help ---

function turn() {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark"
    || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", document.documentElement.dataset.theme);
  (alone ?? drawer?.detail)?.recolour();
}

const theme = document.querySelector("#theme"), helps = document.querySelector("#help");
theme.hidden = helps.hidden = false;
theme.addEventListener("click", turn);
helps.addEventListener("click", help);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
  const does = { "/": () => guests?.focusFilter(), "?": help, d: turn }[event.key];
  if (!does || (event.key === "/" && document.querySelector("dialog[open]"))) return;
  event.preventDefault();
  does();
});

// --- whether it is still so ---

function told(seconds, lost, late) {
  const shown = document.querySelector("#age");
  shown.hidden = false;
  shown.textContent = `as of ${age(seconds)} ago`;
  host?.look(seconds);
  const notice = document.querySelector("#lost");
  notice.hidden = lost == null && !late;
  document.querySelector("main").classList.toggle("stale", !notice.hidden);
  if (notice.hidden) return;
  const since = lost == null ? "" : clock(new Date(lost).toISOString());
  const text = lost == null
    ? `The guests were last looked at ${age(seconds)} ago: what is shown was true then.`
    : `No connection since ${since}: what is shown is old. Trying again…`;
  if (notice.textContent !== text) notice.textContent = text;
}

// A service that was started again may be another version, and has its own events.
function startedAgain(overview) {
  const shown = whole ?? article;
  started ??= shown.dataset.started ? Date.parse(shown.dataset.started) : Date.parse(overview.status.started_at);
  if (Date.parse(overview.status.started_at) === started || document.querySelector("dialog[open]")) return false;
  location.reload();
  return true;
}

// --- the pages ---

let host = null, started = null;

if (whole) {
  for (const acts of whole.querySelectorAll(".acts")) acts.hidden = false;
  drawer = new Drawer();
  host = new Host(whole.querySelector("#host"));
  guests = new Guests(whole.querySelector("#guests"), (uuid) => drawer.open(uuid));
  const happened = new Happened(whole.querySelector("#happened"), whole.dataset.acts);
  const next = new Next(whole.querySelector("#next"));
  whole.querySelector("#host").addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    if (button) act(button.dataset.act, null);
  });
  for (const list of whole.querySelectorAll("#happened, #next")) {
    list.addEventListener("click", (event) => {
      const link = event.target.closest('a[href^="/guest/"]');
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      drawer.open(decodeURIComponent(link.getAttribute("href").slice("/guest/".length)));
    });
  }
  guests.load(whole.dataset.at).finally(() => new Stream(whole.dataset.after, {
    overview(overview) {
      if (startedAgain(overview)) return;
      host.draw(overview.status);
      whole.querySelector('[data-act="resume"]').disabled = !overview.status.paused;
      guests.draw(overview);
      next.draw(overview);
      drawer.detail?.draw(overview);
    },
    happened(event) {
      happened.take(event);
      drawer.detail?.happened(event);
    },
    age: told,
  }));
} else if (article) {
  alone = new Detail(article);
  new Stream("", {
    overview: (overview) => startedAgain(overview) || alone.draw(overview),
    happened: (event) => alone.happened(event),
    age: told,
  });
} else {
  localise(document);
}
