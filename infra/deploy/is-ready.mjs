/** Health check of a container: node is-ready.mjs <url> ends with 0 when the URL answers 2xx. The image has no curl. */
const response = await fetch(process.argv[2], { signal: AbortSignal.timeout(4_000) }).catch(
  () => undefined,
);
process.exit(response?.ok === true ? 0 : 1);
