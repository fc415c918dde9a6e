// Extracts pages with fetch.
//
//     node extract.mjs ENDPOINT KEY QUERIES RATE OUT
//
// Reads queries (one JSON object a line, as the service spells them), sends them one by one, RATE a
// second at most, and writes a line of JSON for each: the item, or why there is none.

import { createWriteStream, readFileSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ExtractionApi, Query, ServiceError } from 'silkline';

// How often a request that was refused for being too fast is sent again.
const MAX_TRIES = 10;
// Longer than the service works on a query.
const TIMEOUT = 605_000;

/** Sends a query and reads the answer, whatever its status. */
async function send(api, query) {
  const request = api.request([query]);
  const response = await fetch(request.url, { ...request, signal: AbortSignal.timeout(TIMEOUT) });
  const body = new Uint8Array(await response.arrayBuffer());
  return api.results([query], { status: response.status, headers: response.headers, body });
}

/** Sends a query until the service takes it. */
async function extract(api, query) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await send(api, query);
    } catch (error) {
      const throttled = error instanceof ServiceError && error.retry === 'throttling';
      if (!throttled || attempt === MAX_TRIES) throw error;
      await sleep(error.retryAfter ?? 1000);
    }
  }
}

/** What the output says of a result. */
function lineOf(query, result) {
  const line = { url: query.url, pageType: query.pageType };
  if (result.item !== null) line.item = result.item;
  if (result.webPage !== null) line.webPage = result.webPage;
  if (result.error !== null) {
    const { code, text, billed } = result.error;
    line.error = { code, text, billed };
  }
  return line;
}

const [endpoint, apiKey, queries, rate, out] = process.argv.slice(2);
if (out === undefined) {
  console.error('usage: extract.mjs ENDPOINT KEY QUERIES RATE OUT');
  process.exit(2);
}
const api = new ExtractionApi({ apiKey, endpoint });
const pause = 1000 / Number(rate);
const lines = createWriteStream(out);
let moment = performance.now();
for (const text of readFileSync(queries, 'utf8').split('\n').filter(Boolean)) {
  const query = Query.fromJson(text);
  await sleep(Math.max(0, moment - performance.now()));
  moment = performance.now() + pause;
  for (const result of await extract(api, query)) {
    lines.write(`${JSON.stringify(lineOf(query, result))}\n`);
  }
}
lines.end();
await finished(lines);
