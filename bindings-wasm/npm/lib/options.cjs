// `proxy::ProxyOptions` of the core.
'use strict';

const { maxRetries, maxTimeout, minTimeout } = require('../wasm/constants.json');
const { listOf, pairs, text } = require('./headers.cjs');
const { ready } = require('./start.cjs');

const wasm = () => ready('proxy');

const CHECKED = Symbol('options that the core has written');
// The names of options here, and as the core has them, by the type of their values.
const TEXTS = {
  session: 'session',
  cookies: 'cookies',
  profile: 'profile',
  ua: 'ua',
  region: 'region',
  state: 'state',
  city: 'city',
  jobId: 'job_id',
  client: 'client',
};
const LISTS = { profilePass: 'profile_pass', debug: 'debug' };
const FLAGS = { noBancheck: 'no_bancheck', useHttps: 'use_https' };
const NUMBERS = { maxRetries: 'max_retries', timeout: 'timeout' };
const NAMES = [TEXTS, LISTS, FLAGS, NUMBERS, { extra: 'extra' }].flatMap(Object.keys);

class ProxyOptions {
  static MAX_RETRIES = maxRetries;
  static MIN_TIMEOUT = minTimeout;
  static MAX_TIMEOUT = maxTimeout;

  constructor(fields = {}, checked) {
    const json = checked === CHECKED ? fields : wasm().proxyOptions(...written(fields));
    const { profilePass, debug, extra, warnings, ...others } = JSON.parse(json);
    Object.assign(this, others);
    this.profilePass = Object.freeze(profilePass);
    this.debug = Object.freeze(debug);
    this.extra = Object.freeze(extra.map(Object.freeze));
    // Not among the data, so that spreading options gives what the constructor takes.
    Object.defineProperty(this, 'warnings', { value: Object.freeze(warnings) });
    Object.freeze(this);
  }

  static fromHeaders(headers) {
    const json = wasm().proxyOptionsFromHeaders(JSON.stringify(pairs(headers).flat()));
    return new ProxyOptions(json, CHECKED);
  }

  headers() {
    return listOf(wasm().proxyOptionsHeaders(...written(this)));
  }

  replace(changes) {
    return new ProxyOptions({ ...this, ...changes });
  }

  withDefaults(defaults) {
    const json = wasm().proxyOptionsWithDefaults(...written(this), ...written(defaults));
    return new ProxyOptions(json, CHECKED);
  }
}

/** What is given as names and words, and the extra headers: for the core to judge. */
function written(fields) {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw new TypeError('proxy options must be an object');
  }
  const unknown = Object.keys(fields).find((name) => !NAMES.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(`there is no proxy option ${JSON.stringify(unknown)}`);
  }
  const words = [];
  const put = (names, isOne, what) => {
    for (const [name, known] of Object.entries(names)) {
      const value = fields[name];
      if (value !== undefined && value !== null) {
        if (!isOne(value)) {
          throw new TypeError(`proxy option ${name} must be ${what}`);
        }
        for (const one of [value].flat()) {
          words.push(known, text(one));
        }
      }
    }
  };
  const isText = (value) => typeof value === 'string';
  const isTexts = (value) => Array.isArray(value) && value.every(isText);
  const isFlag = (value) => typeof value === 'boolean';
  const isNumber = (value) => Number.isFinite(value) && value >= 0;
  put(TEXTS, isText, 'a string');
  put(LISTS, isTexts, 'an array of strings');
  put(FLAGS, isFlag, 'a boolean');
  put(NUMBERS, isNumber, 'a number from 0 on');
  return [JSON.stringify(words), JSON.stringify(pairs(fields.extra).flat())];
}

exports.ProxyOptions = ProxyOptions;
exports.written = written;
