// Charts of the history, drawn as SVG: bars that stand on each other, and lines.

import { count, milliseconds } from "./words.js";

/** @typedef {import("./api.js").Bucket} Bucket */

const NAMESPACE = "http://www.w3.org/2000/svg";
const LEFT = 40;
const BOTTOM = 20;
const MINUTES = [5, 10, 15, 30, 60, 120, 180, 240, 360];
const TOP = 8;

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {string} [text]
 */
function draw(name, attributes, text) {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [each, value] of Object.entries(attributes)) made.setAttribute(each, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

/**
 * The next round number above.
 * @param {number} value
 */
function nice(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  const step = [1, 2, 4, 5, 10].find((each) => each * power >= value) ?? 10;
  return step * power;
}

/**
 * The buckets in which a round time of the clock begins, and that time.
 * @param {Bucket[]} buckets
 * @param {number} most
 * @returns {[number, string][]}
 */
function ticks(buckets, most) {
  const minute = (/** @type {Bucket} */ { at }) => Math.floor(Date.parse(at) / 60000) - new Date(at).getTimezoneOffset();
  const [first, last] = [buckets[0], buckets.at(-1)];
  if (!first || !last) return [];
  const apart = MINUTES.find((each) => (minute(last) - minute(first)) / each < most) ?? 720;
  return buckets.flatMap((bucket, index) => {
    const before = buckets[index - 1];
    if (!before || Math.floor(minute(before) / apart) === Math.floor(minute(bucket) / apart)) return [];
    const past = minute(bucket) % apart;
    return [/** @type {[number, string]} */ ([index, new Date(Date.parse(bucket.at) - past * 60000).toISOString()])];
  });
}

/** @param {string} at */
const clock = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/**
 * One chart, which can be drawn again with other buckets.
 * @typedef {object} Kind
 * @property {(bucket: Bucket) => number} top the highest of a bucket
 * @property {(value: number) => string} label what stands at the axis
 * @property {(bucket: Bucket) => string} said what is said of a bucket
 * @property {(buckets: Bucket[], x: (index: number) => number, y: (value: number) => number, width: number) => SVGElement[]} marks
 */

/** @type {Kind} */
export const JOBS = {
  top: (bucket) => bucket.done + bucket.retried + bucket.failed,
  label: count,
  said: (b) => `${clock(b.at)}: ${count(b.done)} done, ${count(b.retried)} retried, ${count(b.failed)} failed`,
  marks: (buckets, x, y, width) =>
    buckets.flatMap((bucket, index) => {
      let below = 0;
      return /** @type {const} */ ([["failed", bucket.failed], ["retrying", bucket.retried], ["done", bucket.done]])
        .filter(([, value]) => value > 0)
        .map(([name, value]) => {
          // What failed is few beside what was done, and must be seen all the same.
          const height = Math.max(y(below) - y(below + value), name === "done" ? 0.5 : 2.5);
          const bar = draw("rect", { class: name, x: x(index) - width / 2, y: y(below) - height, width: Math.max(width - 1.5, 1), height });
          below += value;
          return bar;
        });
    }),
};

/** @type {Kind} */
export const LATENCY = {
  top: (bucket) => bucket.latency_p99_ms ?? 0,
  label: milliseconds,
  said: (b) => `${clock(b.at)}: ${milliseconds(b.latency_p50_ms)}, ${milliseconds(b.latency_p99_ms)}`,
  marks: (buckets, x, y) =>
    /** @type {const} */ (["p50", "p99"]).flatMap((name) =>
      stretches(buckets, (bucket) => bucket[`latency_${name}_ms`]).map((stretch) => {
        const points = stretch.map(([index, value]) => `${x(index)},${y(value)}`);
        const [alone] = stretch;
        if (stretch.length > 1 || !alone) return draw("polyline", { class: name, points: points.join(" ") });
        return draw("circle", { class: name, cx: x(alone[0]), cy: y(alone[1]), r: 2 });
      }),
    ),
};

/**
 * What lies side by side: where nothing is known the line is broken.
 * @param {Bucket[]} buckets
 * @param {(bucket: Bucket) => number | null} value
 */
function stretches(buckets, value) {
  /** @type {[number, number][][]} */
  const found = [];
  let isBroken = true;
  buckets.forEach((bucket, index) => {
    const known = value(bucket);
    if (known !== null && isBroken) found.push([]);
    if (known !== null) found.at(-1)?.push([index, known]);
    isBroken = known === null;
  });
  return found;
}

/**
 * @param {HTMLElement} where
 * @param {HTMLElement} output
 * @param {Kind} kind
 * @param {Bucket[]} buckets
 * @param {string} label for who cannot see it
 * @param {string} summary said while no bucket is asked for
 */
export function chart(where, output, kind, buckets, label, summary) {
  const { clientWidth: width, clientHeight: height } = where;
  const highest = nice(Math.max(...buckets.map(kind.top), 1));
  const each = (width - LEFT) / buckets.length;
  const x = (/** @type {number} */ index) => LEFT + (index + 0.5) * each;
  const y = (/** @type {number} */ value) => TOP + (height - TOP - BOTTOM) * (1 - value / highest);
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", tabindex: 0, "aria-label": label });
  for (const value of [0, highest / 2, highest]) {
    svg.append(draw("line", { class: "grid", x1: LEFT, x2: width, y1: y(value), y2: y(value) }));
    if (value || highest) svg.append(draw("text", { x: LEFT - 7, y: y(value) + 4, "text-anchor": "end" }, kind.label(value)));
  }
  for (const [index, at] of ticks(buckets, Math.floor((width - LEFT) / 64))) {
    svg.append(draw("line", { class: "grid", x1: x(index), x2: x(index), y1: height - BOTTOM, y2: height - BOTTOM + 4 }));
    svg.append(draw("text", { x: x(index), y: height - 2, "text-anchor": "middle" }, clock(at)));
  }
  svg.append(...kind.marks(buckets, x, y, each));
  const cursor = draw("line", { class: "cursor", y1: TOP, y2: height - BOTTOM, visibility: "hidden" });
  svg.append(cursor);
  follow(/** @type {SVGSVGElement} */ (svg), buckets, (index, bucket) => {
    cursor.setAttribute("visibility", bucket ? "visible" : "hidden");
    cursor.setAttribute("x1", String(x(index)));
    cursor.setAttribute("x2", String(x(index)));
    output.textContent = bucket ? kind.said(bucket) : summary;
  });
  output.textContent = summary;
  const hadFocus = where.contains(document.activeElement);
  where.replaceChildren(svg);
  if (hadFocus) /** @type {SVGSVGElement} */ (svg).focus();
}

/**
 * Tell which bucket the mouse or the arrow keys are at.
 * @param {SVGSVGElement} svg
 * @param {Bucket[]} buckets
 * @param {(index: number, bucket: Bucket | undefined) => void} tell
 */
function follow(svg, buckets, tell) {
  let at = buckets.length;
  const go = (/** @type {number} */ index) => {
    at = Math.min(Math.max(index, 0), buckets.length - 1);
    tell(at, buckets[at]);
  };
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    go(Math.floor(((event.clientX - box.left - LEFT) / (box.width - LEFT)) * buckets.length));
  });
  svg.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") go(at - 1);
    if (event.key === "ArrowRight") go(at + 1);
  });
  for (const leave of ["pointerleave", "blur"]) svg.addEventListener(leave, () => tell(0, undefined));
}
