// Dialogs made of text alone; the browser itself keeps the focus in them and closes them at Escape.

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "boolean") made.toggleAttribute(key, value);
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

// Show a dialog until it is closed; it is gone then.
export function show(dialog) {
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.showModal();
  return dialog;
}

let hides;
export function say(text) {
  const toast = document.querySelector("#said");
  toast.textContent = text;
  toast.hidden = false;
  // In front of dialogs, which stand above all that is not one.
  (document.querySelector("dialog[open]:last-of-type") ?? document.body).append(toast);
  clearTimeout(hides);
  hides = setTimeout(() => { toast.hidden = true; document.body.append(toast); }, 6000);
}

const KEYS = [
  ["/", "filter the guests"],
  ["↑ ↓", "from guest to guest"],
  ["Enter", "why a guest has its size"],
  ["Esc", "close, or clear the filter"],
  ["d", "light or dark"],
  ["?", "these keys"],
];

export function help() {
  if (document.querySelector("dialog[open]")) return;
  const keys = element("dl", { class: "keys" });
  for (const [key, does] of KEYS) keys.append(element("dt", {}, element("kbd", {}, key)), element("dd", {}, does));
  const close = element("button", { type: "button" }, "Close");
  const dialog = element("dialog", { "aria-label": "Keys" }, element("h2", {}, "Keys"), keys, element("div", { class: "acts" }, close));
  close.addEventListener("click", () => dialog.close());
  show(dialog);
}
