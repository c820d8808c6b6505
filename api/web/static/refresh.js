// Brings what the server shows now into the page, without losing what somebody is doing in it.

import { tick } from "./words.js";

// What is the visitor's own: which parts are open, what is ticked.
const THEIRS = new Set(["open", "checked"]);

let isUnderWay = false;
let isWanted = false;
let mustBeNow = false;

/**
 * Ask for the page again, and change what differs.
 * @param {boolean} [isNow] whether it must be as it is now, not as it was a second ago
 */
export async function refresh(isNow = false) {
  isWanted = true;
  mustBeNow ||= isNow;
  if (isUnderWay) return;
  isUnderWay = true;
  try {
    while (isWanted) {
      isWanted = false;
      await load();
    }
  } finally {
    isUnderWay = false;
  }
}

async function load() {
  const cache = mustBeNow ? "no-store" : "default";
  mustBeNow = false;
  const answer = await fetch(location.href, { cache, headers: { Accept: "text/html" } }).catch(() => null);
  if (answer?.redirected) location.reload();
  if (!answer?.ok || isReading()) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const other = fresh.querySelector(`[data-live="${part.getAttribute("data-live")}"]`);
    if (other) morph(part, other);
  }
  tick();
  document.dispatchEvent(new Event("refreshed"));
}

/** Whether somebody has marked text to copy it. */
function isReading() {
  const marked = getSelection();
  return marked !== null && !marked.isCollapsed;
}

/**
 * @param {Element} now
 * @param {Element} next
 */
function morph(now, next) {
  if (now.isEqualNode(next)) return;
  for (const { name } of [...now.attributes]) {
    if (!next.hasAttribute(name) && !THEIRS.has(name)) now.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (now.getAttribute(name) !== value && !THEIRS.has(name)) now.setAttribute(name, value);
  }
  const keyed = new Map([...now.children].filter((e) => key(e)).map((e) => [key(e), e]));
  const kept = [...next.childNodes].map((child) => fit(now, child, keyed));
  for (const child of [...now.childNodes]) if (!kept.includes(child)) child.remove();
  kept.forEach((child, index) => {
    if (now.childNodes[index] !== child) now.insertBefore(child, now.childNodes[index] ?? null);
  });
}

/** @param {Element} element */
const key = (element) => element.getAttribute("data-key") ?? element.id;

/**
 * The node that stands for the next one: one of those that are here, changed, or the next itself.
 * @param {Element} parent
 * @param {ChildNode} next
 * @param {Map<string, Element>} keyed
 * @returns {ChildNode}
 */
function fit(parent, next, keyed) {
  if (!(next instanceof Element)) return next;
  const name = key(next);
  const at = [...(next.parentNode?.children ?? [])].indexOf(next);
  const found = name ? keyed.get(name) : parent.children[at];
  if (!found || found.nodeName !== next.nodeName || (!name && key(found))) return next;
  morph(found, next);
  return found;
}
