// Memory over a million polls: that of the modules does not grow after the first ones, nor does the
// heap.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { consumer } from './package.mjs';

const program = `
  const memories = new Set();
  const { Instance } = WebAssembly;
  WebAssembly.Instance = class extends Instance {
    constructor(...parts) {
      super(...parts);
      memories.add(this.exports.memory);
    }
  };
  const silkline = require('silkline');
  const used = () => {
    const wasm = [...memories].reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
    // Buffers are given back a while after a collection.
    const heaps = Array.from({ length: 5 }, () => {
      globalThis.gc();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    });
    return { wasm, heap: Math.min(...heaps) };
  };
  let polls = 0;
  let now = 0;
  const apiKey = 'key';

  function extraction() {
    const api = new silkline.ExtractionApi({ apiKey });
    const engine = new silkline.ExtractionEngine({ api, rate: 1e6, burst: 1e6, seed: 1, now });
    const answers = [200, 200, 200, 500].map((status) => [
      status,
      (url) =>
        JSON.stringify([{ query: { userQuery: { url, pageType: 'article' } }, article: { a: 1 } }]),
    ]);
    return (round) => {
      const url = 'http://example.com/' + round;
      engine.submit({ url, pageType: 'article' }, { now, key: 'k' + round });
      for (;;) {
        polls += 1;
        const output = engine.poll(now);
        if (output.type === 'send') {
          const [status, body] = answers[output.id % 4];
          const { url: asked } = JSON.parse(Buffer.from(output.request.body))[0];
          engine.handleResponse(output.id, { status, headers: {}, body: body(asked) }, now);
        } else if (output.type === 'waitUntil') {
          now = output.at;
        } else if (output.type === 'idle') {
          return;
        }
      }
    };
  }

  function proxy() {
    const api = new silkline.ProxyApi({ apiKey });
    const engine = new silkline.ProxyEngine({ api, size: 50, delay: 0, seed: 1, now });
    let session = 0;
    const body = new Uint8Array(4_096);
    return (round) => {
      engine.submit(
        { url: 'https://example' + (round % 1_000) + '.com/' + round, headers: { A: 'b' } },
        { now, key: 'k' + round },
      );
      for (;;) {
        polls += 1;
        const output = engine.poll(now);
        if (output.type === 'send') {
          const id = output.session ?? String((session += 1));
          const headers = { 'X-Crawlera-Session': id, 'X-Crawlera-Version': '1' };
          const isGone = output.id % 50 === 0;
          engine.handleSent(output.id, now);
          if (isGone) {
            headers['X-Crawlera-Error'] = 'bad_session_id';
          }
          if (output.id % 20 === 7) {
            engine.handleFailure(output.id, 'network', now);
          } else {
            engine.handleResponse(output.id, { status: isGone ? 400 : 200, headers, body }, now);
          }
        } else if (output.type === 'waitUntil') {
          now = output.at;
        } else if (output.type === 'idle') {
          return;
        }
      }
    };
  }

  const round = KIND();
  let rounds = 0;
  const run = (until) => {
    while (polls < until) {
      round(rounds);
      rounds += 1;
    }
  };
  run(100_000);
  const before = used();
  run(1_100_000);
  const after = used();
  console.log(JSON.stringify({ before, after, polls }));`;

for (const kind of ['extraction', 'proxy']) {
  test(`a million polls of the ${kind} engine leave no memory behind`, (t) => {
    const args = ['--expose-gc', '--eval', program.replace('KIND', kind)];
    const shown = execFileSync(process.execPath, args, { cwd: consumer, encoding: 'utf8' });
    const { before, after } = JSON.parse(shown);
    t.diagnostic(shown.trim());
    assert.equal(after.wasm, before.wasm, 'the memory of the modules');
    assert.ok(after.heap - before.heap < 2 * 2 ** 20, 'the heap');
  });
}
