// Values as people read them, as everywhere in ballonet; and sizes and durations as people write them.

export const UNKNOWN = "–";
const PREFIXES = "KMGTPE";

export function size(bytes) {
  if (bytes == null) return UNKNOWN;
  let value = Math.abs(bytes), unit = "B";
  for (const prefix of PREFIXES) {
    if (Math.round(value) < 1024) break;
    value /= 1024;
    unit = `${prefix}iB`;
  }
  const digits = unit === "B" ? String(Math.round(value)) : threeDigits(value);
  return `${bytes < 0 ? "-" : ""}${digits} ${unit}`;
}

function threeDigits(value) {
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

export function share(ratio) {
  return ratio == null ? UNKNOWN : `${Number((ratio * 100).toPrecision(3))} %`;
}

// Whole seconds, in the largest unit only.
export function age(seconds) {
  if (seconds == null) return UNKNOWN;
  const whole = seconds < 0 && seconds >= -1 ? 0 : Math.round(seconds);
  for (const [large, unit, small] of [[86400, "d", 3600], [3600, "h", 60], [60, "min", 1]]) {
    const rounded = Math.round(whole / small) * small;  // so that 59 min 59 s is 1 h
    if (rounded >= large) return `${Math.floor(rounded / large)} ${unit}`;
  }
  return `${whole} s`;
}

// When something was, on the reader's own clock: today's by the time alone.
export function clock(iso) {
  const at = new Date(iso);
  const time = at.toLocaleTimeString("en-GB");
  if (at.toDateString() === new Date().toDateString()) return time;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

const two = (number) => String(number).padStart(2, "0");

// Text without what could hide or turn round other text.
export function printable(text) {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, "\uFFFD");
}

export class Refused extends Error {
  constructor(message, hint) {
    super(message);
    this.hint = hint;
  }
}

export function parseSize(text) {
  const said = text.trim();
  if (/^[\d.]+$/.test(said)) {
    throw new Refused(`size '${said}' has no unit`, `write ${said}M or so: a bare number means KiB in virsh, bytes in QMP`);
  }
  const found = /^(\d+(?:\.\d+)?|\.\d+) ?(b|([kmgtpe])(i?b)?)$/i.exec(said);
  if (!found) throw new Refused(`'${said}' is not a size`, "sizes look like 1500M, 1.5GiB or 2GB");
  const power = found[3] ? PREFIXES.indexOf(found[3].toUpperCase()) + 1 : 0;
  const thousands = found[4] && found[4].toLowerCase() === "b";
  return Math.round(Number(found[1]) * (thousands ? 1000 : 1024) ** power);
}

// Seconds; null for nothing: until it is ended by hand.
export function parseDuration(text) {
  const said = text.trim();
  if (!said) return null;
  const scales = { s: 1, sec: 1, m: 60, min: 60, h: 3600, d: 86400 };
  let seconds = 0;
  const rest = said.replace(/(\d+(?:\.\d+)?) ?(sec|s|min|m|h|d) ?/gi, (_, number, unit) => {
    seconds += Number(number) * scales[unit.toLowerCase()];
    return "";
  });
  if (rest || !seconds) throw new Refused(`'${said}' is not a duration`, "durations look like 30s, 10m or 2h30m");
  return seconds;
}
