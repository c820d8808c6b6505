// The numbers and charts of the overview.

import { get } from "./api.js";
import { chart, JOBS, LATENCY } from "./chart.js";
import { complain } from "./dialogs.js";
import { count, milliseconds, upTo } from "./words.js";

/** @typedef {import("./api.js").Overview} Overview */

const EVERY_MS = { hour: 10_000, day: 60_000 };

/** @type {"hour" | "day"} */
let span = "hour";
let readAt = 0;
/** @type {import("./api.js").History | null} */
let history = null;

/**
 * Put the numbers where the page has a place for them.
 * @param {Overview} overview
 */
export function show(overview) {
  for (const place of document.querySelectorAll("[data-value]")) {
    if (!(place instanceof HTMLElement)) continue;
    const value = overview[/** @type {keyof Overview} */ (place.dataset["value"])];
    if (value !== null && typeof value !== "number") continue;
    const most = Number(place.dataset["most"] ?? Infinity);
    const said = place.dataset["as"] === "ms" ? milliseconds(value) : upTo(value, most);
    if (place.textContent !== said) place.textContent = said;
    place.toggleAttribute("data-zero", !value);
    if (place.matches(".side .count")) place.hidden = !value;
  }
}

/** Draw the charts, where the page has them, and keep them up to date. */
export function start() {
  const where = document.getElementById("chart-jobs");
  if (!where) return;
  for (const button of document.querySelectorAll("[data-span]")) {
    button.addEventListener("click", () => choose(button.getAttribute("data-span") === "day" ? "day" : "hour"));
  }
  new ResizeObserver(draw).observe(where);
  setInterval(() => void load().catch(() => undefined), 1000);
  load().catch(complain);
}

/** @param {"hour" | "day"} wanted */
function choose(wanted) {
  span = wanted;
  readAt = 0;
  for (const button of document.querySelectorAll("[data-span]")) {
    button.setAttribute("aria-pressed", String(button.getAttribute("data-span") === span));
  }
  load().catch(complain);
}

async function load() {
  if (document.hidden || Date.now() - readAt < EVERY_MS[span]) return;
  readAt = Date.now();
  history = await get("/api/v0/admin/history", { span });
  draw();
}

function draw() {
  if (!history?.buckets.length) return;
  const buckets = [...history.buckets];
  const done = buckets.reduce((sum, bucket) => sum + bucket.done, 0);
  const failed = buckets.reduce((sum, bucket) => sum + bucket.failed, 0);
  const summary = `${count(done)} done, ${count(failed)} failed`;
  for (const [name, kind, label, said] of /** @type {const} */ ([
    ["jobs", JOBS, `Jobs of the last ${span}: ${summary}. Arrow keys read each column.`, summary],
    ["latency", LATENCY, `From arrival to viewers over the last ${span}. Arrow keys read each point.`, ""],
  ])) {
    const place = document.getElementById(`chart-${name}`);
    const output = document.getElementById(`said-${name}`);
    if (place && output && place.clientWidth) chart(place, output, kind, buckets, label, said);
  }
}
