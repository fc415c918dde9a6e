// `schedule` of the core.
'use strict';

const { failureClasses } = require('../wasm/constants.json');
const { text } = require('./headers.cjs');
const { flag, known } = require('./known.cjs');
const { Machine, rawOf } = require('./machine.cjs');
const { given, maybeMillis, millis, rateOf, seedOf, whole } = require('./numbers.cjs');
const { ready } = require('./start.cjs');

const parts = () => ready('parts');

class RateLimiter extends Machine {
  constructor(options = {}) {
    const { rate, burst, now } = known(options, ['rate', 'burst', 'now'], 'RateLimiter');
    super(new (parts().RateLimiter)(...rateOf(rate), whole(burst, 'burst'), millis(now, 'now')));
  }

  tryAcquire(count, now) {
    return rawOf(this).tryAcquire(whole(count, 'count'), millis(now, 'now')) ?? null;
  }

  giveBack() {
    return rawOf(this).giveBack();
  }

  readyAt(now) {
    return rawOf(this).readyAt(millis(now, 'now'));
  }
}

class Rng extends Machine {
  constructor(seed) {
    super(new (parts().Rng)(seedOf(seed)));
  }
}

class Progress extends Machine {
  constructor(firstAttempt) {
    super(new (parts().Progress)(millis(firstAttempt, 'firstAttempt')));
  }

  failures(failureClass) {
    return rawOf(this).failures(classOf(failureClass));
  }
}

const BUDGETS = [null, 'retries', 'sinceFirstAttempt', 'uninterrupted'];

/** A policy in the memory of a module, of a `RetryPolicy` or of what would make one. */
let policyOf;

class RetryPolicy extends Machine {
  #steps;

  constructor(options = {}) {
    const steps = stepsOf(options);
    super(madeBy(steps, parts()));
    this.#steps = steps;
  }

  budget(failureClass) {
    const [kind, amount] = rawOf(this).budget(classOf(failureClass));
    return kind === 0 ? 'forever' : { [BUDGETS[kind]]: amount };
  }

  range(failureClass, failures) {
    const place = classOf(failureClass);
    return Array.from(rawOf(this).range(place, whole(failures, 'failures')));
  }

  next(progress, failureClass, { asked, now, rng } = {}) {
    const wait = rawOf(this).next(
      rawOf(progress),
      classOf(failureClass),
      maybeMillis(asked, 'asked'),
      millis(now, 'now'),
      rawOf(rng),
    );
    return wait ?? null;
  }

  static {
    policyOf = (policy, module) => {
      const isMachine = policy instanceof RetryPolicy && rawOf(policy);
      return madeBy(isMachine ? policy.#steps : stepsOf(policy ?? {}), module);
    };
  }
}

/** What makes a policy: the preset, and the changes to it. */
function stepsOf(options) {
  const { preset = 'default', rules = {} } = known(options, ['preset', 'rules'], 'RetryPolicy');
  const given = Object.entries(known(rules, failureClasses, 'rules'));
  const changes = given.flatMap(([name, rule]) => {
    const place = classOf(name);
    const { wait, budget } = known(rule, ['wait', 'budget'], `the rule of ${name}`);
    return [
      ...(wait === undefined ? [] : [['setWait', place, waitOf(wait)]]),
      ...(budget === undefined ? [] : [['setBudget', place, ...budgetOf(budget)]]),
    ];
  });
  return { preset: text(preset), changes };
}

function madeBy({ preset, changes }, module) {
  const raw = module.RetryPolicy.preset(preset);
  if (raw === undefined) {
    throw new TypeError(`there is no preset ${JSON.stringify(preset)}`);
  }
  for (const [change, ...given] of changes) {
    raw[change](...given);
  }
  return raw;
}

function classOf(name) {
  const place = failureClasses.indexOf(name);
  if (place < 0) {
    throw new TypeError(`there is no class of failures ${JSON.stringify(name)}`);
  }
  return place;
}

function waitOf(wait) {
  known(wait, ['between', 'growing', 'first'], 'a wait');
  const { between, growing = [0, 0], first = { tries: 0, between: [0, 0] } } = wait;
  known(first, ['tries', 'between'], 'first');
  const span = (pair, name) => {
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new TypeError(`${name} must be two numbers of milliseconds`);
    }
    return pair.map((one) => millis(one, name));
  };
  const tries = whole(first.tries, 'first.tries');
  const early = span(first.between, 'first.between');
  const numbers = [...span(between, 'between'), ...span(growing, 'growing'), tries, ...early];
  return new Float64Array(numbers);
}

function budgetOf(budget) {
  if (budget === 'forever') {
    return [0, 0];
  }
  const isObject = typeof budget === 'object' && budget !== null;
  const [[name, amount] = [], ...others] = isObject ? Object.entries(budget) : [];
  const kind = BUDGETS.indexOf(name);
  if (kind < 1 || others.length > 0) {
    throw new TypeError(`a budget is 'forever' or one of ${BUDGETS.slice(1).join(', ')}`);
  }
  return [kind, kind === 1 ? whole(amount, name) : millis(amount, name)];
}

class Pace extends Machine {
  constructor(options = {}) {
    const { margin, ready } = known(options, ['margin', 'ready'], 'Pace');
    super(new (parts().Pace)(maybeMillis(margin, 'margin'), millis(ready, 'ready')));
  }

  get steps() {
    return rawOf(this).steps();
  }

  readyAt() {
    return rawOf(this).readyAt();
  }

  begin(delay, now) {
    return turnOf(rawOf(this).begin(millis(delay, 'delay'), millis(now, 'now')));
  }

  sent(turn, now) {
    return turnOf(rawOf(this).sent(numbersOf(turn), millis(now, 'now')));
  }

  answered(turn, now) {
    rawOf(this).answered(numbersOf(turn), millis(now, 'now'));
  }

  timedOut(turn, now) {
    rawOf(this).timedOut(numbersOf(turn), millis(now, 'now'));
  }

  notSent(turn) {
    rawOf(this).notSent(numbersOf(turn));
  }

  slowDown(now, { asked } = {}) {
    rawOf(this).slowDown(maybeMillis(asked, 'asked'), millis(now, 'now'));
  }

  recover() {
    rawOf(this).recover();
  }

  notBefore(at) {
    rawOf(this).notBefore(millis(at, 'at'));
  }
}

const turnOf = ([number, sent, delay]) => Object.freeze({ number, sent, delay });
const numbersOf = ({ number, sent, delay }) =>
  new Float64Array([whole(number, 'number'), millis(sent, 'sent'), millis(delay, 'delay')]);

const ENDINGS = [
  'answered',
  'banned',
  'broken',
  'gone',
  'notSent',
  'refused',
  'slower',
  'timedOut',
];
const NO_SESSION = [null, 'busy', 'empty', 'waitUntil'];

const POOL = [
  'size',
  'margin',
  'idle',
  'lifetime',
  'safety',
  'maxBans',
  'maxTimeouts',
  'anonymousPercent',
];

/** The settings of a pool, in the order in which they are read. */
function poolSettings(options) {
  const { size, margin, idle, lifetime, safety, maxBans, maxTimeouts, anonymousPercent } = options;
  return [
    given(size, 'size', whole),
    given(margin, 'margin', millis),
    given(idle, 'idle', millis),
    given(lifetime, 'lifetime', millis),
    given(safety, 'safety', millis),
    given(maxBans, 'maxBans', whole),
    given(maxTimeouts, 'maxTimeouts', whole),
    given(anonymousPercent, 'anonymousPercent', whole),
  ];
}

class SessionPool extends Machine {
  #places = new Map();
  #uses = new Map();

  constructor(options = {}) {
    known(options, POOL, 'SessionPool');
    super(
      new (parts().SessionPool)(new Float64Array(poolSettings(options)), options.margin !== null),
    );
  }

  reserve(now, options = {}) {
    const { named = false } = known(options, ['named'], 'reserve');
    const number = rawOf(this).reserve(flag(named, 'named'), millis(now, 'now'));
    if (number === undefined) {
      return null;
    }
    const place = Object.freeze({ named });
    this.#places.set(place, number);
    return place;
  }

  add(place, id, { address, first, now } = {}) {
    const [sent, delay] = first ? [millis(first.sent, 'sent'), millis(first.delay, 'delay')] : [];
    const [moment, from] = [millis(now, 'now'), maybeText(address)];
    rawOf(this).add(take(this.#places, place, 'place'), text(id), from, sent, delay ?? 0, moment);
  }

  adopt(id, { address, delay, now } = {}) {
    const [wait, moment] = [millis(delay, 'delay'), millis(now, 'now')];
    rawOf(this).adopt(text(id), maybeText(address), wait, moment);
  }

  cancel(place) {
    rawOf(this).cancel(take(this.#places, place, 'place'));
  }

  lose(place, now) {
    const moment = millis(now, 'now');
    rawOf(this).lose(take(this.#places, place, 'place'), moment);
  }

  readyAt(now) {
    const reason = rawOf(this).readyAt(millis(now, 'now'));
    return reason === undefined ? { type: 'ready' } : unavailable(reason);
  }

  tryAcquire(delay, now, { session } = {}) {
    const [wait, moment] = [millis(delay, 'delay'), millis(now, 'now')];
    const { numbers, text: id } = rawOf(this).tryAcquire(maybeText(session), wait, moment);
    if (numbers[0] !== 0) {
      return unavailable(numbers);
    }
    const use = Object.freeze({ type: 'use', session: id });
    this.#uses.set(use, numbers[1]);
    return use;
  }

  sent(use, now) {
    const number = this.#uses.get(use);
    if (number === undefined) {
      throw new TypeError('use is not of this pool, or has ended');
    }
    rawOf(this).sent(number, millis(now, 'now'));
  }

  finish(use, ending, now, { asked } = {}) {
    const kind = ENDINGS.indexOf(ending);
    if (kind < 0) {
      throw new TypeError(`ending must be one of ${ENDINGS.join(', ')}`);
    }
    const [wait, moment] = [maybeMillis(asked, 'asked'), millis(now, 'now')];
    return rawOf(this).finish(take(this.#uses, use, 'use'), kind, wait, moment);
  }

  ban(session) {
    return rawOf(this).ban(text(session));
  }

  remove(session) {
    return rawOf(this).remove(text(session));
  }

  takeExpired(now) {
    return rawOf(this).takeExpired(millis(now, 'now')) ?? null;
  }

  nextExpiry() {
    return rawOf(this).nextExpiry() ?? null;
  }

  setName(session, name) {
    return rawOf(this).setName(text(session), text(name));
  }

  endName(name) {
    return rawOf(this).endName(text(name)) ?? null;
  }

  named(name) {
    return rawOf(this).named(text(name)) ?? null;
  }

  session(session) {
    const facts = rawOf(this).session(text(session));
    return facts === undefined ? null : JSON.parse(facts);
  }

  setAddress(session, address) {
    return rawOf(this).setAddress(text(session), text(address));
  }

  shrink() {
    rawOf(this).shrink();
  }

  grow(by) {
    rawOf(this).grow(whole(by, 'by'));
  }

  ids() {
    return JSON.parse(rawOf(this).ids());
  }

  stats() {
    return JSON.parse(rawOf(this).stats());
  }
}

function unavailable([kind, at]) {
  const type = NO_SESSION[kind];
  return type === 'waitUntil' ? { type, at } : { type };
}

/** The number of a place or use, which is handed in once. */
function take(known, key, name) {
  const number = known.get(key);
  if (number === undefined) {
    throw new TypeError(`${name} is not of this pool, or was handed in already`);
  }
  known.delete(key);
  return number;
}

function maybeText(value) {
  return value === undefined || value === null ? undefined : text(value);
}

exports.FAILURE_CLASSES = Object.freeze(failureClasses);
exports.Pace = Pace;
exports.policyOf = policyOf;
exports.POOL = POOL;
exports.poolSettings = poolSettings;
exports.Progress = Progress;
exports.RateLimiter = RateLimiter;
exports.RetryPolicy = RetryPolicy;
exports.Rng = Rng;
exports.SessionPool = SessionPool;
