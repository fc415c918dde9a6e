// `bridge` of the core: programs of the older services on one side, Zyte API on the other.
'use strict';

const { BridgedQuery } = require('./bridged.cjs');
const { listOf } = require('./headers.cjs');
const {
  countsOf,
  failureOf,
  headersOf,
  headOf,
  KEYS,
  read,
  READERS,
  settingsOf,
  statusOf,
  string,
  taken,
  Tunnel,
} = require('./hosting.cjs');
const { bytesOf } = require('./json.cjs');
const { known } = require('./known.cjs');
const { Machine, rawOf } = require('./machine.cjs');
const { millis, seedOf, whole } = require('./numbers.cjs');
const { ready } = require('./start.cjs');

const wasm = () => ready('bridge');

class BridgeTunnel extends Tunnel {}

const READ = {
  answer: READERS.answer,
  relay: (status, lines) => ({ type: 'relay', status, headers: listOf(lines) }),
  send: (ticket, method, url, lines, connect) => ({
    type: 'send',
    ticket,
    method,
    url,
    headers: listOf(lines),
    connectHeaders: connect === null ? null : listOf(connect),
  }),
  tunnel: (raw) => new BridgeTunnel(raw),
};

/** An answer of the proxy behind. */
const answerOf = ({ status, headers, bodyStart }) => [
  statusOf(status),
  headersOf(headers),
  bytesOf(bodyStart),
];

class ProxyBridge extends Machine {
  constructor(options = {}) {
    const names = ['apiKey', 'endpoint', 'keys', 'seed'];
    const { apiKey, endpoint, keys, seed } = known(options, names, 'ProxyBridge');
    const address = endpoint == null ? undefined : String(endpoint);
    const settings = settingsOf({ keys }, KEYS);
    const parts = [string(apiKey, 'apiKey'), address, settings, seedOf(seed)];
    super(new (wasm().ProxyBridge)(...parts));
  }

  get upstream() {
    return rawOf(this).upstream();
  }

  handleConnect({ url, headers }, now) {
    const parts = [string(url, 'url'), headersOf(headers), millis(now, 'now')];
    return read(rawOf(this).handleConnect(...parts), READ);
  }

  handleRequest(request, now, { tunnel } = {}) {
    return read(taken(rawOf(this), request, now, tunnel, wasm().BridgeTunnel), READ);
  }

  handleResponse(ticket, response, now) {
    const parts = [whole(ticket, 'ticket'), ...answerOf(response), millis(now, 'now')];
    return read(rawOf(this).handleResponse(...parts), READ);
  }

  handleConnectRefused(ticket, response, now) {
    const parts = [whole(ticket, 'ticket'), ...answerOf(response), millis(now, 'now')];
    return read(rawOf(this).handleConnectRefused(...parts), READ);
  }

  handleFailed(ticket, failure, now) {
    const name = failureOf(failure, wasm().targetFailures);
    const parts = [whole(ticket, 'ticket'), name, millis(now, 'now')];
    return read(rawOf(this).handleFailed(...parts), READ);
  }

  handleClosed(ticket, now) {
    rawOf(this).handleClosed(whole(ticket, 'ticket'), millis(now, 'now'));
  }

  handleApi(request, now) {
    return read(rawOf(this).handleApi(...headOf(request), millis(now, 'now')), READ);
  }

  handleUnreadable(isTooLarge, now) {
    return read(rawOf(this).handleUnreadable(Boolean(isTooLarge), millis(now, 'now')), READ);
  }

  stats() {
    return countsOf(rawOf(this).stats());
  }
}

exports.BridgedQuery = BridgedQuery;
exports.ProxyBridge = ProxyBridge;
