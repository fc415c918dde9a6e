// `proxy` of the core.
'use strict';

const { defaultProxyEndpoint, maxHeadersSize, proxyDialects } = require('../wasm/constants.json');
const { answerOf: checked, statusOf } = require('./contract.cjs');
const { HeaderList, listOf, pairs, text } = require('./headers.cjs');
const { bytesOf } = require('./json.cjs');
const { flag, known } = require('./known.cjs');
const { Machine, rawOf } = require('./machine.cjs');
const { ProxyOptions, written } = require('./options.cjs');
const { requestOf } = require('./request.cjs');
const { ready } = require('./start.cjs');

const wasm = () => ready('proxy');

/** What an engine makes an API of its own from. */
let proxyArgumentsOf;

const SETTINGS = ['apiKey', 'endpoint', 'dialect', 'optionPlace', 'followRedirects'];

class ProxyApi extends Machine {
  #arguments;

  static DEFAULT_ENDPOINT = defaultProxyEndpoint;
  static MAX_HEADERS_SIZE = maxHeadersSize;

  constructor(options = {}) {
    const { apiKey, endpoint, dialect } = known(options, SETTINGS, 'ProxyApi');
    const { optionPlace = 'inside', followRedirects = false } = options;
    if (typeof apiKey !== 'string') {
      throw new TypeError('apiKey must be a string');
    }
    if (optionPlace !== 'inside' && optionPlace !== 'connect') {
      throw new TypeError("optionPlace must be 'inside' or 'connect'");
    }
    const index = dialect == null ? 0 : proxyDialects.indexOf(dialect);
    if (index < 0) {
      throw new TypeError(`dialect must be one of ${proxyDialects.join(', ')}`);
    }
    const address = endpoint == null ? undefined : String(endpoint);
    const isText = address?.isWellFormed() ?? true;
    const follows = flag(followRedirects, 'followRedirects');
    const given = [apiKey, address, isText, optionPlace === 'connect', index, follows];
    super(new (wasm().ProxyApi)(...given));
    this.#arguments = given;
  }

  get endpoint() {
    return rawOf(this).endpoint;
  }

  get dialect() {
    return proxyDialects[this.#arguments[4]];
  }

  authorization() {
    return rawOf(this).authorization();
  }

  endpointWithKey() {
    return rawOf(this).endpointWithKey();
  }

  request(target, options = {}) {
    if (typeof target !== 'object' || target === null) {
      throw new TypeError('target must be an object with the url of a page');
    }
    const body = bytesOf(target.body);
    const parts = rawOf(this).request(...headOf(target), ...written(options));
    const [warnings, method, url, lines, ...connect] = parts;
    return {
      connect: connect.length === 0 ? null : requestOf([...connect, new Uint8Array()]),
      request: { method, url, headers: listOf(lines), body },
      warnings: JSON.parse(warnings),
    };
  }

  createSession() {
    return requestOf(rawOf(this).createSession());
  }

  listSessions() {
    return requestOf(rawOf(this).listSessions());
  }

  deleteSession(session) {
    return requestOf(rawOf(this).deleteSession(text(session)));
  }

  read(response) {
    const [facts, error] = rawOf(this).read(...answerOf(response));
    return { ...JSON.parse(facts), error };
  }

  readConnect(response) {
    return rawOf(this).readConnect(...answerOf(response));
  }

  readCreatedSession(response) {
    return rawOf(this).readCreatedSession(...answerOf(response));
  }

  readSessionList(response) {
    return JSON.parse(rawOf(this).readSessionList(...answerOf(response)));
  }

  readDeletedSession(response) {
    rawOf(this).readDeletedSession(...answerOf(response));
  }

  leaks(request) {
    return JSON.parse(rawOf(this).leaks(...headOf(request)));
  }

  stripLeaks(request) {
    const { url, headers } = JSON.parse(rawOf(this).stripLeaks(...headOf(request)));
    return { ...request, url, headers: HeaderList.from(headers) };
  }

  static {
    proxyArgumentsOf = (api) => rawOf(api) && api.#arguments;
  }
}

function proxyLeaks(headers) {
  return JSON.parse(wasm().proxyLeaks(JSON.stringify(pairs(headers).flat())));
}

function stripProxyLeaks(headers) {
  const found = new Set(proxyLeaks(headers).map(({ name }) => name));
  return HeaderList.from(pairs(headers).filter(([name]) => !found.has(name)));
}

function readConnectFailure(status) {
  return wasm().readConnectFailure(statusOf(status));
}

function connectStatus(message) {
  return wasm().connectStatus(text(message)) ?? null;
}

/** Method, URL and headers of a request, as they cross. */
function headOf({ method = 'GET', url, headers }) {
  return [text(method), text(url), JSON.stringify(pairs(headers).flat())];
}

/** Status, headers and body of an answer, as they cross. */
function answerOf(answer) {
  const { status, headers, body } = checked(answer);
  return [statusOf(status), JSON.stringify(pairs(headers).flat()), bytesOf(body)];
}

exports.connectStatus = connectStatus;
exports.headOf = headOf;
exports.ProxyApi = ProxyApi;
exports.proxyArgumentsOf = proxyArgumentsOf;
exports.proxyLeaks = proxyLeaks;
exports.ProxyOptions = ProxyOptions;
exports.readConnectFailure = readConnectFailure;
exports.stripProxyLeaks = stripProxyLeaks;
