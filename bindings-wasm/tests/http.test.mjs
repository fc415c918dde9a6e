// The border of `http`: forms of headers, types of arguments, classes of errors.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silkline } from './package.mjs';

const { basicAuthorization, basicCredentials, parseHttpDate, retryAfter } = silkline;

test('headers are taken in every form that clients give', () => {
  const forms = [
    [['retry-after', '1.5']],
    new Headers({ 'Retry-After': '1.5' }),
    new Map([['Retry-After', '1.5']]),
    { 'RETRY-AFTER': '1.5' },
    { 'retry-after': ['1.5', '9'], other: undefined },
  ];
  for (const form of forms) {
    assert.equal(retryAfter(form), 1500);
  }
  assert.equal(retryAfter({}), null);
  assert.equal(retryAfter([['Retry-After', '\ud800']]), null);
  for (const wrong of ['a: b', [['a']], ['ab'], 5]) {
    assert.throws(() => retryAfter(wrong), TypeError);
  }
});

test('moments and credentials', () => {
  assert.equal(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT'), Date.UTC(1994, 10, 6, 8, 49, 37));
  assert.equal(parseHttpDate('soon'), null);
  assert.deepEqual(basicCredentials(basicAuthorization('secret')), {
    user: 'secret',
    password: '',
  });
  assert.equal(basicCredentials('Bearer x'), null);
  assert.throws(() => parseHttpDate(5), TypeError);
});

test('errors are errors', () => {
  assert.throws(
    () => basicAuthorization('sec:ret'),
    (error) => {
      assert.ok(error instanceof silkline.InvalidApiKey);
      assert.ok(error instanceof silkline.SilklineError);
      assert.ok(error instanceof Error);
      assert.deepEqual([error.name, error.code], ['InvalidApiKey', 'api_key_invalid']);
      assert.deepEqual([error.position, error.length], [3, 7]);
      assert.match(error.stack, /^InvalidApiKey: api key holds/);
      assert.doesNotMatch(`${error.stack} ${JSON.stringify(error)}`, /sec:ret/);
      return true;
    },
  );
});

test('international domain names have the form that the standard gives them', () => {
  const api = new silkline.ProxyApi({ apiKey: 'key' });
  const host = (name) => new URL(api.stripLeaks({ url: `https://${name}/` }).url).host;
  const authority = (name) => api.request({ url: `https://${name}/` }).connect.url;
  for (const name of ['BÜCHER.example', 'bu\u0308cher.example', 'XN--bcher-kva.example']) {
    assert.equal(authority(name), 'xn--bcher-kva.example:443');
    assert.equal(host(name), 'xn--bcher-kva.example');
  }
  assert.equal(authority('Example.COM'), 'example.com:443');
  assert.equal(authority('１.2.3.4'), '1.2.3.4:443');
  for (const wrong of ['a\uff0fb', 'xn--a', 'a b', '\u00ad', 'a\ufffdb', '%C3', 'ü%3A']) {
    const refused = (error) => error.code === 'target_url_invalid';
    assert.throws(() => authority(wrong), refused, wrong);
  }
});

test('ids of sessions of the proxy mode come from the seed', () => {
  const { Rng, zyteApi } = silkline;
  const rng = new Rng(1);
  assert.equal(zyteApi.sessionId(rng), '910a2dec-8902-4cc1-beeb-8da1658eec67');
  assert.notEqual(zyteApi.sessionId(rng), '910a2dec-8902-4cc1-beeb-8da1658eec67');
  rng.free();
  assert.throws(() => zyteApi.sessionId(rng), { message: 'Rng was used after free()' });
  for (const wrong of [undefined, 1, { sessionId: () => 'x' }]) {
    assert.throws(() => zyteApi.sessionId(wrong), { message: 'rng must be an Rng' });
  }
});
