// `service` of the core: the services' side, for tests and simulations.
'use strict';

const { BridgedQuery, outcomeOf } = require('./bridged.cjs');
const {
  countsOf,
  failureOf,
  headOf,
  jsonOf,
  KEYS,
  moment,
  positive,
  proxyService,
  proxySettings,
  read,
  READERS,
  script,
  seeded,
  settingsOf,
  statusOf,
  string,
  strings,
  times,
} = require('./hosting.cjs');
const { flag } = require('./known.cjs');
const { bytesOf } = require('./json.cjs');
const { Machine, rawOf } = require('./machine.cjs');
const { millis, seedOf, whole } = require('./numbers.cjs');
const { ready } = require('./start.cjs');

const wasm = () => ready('services');

const growth = (value, name) => {
  if (typeof value !== 'number' || !(value >= 0 && value <= 1_000)) {
    throw new TypeError(`${name} must be a number from 0 to 1000`);
  }
  return Math.round(value * 100);
};

const EXTRACTION = {
  ...KEYS,
  rate: positive,
  burst: whole,
  systemRate: positive,
  maxQueries: whole,
  maxPayload: whole,
  queryTimeout: millis,
  blacklist: strings,
  occupied: times,
  domainRate: positive,
  domainConcurrency: whole,
  domainWait: millis,
  shuffle: flag,
  faults: script,
  epoch: moment,
  algorithmVersion: string,
};
const PROXY = {
  ...proxySettings(wasm),
  delay: millis,
  domainDelays: times,
  delayGrowth: growth,
  maxConnections: whole,
  maxOutstanding: whole,
  withheldHeaders: strings,
};
const READ_PAGES = {
  ...READERS,
  fetch: (ticket, queries) => ({ type: 'fetch', ticket, queries: JSON.parse(queries) }),
};

class ExtractionService extends Machine {
  constructor(options = {}) {
    const [settings, seed] = seeded(options);
    super(new (wasm().ExtractionService)(settingsOf(settings, EXTRACTION), seedOf(seed)));
  }

  get maxPayload() {
    return rawOf(this).maxPayload();
  }

  handleRequest(request, now) {
    const parts = [...headOf(request), bytesOf(request.body), millis(now, 'now')];
    return read(rawOf(this).handleRequest(...parts), READ_PAGES);
  }

  handleMalformed(now) {
    return read(rawOf(this).handleMalformed(millis(now, 'now')), READ_PAGES);
  }

  handleFetched(ticket, index, outcome, now) {
    const raw = rawOf(this);
    const place = [whole(ticket, 'ticket'), whole(index, 'index')];
    const at = millis(now, 'now');
    let answer;
    if (typeof outcome === 'number') {
      answer = raw.handleStatus(...place, statusOf(outcome), at);
    } else if (typeof outcome === 'string') {
      answer = raw.handleFailed(...place, failureOf(outcome, wasm().pageFailures), at);
    } else if (outcome instanceof BridgedQuery) {
      const [method, ...parts] = outcomeOf(outcome);
      answer = raw[method](...place, ...parts, at);
    } else {
      const { item, webPage = {}, html } = Object(outcome);
      const parts = [jsonOf(item, 'item'), jsonOf(webPage, 'webPage'), html ?? undefined];
      answer = raw.handlePage(...place, ...parts, at);
    }
    return answer === undefined ? null : read(answer, READ_PAGES);
  }

  handleClosed(ticket, now) {
    rawOf(this).handleClosed(whole(ticket, 'ticket'), millis(now, 'now'));
  }

  poll(now) {
    return read(rawOf(this).poll(millis(now, 'now')), READ_PAGES);
  }

  stats() {
    return countsOf(rawOf(this).stats());
  }
}

class ProxyService extends proxyService(wasm) {
  constructor(options = {}) {
    const [settings, seed] = seeded(options);
    super(new (wasm().ProxyService)(settingsOf(settings, PROXY), seedOf(seed)));
  }
}

exports.ExtractionService = ExtractionService;
exports.ProxyService = ProxyService;
