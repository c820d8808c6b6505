// Ticking jobs in a list, and doing something with all that are ticked or all of the filter.

import { discarded, jobs } from "./actions.js";
import { change, get } from "./api.js";
import { ask, complain, toast } from "./dialogs.js";
import { refresh } from "./refresh.js";

/** @typedef {"retry" | "discard" | "restore" | "purge"} What */
/** @typedef {NonNullable<import("./api.js").JobChoice["filter"]>} Filter */

/** @type {Record<What, {title: string, text: string, yes: string, done: string, danger: boolean}>} */
const QUESTIONS = {
  retry: { title: "Retry", text: "Each is tried again, once, whoever else asks for it.", yes: "Retry", done: "To be tried again", danger: false },
  discard: { title: "Discard", text: "They are not tried again. They can be restored until they are deleted for good, after 30 days.", yes: "Discard", done: "Discarded", danger: true },
  restore: { title: "Restore", text: "They count as failed again.", yes: "Restore", done: "Restored", danger: false },
  purge: { title: "Delete for good", text: "They cannot be restored.", yes: "Delete", done: "Deleted", danger: true },
};

const list = () => /** @type {HTMLElement | null} */ (document.querySelector("[data-live=jobs]"));
const boxes = () => [...document.querySelectorAll("td.check input")].filter((box) => box instanceof HTMLInputElement);
const ticked = () => boxes().filter((box) => box.checked);

let isWholeFilter = false;

/** Watch the list, where there is one. */
export function start() {
  if (!document.getElementById("bulk") && !list()) return;
  document.addEventListener("refreshed", show);
  document.addEventListener("change", (event) => {
    if (!(event.target instanceof HTMLInputElement) || event.target.type !== "checkbox") return;
    isWholeFilter = false;
    if (event.target.id === "all") for (const box of boxes()) box.checked = event.target.checked;
    show();
  });
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("#bulk button") : null;
    if (!(button instanceof HTMLButtonElement)) return;
    const what = /** @type {What | undefined} */ (button.dataset["bulk"]);
    if (what) void act(what);
    else isWholeFilter = true;
    show();
  });
}

/** Say in the bar how many are ticked. */
function show() {
  const bar = document.getElementById("bulk");
  const said = document.getElementById("selected");
  const all = /** @type {HTMLInputElement | null} */ (document.getElementById("all"));
  const whole = document.getElementById("of-filter");
  if (!bar || !said || !all || !whole) return;
  const number = ticked().length;
  bar.classList.toggle("some", number > 0);
  all.checked = number > 0 && number === boxes().length;
  all.indeterminate = number > 0 && !all.checked;
  for (const buttons of bar.querySelectorAll(".buttons")) if (buttons instanceof HTMLElement) buttons.hidden = !number;
  whole.hidden = isWholeFilter || !document.querySelector("a[rel=next]");
  said.textContent = isWholeFilter ? "All of this filter selected" : number ? `${jobs(number)} selected` : "Select jobs to act on";
}

/** @returns {Filter} */
const filter = () => JSON.parse(list()?.dataset["filter"] ?? "{}");

/**
 * How many fit the filter, for the question; null: not known.
 * @returns {Promise<number | null>}
 */
async function howMany() {
  const { state, ...narrowed } = filter();
  if (state !== "failed") return null;
  const query = Object.entries(narrowed).flatMap(([name, value]) => (value ? [[name, String(value)]] : []));
  const groups = await get("/api/v0/admin/job_group", Object.fromEntries(query));
  return groups.reduce((sum, group) => sum + group.count, 0);
}

/** @param {What} what */
async function act(what) {
  const ids = ticked().map((box) => box.value);
  const question = QUESTIONS[what];
  try {
    const number = isWholeFilter ? await howMany() : ids.length;
    const title = `${question.title} ${number === null ? "all of this filter" : jobs(number)}?`;
    if ((await ask({ ...question, title })) === null) return;
    const changed = await change(what, isWholeFilter ? { filter: filter() } : { ids });
    if (what === "discard") discarded(changed.changed, [...changed.ids]);
    else toast(`${question.done}: ${jobs(changed.changed)}`);
    isWholeFilter = false;
    for (const box of boxes()) box.checked = false;
    await refresh(true);
    show();
  } catch (error) {
    complain(error);
  }
}
