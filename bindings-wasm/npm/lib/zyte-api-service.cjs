// `service::zyte_api` of the core: Zyte API's side, for tests and simulations.
'use strict';

const { listOf } = require('./headers.cjs');
const {
  countsOf,
  failureOf,
  headersOf,
  headOf,
  jsonOf,
  KEYS,
  positive,
  proxyService,
  proxySettings,
  read,
  READERS,
  rules,
  script,
  seeded,
  settingsOf,
  statusOf,
  string,
  strings,
  times,
} = require('./hosting.cjs');
const { bytesOf } = require('./json.cjs');
const { Machine, rawOf } = require('./machine.cjs');
const { millis, seedOf, whole } = require('./numbers.cjs');
const { ready } = require('./start.cjs');

const wasm = () => ready('zyteApiServices');

const RATES = { rate: positive, systemRate: positive, domainRate: positive };
const EXTRACT = {
  ...KEYS,
  ...RATES,
  occupied: times,
  maxPayload: whole,
  timeout: millis,
  forbiddenDomains: strings,
  bans: rules,
  faults: script,
};
const PROXY = {
  ...proxySettings(wasm),
  ...RATES,
  sessionLife: millis,
  sessionBans: whole,
  maxRedirects: whole,
};

/** A page to fetch; for an answer that is only held back, none. */
const fetchOf = (
  ticket,
  url = null,
  method = 'GET',
  lines = '',
  body = new Uint8Array(),
  followRedirects = true,
  item = null,
  browserHtml = false,
) => ({
  type: 'fetch',
  ticket,
  url,
  method,
  headers: listOf(lines),
  body,
  followRedirects,
  item,
  browserHtml,
});
const READ = { ...READERS, fetch: fetchOf };

const maybe = (value, name, check) =>
  value === undefined || value === null ? undefined : check(value, name);

class ZyteApiService extends Machine {
  constructor(options = {}) {
    const [settings, seed] = seeded(options);
    super(new (wasm().ZyteApiService)(settingsOf(settings, EXTRACT), seedOf(seed)));
  }

  get maxPayload() {
    return rawOf(this).maxPayload();
  }

  handleRequest(request, now) {
    const parts = [...headOf(request), bytesOf(request.body), millis(now, 'now')];
    return read(rawOf(this).handleRequest(...parts), READ);
  }

  handleMalformed(now) {
    return read(rawOf(this).handleMalformed(millis(now, 'now')), READ);
  }

  handleFetched(ticket, outcome, now) {
    const raw = rawOf(this);
    const number = whole(ticket, 'ticket');
    const at = millis(now, 'now');
    let answer;
    if (typeof outcome === 'string') {
      answer = raw.handleFailed(number, failureOf(outcome, wasm().pageFailures), at);
    } else {
      const { url, status, headers, body, browserHtml, item } = Object(outcome);
      const page = [string(url, 'url'), statusOf(status), headersOf(headers), bytesOf(body)];
      const made = [maybe(browserHtml, 'browserHtml', string), maybe(item, 'item', jsonOf)];
      answer = raw.handlePage(number, ...page, ...made, at);
    }
    return answer === undefined ? null : read(answer, READ);
  }

  handleClosed(ticket, now) {
    rawOf(this).handleClosed(whole(ticket, 'ticket'), millis(now, 'now'));
  }

  poll(now) {
    return read(rawOf(this).poll(millis(now, 'now')), READ);
  }

  stats() {
    return countsOf(rawOf(this).stats());
  }
}

class ZyteProxyService extends proxyService(wasm) {
  constructor(options = {}) {
    const [settings, seed] = seeded(options);
    super(new (wasm().ZyteProxyService)(settingsOf(settings, PROXY), seedOf(seed)));
  }
}

exports.ZyteApiService = ZyteApiService;
exports.ZyteProxyService = ZyteProxyService;
