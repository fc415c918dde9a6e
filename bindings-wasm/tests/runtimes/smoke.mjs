// One round through the package, on whichever runtime runs it; the test looks at what it prints.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createRequire } from 'node:module';
import { connect, createServer as createPlainServer } from 'node:net';
import { join } from 'node:path';
import * as imported from 'silkline';
import { Extractor, SessionProxy } from 'silkline/client';
import { FakeExtraction } from 'silkline/testing';

const require = createRequire(import.meta.url);

function round({ ExtractionApi, InvalidQuery, Query }) {
  const api = new ExtractionApi({ apiKey: 'key', endpoint: 'http://localhost/v1/extract' });
  const queries = [new Query({ url: 'http://example.com/ü', pageType: 'product', meta: '😀' })];
  const request = api.request(queries);
  const sent = JSON.parse(new TextDecoder().decode(request.body));
  const answer = [{ query: { userQuery: sent[0] }, product: { name: 'Lämp' }, more: [1] }];
  const body = new TextEncoder().encode(JSON.stringify(answer));
  const headers = new Headers({ 'Content-Type': 'application/json' });
  const [result] = api.results(queries, { status: 200, headers, body });
  let code;
  try {
    api.request([{ url: '\ud800', pageType: 'product' }]);
  } catch (error) {
    code = error instanceof InvalidQuery && error.code;
  }
  api.free();
  const isView = result.itemBytes.buffer === body.buffer;
  const sentHeaders = new Headers(request.headers).get('content-type');
  const { item, meta, unknown } = result;
  return { sentHeaders, sent, item, meta, unknown, isView, code };
}

/** Extracts from a service on this machine whose first answer is a fault. */
async function extract() {
  let requests = 0;
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) {
      chunks.push(chunk);
    }
    requests += 1;
    const [query] = JSON.parse(Buffer.concat(chunks).toString());
    response.writeHead(requests === 1 ? 503 : 200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify([{ query: { userQuery: query }, article: { url: query.url } }]));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${server.address().port}/v1/extract`;
  const wait = { between: [5, 5] };
  const policy = { rules: { server: { wait }, network: { wait } } };
  const options = { apiKey: 'key', endpoint, policy, rate: Number.POSITIVE_INFINITY };
  const extractor = new Extractor(options);
  const found = [];
  const queries = [1, 2, 3].map((page) => ({ url: `http://a/${page}`, pageType: 'article' }));
  for await (const { item } of extractor.results(queries)) {
    found.push(item.url);
  }
  await extractor.close();
  server.close();
  const refused = new Extractor({
    ...options,
    policy: { rules: { network: { wait, budget: { retries: 1 } } } },
  });
  const { value } = await refused.results(queries).next();
  await refused.close();
  return { found: found.sort(), requests, code: value.error.code };
}

/** The same without sockets, in virtual time, at either service. */
async function pretend(dialect) {
  const faults = [
    { times: 1, then: { drop: true } },
    { times: 1, then: { delay: 60 } },
  ];
  const service = new FakeExtraction({ dialect, faults, items: ({ url }) => ({ url }) });
  const { fetch, clock } = service;
  const extractor = new Extractor({ apiKey: 'key', dialect, fetch, clock });
  const { item, attempts } = await extractor.extract({ url: 'http://a/', pageType: 'article' });
  await extractor.close();
  return { item, attempts, billed: service.stats().billed, isLate: clock.now() > 60_000 };
}

/** Fetches through a proxy on this machine, from a plain target and from one with TLS. */
async function proxied(folder) {
  const [cert, key] = ['certificate.pem', 'key.pem'].map((name) =>
    readFileSync(join(folder, name)),
  );
  const listening = (server) =>
    new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
  let requests = 0;
  let tunnels = 0;
  const answer = async (request, response) => {
    requests += 1;
    const chunks = [];
    for await (const chunk of request) {
      chunks.push(chunk);
    }
    response.writeHead(200, { 'X-Crawlera-Session': '7', 'X-Crawlera-Version': '1' });
    response.end(
      `${request.method} ${request.url} ${Buffer.concat(chunks)} ${'x'.repeat(100_000)}`,
    );
  };
  const [plain, secure] = [createServer(answer), createSecureServer({ cert, key }, answer)];
  const ports = [await listening(plain), await listening(secure)];
  const sockets = new Set();
  const proxy = createPlainServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', (head) => {
      const isTunnel = head.toString().startsWith('CONNECT shop.example:443 ');
      const target = connect(ports[Number(isTunnel)], '127.0.0.1');
      sockets.add(target);
      target.on('error', () => {});
      if (isTunnel) {
        tunnels += 1;
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      } else {
        target.write(head);
      }
      socket.pipe(target).pipe(socket);
    });
  });
  const endpoint = `http://127.0.0.1:${await listening(proxy)}`;
  const options = { apiKey: 'key', endpoint, ca: cert, sessions: 1, sessionDelay: 0 };
  const client = new SessionProxy({ ...options, keepSessions: true });
  const told = [];
  const post = { method: 'POST', body: 'me' };
  for (const [url, init] of [
    ['http://shop.example/1'],
    ['https://shop.example/2'],
    ['https://shop.example/3', post],
  ]) {
    const response = await client.fetch(url, init);
    const text = await response.text();
    told.push([response.status, response.proxied.session, text.replace(/x{100000}$/, '').trim()]);
  }
  const gone = await client.fetch('https://shop.example/4');
  await gone.body.cancel();
  await client.close();
  for (const one of [proxy, plain, secure]) {
    one.close();
  }
  for (const socket of sockets) {
    socket.destroy();
  }
  return { told, requests, tunnels };
}

const required = require('silkline');
const slim = require('silkline/slim');
slim.start(new WebAssembly.Module(readFileSync(require.resolve('silkline/silkline.wasm'))));
console.log(
  JSON.stringify({
    imported: round(imported),
    required: round(required),
    slim: round(slim),
    extracted: await extract(),
    pretended: [await pretend('automatic_extraction'), await pretend('zyte_api')],
    proxied: await proxied(process.argv[2]),
    oneInstance: imported.ExtractionApi === required.ExtractionApi,
  }),
);
