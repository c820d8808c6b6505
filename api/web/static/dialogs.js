// Questions before something is destroyed, and short notes of what was done.

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @returns {T}
 */
const element = (id) => /** @type {T} */ (document.getElementById(id));

/** @typedef {{title: string, text: string, yes: string, danger?: boolean, reason?: boolean}} Question */

/**
 * @param {Question} question
 * @returns {Promise<string | null>} null: no; else the reason that was given, which may be empty
 */
export function ask({ title, text, yes, danger = false, reason = false }) {
  /** @type {HTMLDialogElement} */
  const dialog = element("confirm");
  const button = /** @type {HTMLButtonElement} */ (dialog.querySelector("button[value=yes]"));
  // No submit button: Enter in the field is a yes.
  const leave = /** @type {HTMLButtonElement} */ (dialog.querySelector("button[type=button]"));
  const field = /** @type {HTMLInputElement} */ (dialog.querySelector("input"));
  element("confirm-title").textContent = title;
  element("confirm-text").textContent = text;
  element("confirm-reason").hidden = !reason;
  button.textContent = yes;
  button.classList.toggle("danger", danger);
  field.value = "";
  leave.onclick = () => dialog.close();
  dialog.returnValue = "";
  dialog.showModal();
  (reason ? field : button).focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes" ? field.value.trim() : null), { once: true });
  });
}

/**
 * @param {string} text
 * @param {{label: string, act: () => void} | null} [more] a button in it
 * @param {boolean} [isWrong]
 */
export function toast(text, more = null, isWrong = false) {
  const made = document.createElement("div");
  made.className = isWrong ? "toast wrong" : "toast";
  made.append(Object.assign(document.createElement("span"), { textContent: text }));
  if (more) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: more.label });
    button.addEventListener("click", () => (made.remove(), more.act()));
    made.append(button);
  }
  element("toasts").append(made);
  setTimeout(() => made.remove(), more || isWrong ? 12000 : 5000);
}

/** @param {unknown} error */
export const complain = (error) => toast(error instanceof Error ? error.message : String(error), null, true);
