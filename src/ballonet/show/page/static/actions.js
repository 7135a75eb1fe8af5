// What people have done: each asked for in a dialog that says what it means, and told with its outcome.

import { element, say, show } from "./dialogs.js";
import { Refused, clock, parseDuration, parseSize, printable, size } from "./words.js";

const TOKEN = "ballonet-token";

// `whom` has name, uuid, actual and limits of a guest; null: everybody.
const ACTS = {
  pause: (whom) => ({
    title: whom ? `Hold ${whom.name}` : "Pause everything",
    says: whom ? "It stays as large as it is, whatever it needs." : "Nothing is written to any guest until then.",
    fields: ["for", "why"],
    button: whom ? "Hold" : "Pause all",
    path: "/v1/pause",
    body: (form) => ({ ...(whom && { guest: whom.uuid }), for_seconds: parseDuration(form.for.value), why: form.why.value }),
  }),
  resume: (whom) => ({
    title: whom ? `Resume ${whom.name}` : "Resume everything",
    says: whom ? "Its hold ends: it is managed again." : "The pause of everybody ends; guests that are held by name stay so.",
    fields: [],
    button: "Resume",
    path: "/v1/resume",
    body: () => (whom ? { guest: whom.uuid } : {}),
  }),
  release: (whom) => ({
    title: whom ? `Release ${whom.name}` : "Release all guests",
    says: `${whom ? "It gets" : "All guests get"} all memory back that is free, and ${whom ? "is" : "are"} held so until resumed.`,
    fields: ["why"],
    button: whom ? "Release" : "Release all",
    path: "/v1/release",
    body: (form) => ({ ...(whom ? { guest: whom.uuid } : { all: true }), why: form.why.value }),
  }),
  set: (whom) => ({
    title: `Set ${whom.name}`,
    says: `It has ${whom.actual}; ${whom.limits} are its limits. It is resized, and held so.`,
    fields: ["size", "for", "why"],
    button: "Set size",
    path: "/v1/set",
    body: (form) => ({
      guest: whom.uuid, size_bytes: parseSize(form.size.value), for_seconds: parseDuration(form.for.value), why: form.why.value,
    }),
  }),
};

const FIELDS = {
  size: ["Size", { required: true, placeholder: "768M, 1.5GiB" }],
  for: ["For (empty: until resumed)", { value: "1h", placeholder: "10m, 2h30m" }],
  why: ["Why (stands in the events)", { maxlength: "256" }],
  token: ["Token", { type: "password", placeholder: "printed by: ballonet token" }],
};

function field(name) {
  const [label, attributes] = FIELDS[name];
  return element("label", {}, label, element("input", { name, autocomplete: "off", spellcheck: "false", ...attributes }));
}

export function act(name, whom) {
  const what = ACTS[name](whom && { ...whom, name: printable(whom.name) });
  const form = element("form", { method: "dialog" });
  const error = element("p", { class: "error", role: "alert", hidden: true });
  const cancel = element("button", { type: "button" }, "Cancel");
  const confirm = element("button", { class: "main" }, what.button);
  form.append(
    element("h2", {}, what.title), element("p", { class: "muted" }, what.says),
    ...what.fields.map(field), error, element("div", { class: "acts" }, cancel, confirm),
  );
  const dialog = element("dialog", { "aria-label": what.title }, form);
  cancel.addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    confirm.disabled = true;
    error.hidden = true;
    try {
      const done = await ask(what.path, what.body(form.elements), form.elements.token?.value);
      dialog.close();
      say(outcome(done));
    } catch (failure) {
      if (failure.needsToken && !form.elements.token) error.before(field("token"));
      error.replaceChildren(failure.message, element("small", {}, failure.hint ?? ""));
      error.hidden = false;
      (failure.needsToken ? form.elements.token : form.elements[what.fields[0]])?.focus();
    }
    confirm.disabled = false;
  });
  show(dialog);
}

async function ask(path, body, token) {
  if (token) sessionStorage.setItem(TOKEN, token.trim());
  const known = sessionStorage.getItem(TOKEN);
  const headers = { "Content-Type": "application/json", ...(known && { Authorization: `Bearer ${known}` }) };
  let answer;
  try {
    answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  } catch {
    throw new Refused("the service does not answer", "see whether it runs: systemctl status ballonet");
  }
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) return said;
  const failure = new Refused(printable(said.error ?? answer.statusText), printable(said.hint ?? ""));
  if (answer.status === 401) {
    sessionStorage.removeItem(TOKEN);
    failure.needsToken = true;
  }
  throw failure;
}

function outcome(done) {
  if (!done.holds) return held(done);
  if (!done.holds.length) return "Nothing was held.";
  return done.holds.length === 1 ? held(done.holds[0]) : `${done.holds.length} guests: done.`;
}

function held(hold) {
  const whom = printable(hold.name ?? hold.uuid ?? "everybody");
  const at = hold.size_bytes == null ? "" : ` at ${size(hold.size_bytes)}`;
  return `${whom}: held${at} ${hold.until ? `until ${clock(hold.until)}` : "until resumed"}.`;
}
