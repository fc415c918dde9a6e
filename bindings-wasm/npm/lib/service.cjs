// `service` of the core: the services' side, for tests and simulations.
'use strict';

const { listOf, pairs, text } = require('./headers.cjs');
const { bytesOf } = require('./json.cjs');
const { Machine, rawOf } = require('./machine.cjs');
const { millis, seedOf, whole } = require('./numbers.cjs');
const { ready } = require('./start.cjs');

const wasm = () => ready('services');

// --- settings -------------------------------------------------------------------------------------

const positive = (value, name) => {
  if (typeof value !== 'number' || !(value > 0)) {
    throw new TypeError(`${name} must be a number above 0`);
  }
  // JSON has no infinity.
  return value === Number.POSITIVE_INFINITY ? 'Infinity' : value;
};
const string = (value, name) => {
  if (typeof value !== 'string') {
    throw new TypeError(`${name} must be a string`);
  }
  return value.toWellFormed();
};
const strings = (value, name) => {
  if (!Array.isArray(value)) {
    throw new TypeError(`${name} must be an array of strings`);
  }
  return value.map((one) => string(one, name));
};
const addresses = (value, name) => {
  const given = strings(value, name);
  const wrong = given.find((address) => !wasm().isAddress(address));
  if (wrong !== undefined || given.length === 0) {
    throw new TypeError(`${name} must be IP addresses, not ${JSON.stringify(wrong ?? [])}`);
  }
  return given;
};
const flag = (value, name) => {
  if (typeof value !== 'boolean') {
    throw new TypeError(`${name} must be a boolean`);
  }
  return value;
};
const times = (value, name) =>
  Object.fromEntries(
    Object.entries(value).map(([domain, time]) => [text(domain), millis(time, name)]),
  );
const moment = (value, name) => millis(value instanceof Date ? value.getTime() : value, name);
/** A fault script: JSON, as text or as an array. The core judges it. */
const script = (value) =>
  typeof value === 'string' ? value.toWellFormed() : JSON.stringify(value);
const growth = (value, name) => {
  if (typeof value !== 'number' || !(value >= 0 && value <= 1_000)) {
    throw new TypeError(`${name} must be a number from 0 to 1000`);
  }
  return Math.round(value * 100);
};
const rules = (value, name) => {
  if (!Array.isArray(value)) {
    throw new TypeError(`${name} must be an array of rules`);
  }
  return value.map(({ domain, statuses = [], texts = [] }) => ({
    ...(domain != null && { domain: string(domain, 'domain') }),
    statuses: statuses.map((status) => whole(status, 'statuses')),
    texts: strings(texts, 'texts'),
  }));
};

const KEYS = { keys: strings, disabledKeys: strings };
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
  ...KEYS,
  outgoing: addresses,
  sessionsPerAddress: whole,
  maxSessions: whole,
  sessionIdle: millis,
  delay: millis,
  domainDelays: times,
  delayGrowth: growth,
  retries: whole,
  timeout: millis,
  maxConnections: whole,
  maxOutstanding: whole,
  maxHeaderBytes: whole,
  maxBodyBytes: whole,
  bans: rules,
  forbiddenDomains: strings,
  withheldHeaders: strings,
  faults: script,
};

function objectOf(settings) {
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) {
    throw new TypeError('the settings of a service must be an object');
  }
  return settings;
}

/** Settings as JSON, without what is left out. */
function settingsOf(given, known) {
  const read = Object.entries(given)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => {
      if (!Object.hasOwn(known, name)) {
        throw new TypeError(`there is no setting ${JSON.stringify(name)}`);
      }
      return [name === 'delayGrowth' ? 'delayGrowthPercent' : name, known[name](value, name)];
    });
  return JSON.stringify(Object.fromEntries(read));
}

// --- what comes out -------------------------------------------------------------------------------

const READERS = {
  answer: (ticket, status, lines, body, dropped, truncated) => ({
    type: 'answer',
    ticket,
    status,
    headers: listOf(lines),
    body,
    dropped,
    truncated,
  }),
  relay: (ticket, status, lines, truncated, maxBodyBytes) => ({
    type: 'relay',
    ticket,
    status,
    headers: listOf(lines),
    truncated,
    maxBodyBytes,
  }),
  wait: (ticket) => ({ type: 'wait', ticket }),
  waitUntil: (at) => ({ type: 'waitUntil', at }),
  idle: () => ({ type: 'idle' }),
};
const READ_PAGES = {
  ...READERS,
  fetch: (ticket, queries) => ({ type: 'fetch', ticket, queries: JSON.parse(queries) }),
};
const READ_TARGETS = {
  ...READERS,
  fetch: (ticket, outgoing, method, url, lines, timeout, inspectBody) => ({
    type: 'fetch',
    ticket,
    outgoing,
    method,
    url,
    headers: listOf(lines),
    timeout,
    inspectBody,
  }),
  tunnel: (raw) => new ProxyTunnel(raw),
};

const read = ([type, ...parts], readers) => readers[type](...parts);

/** Counts, by the names that JavaScript gives them; those below are of codes and ids. */
function countsOf(json) {
  const entries = Object.entries(JSON.parse(json));
  return Object.fromEntries(
    entries.map(([name, value]) => [name.replace(/_(.)/g, (_, one) => one.toUpperCase()), value]),
  );
}

const headersOf = (headers) => JSON.stringify(pairs(headers).flat());
const statusOf = (status) => {
  if (!Number.isInteger(status) || status < 0 || status > 65535) {
    throw new TypeError('status must be the number of an HTTP status');
  }
  return status;
};
const failureOf = (failure, kind) => {
  const known = JSON.parse(wasm().failures())[kind];
  if (!known.includes(failure)) {
    throw new TypeError(`${JSON.stringify(failure)} is no failure, these are: ${known.join(', ')}`);
  }
  return failure;
};
const jsonOf = (value) => (typeof value === 'string' ? value : JSON.stringify(value));

// --- the machines ---------------------------------------------------------------------------------

class ExtractionService extends Machine {
  constructor(options = {}) {
    const { seed, ...settings } = objectOf(options);
    super(new (wasm().ExtractionService)(settingsOf(settings, EXTRACTION), seedOf(seed)));
  }

  get maxPayload() {
    return rawOf(this).maxPayload();
  }

  handleRequest({ method, url, headers, body }, now) {
    const parts = [string(method, 'method'), string(url, 'url'), headersOf(headers), bytesOf(body)];
    return read(rawOf(this).handleRequest(...parts, millis(now, 'now')), READ_PAGES);
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
      answer = raw.handleFailed(...place, failureOf(outcome, 'page'), at);
    } else {
      const { item, webPage = {}, html } = outcome;
      answer = raw.handlePage(...place, jsonOf(item), jsonOf(webPage), html ?? undefined, at);
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

class ProxyTunnel extends Machine {
  type = 'tunnel';

  get authority() {
    return rawOf(this).authority();
  }

  get headers() {
    return listOf(rawOf(this).headers());
  }
}

class ProxyService extends Machine {
  constructor(options = {}) {
    const { seed, ...settings } = objectOf(options);
    super(new (wasm().ProxyService)(settingsOf(settings, PROXY), seedOf(seed)));
  }

  handleConnect({ url, headers }, now) {
    const parts = [string(url, 'url'), headersOf(headers)];
    return read(rawOf(this).handleConnect(...parts, millis(now, 'now')), READ_TARGETS);
  }

  handleRequest({ method, url, headers }, now, { tunnel } = {}) {
    const raw = rawOf(this);
    const parts = [string(method, 'method'), string(url, 'url'), headersOf(headers)];
    const at = millis(now, 'now');
    const step =
      tunnel === undefined || tunnel === null
        ? raw.handleRequest(...parts, at)
        : raw.handleTunnelled(rawOf(tunnel), ...parts, at);
    return read(step, READ_TARGETS);
  }

  handleResponded(ticket, { status, headers, bodyStart }, now) {
    const parts = [statusOf(status), headersOf(headers), bytesOf(bodyStart)];
    const at = millis(now, 'now');
    return read(rawOf(this).handleResponded(whole(ticket, 'ticket'), ...parts, at), READ_TARGETS);
  }

  handleFailed(ticket, failure, now) {
    const parts = [whole(ticket, 'ticket'), failureOf(failure, 'target'), millis(now, 'now')];
    return read(rawOf(this).handleFailed(...parts), READ_TARGETS);
  }

  handleFinished(ticket, bodyBytes, now) {
    const parts = [whole(ticket, 'ticket'), whole(bodyBytes, 'bodyBytes'), millis(now, 'now')];
    rawOf(this).handleFinished(...parts);
  }

  handleClosed(ticket, now) {
    rawOf(this).handleClosed(whole(ticket, 'ticket'), millis(now, 'now'));
  }

  handleApi({ method, url, headers }, now) {
    const parts = [string(method, 'method'), string(url, 'url'), headersOf(headers)];
    return read(rawOf(this).handleApi(...parts, millis(now, 'now')), READ_TARGETS);
  }

  handleUnreadable(isTooLarge, now) {
    return read(
      rawOf(this).handleUnreadable(Boolean(isTooLarge), millis(now, 'now')),
      READ_TARGETS,
    );
  }

  poll(now) {
    return read(rawOf(this).poll(millis(now, 'now')), READ_TARGETS);
  }

  stats() {
    return countsOf(rawOf(this).stats());
  }
}

exports.ExtractionService = ExtractionService;
exports.ProxyService = ProxyService;
