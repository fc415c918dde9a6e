// The vectors of `schedule`.
import { silkline } from '../package.mjs';
import { checkKeys, micros, outcome, told } from './given.mjs';

const { Pace, Progress, RateLimiter, RetryPolicy, Rng, SessionPool } = silkline;

export const operations = {
  'schedule.pace.run': pace,
  'schedule.rate_limiter.run': (given) => outcome(() => rateLimiter(given)),
  'schedule.retry_policy.ranges': ranges,
  'schedule.retry_policy.run': retries,
  'schedule.session_pool.run': (given) => outcome(() => pool(given)),
};

/** Microseconds as milliseconds; nothing stays nothing. */
export const millis = (us) => (us === undefined || us === null ? us : us / 1000);
/** A moment in microseconds; null for one that nobody can tell. */
const moment = (at) => (at === Infinity ? null : micros(at));
const span = (pair) => pair.map(millis);

export const rate = ([count, periodUs]) => ({ count, period: millis(periodUs) });

/** Each step's outcome: of `take`, null or the moment before which there is nothing. */
function rateLimiter(given) {
  checkKeys(given, ['rate', 'burst', 'now_us', 'steps']);
  const { burst, now_us, steps } = given;
  const limiter = new RateLimiter({ rate: rate(given.rate), burst, now: millis(now_us) });
  return steps.map((step) => {
    checkKeys(step, ['at_us', 'call', 'count']);
    switch (step.call) {
      case 'take':
        return moment(limiter.tryAcquire(step.count, millis(step.at_us)) ?? null);
      case 'give_back':
        return limiter.giveBack();
      case 'ready':
        return moment(limiter.readyAt(millis(step.at_us)));
      default:
        throw new Error(`no call is named ${step.call}`);
    }
  });
}

/** A policy: a preset, with rules for classes. */
export function policy({ preset, rules = {} }) {
  const own = Object.entries(rules).map(([name, rule]) => {
    checkKeys(rule, ['budget', 'wait']);
    return [
      name,
      { wait: rule.wait && wait(rule.wait), budget: rule.budget && budget(rule.budget) },
    ];
  });
  return new RetryPolicy({ preset, rules: Object.fromEntries(own) });
}

function wait(given) {
  checkKeys(given, ['between_us', 'growing_us', 'first_us', 'first']);
  const { between_us, growing_us, first_us, first } = given;
  return {
    between: span(between_us),
    growing: growing_us && span(growing_us),
    first: first === undefined ? undefined : { tries: first, between: span(first_us) },
  };
}

function budget(given) {
  if (given === 'forever') {
    return given;
  }
  checkKeys(given, ['retries', 'since_first_attempt_us', 'uninterrupted_us']);
  const { retries, since_first_attempt_us: since, uninterrupted_us: uninterrupted } = given;
  if (retries !== undefined) {
    return { retries };
  }
  return since === undefined
    ? { uninterrupted: millis(uninterrupted) }
    : { sinceFirstAttempt: millis(since) };
}

function budgetJson(known) {
  if (known === 'forever' || 'retries' in known) {
    return known;
  }
  return 'sinceFirstAttempt' in known
    ? { since_first_attempt_us: micros(known.sinceFirstAttempt) }
    : { uninterrupted_us: micros(known.uninterrupted) };
}

/** The shortest and longest wait after each failure, and the budget, of each class asked for. */
function ranges(given) {
  checkKeys(given, ['preset', 'rules', 'classes', 'failures']);
  const known = policy(given);
  const row = (name) => ({
    waits_us: given.failures.map((failures) => known.range(name, failures).map(micros)),
    budget: budgetJson(known.budget(name)),
  });
  return Object.fromEntries(given.classes.map((name) => [name, row(name)]));
}

/** The wait before the next try after each failure; null to give up. */
function retries(given) {
  checkKeys(given, ['preset', 'rules', 'seed', 'first_attempt_us', 'failures']);
  const known = policy(given);
  const rng = new Rng(given.seed);
  const progress = new Progress(millis(given.first_attempt_us));
  return given.failures.map((failure) => {
    checkKeys(failure, ['at_us', 'class', 'asked_us']);
    const [now, asked] = [millis(failure.at_us), millis(failure.asked_us)];
    return micros(known.next(progress, failure.class, { asked, now, rng }));
  });
}

/** After each step, when the next request may be sent; null while only an answer can tell. */
function pace(given) {
  checkKeys(given, ['margin_us', 'ready_us', 'steps']);
  const known = new Pace({ margin: millis(given.margin_us), ready: millis(given.ready_us) });
  const turns = [];
  return given.steps.map((step) => {
    checkKeys(step, ['at_us', 'call', 'delay_us', 'turn', 'asked_us']);
    const [now, turn] = [millis(step.at_us), turns[step.turn]];
    const calls = {
      begin: () => turns.push(known.begin(millis(step.delay_us), now)),
      sent: () => {
        turns[step.turn] = known.sent(turn, now);
      },
      answered: () => known.answered(turn, now),
      timed_out: () => known.timedOut(turn, now),
      not_sent: () => known.notSent(turn),
      slow_down: () => known.slowDown(now, { asked: millis(step.asked_us) }),
      recover: () => known.recover(),
    };
    calls[step.call]();
    return moment(known.readyAt());
  });
}

const SETTINGS = {
  size: 'size',
  max_bans: 'maxBans',
  max_timeouts: 'maxTimeouts',
  anonymous_percent: 'anonymousPercent',
};
const TIMES = {
  margin_us: 'margin',
  idle_us: 'idle',
  lifetime_us: 'lifetime',
  safety_us: 'safety',
};

export function poolConfig(given = {}) {
  checkKeys(given, [...Object.keys(SETTINGS), ...Object.keys(TIMES)]);
  const entries = Object.entries(given).map(([name, value]) =>
    name in TIMES ? [TIMES[name], millis(value)] : [SETTINGS[name], value],
  );
  return Object.fromEntries(entries);
}

const noSession = ({ type, at }) => (type === 'waitUntil' ? { until_us: micros(at) } : type);
const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());

/** Places and uses are numbered in the order in which they were got. */
function pool(given) {
  checkKeys(given, ['config', 'steps']);
  const sessions = new SessionPool(poolConfig(given.config));
  const places = [];
  const uses = [];
  return given.steps.map((step) => {
    checkKeys(step, [
      ...['at_us', 'call', 'named', 'place', 'id', 'address', 'sent_us', 'delay_us', 'use', 'name'],
      ...['ending', 'asked_us', 'by'],
    ]);
    const { id, address, name } = step;
    const [now, delay] = [millis(step.at_us), millis(step.delay_us)];
    const nothing = () => null;
    const calls = {
      reserve() {
        const place = sessions.reserve(now, { named: step.named });
        return place && places.push(place) - 1;
      },
      add() {
        const first = delay === undefined ? undefined : { sent: millis(step.sent_us), delay };
        return nothing(sessions.add(places[step.place], id, { address, first, now }));
      },
      cancel: () => nothing(sessions.cancel(places[step.place])),
      lose: () => nothing(sessions.lose(places[step.place], now)),
      adopt: () => nothing(sessions.adopt(id, { address, delay, now })),
      acquire() {
        const use = sessions.tryAcquire(delay, now, { session: id });
        if (use.type !== 'use') {
          return noSession(use);
        }
        uses.push(use);
        return { id: use.session };
      },
      ready() {
        const ready = sessions.readyAt(now);
        return ready.type === 'ready' ? null : noSession(ready);
      },
      sent: () => nothing(sessions.sent(uses[step.use], now)),
      finish() {
        const asked = millis(step.asked_us);
        return { retired: sessions.finish(uses[step.use], camel(step.ending), now, { asked }) };
      },
      ban: () => ({ retired: sessions.ban(id) }),
      expired: () => sessions.takeExpired(now),
      name: () => sessions.setName(id, name),
      end_name: () => sessions.endName(name),
      address: () => nothing(sessions.setAddress(id, address)),
      shrink: () => nothing(sessions.shrink()),
      grow: () => nothing(sessions.grow(step.by)),
      stats() {
        const { inUse, ...stats } = sessions.stats();
        return told({ ...stats, in_use: inUse });
      },
    };
    return calls[step.call]();
  });
}
