// The vectors of `proxy`.
import assert from 'node:assert/strict';
import { silkline } from '../package.mjs';
import { body, bodyText, checkKeys, headersJson, micros, outcome } from './given.mjs';

const { ProxyApi, ProxyOptions } = silkline;
const api = new ProxyApi({ apiKey: 'key' });

/** An operation that calls `read` with an answer. */
const answered = (read) => (given) =>
  outcome(() => {
    checkKeys(given, ['status', 'headers', 'body', 'dialect']);
    const { status, dialect } = given;
    const api = new ProxyApi({ apiKey: 'key', dialect });
    return read({ status, headers: pairs(given.headers), body: body(given.body) }, api);
  });

export const operations = {
  'proxy.connect_status'(given) {
    checkKeys(given, ['message']);
    return silkline.connectStatus(given.message);
  },
  'proxy.create_session': (given) => outcome(() => requestJson(apiOf(given).createSession())),
  'proxy.delete_session': (given) =>
    outcome(() => requestJson(apiOf(given, 'session').deleteSession(given.session))),
  'proxy.endpoint': (given) =>
    outcome(() => {
      const found = apiOf(given);
      return {
        endpoint: found.endpoint,
        endpoint_with_key: found.endpointWithKey(),
        authorization: found.authorization(),
      };
    }),
  'proxy.headers_size': (given) =>
    outcome(() => {
      const size = ({ headers }) =>
        headers.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
      const { connect, request } = proxied(given);
      return setOnly({ connect: connect && size(connect), request: size(request) });
    }),
  'proxy.leaks'(given) {
    const found = apiOf(given, 'request');
    const request = givenRequest(given.request);
    const list = (leaks) => leaks.map(({ name, kind }) => [name, kind]);
    const stripped = silkline.stripProxyLeaks(request.headers);
    assert.deepEqual(silkline.proxyLeaks(stripped), []);
    return {
      leaks: list(found.leaks(request)),
      header_leaks: list(silkline.proxyLeaks(request.headers)),
      stripped: requestJson(found.stripLeaks(request)),
    };
  },
  'proxy.list_sessions': (given) => outcome(() => requestJson(apiOf(given).listSessions())),
  'proxy.options': (given) => outcome(() => optionsJson(options(given))),
  'proxy.options_from_headers': (given) =>
    outcome(() => {
      checkKeys(given, ['headers']);
      return optionsJson(ProxyOptions.fromHeaders(pairs(given.headers)));
    }),
  'proxy.options_with_defaults': (given) =>
    outcome(() => {
      checkKeys(given, ['options', 'defaults']);
      return optionsJson(options(given.options).withDefaults(options(given.defaults)));
    }),
  'proxy.read': answered((response, api) => {
    const answer = api.read(response);
    return setOnly({
      origin: answer.origin,
      session: answer.session,
      outgoing: answer.outgoing,
      outgoing_host: answer.outgoingHost,
      outgoing_port: answer.outgoingPort,
      version: answer.version,
      next_request_in_us: micros(answer.nextRequestIn),
      retry_after_us: micros(answer.retryAfter),
      debug_request_time_us: micros(answer.debugRequestTime),
      debug_ua: answer.debugUa,
      billed: answer.billed,
      error: errorJson(answer.error),
    });
  }),
  'proxy.read_connect': answered((response, api) => errorJson(api.readConnect(response))),
  'proxy.read_connect_failure'(given) {
    checkKeys(given, ['status']);
    return errorJson(silkline.readConnectFailure(given.status));
  },
  'proxy.read_created_session': answered((response) => api.readCreatedSession(response)),
  'proxy.read_deleted_session': answered((response) => api.readDeletedSession(response) ?? null),
  'proxy.read_session_list': answered((response) => api.readSessionList(response)),
  'proxy.request': (given) =>
    outcome(() => {
      const { connect, request, warnings } = proxied(given);
      return setOnly({
        connect: connect && requestJson(connect),
        request: requestJson(request),
        warnings,
      });
    }),
};

// The same in the dialect of the successor.
for (const op of ['endpoint', 'read', 'read_connect', 'request']) {
  operations[`zyte_api.proxy_${op}`] = (given) =>
    operations[`proxy.${op}`]({ ...given, dialect: 'zyte_api' });
}

/** Headers whose values are written as bodies where they are long. */
export const pairs = (value) => (value ?? []).map(([name, content]) => [name, bodyText(content)]);

/** The members that say something: neither null nor false nor empty. */
function setOnly(members) {
  const says = ([, value]) =>
    value !== null && value !== false && !(Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(members).filter(says));
}

function apiOf(given, ...more) {
  checkKeys(given, ['key', 'endpoint', 'option_place', 'dialect', 'follow_redirects', ...more]);
  const { key = 'key', endpoint, option_place: optionPlace, dialect } = given;
  const followRedirects = given.follow_redirects;
  return new ProxyApi({ apiKey: key, endpoint, optionPlace, dialect, followRedirects });
}

/** The names of options here and in vectors. */
const NAMES = {
  session: 'session',
  maxRetries: 'max_retries',
  cookies: 'cookies',
  profile: 'profile',
  profilePass: 'profile_pass',
  ua: 'ua',
  noBancheck: 'no_bancheck',
  region: 'region',
  state: 'state',
  city: 'city',
  jobId: 'job_id',
  client: 'client',
  debug: 'debug',
  useHttps: 'use_https',
};

export function options(given) {
  checkKeys(given, [...Object.values(NAMES), 'timeout_us', 'extra']);
  const fields = Object.entries(NAMES).map(([name, vectorName]) => [name, given[vectorName]]);
  return new ProxyOptions({
    ...Object.fromEntries(fields),
    timeout: given.timeout_us === undefined ? undefined : given.timeout_us / 1000,
    extra: pairs(given.extra),
  });
}

function optionsJson(options) {
  assert.deepEqual(new ProxyOptions({ ...options }), options);
  const fields = Object.entries(NAMES).map(([name, vectorName]) => [vectorName, options[name]]);
  const set = setOnly({
    ...Object.fromEntries(fields),
    timeout_us: micros(options.timeout),
    extra: options.extra,
    warnings: options.warnings,
  });
  return { ...set, headers: headersJson(options.headers()) };
}

function givenRequest(given) {
  checkKeys(given, ['method', 'url', 'headers', 'body']);
  const { method = 'GET', url } = given;
  return { method, url, headers: pairs(given.headers), body: body(given.body) };
}

function requestJson({ method, url, headers, body }) {
  const shown = { method, url, headers: headersJson(headers) };
  return body.length === 0 ? shown : { ...shown, body: Buffer.from(body).toString() };
}

function proxied(given) {
  const chosen = given.options === undefined ? undefined : options(given.options);
  return apiOf(given, 'target', 'options').request(givenRequest(given.target), chosen);
}

function errorJson(error) {
  return (
    error &&
    setOnly({
      code: error.code,
      status: error.status,
      text: error.text || null,
      detail: error.detail || null,
      action: error.action,
      retry_after_us: micros(error.retryAfter),
      is_ban: error.isBan,
      billed: error.billed,
    })
  );
}
