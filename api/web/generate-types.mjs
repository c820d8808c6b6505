// Writes types.generated.ts from the OpenAPI document of the running server.

import { writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const server = process.env.QUIVER_API_URL ?? "http://127.0.0.1:8000";
const address = new URL("/api/openapi.json", server);
const answer = await fetch(address).catch((error) => {
  console.error(`${address} does not answer (${error.cause?.code ?? error.message}): start a server, or set QUIVER_API_URL`);
  process.exit(1);
});
if (!answer.ok) {
  console.error(`${address} answers ${answer.status}`);
  process.exit(1);
}
// The wrapper is the same everywhere: what a call is about is its `data`.
const types = astToString(await openapiTS(await answer.json()));
await writeFile(new URL("types.generated.ts", import.meta.url), `// Made by npm run generate:types: do not edit.\n\n${types}`);
console.log("types.generated.ts");
