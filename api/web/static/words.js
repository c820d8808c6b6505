// Numbers and times as the server writes them.

/** @param {number | null | undefined} value */
export function count(value) {
  if (value === null || value === undefined) return "–";
  if (value < 10 && !Number.isInteger(value)) return value.toFixed(1);
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/**
 * @param {number | null | undefined} value counted up to a bound: what lies above is that and more
 * @param {number} most
 */
export const upTo = (value, most) => ((value ?? 0) > most ? `${count(most)}+` : count(value));

/** @type {[number, string, number, string][]} */
const UNITS = [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]];

/** @param {number} seconds */
export function span(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  for (const [size, unit, smaller, name] of UNITS) {
    if (whole < size) continue;
    const rest = Math.floor((whole % size) / smaller);
    return rest ? `${Math.floor(whole / size)} ${unit} ${rest} ${name}` : `${Math.floor(whole / size)} ${unit}`;
  }
  return `${whole} s`;
}

/** @param {number | null | undefined} value */
export function milliseconds(value) {
  if (value === null || value === undefined) return "–";
  if (value > 0 && value < 10) return `${value.toFixed(1)} ms`;
  return value < 1000 ? `${Math.round(value)} ms` : span(value / 1000);
}

/** @param {number} at milliseconds since the epoch */
export function since(at) {
  const seconds = (Date.now() - at) / 1000;
  const size = Math.abs(seconds);
  if (size < 1) return "now";
  const said = size >= 60 ? span(Math.floor(size / 60) * 60) : `${Math.round(size)} s`;
  return seconds > 0 ? `${said} ago` : `in ${said}`;
}

/** Have every time on the page say how long ago it is, and where the mouse rests, the time here. */
export function tick() {
  for (const each of document.querySelectorAll("time")) {
    const at = Date.parse(each.dateTime);
    const said = since(at);
    if (each.textContent !== said) each.textContent = said;
    if (!each.dataset["here"]) each.title = each.dataset["here"] = new Date(at).toLocaleString();
  }
}
