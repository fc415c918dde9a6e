// What crosses between the services' side and its hosts: settings, requests, steps.
'use strict';

const { listOf, pairs, text } = require('./headers.cjs');
const { bytesOf } = require('./json.cjs');
const { Machine, rawOf } = require('./machine.cjs');
const { millis, whole } = require('./numbers.cjs');

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
const times = (value, name) => {
  if (typeof value !== 'object') {
    throw new TypeError(`${name} must be an object of domains and times`);
  }
  return Object.fromEntries(
    Object.entries(value).map(([domain, time]) => [text(domain), millis(time, name)]),
  );
};
const moment = (value, name) => millis(value instanceof Date ? value.getTime() : value, name);
/** A fault script: JSON, as text or as an array. The core judges it. */
const script = (value) =>
  typeof value === 'string' ? value.toWellFormed() : JSON.stringify(value);
const rules = (value, name) => {
  if (!Array.isArray(value)) {
    throw new TypeError(`${name} must be an array of rules`);
  }
  return value.map((rule) => {
    const { domain, statuses = [], texts = [] } = Object(rule);
    if (!Array.isArray(statuses)) {
      throw new TypeError('statuses must be an array of numbers');
    }
    return {
      ...(domain != null && { domain: string(domain, 'domain') }),
      statuses: statuses.map((status) => whole(status, 'statuses')),
      texts: strings(texts, 'texts'),
    };
  });
};

/** Settings without the seed, which is none of the machine's, and the seed. */
function seeded(settings) {
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) {
    throw new TypeError('the settings of a service must be an object');
  }
  const { seed, ...others } = settings;
  return [others, seed];
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

// --- what goes in ---------------------------------------------------------------------------------

const headersOf = (headers) => JSON.stringify(pairs(headers).flat());

/** Method, URL and headers of a request. */
const headOf = ({ method, url, headers }) => [
  string(method, 'method'),
  string(url, 'url'),
  headersOf(headers),
];
const statusOf = (status) => {
  if (!Number.isInteger(status) || status < 0 || status > 65535) {
    throw new TypeError('status must be the number of an HTTP status');
  }
  return status;
};
const failureOf = (failure, failures) => {
  const known = JSON.parse(failures());
  if (!known.includes(failure)) {
    throw new TypeError(`${JSON.stringify(failure)} is no failure, these are: ${known.join(', ')}`);
  }
  return failure;
};
/** A JSON object, as such or as its text. */
const jsonOf = (value, name) => {
  if (typeof value !== 'string' && (typeof value !== 'object' || value === null)) {
    throw new TypeError(`${name} must be an object or JSON text`);
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
};

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
  wait: (ticket) => ({ type: 'wait', ticket }),
  waitUntil: (at) => ({ type: 'waitUntil', at }),
  idle: () => ({ type: 'idle' }),
};
const READ_TARGETS = {
  ...READERS,
  relay: (ticket, status, lines, truncated, maxBodyBytes) => ({
    type: 'relay',
    ticket,
    status,
    headers: listOf(lines),
    truncated,
    maxBodyBytes,
  }),
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

// --- machines -------------------------------------------------------------------------------------

/** An open tunnel, of any machine. */
class Tunnel extends Machine {
  type = 'tunnel';

  get authority() {
    return rawOf(this).authority();
  }

  get headers() {
    return listOf(rawOf(this).headers());
  }
}
class ProxyTunnel extends Tunnel {}

/** Takes a request, from its tunnel if it came through one; `Raw` is what such tunnels are. */
function taken(raw, request, now, tunnel, Raw) {
  const parts = [...headOf(request), millis(now, 'now')];
  if (tunnel === undefined || tunnel === null) {
    return raw.handleRequest(...parts);
  }
  const opened = tunnel instanceof Tunnel ? rawOf(tunnel) : undefined;
  if (!(opened instanceof Raw)) {
    throw new TypeError('tunnel must be one that a machine of this class has opened');
  }
  return raw.handleTunnelled(opened, ...parts);
}

/** What both proxy services do alike; `wasm` gives the module that a class lives in. */
const proxyService = (wasm) =>
  class extends Machine {
    handleConnect({ url, headers }, now) {
      const parts = [string(url, 'url'), headersOf(headers)];
      return read(rawOf(this).handleConnect(...parts, millis(now, 'now')), READ_TARGETS);
    }

    handleRequest(request, now, { tunnel } = {}) {
      return read(taken(rawOf(this), request, now, tunnel, wasm().ProxyTunnel), READ_TARGETS);
    }

    handleResponded(ticket, { status, headers, bodyStart }, now) {
      const parts = [statusOf(status), headersOf(headers), bytesOf(bodyStart)];
      const at = millis(now, 'now');
      return read(rawOf(this).handleResponded(whole(ticket, 'ticket'), ...parts, at), READ_TARGETS);
    }

    handleFailed(ticket, failure, now) {
      const known = failureOf(failure, wasm().targetFailures);
      const parts = [whole(ticket, 'ticket'), known, millis(now, 'now')];
      return read(rawOf(this).handleFailed(...parts), READ_TARGETS);
    }

    handleFinished(ticket, bodyBytes, now) {
      const parts = [whole(ticket, 'ticket'), whole(bodyBytes, 'bodyBytes'), millis(now, 'now')];
      rawOf(this).handleFinished(...parts);
    }

    handleClosed(ticket, now) {
      rawOf(this).handleClosed(whole(ticket, 'ticket'), millis(now, 'now'));
    }

    handleApi(request, now) {
      return read(rawOf(this).handleApi(...headOf(request), millis(now, 'now')), READ_TARGETS);
    }

    handleUnreadable(isTooLarge, now) {
      const at = millis(now, 'now');
      return read(rawOf(this).handleUnreadable(Boolean(isTooLarge), at), READ_TARGETS);
    }

    poll(now) {
      return read(rawOf(this).poll(millis(now, 'now')), READ_TARGETS);
    }

    stats() {
      return countsOf(rawOf(this).stats());
    }
  };

const KEYS = { keys: strings, disabledKeys: strings };
/** What all that leaves from addresses of its own can be told. */
const proxySettings = (wasm) => ({
  ...KEYS,
  outgoing: (value, name) => {
    const given = strings(value, name);
    const wrong = given.find((address) => !wasm().isAddress(address));
    if (wrong !== undefined || given.length === 0) {
      throw new TypeError(`${name} must be IP addresses, not ${JSON.stringify(wrong ?? [])}`);
    }
    return given;
  },
  sessionsPerAddress: whole,
  maxSessions: whole,
  sessionIdle: millis,
  retries: whole,
  timeout: millis,
  maxHeaderBytes: whole,
  maxBodyBytes: whole,
  bans: rules,
  forbiddenDomains: strings,
  faults: script,
});

exports.countsOf = countsOf;
exports.failureOf = failureOf;
exports.headersOf = headersOf;
exports.headOf = headOf;
exports.jsonOf = jsonOf;
exports.KEYS = KEYS;
exports.moment = moment;
exports.positive = positive;
exports.proxyService = proxyService;
exports.proxySettings = proxySettings;
exports.read = read;
exports.READERS = READERS;
exports.rules = rules;
exports.script = script;
exports.seeded = seeded;
exports.settingsOf = settingsOf;
exports.statusOf = statusOf;
exports.string = string;
exports.strings = strings;
exports.taken = taken;
exports.times = times;
exports.Tunnel = Tunnel;
