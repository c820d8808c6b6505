// Every page begins here.

import "./actions.js";
import * as keys from "./keys.js";
import * as live from "./live.js";
import * as overview from "./overview.js";
import { refresh } from "./refresh.js";
import * as selection from "./selection.js";
import { tick } from "./words.js";

const OFTEN_MS = 1000;
const SELDOM_MS = 5000;

let refreshedAt = Date.now();
let standing = "";

/**
 * Read the page again from time to time, and soon when something happened.
 * @param {import("./api.js").Overview} now
 */
function follow(now) {
  overview.show(now);
  const { failed, retrying, deferred, queued, running, workers, paused_at, behind } = now;
  // These change all the time on a busy evening, and matter where they are listed.
  const busy = document.body.dataset["page"] === "jobs" ? [deferred, queued, running] : [];
  const stands = JSON.stringify([failed, retrying, workers, paused_at, behind, busy]);
  if (Date.now() - refreshedAt < (stands === standing ? SELDOM_MS : OFTEN_MS)) return;
  standing = stands;
  refreshedAt = Date.now();
  void refresh();
}

keys.start();
selection.start();
overview.start();
live.onOverview(follow);
live.start();
tick();
setInterval(tick, 1000);
// Until here nobody would hear a press.
document.body.dataset["ready"] = "";
// The place in the list of pages that is open may lie outside of a narrow screen.
document.querySelector(".side [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
