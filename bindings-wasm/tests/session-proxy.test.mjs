// The client for requests through sessions: over the services' side without sockets, and over sockets.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { consumer, require, silkline } from './package.mjs';

const client = require('silkline/client');
const { FakeProxy } = require('silkline/testing');
const { ProxyAccountRefused, RedirectRefused, SessionProxy } = client;
const { ProxyJobError, ProxyServiceError, SilklineError } = silkline;

const outgoing = Array.from({ length: 6 }, (_, index) => `127.0.0.${index + 2}`);

/** A client of a service inside the program. */
function fake(t, service, options = {}) {
  const { send, clock } = service;
  const proxy = new SessionProxy({ apiKey: 'KEY', send, clock, seed: 1, ...options });
  t.after(() => proxy.close());
  return proxy;
}

/** A site that says who asks for what. */
const pages = ({ method, url, headers, outgoing, body }) => ({
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({
    method,
    url,
    outgoing,
    headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
    body: Buffer.from(body ?? []).toString(),
  }),
});

test('each session has one address, and the pace that the service counts', async (t) => {
  const service = new FakeProxy({ outgoing, pages });
  const proxy = fake(t, service, { sessions: 4 });
  const urls = Array.from({ length: 40 }, (_, index) =>
    index % 2 === 0 ? `http://s${index % 5}.example/${index}` : `https://a.example/${index}`,
  );
  const responses = await Promise.all(urls.map((url) => proxy.fetch(url)));
  const addresses = new Map();
  for (const [index, response] of responses.entries()) {
    const { session, outgoing, attempts, redirects } = response.proxied;
    const seen = await response.json();
    assert.deepEqual([seen.url, response.url], [urls[index], urls[index]]);
    assert.equal(new URL(`http://${outgoing}`).hostname, seen.outgoing);
    assert.equal(response.headers.get('x-crawlera-session'), session);
    assert.deepEqual([response.status, response.ok, attempts, redirects], [200, true, 1, 0]);
    assert.equal(seen.headers['x-crawlera-session'], undefined);
    addresses.set(session, (addresses.get(session) ?? new Set()).add(seen.outgoing));
  }
  assert.equal(addresses.size, 4);
  for (const seen of addresses.values()) {
    assert.equal(seen.size, 1);
  }
  const { earlyRequests, sessionsLiving, relayed } = service.stats();
  assert.deepEqual([earlyRequests, sessionsLiving, relayed], [0, 4, 40]);
  await proxy.close();
  assert.equal(service.stats().sessionsLiving, 0, 'its sessions are deleted');
  await assert.rejects(proxy.fetch(urls[0]), /closed/);
});

test('a name keeps requests in order, in one session', async (t) => {
  const service = new FakeProxy({ outgoing, pages });
  const proxy = fake(t, service, { sessions: 3 });
  await using_(proxy.session(), async (session) => {
    const login = { method: 'POST', body: new URLSearchParams({ user: 'me' }) };
    const responses = await Promise.all([
      session.fetch('https://shop.example/login', login),
      ...[1, 2, 3].map((page) => session.fetch(`https://shop.example/${page}`)),
    ]);
    const facts = responses.map(({ proxied }) => proxied);
    assert.equal(new Set(facts.map((fact) => fact.session)).size, 1);
    assert.ok(facts.every(({ sessionName }) => sessionName === session.name));
    const posted = await responses[0].json();
    assert.deepEqual([posted.method, posted.body], ['POST', 'user=me']);
    assert.match(posted.headers['content-type'], /^application\/x-www-form-urlencoded/);
  });
  assert.equal(proxy.endSession('nobody'), false);
});

async function using_(resource, run) {
  try {
    await run(resource);
  } finally {
    await resource[Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]();
  }
}

test('redirects stay in their session, as browsers understand them', async (t) => {
  const seen = [];
  const service = new FakeProxy({
    outgoing,
    pages: (request) => {
      seen.push(request);
      const { pathname } = new URL(request.url);
      const [, status, to] = /^\/(30\d)\/(.*)$/.exec(pathname) ?? [];
      return status ? { status: Number(status), headers: { Location: `/${to}` } } : pages(request);
    },
  });
  const proxy = fake(t, service, { sessions: 3 });
  const others = Array.from({ length: 9 }, (_, n) => proxy.fetch(`http://b.example/${n}`));
  const init = { method: 'POST', body: 'x', headers: { Authorization: 'me', 'X-Mine': '1' } };
  const found = await proxy.fetch('http://a.example/301/307/302/end#part', init);
  await Promise.all(others);
  assert.deepEqual(
    [found.url, found.redirected, found.proxied.redirects],
    ['http://a.example/end', true, 3],
  );
  const asked = await found.json();
  assert.deepEqual([asked.method, asked.body], ['GET', '']);
  assert.deepEqual([asked.headers.authorization, asked.headers['x-mine']], ['me', '1']);
  const own = seen.filter(({ url }) => url.startsWith('http://a.'));
  assert.equal(new Set(own.map(({ outgoing }) => outgoing)).size, 1);
  const manual = await proxy.fetch('http://a.example/302/end', { redirect: 'manual' });
  assert.deepEqual([manual.status, manual.headers.get('location')], [302, '/end']);
  const refused = [{ redirect: 'error' }, { maxRedirects: 1 }];
  for (const [index, code] of ['redirect_unwanted', 'too_many_redirects'].entries()) {
    await assert.rejects(proxy.fetch('http://a.example/302/302/end', refused[index]), (error) => {
      assert.ok(error instanceof RedirectRefused);
      return error.code === code;
    });
  }
  const elsewhere = fake(
    t,
    new FakeProxy({
      pages: (request) =>
        request.url.startsWith('http://a.')
          ? { status: 302, headers: { Location: 'http://b.example/' } }
          : pages(request),
    }),
  );
  const away = await (await elsewhere.fetch('http://a.example/', init)).json();
  assert.deepEqual([away.headers.authorization, away.headers['x-mine']], [undefined, '1']);
});

test('what can be tried again is, and errors tell what they cost', async (t) => {
  let busy = 3;
  const service = new FakeProxy({
    delay: 0,
    outgoing,
    bans: [{ domain: 'b.example', statuses: [403] }],
    pages: (request) => {
      const { hostname } = new URL(request.url);
      if (hostname === 'gone.example') {
        return { failure: 'econnrefused' };
      }
      if (hostname === 'b.example' && busy > 0) {
        busy -= 1;
        return 403;
      }
      return hostname === 'bad.example' ? 500 : pages(request);
    },
  });
  const proxy = fake(t, service, { sessions: 5 });
  const response = await proxy.fetch('http://b.example/');
  assert.equal(response.status, 200);
  assert.ok(response.proxied.attempts > 1);
  assert.equal((await proxy.fetch('http://bad.example/')).status, 500, 'the target has its say');
  await assert.rejects(proxy.fetch('http://gone.example/'), (error) => {
    assert.ok(error instanceof ProxyServiceError && error instanceof SilklineError);
    assert.ok(error.attempts > 1);
    assert.deepEqual(error.cause, { status: error.status });
    assert.deepEqual({ ...error.retryCost }, { queries: 1, billed: 0, unbilled: 1, unknown: 0 });
    return error.cost.billed === 0;
  });
  for (const wrong of ['ftp://a.example/', 'nonsense']) {
    await assert.rejects(proxy.fetch(wrong));
  }
  await assert.rejects(proxy.fetch('http://a.example/', { session: 'x', outsideSessions: true }), {
    name: 'TypeError',
  });
});

test('the application says what a ban is', async (t) => {
  let robots = 2;
  const service = new FakeProxy({
    delay: 0,
    outgoing,
    pages: () => {
      robots -= 1;
      return robots >= 0 ? 'are you a robot?' : 'welcome';
    },
  });
  const banned = async (response) => (await response.text()).includes('robot');
  const proxy = fake(t, service, { sessions: 5, banned });
  const response = await proxy.fetch('http://a.example/');
  assert.equal(await response.text(), 'welcome');
  assert.deepEqual([response.proxied.attempts, proxy.stats().bans], [3, 2]);
  robots = 1_000;
  await assert.rejects(proxy.fetch('http://a.example/'), (error) => {
    assert.ok(error instanceof ProxyJobError);
    return error.code === 'job_banned' && error.retryCost.billed === 1;
  });
  const broken = fake(t, service, { banned: () => Promise.reject(new Error('mine')) });
  await assert.rejects(broken.fetch('http://a.example/'), /mine/);
});

test('an account that is refused ends all that wait, until it is well again', async (t) => {
  const service = new FakeProxy({ pages, disabledKeys: ['KEY'] });
  const policy = { preset: 'smart_proxy', rules: { account: { budget: { retries: 0 } } } };
  const proxy = fake(t, service, { policy });
  const asked = [1, 2].map((page) => proxy.fetch(`http://a.example/${page}`));
  for (const ended of await Promise.allSettled(asked)) {
    assert.equal(ended.status, 'rejected');
    assert.ok(ended.reason instanceof ProxyAccountRefused, inspect(ended.reason));
    assert.ok(ended.reason.cause instanceof ProxyServiceError);
  }
  await assert.rejects(proxy.fetch('http://a.example/3'), ProxyAccountRefused);
  proxy.resume();
});

/** A proxy on a port of this machine that answers as a function says. */
async function serve(t, answer, connect) {
  const server = createServer(answer);
  server.on('connect', (request, socket) => {
    socket.on('error', () => {});
    connect?.(request, socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

const SESSION = { 'X-Crawlera-Session': '7', 'X-Crawlera-Version': '1' };

function overSockets(t, endpoint, options = {}) {
  const settings = { apiKey: 'KEY', endpoint, seed: 1, keepSessions: true, ...options };
  const proxy = new SessionProxy(settings);
  t.after(() => proxy.close());
  return proxy;
}

test('plain targets are asked for in absolute form; bodies come as they are read', async (t) => {
  const part = Buffer.alloc(1_000_000, 'x');
  let asked;
  let isOpen = false;
  const endpoint = await serve(t, (request, response) => {
    asked = { url: request.url, headers: request.headers };
    if (request.url.endsWith('/gzip')) {
      response.writeHead(200, { ...SESSION, 'Content-Encoding': 'gzip' });
      response.end(gzipSync('packed'));
      return;
    }
    response.writeHead(200, { ...SESSION, 'Set-Cookie': ['a=1', 'b=2'] });
    isOpen = true;
    response.once('close', () => {
      isOpen = false;
    });
    let left = 50;
    const write = () => {
      while (left > 0) {
        left -= 1;
        if (!response.write(part)) {
          response.once('drain', write);
          return;
        }
      }
      response.end();
    };
    write();
  });
  const proxy = overSockets(t, endpoint, { sessions: 1, sessionDelay: 0 });
  const response = await proxy.fetch('http://a.example/big?x=1#y', { headers: { 'X-Case': 'a' } });
  assert.equal(asked.url, 'http://a.example/big?x=1');
  assert.equal(asked.headers.host, 'a.example');
  assert.equal(asked.headers['proxy-authorization'], silkline.basicAuthorization('KEY'));
  assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
  // Its session is busy as long as the body has not come.
  assert.deepEqual([proxy.stats().inFlight, isOpen], [1, true]);
  const next = proxy.fetch('http://a.example/gzip');
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
  }
  assert.equal(size, 50e6);
  assert.equal(await (await next).text(), 'packed');
  assert.equal(proxy.stats().pool.sessions, 1);
  const other = await proxy.fetch('http://a.example/big');
  await other.body.cancel();
  await once(process, 'nothing', { signal: AbortSignal.timeout(100) }).catch(() => {});
  assert.equal(isOpen, false, 'a body that is given up is not sent to its end');
  assert.equal(proxy.stats().inFlight, 0);
});

test('a signal ends a request before its head and after', async (t) => {
  const endpoint = await serve(t, (request, response) => {
    if (request.url.endsWith('/head')) {
      response.writeHead(200, SESSION);
      response.write('begun');
    }
  });
  const proxy = overSockets(t, endpoint, { sessions: 2, sessionDelay: 0 });
  const before = proxy.fetch('http://a.example/never', { signal: AbortSignal.timeout(50) });
  await assert.rejects(before, { name: 'TimeoutError' });
  const controller = new AbortController();
  const response = await proxy.fetch('http://a.example/head', { signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(response.text(), /enough/);
  const gone = proxy.fetch('http://a.example/', { signal: AbortSignal.abort(new Error('no')) });
  await assert.rejects(gone, /no/);
  assert.deepEqual([proxy.stats().cancelled, proxy.stats().unfinished], [2, 0]);
});

test('connections that break in the middle of anything break nothing else', async (t) => {
  let count = 0;
  const endpoint = await serve(t, (request, response) => {
    count += 1;
    const { socket } = request;
    if (count % 3 === 0) {
      response.writeHead(request.url.endsWith('/204') ? 204 : 200, SESSION);
      response.flushHeaders();
      response.write('x');
      setTimeout(() => socket.destroy(), 5);
    } else if (count % 7 === 0) {
      socket.destroy();
    } else {
      response.writeHead(200, SESSION);
      response.end('whole');
    }
  });
  const rules = { network: { wait: { between: [0, 0] } } };
  const policy = { preset: 'smart_proxy', rules };
  const proxy = overSockets(t, endpoint, { sessions: 1, sessionDelay: 0, policy });
  const warnings = [];
  const warn = (warning) => warnings.push(warning.name);
  process.on('warning', warn);
  const { signal } = new AbortController();
  const texts = await Promise.all(
    Array.from({ length: 60 }, async (_, index) => {
      const method = index % 2 === 0 ? 'GET' : 'HEAD';
      const url = `http://a.example/${index % 4 === 0 ? 204 : index}`;
      const response = await proxy.fetch(url, { method, signal });
      return index % 5 === 0 ? '' : response.text().catch((error) => error.name);
    }),
  );
  process.off('warning', warn);
  assert.deepEqual(warnings, []);
  assert.ok(texts.includes('whole'));
  assert.equal(texts.length, 60);
});

test('a body that never ends is given up with the signal, and its source told', async (t) => {
  const proxy = fake(t, new FakeProxy());
  const controller = new AbortController();
  let reason;
  const body = new ReadableStream({
    pull: () => new Promise(() => {}),
    cancel: (given) => {
      reason = given;
    },
  });
  const { signal } = controller;
  const options = { method: 'POST', duplex: 'half', body, signal };
  const fetched = assert.rejects(proxy.fetch('http://a.example/', options), { name: 'AbortError' });
  setImmediate(() => controller.abort());
  await fetched;
  assert.equal(reason, signal.reason);
  assert.equal(proxy.stats().submitted, 0);
});

test('a stream that gives no bytes is refused', async (t) => {
  const proxy = fake(t, new FakeProxy());
  const options = { method: 'POST', duplex: 'half', body: ReadableStream.from(['a text']) };
  await assert.rejects(proxy.fetch('http://a.example/', options), /each part a Uint8Array/);
});

test('a method that cannot be sent is refused, and a body that its method cannot have', async (t) => {
  const proxy = fake(t, new FakeProxy());
  for (const method of ['A B', '', 'connect', 'TRACE', 'Track', 'GÉT']) {
    const refused = proxy.fetch('http://a.example/', { method });
    await assert.rejects(refused, { name: 'TypeError', message: /no method that can be sent/ });
  }
  for (const init of [{ body: 'x' }, { method: 'head', body: new Uint8Array(1) }]) {
    await assert.rejects(proxy.fetch('http://a.example/', init), /cannot have a body/);
  }
  const own = await proxy.fetch(new URL('http://a.example/'), { method: 'purge' });
  assert.equal(own.status, 200);
  assert.equal(proxy.stats().submitted, 1);
});

test('bytes of another realm are bytes', async (t) => {
  const proxy = fake(t, new FakeProxy({ pages }));
  const bodies = runInNewContext('[new Uint8Array([65]), new Uint8Array([65]).buffer]');
  for (const body of bodies) {
    const response = await proxy.fetch('http://a.example/', { method: 'POST', body });
    assert.equal((await response.json()).body, 'A');
  }
  const api = new silkline.ExtractionApi({ apiKey: 'KEY' });
  const query = { url: 'http://a.example/', pageType: 'article' };
  const text = JSON.stringify([{ query: { userQuery: query }, article: { url: 'x' } }]);
  const bytes = runInNewContext('Uint8Array.from(bytes)', { bytes: Buffer.from(text) });
  for (const body of [bytes, bytes.buffer]) {
    const [result] = api.results([query], { status: 200, headers: [], body });
    assert.equal(result.item.url, 'x');
  }
});

test('a clone tells all that the response does', async (t) => {
  const proxy = fake(t, new FakeProxy());
  const response = await proxy.fetch('http://a.example/');
  const clone = response.clone().clone();
  assert.deepEqual([clone.url, clone.proxied], ['http://a.example/', response.proxied]);
  assert.equal(await clone.text(), await response.text());
});

test('a closed client says so with a code', async (t) => {
  const proxy = fake(t, new FakeProxy());
  await proxy.close();
  const closed = { name: 'NotSubmitted', code: 'engine_closed' };
  await assert.rejects(proxy.fetch('http://a.example/'), closed);
});

test('a misspelt option of a call is refused, and what any fetch takes is not', async (t) => {
  const proxy = fake(t, new FakeProxy());
  await assert.rejects(proxy.fetch('http://a.example/', { sesion: 'cart' }), {
    name: 'TypeError',
    message: 'fetch has no option "sesion"',
  });
  const init = { mode: 'cors', credentials: 'omit', keepalive: true };
  assert.equal((await proxy.fetch('http://a.example/', init)).status, 200);
  assert.equal((await proxy.fetch('http://a.example/', null)).status, 200);
});

test('a tunnel that is refused says why, and one without trust is not tried again', async (t) => {
  let tunnels = 0;
  const endpoint = await serve(
    t,
    (_, response) => response.end(),
    (request, socket) => {
      tunnels += 1;
      assert.equal(request.headers.host, request.url);
      assert.equal(request.headers['proxy-authorization'], silkline.basicAuthorization('KEY'));
      const text = 'User is suspended';
      socket.end(
        `HTTP/1.1 403 Forbidden\r\nX-Crawlera-Error: user_suspended\r\n` +
          `Content-Length: ${text.length}\r\n\r\n${text}`,
      );
    },
  );
  const policy = { preset: 'smart_proxy', rules: { account: { budget: { retries: 0 } } } };
  const proxy = overSockets(t, endpoint, { policy });
  await assert.rejects(proxy.fetch('https://a.example/'), (error) => {
    assert.equal(error.code, 'user_suspended');
    assert.equal(error.detail, 'User is suspended');
    return error instanceof ProxyAccountRefused;
  });
  assert.equal(tunnels, 1);
});

test('no connection, a broken one, and a request that cannot be', async (t) => {
  const endpoint = await serve(t, (request) => request.socket.destroy());
  const rules = { network: { budget: { retries: 1 }, wait: { between: [0, 0] } } };
  const proxy = overSockets(t, endpoint, { policy: { preset: 'smart_proxy', rules } });
  await assert.rejects(proxy.fetch('http://a.example/'), (error) => {
    assert.deepEqual([error.code, error.attempts], ['network_failure', 2]);
    assert.ok(error.cause instanceof Error);
    return error.retryCost.unknown === 1 && error.cost.possiblyBilled === 2;
  });
  const closed = 'http://127.0.0.1:1';
  const nobody = overSockets(t, closed, { policy: { preset: 'smart_proxy', rules } });
  await assert.rejects(nobody.fetch('https://a.example/'), (error) => {
    assert.equal(error.code, 'request_not_sent');
    assert.match(String(error.cause.cause ?? error.cause), /ECONNREFUSED|connect/);
    return error.retryCost.unbilled === 1 && error.cost.possiblyBilled === 0;
  });
});

test('nothing is left behind: a program ends by itself', () => {
  const program = `
    const { SessionProxy } = require('silkline/client');
    const { FakeProxy } = require('silkline/testing');
    const { send, clock } = new FakeProxy();
    const proxy = new SessionProxy({ apiKey: 'KEY', send, clock });
    proxy.fetch('http://a.example/').then(async (response) => {
      console.log(response.status);
      await proxy.close();
    });`;
  const options = { cwd: consumer, encoding: 'utf8', timeout: 20_000 };
  assert.equal(execFileSync(process.execPath, ['--eval', program], options), '200\n');
});
