// What can be done without a mouse.

const FIELDS = "input, select, textarea, [contenteditable]";

let isGoing = 0;
let current = "";

const rows = () => [...document.querySelectorAll("main tbody tr")].filter((row) => row instanceof HTMLElement);

/** @param {string} id */
const open = (id) => {
  const dialog = document.getElementById(id);
  if (dialog instanceof HTMLDialogElement) dialog.showModal();
};

/** Light is followed by dark, and dark by light, kept for all pages. */
function switchTheme() {
  const root = document.documentElement;
  const now = root.dataset["theme"] ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  root.dataset["theme"] = now === "dark" ? "light" : "dark";
  document.cookie = `quiver_theme=${root.dataset["theme"]}; path=/admin; max-age=31536000; samesite=strict`;
}

/** @param {number} by */
function move(by) {
  const all = rows();
  const at = all.findIndex((row) => row.dataset["key"] === current);
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)];
  if (!next) return;
  current = next.dataset["key"] ?? "";
  mark();
  next.scrollIntoView({ block: "nearest" });
}

function mark() {
  for (const row of rows()) row.classList.toggle("here", row.dataset["key"] === current && current !== "");
}

const here = () => rows().find((row) => row.dataset["key"] === current);

/** @type {Record<string, () => void>} */
const DOES = {
  "?": () => open("help"),
  "/": () => document.getElementById("search")?.focus(),
  t: switchTheme,
  g: () => void (isGoing = Date.now()),
  n: () => move(1),
  b: () => move(-1),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  x: () => /** @type {HTMLElement | null | undefined} */ (here()?.querySelector("td.check input"))?.click(),
};

/** @param {KeyboardEvent} event */
function press(event) {
  const target = /** @type {Element} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest(`${FIELDS}, dialog, svg, pre`)) return;
  const page = Date.now() - isGoing < 1500 ? document.querySelector(`.side a[data-key="${CSS.escape(event.key)}"]`) : null;
  isGoing = 0;
  const link = event.key === "Enter" && target === document.body ? here()?.querySelector("a") : null;
  if (page instanceof HTMLElement) page.click();
  else if (link) link.click();
  else if (DOES[event.key]) DOES[event.key]?.();
  else return;
  event.preventDefault();
}

/** Listen to the keys and to the buttons that do the same. */
export function start() {
  document.addEventListener("keydown", press);
  document.addEventListener("refreshed", mark);
  document.getElementById("theme")?.addEventListener("click", switchTheme);
  document.getElementById("keys")?.addEventListener("click", () => open("help"));
}
