// Calls of the API, with the cookie and the header by which it knows our own page.

/** @typedef {import("../types.generated").components["schemas"]} Schemas */
/** @typedef {Schemas["Overview"]} Overview */
/** @typedef {Schemas["History"]} History */
/** @typedef {Schemas["Bucket"]} Bucket */
/** @typedef {Schemas["JobGroup"]} JobGroup */
/** @typedef {Schemas["JobChoice"]} JobChoice */
/** @typedef {Schemas["JobsChanged"]} JobsChanged */
/** @typedef {import("../types.generated").paths} Paths */

/**
 * What the API answers to a GET of this path, without its wrapper.
 * @template {keyof Paths} P
 * @typedef {Paths[P] extends {get: {responses: {200: {content: {"application/json": {data: infer D}}}}}} ? D : never} Answer
 */
/** The paths that take a POST. @typedef {{[P in keyof Paths]: Paths[P] extends {post: object} ? P : never}[keyof Paths]} Posted */

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<unknown>} the answer's data
 * @throws {Error} its sentences
 */
async function call(method, path, body) {
  /** @type {Record<string, string>} */
  const headers = { "X-Quiver-Page": "1" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
  if (answer.status === 401) location.reload();
  const said = /** @type {{data: unknown, errors: string[]}} */ (await answer.json());
  if (!answer.ok) throw new Error(said.errors.join(" "));
  return said.data;
}

/**
 * @template {keyof Paths} P
 * @param {P} path
 * @param {Record<string, string>} [query]
 * @returns {Promise<Answer<P>>}
 */
export async function get(path, query = {}) {
  const asked = new URLSearchParams(query).toString();
  return /** @type {Answer<P>} */ (await call("GET", asked ? `${path}?${asked}` : path));
}

/**
 * @param {string} path with its ids in place
 * @param {unknown} [body]
 */
export const post = (path, body) => call("POST", path, body);

/**
 * Do something with many jobs.
 * @param {"retry" | "discard" | "restore" | "purge"} what
 * @param {JobChoice} choice
 * @returns {Promise<JobsChanged>}
 */
export async function change(what, choice) {
  /** @type {Posted} */
  const path = `/api/v0/admin/job/${what}`;
  return /** @type {JobsChanged} */ (await call("POST", path, choice));
}
