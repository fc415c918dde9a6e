// Tunnels through the proxy: whose they are, how long they are kept, and what refuses them.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { connect, createServer as createPlainServer } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createSecureServer } from 'node:tls';
import { promisify } from 'node:util';
import { consumer, require } from './package.mjs';

const { SessionProxy, UntrustedCertificate } = require('silkline/client');

const read = (name) => readFileSync(new URL(`./tls/${name}`, import.meta.url));
const [cert, key] = [read('certificate.pem'), read('key.pem')];

let sessions = 0;

/** A target with TLS that says through which session and tunnel a request came. */
async function target(t, answer) {
  const server = createServer({ cert, key }, (request, response) => {
    const session = request.headers['x-crawlera-session'];
    if (session === 'create') {
      sessions += 1;
    }
    const id = session === 'create' ? String(sessions) : session;
    const facts = { ...(id && { 'X-Crawlera-Session': id }), 'X-Crawlera-Version': '1' };
    if (answer?.(request, response, facts) === undefined) {
      response.writeHead(200, facts);
      response.end(String(request.socket.remotePort));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return server;
}

/** A proxy whose tunnels all lead to one target; `refusal` gives what it says instead. */
async function proxyTo(t, server, { refusal, secure = false } = {}) {
  const sockets = new Set();
  const stats = { tunnels: [], open: 0 };
  const serve = (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', (head) => {
      const [line] = head.toString().split('\r\n');
      const answer = refusal?.(line);
      if (answer !== undefined) {
        socket.write(answer);
        return;
      }
      stats.tunnels.push(line.split(' ')[1]);
      stats.open += 1;
      const inner = connect(server.address().port, '127.0.0.1');
      inner.on('error', () => {});
      socket.once('close', () => {
        stats.open -= 1;
        inner.destroy();
      });
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(inner).pipe(socket);
    });
  };
  const proxy = secure ? createSecureServer({ cert, key }, serve) : createPlainServer(serve);
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => {
    proxy.close();
    for (const socket of sockets) {
      socket.destroy();
    }
  });
  const endpoint = `${secure ? 'https' : 'http'}://127.0.0.1:${proxy.address().port}`;
  return { endpoint, stats };
}

const NO_RETRIES = Object.fromEntries(
  ['account', 'network', 'server', 'target'].map((name) => [name, { budget: { retries: 0 } }]),
);

function client(t, endpoint, options = {}) {
  const policy = { preset: 'smart_proxy', rules: NO_RETRIES };
  const settings = { apiKey: 'KEY', endpoint, ca: cert, sessionDelay: 0, seed: 1, policy };
  const proxy = new SessionProxy({ ...settings, keepSessions: true, ...options });
  t.after(() => proxy.close());
  return proxy;
}

const text = async (response) => (await response).text();

test('a tunnel is of one session and one origin', async (t) => {
  const { endpoint, stats } = await proxyTo(t, await target(t));
  const proxy = client(t, endpoint, { sessions: 8 });
  const [one, two] = [proxy.session('one'), proxy.session('two')];
  const ports = [];
  for (const [session, url] of [
    [one, 'https://a.example/'],
    [two, 'https://a.example/'],
    [one, 'https://b.example/'],
    [one, 'https://a.example:8443/'],
    [one, 'https://a.example/2'],
    [two, 'https://a.example/2'],
    [one, 'https://b.example/2'],
  ]) {
    ports.push(await text(session.fetch(url)));
  }
  assert.deepEqual(stats.tunnels, [
    'a.example:443',
    'a.example:443',
    'b.example:443',
    'a.example:8443',
  ]);
  assert.deepEqual(ports.slice(4), ports.slice(0, 3));
  assert.equal(new Set(ports).size, 4);
  await proxy.close();
  await sleep(20);
  assert.equal(stats.open, 0, 'none outlives the client');
});

test('requests outside sessions share tunnels, but never one at the same time', async (t) => {
  const { endpoint, stats } = await proxyTo(t, await target(t));
  const proxy = client(t, endpoint);
  const ask = () => text(proxy.fetch('https://a.example/', { outsideSessions: true }));
  await Promise.all([ask(), ask(), ask()]);
  assert.equal(stats.tunnels.length, 3);
  await Promise.all([ask(), ask(), ask()]);
  assert.equal(stats.tunnels.length, 3);
  await text(proxy.fetch('https://a.example/'));
  assert.equal(stats.tunnels.length, 4);
});

test('a tunnel that the other side ends is not used again', async (t) => {
  let count = 0;
  const server = await target(t, (request, response, facts) => {
    count += 1;
    if (count === 1) {
      response.writeHead(200, { ...facts, Connection: 'close' });
      return response.end('x');
    }
    if (count === 2) {
      setTimeout(() => request.socket.destroy(), 20);
    }
    return undefined;
  });
  const { endpoint, stats } = await proxyTo(t, server);
  const proxy = client(t, endpoint, { sessions: 1 });
  for (const tunnels of [1, 2, 3, 3]) {
    await text(proxy.fetch('https://a.example/'));
    assert.equal(stats.tunnels.length, tunnels);
    await sleep(50);
  }
  assert.equal(proxy.stats().retries, 0);
});

test('an error of the service, or a body that is given up, ends the tunnel', async (t) => {
  const server = await target(t, (request, response, facts) => {
    if (request.url === '/error') {
      response.writeHead(502, { ...facts, 'X-Crawlera-Error': 'econnreset' });
      return response.end();
    }
    return request.url === '/big' ? response.end(Buffer.alloc(5_000_000)) : undefined;
  });
  const { endpoint, stats } = await proxyTo(t, server);
  const proxy = client(t, endpoint, { sessions: 1 });
  await text(proxy.fetch('https://a.example/'));
  await assert.rejects(proxy.fetch('https://a.example/error'), { code: 'econnreset' });
  await text(proxy.fetch('https://a.example/'));
  assert.equal(stats.tunnels.length, 2);
  await (await proxy.fetch('https://a.example/big')).body.cancel();
  await text(proxy.fetch('https://a.example/'));
  assert.equal(stats.tunnels.length, 3);
});

test('a session takes its tunnels with it', async (t) => {
  let deleted = 0;
  const refusal = (line) => {
    if (!line.startsWith('DELETE')) {
      return undefined;
    }
    deleted += 1;
    return 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
  };
  const { endpoint, stats } = await proxyTo(t, await target(t), { refusal });
  const proxy = client(t, endpoint, { sessions: 4, keepSessions: false });
  const session = proxy.session();
  await text(session.fetch('https://a.example/'));
  assert.equal(stats.open, 1);
  session.end();
  await sleep(50);
  assert.deepEqual([deleted, stats.open], [1, 0]);
});

test('a program ends by itself though tunnels are kept', async (t) => {
  const { endpoint, stats } = await proxyTo(t, await target(t));
  const program = `
    const { SessionProxy } = require('silkline/client');
    const [endpoint, ca] = process.argv.slice(1);
    const proxy = new SessionProxy({ apiKey: 'KEY', endpoint, ca });
    proxy.fetch('https://a.example/').then(async (response) => console.log(await response.text()));`;
  const options = { cwd: consumer, timeout: 10_000 };
  const args = ['--eval', program, endpoint, cert.toString()];
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  assert.match(stdout, /^\d+\n$/);
  assert.equal(stats.tunnels.length, 1);
});

const refusals = {
  'with a length': 'Content-Length: 9\r\n\r\nno plan 1',
  'in chunks': 'Transfer-Encoding: chunked\r\n\r\n3\r\nno \r\n6;x=1\r\nplan 1\r\n0\r\n\r\n',
};
for (const [name, rest] of Object.entries(refusals)) {
  test(`what refuses a tunnel is read, ${name}`, async (t) => {
    const head = 'HTTP/1.1 470 No\r\nX-Crawlera-Error: header_auth\r\n';
    const { endpoint } = await proxyTo(t, await target(t), { refusal: () => head + rest });
    const proxy = client(t, endpoint);
    const started = performance.now();
    await assert.rejects(proxy.fetch('https://a.example/'), (error) => {
      assert.deepEqual([error.code, error.status, error.detail], ['header_auth', 470, 'no plan 1']);
      return error.cost.billed === 0;
    });
    assert.ok(performance.now() - started < 1_500, 'the connection stays open');
  });
}

test('a proxy that speaks TLS is trusted by the same authority, or told of at once', async (t) => {
  const { endpoint, stats } = await proxyTo(t, await target(t), { secure: true });
  const proxy = client(t, endpoint, { sessions: 1 });
  const port = await text(proxy.fetch('https://a.example/'));
  assert.equal(await text(proxy.fetch('https://a.example/')), port);
  assert.equal(stats.tunnels.length, 1);
  const other = client(t, endpoint, { ca: undefined, policy: undefined });
  for (const url of ['https://a.example/', 'http://a.example/']) {
    await assert.rejects(other.fetch(url), (error) => {
      assert.ok(error instanceof UntrustedCertificate);
      return /SELF_SIGNED|UNABLE_TO/.test(error.cause.code);
    });
  }
  assert.equal(other.stats().requests, 2);
  await assert.rejects(proxy.fetch('https://c.example/'), (error) => {
    assert.match(error.message, /c\.example/);
    return error instanceof UntrustedCertificate && !error.message.includes('`ca`');
  });
});
