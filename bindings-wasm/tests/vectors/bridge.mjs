// The vectors of `bridge`: the older services' words on one side, Zyte API's on the other.
import assert from 'node:assert/strict';
import { silkline } from '../package.mjs';
import { body, checkKeys, headersJson, outcome, requestJson, told } from './given.mjs';
import { pairs } from './proxy.mjs';
import { answerJson, authorized, checkStep, play, statsJson } from './service.mjs';

const { BridgedQuery, ExtractionApi, ExtractionService, ProxyBridge, Query } = silkline;
const api = new ExtractionApi({ apiKey: 'NEW-KEY', dialect: 'zyte_api' });

// --- the Automatic Extraction API ---

/**
 * The requests that go to Zyte API for a request of a program, and the program's answer, given what
 * Zyte API says to each.
 */
function extraction(given) {
  checkKeys(given, ['seed', 'key', 'headers', 'queries', 'body', 'upstream']);
  const front = new ExtractionService({ seed: given.seed });
  const { queries, upstream = [] } = given;
  const content = body(queries === undefined ? given.body : { json: queries });
  const headers = [...authorized(given, 'Authorization'), ['Content-Type', 'application/json']];
  const request = { method: 'POST', url: '/v1/extract', headers, body: content };
  let answer = front.handleRequest(request, 0);
  const replies = upstream.values();
  const sent = [];
  if (answer.type === 'fetch') {
    const { ticket, queries } = answer;
    for (const query of queries) {
      answer = front.handleFetched(ticket, query.index, bridged(query, sent, replies), 0);
      if (answer !== null) {
        break;
      }
    }
  }
  assert.ok(replies.next().done, 'more was said than asked');
  const { billed, unbilled } = front.stats();
  return { upstream: sent, answer: versionless(answerJson(answer)), billed, unbilled };
}

/** Without the version of the algorithms that results name, which is that of the package. */
const versionless = (answer) =>
  JSON.parse(JSON.stringify(answer).replaceAll(`"${silkline.VERSION}"`, '"VERSION"'));

function bridged(query, sent, replies) {
  try {
    const found = asked(query, sent, replies);
    return typeof found === 'string'
      ? BridgedQuery.ofError(found, 'no answer')
      : BridgedQuery.ofResult(found);
  } catch (error) {
    if (!(error instanceof silkline.SilklineError)) {
      throw error;
    }
    return BridgedQuery.ofError(error.code, error.message, error.retryAfter);
  }
}

/** The result, or the code of an error that left no answer. */
function asked({ url, pageType, fullHtml, customHtml }, sent, replies) {
  const fields = { url, pageType, fullHtml: fullHtml || null, customHtml };
  const query = new Query(fields, { dialect: 'zyte_api' });
  sent.push(requestJson(api.request([query])));
  const reply = replies.next().value;
  checkKeys(reply, ['status', 'headers', 'body', 'failure']);
  const { status, headers, failure } = reply;
  if (failure !== undefined) {
    return failure;
  }
  return api.results([query], { status, headers: pairs(headers), body: body(reply.body) })[0];
}

// --- Smart Proxy Manager ---

class Bridge {
  tunnel;

  constructor({ upstream, keys, seed }) {
    this.bridge = new ProxyBridge({ apiKey: 'NEW-KEY', endpoint: upstream, keys, seed });
  }

  connect(step, now) {
    checkStep(step, ['authority', 'key', 'headers']);
    const headers = authorized(step, 'Proxy-Authorization');
    const found = this.bridge.handleConnect({ url: step.authority, headers }, now);
    if (found.type === 'answer') {
      return answered(found);
    }
    this.tunnel = found;
    return { tunnel: { authority: found.authority, headers: headersJson(found.headers) } };
  }

  request(step, now) {
    checkStep(step, ['method', 'url', 'key', 'headers', 'tunnelled']);
    const { method = 'GET', url = 'http://example.com/', tunnelled = false } = step;
    const tunnel = tunnelled ? this.tunnel : null;
    const headers = tunnelled ? pairs(step.headers) : authorized(step, 'Proxy-Authorization');
    const found = this.bridge.handleRequest({ method, url, headers }, now, { tunnel });
    return found.type === 'answer' ? answered(found) : { send: sendJson(found) };
  }

  response(step, now) {
    checkStep(step, ['ticket', 'status', 'headers', 'body']);
    const { ticket, status } = step;
    const response = { status, headers: pairs(step.headers), bodyStart: body(step.body) };
    const found = this.bridge.handleResponse(ticket, response, now);
    if (found.type === 'answer') {
      return answered(found);
    }
    return { pass: { status: found.status, headers: headersJson(found.headers) } };
  }

  connect_refused(step, now) {
    checkStep(step, ['ticket', 'status', 'headers']);
    const response = { status: step.status, headers: pairs(step.headers) };
    return answered(this.bridge.handleConnectRefused(step.ticket, response, now));
  }

  failed(step, now) {
    checkStep(step, ['ticket', 'failure']);
    return answered(this.bridge.handleFailed(step.ticket, step.failure, now));
  }

  closed(step, now) {
    checkStep(step, ['ticket']);
    this.bridge.handleClosed(step.ticket, now);
    return null;
  }

  api(step, now) {
    checkStep(step, ['method', 'path', 'key', 'headers']);
    const headers = authorized(step, 'Authorization');
    return answered(this.bridge.handleApi({ method: step.method, url: step.path, headers }, now));
  }

  unreadable(step, now) {
    checkStep(step, ['too_large']);
    return answered(this.bridge.handleUnreadable(step.too_large, now));
  }

  stats(step) {
    checkStep(step, []);
    return statsJson(this.bridge.stats());
  }
}

const answered = (answer) => ({ answer: answerJson(answer) });

const sendJson = ({ ticket, method, url, headers, connectHeaders }) =>
  told({
    ticket,
    method,
    url,
    headers: headersJson(headers),
    connect_headers: connectHeaders && headersJson(connectHeaders),
  });

export const operations = {
  'bridge.extraction': extraction,
  'bridge.proxy': (given) =>
    outcome(() => {
      checkKeys(given, ['upstream', 'keys', 'seed', 'steps']);
      return play(new Bridge(given), given.steps);
    }),
};
