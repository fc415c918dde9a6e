// The vectors of `service`: scripts of calls, with what each call gives.
import { silkline } from '../package.mjs';
import { operations as extraction } from './extraction.mjs';
import { body, bodyText, checkKeys, headersJson, micros, outcome, told } from './given.mjs';
import { options, pairs, operations as proxy } from './proxy.mjs';

const { basicAuthorization, ExtractionApi, ProxyApi, ZyteApiService, ZyteProxyService } = silkline;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const millis = (micros) => micros / 1000;
const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const SHARED = ['keys', 'disabled_keys', 'rate', 'system_rate', 'domain_rate'];
const RULES = ['forbidden_domains', 'bans', 'faults'];

/** Settings under their names in the package, times in milliseconds. */
function settings(given = {}, known) {
  checkKeys(given, [...SHARED, ...RULES, ...known]);
  const found = {};
  for (const [name, value] of Object.entries(given)) {
    const short = camel(name.replace(/_us$/, ''));
    if (name === 'bans') {
      found.bans = value.map(([domain, statuses, texts]) => ({ domain, statuses, texts }));
    } else if (name === 'occupied_us') {
      const times = Object.entries(value).map(([domain, time]) => [domain, millis(time)]);
      found.occupied = Object.fromEntries(times);
    } else {
      found[short] = name.endsWith('_us') ? millis(value) : value;
    }
  }
  return found;
}

/** The headers of a step, after the authorization by its key, `KEY` if it says nothing. */
export function authorized({ key = 'KEY', headers }, header) {
  const own = key === null ? [] : [[header, basicAuthorization(key)]];
  return [...own, ...pairs(headers)];
}

/** An answer: its body as JSON where it is said to be, else as text. */
export function answerJson({ status, headers, body: bytes, dropped, truncated }) {
  const text = utf8.decode(bytes);
  let body = text === '' ? null : text;
  if (headers.get('Content-Type')?.includes('json') && body !== null) {
    try {
      body = { json: JSON.parse(text) };
    } catch {
      // It is not, whatever it is said to be.
    }
  }
  return told({ status, headers: headersJson(headers), body, dropped: dropped || null, truncated });
}

/** The counts that are not zero. */
export function statsJson(stats) {
  const says = ([, value]) => value !== 0 && Object.keys(value).length + Number(value > 0) > 0;
  const counts = Object.entries(stats).filter(says);
  return Object.fromEntries(counts.map(([name, value]) => [snake(name), value]));
}

export const checkStep = (step, known) => checkKeys(step, ['at_us', 'call', ...known]);

/** Runs the steps of a script: each is a call of `machine` by its name. */
export const play = (machine, steps) =>
  steps.map((step) => outcome(() => machine[step.call](step, millis(step.at_us))));

/** What the calls of both machines share. */
class Script {
  /** The last answer. */
  last;

  answered(answer) {
    this.heard(answer);
    return { answer: answerJson(answer) };
  }

  heard({ status, headers, body: bytes = Buffer.alloc(0) }) {
    this.last = { status, headers: [...headers], body: utf8.decode(bytes) };
  }

  stats(step) {
    checkStep(step, []);
    return statsJson(this.service.stats());
  }

  closed(step, now) {
    checkStep(step, ['ticket']);
    this.service.handleClosed(step.ticket, now);
    return null;
  }
}

// --- POST /v1/extract ---

class Extract extends Script {
  queries;

  constructor({ config, seed }) {
    super();
    const known = ['occupied_us', 'max_payload', 'timeout_us'];
    this.service = new ZyteApiService({ seed, ...settings(config, known) });
  }

  request(step, now) {
    const found = this.service.handleRequest(this.requestOf(step), now);
    return found.type === 'answer' ? this.answered(found) : { fetch: wishJson(found) };
  }

  /** A request: of the older vocabulary's query by the dialect, or as it is given. */
  requestOf(step) {
    if (step.query !== undefined) {
      checkStep(step, ['query']);
      this.queries = [step.query];
      return new ExtractionApi({ apiKey: 'KEY', dialect: 'zyte_api' }).request(this.queries);
    }
    checkStep(step, ['method', 'url', 'key', 'headers', 'body']);
    const { method = 'POST', url = '/v1/extract' } = step;
    const headers = authorized(step, 'Authorization');
    if (step.headers === undefined) {
      headers.push(['Content-Type', 'application/json']);
    }
    return { method, url, headers, body: body(step.body) };
  }

  fetched(step, now) {
    checkStep(step, ['ticket', 'page', 'failure']);
    const outcome = step.failure ?? pageOf(step.page);
    const answer = this.service.handleFetched(step.ticket, outcome, now);
    return answer && this.answered(answer);
  }

  malformed(step, now) {
    checkStep(step, []);
    return this.answered(this.service.handleMalformed(now));
  }

  poll(step, now) {
    checkStep(step, []);
    const found = this.service.poll(now);
    return found.type === 'answer'
      ? { ticket: found.ticket, ...this.answered(found) }
      : waitJson(found);
  }

  read(step) {
    checkStep(step, ['query']);
    const queries = step.query === undefined ? this.queries : [step.query];
    return extraction['zyte_api.results']({ ...this.last, queries });
  }
}

function pageOf(given) {
  checkKeys(given, ['url', 'status', 'headers', 'body', 'browser_html', 'item']);
  const { url, status, headers, browser_html: browserHtml, item } = given;
  return {
    url,
    status,
    headers: pairs(headers),
    body: body(given.body),
    browserHtml,
    item: item === undefined ? null : bodyText(item),
  };
}

function wishJson({ ticket, url, method, headers, body: bytes, followRedirects, ...rest }) {
  if (url === null) {
    return { ticket };
  }
  return told({
    ticket,
    method,
    url,
    headers: headers.length > 0 ? headersJson(headers) : null,
    body: bytes.length > 0 ? utf8.decode(bytes) : null,
    follow_redirects: followRedirects,
    item: rest.item,
    browser_html: rest.browserHtml,
  });
}

const waitJson = ({ type, at }) => (type === 'idle' ? null : { wait_until_us: micros(at) });

// --- proxy mode ---

class ProxyMode extends Script {
  tunnel;

  constructor({ config, seed }) {
    super();
    const sessions = ['sessions_per_address', 'max_sessions', 'session_life_us'];
    sessions.push('session_idle_us', 'session_bans');
    const limits = ['retries', 'max_redirects', 'max_header_bytes', 'max_body_bytes'];
    const found = settings(config, ['outgoing', ...sessions, ...limits]);
    this.service = new ZyteProxyService({ seed, ...found });
  }

  connect(step, now) {
    checkStep(step, ['authority', 'key', 'headers']);
    const headers = authorized(step, 'Proxy-Authorization');
    const found = this.service.handleConnect({ url: step.authority, headers }, now);
    if (found.type === 'answer') {
      return this.answered(found);
    }
    this.tunnel = found;
    return { tunnel: { authority: found.authority, headers: headersJson(found.headers) } };
  }

  request(step, now) {
    const tunnel = step.tunnelled ? this.tunnel : null;
    return this.show(step, this.service.handleRequest(proxied(step), now, { tunnel }));
  }

  responded(step, now) {
    checkStep(step, ['ticket', 'status', 'headers', 'body', 'full']);
    const { ticket, status, headers } = step;
    const response = { status, headers: pairs(headers), bodyStart: body(step.body) };
    return this.show(step, this.service.handleResponded(ticket, response, now));
  }

  failed(step, now) {
    checkStep(step, ['ticket', 'failure', 'full']);
    return this.show(step, this.service.handleFailed(step.ticket, step.failure, now));
  }

  finished(step, now) {
    checkStep(step, ['ticket', 'bytes']);
    this.service.handleFinished(step.ticket, step.bytes, now);
    return null;
  }

  api(step, now) {
    checkStep(step, ['method', 'path', 'key', 'headers']);
    const headers = authorized(step, 'Authorization');
    const request = { method: step.method, url: step.path, headers };
    return this.answered(this.service.handleApi(request, now));
  }

  unreadable(step, now) {
    checkStep(step, ['too_large']);
    return this.answered(this.service.handleUnreadable(step.too_large, now));
  }

  poll(step, now) {
    checkStep(step, ['full']);
    const found = this.service.poll(now);
    return found.type === 'fetch' ? { fetch: fetchJson(step, found) } : waitJson(found);
  }

  read(step) {
    checkStep(step, []);
    return proxy['zyte_api.proxy_read'](this.last);
  }

  show(step, found) {
    const { type, ticket, status, headers, truncated } = found;
    switch (type) {
      case 'answer':
        return this.answered(found);
      case 'fetch':
        return { fetch: fetchJson(step, found) };
      case 'relay':
        this.heard(found);
        return { relay: told({ ticket, status, headers: headersJson(headers), truncated }) };
      default:
        return { wait: ticket };
    }
  }
}

/** A request for a target: with options, as the dialect writes it, or as it is given. */
function proxied(step) {
  checkStep(step, ['method', 'url', 'key', 'headers', 'options', 'tunnelled', 'full']);
  const { method = 'GET', url = 'http://example.com/' } = step;
  if (step.options !== undefined) {
    const api = new ProxyApi({ apiKey: 'KEY', dialect: 'zyte_api' });
    return api.request({ method, url, headers: pairs(step.headers) }, options(step.options))
      .request;
  }
  const headers = step.tunnelled ? pairs(step.headers) : authorized(step, 'Proxy-Authorization');
  return { method, url, headers };
}

/** A fetch; its headers where the step asks for all of it. */
function fetchJson({ full = false }, { ticket, outgoing, method, url, ...rest }) {
  const shown = { ticket, outgoing, method, url };
  if (full) {
    shown.headers = headersJson(rest.headers);
    shown.timeout_us = micros(rest.timeout);
    shown.inspect_body = rest.inspectBody;
  }
  return shown;
}

const script = (Machine) => (given) =>
  outcome(() => {
    checkKeys(given, ['config', 'seed', 'steps']);
    return play(new Machine(given), given.steps);
  });

export const operations = {
  'service.zyte_api.extract': script(Extract),
  'service.zyte_api.proxy': script(ProxyMode),
};
