// The event stream: open while the tab is seen, tried again when lost, and honest about its age.

/** @typedef {import("./api.js").Overview} Overview */

/** @type {keyof import("./api.js").Paths} */
const PATH = "/api/v0/admin/live";
const STALE_MS = 7000;

const pill = /** @type {HTMLElement} */ (document.getElementById("live"));
const text = /** @type {HTMLElement} */ (pill.querySelector("span"));

/** @type {((overview: Overview) => void)[]} */
const listeners = [];
/** @type {EventSource | null} */
let source = null;
let heardAt = Date.now();
let trouble = "";
let again = 0;
let wait = 1000;

/** @param {(overview: Overview) => void} listener told of every overview */
export const onOverview = (listener) => void listeners.push(listener);

/** Begin to listen. */
export function start() {
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);
  setInterval(show, 1000);
  open();
}

function open() {
  if (source !== null || document.hidden) return;
  clearTimeout(again);
  heardAt = Date.now();
  const opened = new EventSource(PATH);
  source = opened;
  opened.addEventListener("overview", (event) => hear(JSON.parse(event.data)));
  opened.addEventListener("trouble", (event) => {
    trouble = event.data;
    show();
  });
  opened.addEventListener("end", () => location.reload());
  opened.addEventListener("error", () => lose(opened));
}

function close() {
  source?.close();
  source = null;
  clearTimeout(again);
}

/** @param {EventSource} lost */
function lose(lost) {
  trouble = "Connection lost, trying again";
  show();
  // What a browser itself tries again is left to it; after an answer that is no stream it gives up.
  if (lost.readyState !== EventSource.CLOSED || source !== lost) return;
  close();
  again = setTimeout(reopen, wait);
  wait = Math.min(wait * 2, 15000);
}

async function reopen() {
  const answer = await fetch("/api/v0/admin/queue").catch(() => null);
  if (answer?.status === 401) location.reload();
  open();
}

/** @param {Overview} overview */
function hear(overview) {
  heardAt = Date.now();
  trouble = "";
  wait = 1000;
  show();
  for (const listener of listeners) listener(overview);
}

function show() {
  const age = Date.now() - heardAt;
  const isStale = age > STALE_MS || trouble !== "";
  pill.dataset["state"] = isStale ? "stale" : "live";
  const said = isStale ? trouble || `No news for ${Math.round(age / 1000)} s` : "Live";
  if (text.textContent !== said) text.textContent = said;
}
