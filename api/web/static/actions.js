// Buttons that say in their attributes what they ask, call and tell.

import { change, post } from "./api.js";
import { ask, complain, toast } from "./dialogs.js";
import { refresh } from "./refresh.js";
import { count } from "./words.js";

/** @param {number} number */
export const jobs = (number) => `${count(number)} ${number === 1 ? "job" : "jobs"}`;

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button[data-act]") : null;
  if (button instanceof HTMLButtonElement) void act(button);
});

/** @param {HTMLButtonElement} button */
async function act(button) {
  const { act: what, url = "", title, text = "", yes = "Yes", body, asks, then } = button.dataset;
  const danger = button.classList.contains("danger");
  const reason = title ? await ask({ title, text, yes, danger, reason: asks === "reason" }) : "";
  if (reason === null) return;
  button.disabled = true;
  try {
    const said = await post(url, asks === "reason" ? { reason: reason || null } : body ? JSON.parse(body) : undefined);
    tell(button, what ?? "", said);
    if (then) location.assign(then);
    else await refresh(true);
  } catch (error) {
    complain(error);
  } finally {
    button.disabled = false;
  }
}

/**
 * @param {HTMLButtonElement} button
 * @param {string} what
 * @param {unknown} said
 */
function tell({ dataset: { done = "Done", undo } }, what, said) {
  const changed = /** @type {Partial<import("./api.js").JobsChanged> | null} */ (said);
  if (what === "discard" && changed?.ids) return discarded(changed.changed ?? 0, [...changed.ids]);
  const text = changed?.changed === undefined ? done : `${done}: ${jobs(changed.changed)}`;
  toast(text, undo ? { label: "Undo", act: () => void post(undo).then(() => refresh(true), complain) } : null);
}

/**
 * Tell that jobs were discarded, and how to take it back.
 * @param {number} number
 * @param {string[]} ids of them, 1000 at most
 */
export function discarded(number, ids) {
  const undo = () =>
    void change("restore", { ids }).then((back) => {
      toast(`Restored: ${jobs(back.changed)}`);
      return refresh(true);
    }, complain);
  const label = number > ids.length ? `Undo for ${count(ids.length)}` : "Undo";
  toast(`Discarded: ${jobs(number)}`, number ? { label, act: undo } : null);
}
