// Replays the vectors: the cases that hold in all languages.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { root } from './package.mjs';
import { operations as bridge } from './vectors/bridge.mjs';
import { operations as engine } from './vectors/engine.mjs';
import { operations as extraction } from './vectors/extraction.mjs';
import { checkKeys } from './vectors/given.mjs';
import { operations as http } from './vectors/http.mjs';
import { operations as problem } from './vectors/problem.mjs';
import { operations as proxy } from './vectors/proxy.mjs';
import { operations as schedule } from './vectors/schedule.mjs';
import { operations as service } from './vectors/service.mjs';
import { operations as zyteApi } from './vectors/zyte-api.mjs';

const operations = {
  ...http,
  ...problem,
  ...extraction,
  ...proxy,
  ...schedule,
  ...engine,
  ...zyteApi,
  ...service,
  ...bridge,
};
// A domain of the core that the package does not have shows as a test to do.
const isMissing = (domain) => !Object.keys(operations).some((op) => op.startsWith(`${domain}.`));

const folder = new URL('tests/vectors/', root);
const domains = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);
assert.ok(domains.length > 0, 'no vector was found');

for (const domain of domains) {
  const files = readdirSync(new URL(`${domain}/`, folder)).filter((name) => name.endsWith('.json'));
  test(domain, { todo: isMissing(domain) && 'not in the package' }, async (t) => {
    assert.ok(files.length > 0, `no vector of ${domain}`);
    if (isMissing(domain)) {
      return;
    }
    for (const file of files) {
      const vector = JSON.parse(readFileSync(new URL(`${domain}/${file}`, folder), 'utf8'));
      await t.test(file, () => {
        checkKeys(vector, ['about', 'source', 'cases']);
        assert.ok(vector.cases.length > 0, 'no case');
        for (const given of vector.cases) {
          checkKeys(given, ['name', 'op', 'given', 'expect']);
          assert.ok(given.op in operations, `no operation is called ${given.op}`);
          assert.deepStrictEqual(operations[given.op](given.given), given.expect, given.name);
        }
      });
    }
  });
}
