// How iterations, extractors and the programs with them end.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { collect, extractor } from './extractors.mjs';
import { consumer, require } from './package.mjs';
import { page, queries, serve } from './service.mjs';

const { Extractor } = require('silkline/client');

test('an abort ends an iteration at once, and leaves nothing under way', async (t) => {
  const service = await serve(t, () => {});
  const client = extractor(t, service);
  const controller = new AbortController();
  const { signal } = controller;
  const reading = collect(client.results(queries(100), { signal }));
  const reason = new Error('enough');
  await sleep(100);
  assert.equal(client.stats().requestsInFlight, 100);
  controller.abort(reason);
  await assert.rejects(reading, reason);
  const { cancelled, usage, requestsInFlight } = client.stats();
  assert.deepEqual([cancelled, usage.unknown, requestsInFlight], [100, 100, 0]);
  await assert.rejects(collect(client.results(queries(1), { signal })), reason);
  while (service.open > 0) {
    await sleep(5);
  }
});

test("the extractor's own signal closes it", async (t) => {
  const service = await serve(t, () => {});
  const controller = new AbortController();
  const client = extractor(t, service, { signal: controller.signal });
  const readings = [1, 2].map(() => collect(client.results(queries(5))));
  await sleep(50);
  controller.abort();
  for (const reading of readings) {
    await assert.rejects(reading, { name: 'AbortError' });
  }
  assert.throws(() => client.results([]), /closed/);
});

test('leaving an iteration ends those who wait on it', async (t) => {
  const service = await serve(t, () => {});
  const outcomes = extractor(t, service).results(queries(5));
  const waiting = outcomes.next();
  await sleep(30);
  assert.deepEqual(await outcomes.return(), { value: undefined, done: true });
  assert.deepEqual(await waiting, { value: undefined, done: true });
  assert.equal((await outcomes.next()).done, true);
});

test('closing ends iterations with what they have', async (t) => {
  const service = await serve(t, async (given) => {
    await sleep(300);
    return given.map(page);
  });
  const client = extractor(t, service, { rate: 50 });
  const reading = collect(client.results(queries(100)));
  await sleep(400);
  await client.close({ grace: 10_000 });
  const found = await reading;
  const { succeeded, closed, requests } = client.stats();
  assert.equal(found.length, 100);
  assert.equal(succeeded, requests, 'what was under way was waited for');
  assert.ok(succeeded > 5 && closed > 50, `${succeeded} and ${closed}`);
  const codes = new Set(found.map(({ error }) => error?.code));
  assert.deepEqual(codes, new Set([undefined, 'job_closed']));
});

test('a grace that passes gives up', async (t) => {
  const service = await serve(t, () => {});
  const client = extractor(t, service);
  const reading = collect(client.results(queries(1)));
  await sleep(50);
  const before = performance.now();
  await client.close({ grace: 200 });
  const took = performance.now() - before;
  assert.ok(took >= 195 && took < 3_000, `${took} ms`);
  const [{ error, possiblyBilled }] = await reading;
  assert.deepEqual([error.code, possiblyBilled], ['job_closed', 1]);
});

test('an abort need not wait for the source', async (t) => {
  const service = await serve(t, (given) => given.map(page));
  const controller = new AbortController();
  const { signal } = controller;
  async function* source() {
    yield* queries(2);
    await new Promise(() => {});
  }
  const found = [];
  for await (const outcome of collectUntil(extractor(t, service).results(source(), { signal }))) {
    found.push(outcome);
    if (found.length === 2) {
      controller.abort();
    }
  }
  assert.equal(found.length, 2);
});

/** The outcomes up to an abort. */
async function* collectUntil(outcomes) {
  try {
    yield* outcomes;
  } catch (error) {
    assert.equal(error.name, 'AbortError');
  }
}

/** Runs a program beside the package, and gives what it prints; it has to end by itself. */
async function run(code, origin) {
  const file = join(consumer, 'program.mjs');
  writeFileSync(file, code);
  const before = performance.now();
  const { stdout } = await promisify(execFile)(process.execPath, [file, origin], {
    cwd: consumer,
    timeout: 20_000,
  });
  return { stdout, took: performance.now() - before };
}

const program = (middle) => `
  import { Extractor } from 'silkline/client';

  const extractor = new Extractor({ apiKey: 'key', endpoint: process.argv[2], rate: 200 });
  const queries = Array.from({ length: 400 }, (_, n) => ({ url: 'http://a/' + n, pageType: 'article' }));
  let done = 0;
  ${middle}
  console.log(done, process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length);`;

for (const [name, code] of Object.entries({
  'an abort': `
    const controller = new AbortController();
    const { signal } = controller;
    try {
      for await (const _ of extractor.results(queries, { signal })) {
        done += 1;
        if (done === 100) controller.abort();
      }
    } catch (error) {
      if (error.name !== 'AbortError') throw error;
    }`,
  'a break': `
    for await (const _ of extractor.results(queries)) {
      done += 1;
      if (done === 100) break;
    }`,
  'a close': `
    for await (const { ok } of extractor.results(queries)) {
      if (!ok) continue;
      done += 1;
      if (done === 100) extractor.close();
    }`,
})) {
  test(`${name} half-way leaves nothing that keeps the process alive`, async (t) => {
    // Some answers never come, so that requests are under way at the end.
    const service = await serve(t, ([query]) => (/9$/.test(query.url) ? undefined : [page(query)]));
    const { stdout, took } = await run(program(code), service.endpoint);
    assert.match(stdout, /^10\d 0\n$/);
    assert.ok(took < 5_000, `${took} ms`);
    while (service.open > 0) {
      await sleep(5);
    }
  });
}

test('whoever waits for a result keeps the process alive', async (t) => {
  // Only the wait before the second try is left for a while.
  const service = await serve(t, (given, request) =>
    service.requests > 1 ? given.map(page) : request.socket.destroy() && undefined,
  );
  const code = `
    import { Extractor } from 'silkline/client';

    const rules = { network: { wait: { between: [300, 300] } } };
    const extractor = new Extractor({ apiKey: 'key', endpoint: process.argv[2], policy: { rules } });
    for await (const { ok, attempts } of extractor.results([{ url: 'http://a/', pageType: 'article' }])) {
      console.log(ok, attempts);
    }`;
  assert.equal((await run(code, service.endpoint)).stdout, 'true 2\n');
});

test('a closed client says so with a code, and with the reason of its signal', async () => {
  const options = { apiKey: 'KEY', fetch: () => assert.fail('nothing is sent') };
  const closed = new Extractor(options);
  await closed.close();
  const query = { url: 'https://shop.example/1', pageType: 'product' };
  await assert.rejects(closed.extract(query), { name: 'NotSubmitted', code: 'engine_closed' });
  const reason = new Error('the program ends');
  const signal = AbortSignal.abort(reason);
  const aborted = new Extractor({ ...options, signal });
  await assert.rejects(aborted.extract(query), { code: 'engine_closed', cause: reason });
});
