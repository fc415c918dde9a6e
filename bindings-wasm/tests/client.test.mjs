// The client of the Automatic Extraction API, against services on a port of this machine.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import zlib from 'node:zlib';
import { collect, extractor } from './extractors.mjs';
import { require, silkline } from './package.mjs';
import { page, queries, serve } from './service.mjs';

const { AccountRefused, Extractor, OutOfBudget, QueryFailed } = require('silkline/client');
const { ExtractionJobError, InvalidQuery, Query, ServiceError } = silkline;

test('each query has one outcome, with its item', async (t) => {
  const service = await serve(t, (given) => given.map(page).reverse());
  for (const batchSize of [1, 7]) {
    const client = extractor(t, service, { batchSize, concurrency: 10 });
    const given = queries(200);
    const found = await collect(client.results(given));
    assert.deepEqual(found.map(({ url }) => url).sort(), given.map(({ url }) => url).sort());
    for (const { ok, url, item, input, query, result, error, attempts, billed } of found) {
      assert.deepEqual([ok, error, attempts, billed], [true, null, 1, 1]);
      assert.deepEqual(item, { url });
      assert.ok(given.includes(input));
      assert.ok(query instanceof Query);
      assert.equal(result.item, item);
    }
    const { succeeded, queued, requestsInFlight } = client.stats();
    assert.deepEqual(
      { succeeded, queued, requestsInFlight },
      {
        succeeded: 200,
        queued: 0,
        requestsInFlight: 0,
      },
    );
  }
  assert.ok(service.most <= 10, `${service.most} at once`);
});

test('items are decoded when they are asked for, from views of the body that came', async (t) => {
  const service = await serve(t, (given) => given.map(page));
  const client = extractor(t, service, { batchSize: 5 });
  const found = await collect(client.results(queries(5)));
  const buffers = new Set(found.map(({ itemBytes }) => itemBytes.buffer));
  assert.equal(buffers.size, 1, 'all are views of one answer');
  for (const { itemBytes, item, url } of found) {
    assert.equal(Buffer.from(itemBytes).toString(), JSON.stringify({ url }));
    assert.equal(item, item);
  }
  const [outcome] = found;
  assert.doesNotMatch(inspect(outcome), /secret|item/);
  assert.deepEqual(JSON.parse(JSON.stringify(outcome)).item, { url: outcome.url });
});

test('every content coding is undone', async (t) => {
  const codings = {
    gzip: zlib.gzipSync,
    'x-gzip': zlib.gzipSync,
    deflate: zlib.deflateSync,
    'Deflate ': zlib.deflateRawSync,
    br: zlib.brotliCompressSync,
    identity: (bytes) => bytes,
    'gzip, br': (bytes) => zlib.brotliCompressSync(zlib.gzipSync(bytes)),
  };
  let coding;
  const service = await serve(t, (given, _request, response) => {
    const body = Buffer.from(JSON.stringify(given.map(page)));
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Encoding': coding });
    const coded = codings[coding](body);
    response.write(coded.subarray(0, 20));
    setTimeout(() => response.end(coded.subarray(20)), 5);
  });
  const client = extractor(t, service);
  for (coding of Object.keys(codings)) {
    const [outcome] = await collect(client.results(queries(1)));
    assert.deepEqual(outcome.item, { url: outcome.url }, coding);
  }
  // What cannot be read is tried again.
  codings.gzip = (bytes) => {
    codings.gzip = zlib.gzipSync;
    return bytes;
  };
  coding = 'gzip';
  const [outcome] = await collect(client.results(queries(1)));
  assert.deepEqual([outcome.ok, outcome.attempts, outcome.possiblyBilled], [true, 2, 1]);
});

test('large answers come whole', async (t) => {
  const text = 'ü'.repeat(3_000_000);
  const service = await serve(t, ([query]) => [{ query: { userQuery: query }, article: { text } }]);
  const [{ item, itemBytes }] = await collect(extractor(t, service).results(queries(1)));
  assert.equal(item.text, text);
  assert.equal(
    createHash('sha1').update(itemBytes).digest('hex'),
    createHash('sha1').update(JSON.stringify({ text })).digest('hex'),
  );
});

test('failures are data with their class, cause and cost', async (t) => {
  const problem = { type: 'http://errors.example.com/malformed-request', title: 'Malformed' };
  const service = await serve(t, ([query], request, response) => {
    switch (new URL(query.url).pathname) {
      case '/missing':
        return [{ query: { userQuery: query }, error: 'Downloader error: http404' }];
      case '/refused':
        return [{ query: { userQuery: query }, error: 'Extraction not permitted' }];
      case '/malformed':
        response.writeHead(400, { 'Content-Type': 'application/problem+json' });
        response.end(JSON.stringify(problem));
        return;
      default:
        request.socket.destroy();
    }
  });
  const rules = { network: { wait: { between: [1, 1] }, budget: { retries: 1 } } };
  const client = extractor(t, service, { policy: { rules } });
  const urls = ['missing', 'refused', 'malformed', 'lost'].map((name) => `http://a/${name}`);
  const given = urls.map((url) => ({ url, pageType: 'article' }));
  const found = await collect(client.results(given));
  const [missing, refused, malformed, lost] = urls.map((url) =>
    found.find((outcome) => outcome.url === url),
  );
  for (const { ok, error, item, itemBytes } of found) {
    assert.deepEqual([ok, item, itemBytes], [false, null, null]);
    assert.ok(error instanceof silkline.SilklineError);
    assert.ok(silkline.ERROR_CODES.includes(error.code));
    assert.notEqual(error.cause, undefined);
  }
  assert.ok(missing.error instanceof QueryFailed);
  assert.equal(missing.error.name, 'QueryFailed');
  assert.deepEqual(
    [missing.error.code, missing.error.status, missing.error.message, missing.billed],
    ['downloader_http', 404, 'Downloader error: http404', 1],
  );
  assert.deepEqual([missing.error.retry, missing.error.retryCost.billed], [false, 1]);
  assert.equal(missing.error.cause, missing.result.error);
  assert.deepEqual([refused.billed, refused.error.retryCost.unbilled], [0, 1]);
  assert.ok(malformed.error instanceof ServiceError);
  assert.deepEqual([malformed.error.status, malformed.error.retry], [400, 'final']);
  assert.equal(malformed.result, null);
  assert.equal(malformed.error.retryCost.unbilled, 1);
  assert.ok(lost.error instanceof ExtractionJobError);
  assert.deepEqual(
    [lost.error.code, lost.attempts, lost.possiblyBilled, lost.error.retryCost.unknown],
    ['network_failure', 2, 2, 1],
  );
  assert.match(String(lost.error.cause), /closed|ECONNRESET/);
});

test('a request that never left costs nothing', async (t) => {
  const rules = { network: { wait: { between: [1, 1] }, budget: { retries: 2 } } };
  const given = await serve(undefined, () => {});
  given.server.close();
  for (const fetch of [undefined, globalThis.fetch]) {
    const client = extractor(t, given, { policy: { rules }, fetch });
    const [{ error, attempts, possiblyBilled }] = await collect(client.results(queries(1)));
    assert.deepEqual([error.code, error.cost.billed, possiblyBilled], ['request_not_sent', 0, 0]);
    assert.equal(error.retryCost.unbilled, 1);
    assert.match(String(error.cause.cause ?? error.cause), /ECONNREFUSED/);
    assert.equal(attempts, 0);
    assert.equal(client.stats().requests, 3);
    assert.equal(client.stats().usage.queries, 0);
  }
});

test('nothing is taken from the source before there is room', async (t) => {
  const service = await serve(t, (given) => given.map(page));
  const client = extractor(t, service, { queueSize: 50 });
  let [taken, done, most, isClosed] = [0, 0, 0, false];
  function* source() {
    try {
      for (const query of queries(100_000)) {
        taken += 1;
        most = Math.max(most, taken - done);
        yield query;
      }
    } finally {
      isClosed = true;
    }
  }
  for await (const { ok } of client.results(source())) {
    assert.ok(ok);
    done += 1;
    if (done === 300) {
      await sleep(200); // a reader that rests
      assert.ok(taken <= 350, `${taken} taken`);
    }
    if (done === 400) {
      break;
    }
  }
  assert.ok(most <= 51, `${most} ahead of what was taken out`);
  assert.ok(isClosed);
  await sleep(20);
  const { submitted, queued, requestsInFlight } = client.stats();
  assert.deepEqual([submitted, queued, requestsInFlight], [taken, 0, 0]);
});

test('sources that wait, and promises in plain ones', { timeout: 10_000 }, async (t) => {
  const service = await serve(t, (given) => given.map(page));
  const client = extractor(t, service);
  const [first, second] = queries(2);
  const gate = Promise.withResolvers?.() ?? {};
  gate.promise ??= new Promise((resolve) => {
    gate.resolve = resolve;
  });
  async function* source() {
    yield first;
    await gate.promise;
    yield second;
  }
  const found = [];
  for await (const { url } of client.results(source())) {
    found.push(url);
    gate.resolve(); // so the first came while the source was waiting
  }
  assert.deepEqual(found, [first.url, second.url]);
  const promised = await collect(client.results([Promise.resolve(first), sleep(5, second)]));
  assert.equal(promised.length, 2);
  assert.deepEqual(await collect(client.results([])), []);
});

test('an error of the source comes behind the outcomes', async (t) => {
  const service = await serve(t, (given) => given.map(page));
  const client = extractor(t, service);
  const found = [];
  const wrong = { url: 'x', pageType: 'article' };
  await assert.rejects(collect(client.results([...queries(5), wrong]), found), InvalidQuery);
  assert.equal(found.length, 5);
  async function* failing() {
    yield* queries(3);
    throw new RangeError('the database is away');
  }
  await assert.rejects(collect(client.results(failing()), found), RangeError);
  assert.equal(found.length, 8);
  for (const single of [wrong, new Query(queries(1)[0]), 'http://a/', undefined, 5]) {
    assert.throws(() => client.results(single), TypeError);
  }
});

test('iterations share one pace, and none stops another', async (t) => {
  const service = await serve(t, (given) => given.map(page));
  const client = extractor(t, service, { rate: 100, queueSize: 5 });
  const resting = client.results(queries(50));
  await resting.next();
  const before = performance.now();
  const counts = await Promise.all(
    [1, 2, 3].map(async () => (await collect(client.results(queries(20)))).length),
  );
  assert.deepEqual(counts, [20, 20, 20]);
  assert.ok(performance.now() - before >= 590, 'slower than the rate');
  assert.equal((await collect(resting)).length, 49);
});

test('several readers of one iteration share its outcomes', async (t) => {
  const service = await serve(t, (given) => given.map(page));
  const outcomes = extractor(t, service).results(queries(50));
  const found = (await Promise.all([1, 2, 3].map(() => collect(outcomes)))).flat();
  assert.equal(new Set(found.map(({ url }) => url)).size, 50);
});

test('a refused account is thrown behind the outcomes', async (t) => {
  let isRefused = false;
  const service = await serve(t, (given, _request, response) => {
    isRefused = service.requests === 11;
    if (!isRefused) {
      return given.map(page);
    }
    response.writeHead(403, { 'Content-Type': 'application/problem+json' });
    response.end(JSON.stringify({ type: 'http://errors.example.com/account-disabled' }));
  });
  const client = extractor(t, service, { concurrency: 1 });
  const [given, found] = [queries(30), []];
  const error = await collect(client.results(given), found).then(assert.fail, (thrown) => thrown);
  assert.ok(error instanceof AccountRefused && error instanceof ServiceError);
  assert.deepEqual([error.name, error.code], ['AccountRefused', 'account_disabled']);
  assert.deepEqual([error.status, error.retry, found.length], [403, 'account', 10]);
  assert.ok(error.cause instanceof ServiceError);
  assert.equal(silkline.Usage.ofError(error).billed, 0);
  assert.deepEqual(error.unfinished, given.slice(10));
  await assert.rejects(collect(client.results(queries(1))), AccountRefused);
  client.resume();
  assert.equal((await collect(client.results(error.unfinished))).length, 20);
});

test('the cap is kept', async (t) => {
  const service = await serve(t, (given) => given.map(page));
  const client = extractor(t, service, { cap: 12, batchSize: 5 });
  const found = [];
  const error = await collect(client.results(queries(30)), found).then(assert.fail, (e) => e);
  assert.ok(error instanceof OutOfBudget);
  assert.deepEqual([error.code, found.length, error.unfinished.length], ['out_of_budget', 12, 18]);
  client.startCycle();
  assert.equal((await collect(client.results(queries(12)))).length, 12);
});

test('one query at a time', async (t) => {
  const service = await serve(t, (given) => given.map(page));
  const client = extractor(t, service);
  const given = queries(10);
  const found = await Promise.all(given.map((query) => client.extract(query)));
  assert.deepEqual(
    found.map(({ input, item }) => [input, item.url]),
    given.map((query) => [query, query.url]),
  );
  await assert.rejects(client.extract({ url: 'x', pageType: 'article' }), InvalidQuery);
  const signal = AbortSignal.abort();
  await assert.rejects(client.extract(given[0], { signal }), { name: 'AbortError' });
  assert.throws(() => client.results(given[0]), TypeError);
});

test('the successor is spoken to in its dialect', async (t) => {
  const service = await serve(t, (given, request, response) => {
    assert.ok(!Array.isArray(given), 'one request to the newer API');
    assert.equal(request.headers.authorization, silkline.basicAuthorization('secret'));
    response.writeHead(200, { 'Content-Type': 'application/json' });
    const product = { url: given.url, name: 'Lamp', metadata: { probability: 0.9 } };
    response.end(JSON.stringify({ url: given.url, statusCode: 200, product }));
  });
  const client = extractor(t, service, { dialect: 'zyte_api' });
  const { ok, item, result } = await client.extract({ url: 'http://a/', pageType: 'product' });
  assert.deepEqual([ok, item.name, item.probability], [true, 'Lamp', 0.9]);
  assert.equal(result.itemNative.metadata.probability, 0.9);
});

test('results that belong to no query are told of', async (t) => {
  const service = await serve(t, (given) => [
    ...given.map(page),
    page({ url: 'x', pageType: 'article' }),
  ]);
  const unmatched = [];
  const client = extractor(t, service, {
    onUnmatched: (one) => unmatched.push(one.result.error.code),
  });
  await collect(client.results(queries(1)));
  assert.deepEqual(unmatched, ['foreign_result']);
  const warned = once(process, 'warning');
  await collect(extractor(t, service).results(queries(1)));
  const [warning] = await warned;
  assert.match(warning.message, /foreign_result, x/);
});

test('a mistake of what sends is not tried again', async (t) => {
  for (const fetch of [
    () => missing(),
    async () => ({ status: 'fine', headers: [], arrayBuffer: async () => new ArrayBuffer(0) }),
  ]) {
    const client = extractor(t, {}, { fetch });
    const error = await collect(client.results(queries(3))).then(assert.fail, (e) => e);
    assert.match(error.message, /broke down/);
    assert.ok(error.cause instanceof Error);
    await assert.rejects(collect(client.results(queries(1))), /broke down/);
    await client.close();
  }
  for (const wrong of [
    { fetch: 5 },
    { dispatcher: {} },
    { queueSize: 0 },
    { rate: -1 },
    { speed: 5 },
  ]) {
    assert.throws(() => new Extractor({ apiKey: 'secret', ...wrong }), TypeError);
  }
});

test('a dispatcher of the program is used, without its limits, and stays open', async (t) => {
  const { Agent } = await import('undici');
  const service = await serve(t, async (given) => {
    await sleep(1_500);
    return given.map(page);
  });
  const dispatcher = new Agent({ headersTimeout: 500, bodyTimeout: 500, connections: 1 });
  const client = extractor(t, service, { dispatcher });
  const [{ ok, attempts }] = await collect(client.results(queries(1)));
  assert.deepEqual([ok, attempts, service.most], [true, 1, 1]);
  await client.close();
  assert.equal(dispatcher.closed, false);
  await dispatcher.close();
});

test("undici's mocks answer", async (t) => {
  const { MockAgent } = await import('undici');
  const dispatcher = new MockAgent();
  dispatcher.disableNetConnect();
  const reply = ({ body }) => JSON.stringify(JSON.parse(body).map(page));
  const headers = { 'Content-Type': 'application/json' };
  const pool = dispatcher.get('http://extraction.test');
  pool.intercept({ path: '/v1/extract', method: 'POST' }).reply(200, reply, { headers });
  const endpoint = 'http://extraction.test/v1/extract';
  const client = extractor(t, { endpoint }, { dispatcher });
  const { item } = await client.extract({ url: 'http://a/', pageType: 'article' });
  assert.deepEqual(item, { url: 'http://a/' });
  await dispatcher.close();
});

test('5,000 at full concurrency with a fault in each hundred: one outcome each, flat memory', async (t) => {
  const text = 'lorem ipsum '.repeat(500);
  const faults = [
    ([query]) => [{ query: { userQuery: query }, error: 'query timed out' }],
    (_, request) => request.socket.destroy() && undefined,
    (_, _request, response) => response.writeHead(503).end() && undefined,
    () => [],
    ([query]) => [{ query: { userQuery: query }, error: 'Downloader error: http404' }],
  ];
  const service = await serve(t, async (given, request, response) => {
    const number = service.requests;
    await sleep(20);
    return number % 100 === 0
      ? faults[(number / 100) % faults.length](given, request, response)
      : given.map((query) => ({ query: { userQuery: query }, article: { text, url: query.url } }));
  });
  const client = extractor(t, service, { concurrency: 100, queueSize: 500 });
  // The memory of the module is external too.
  const memory = async () => {
    // What sockets hold is given back by and by.
    for (let round = 0; round < 3; round += 1) {
      globalThis.gc();
      await sleep(20);
    }
    const { heapUsed, external } = process.memoryUsage();
    return (heapUsed + external) / 2 ** 20;
  };
  const seen = new Map();
  const codes = new Set();
  let early;
  for await (const { url, ok, item, error } of client.results(queries(5_000))) {
    seen.set(url, (seen.get(url) ?? 0) + 1);
    if (ok) {
      assert.equal(item.url, url);
    } else {
      assert.ok(error instanceof silkline.SilklineError);
      codes.add(error.code);
    }
    if (seen.size === 1_500) {
      early = await memory();
    }
  }
  assert.equal(seen.size, 5_000);
  assert.deepEqual(new Set(seen.values()), new Set([1]));
  assert.deepEqual(codes, new Set(['downloader_http']));
  assert.equal(service.most, 100);
  const { retries, failed } = client.stats();
  assert.ok(retries >= 35 && failed >= 8, `${retries} tried again, ${failed} failed`);
  const grown = (await memory()) - early;
  t.diagnostic(`${grown.toFixed(1)} MB more than after 1,500`);
  assert.ok(grown < 15, `${grown} MB`);
});

test('the key shows nowhere', async (t) => {
  const service = await serve(t, () => []);
  const client = extractor(t, service, {
    policy: { rules: { garbled: { budget: { retries: 0 } } } },
  });
  const [outcome] = await collect(client.results(queries(1)));
  for (const shown of [client, outcome, outcome.error]) {
    assert.doesNotMatch(inspect(shown, { depth: 9, showHidden: true }), /secret|c2VjcmV0/);
  }
});
