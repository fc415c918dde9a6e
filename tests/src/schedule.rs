//! The vectors of `schedule`.

use core::time::Duration;

use serde_json::{Value, json};
use silkline::{
    Error, Rng, Timestamp,
    schedule::{
        Budget, Ending, FailureClass, FirstUse, Pace, Place, PoolConfig, Progress, Rate,
        RateLimiter, RetryPolicy, Rule, SessionPool, Unavailable, Use, Wait,
    },
};

use crate::given::{check_keys, in_micros, outcome, text, told};

/// Runs an operation of `schedule`; `None` if there is none of that name.
pub(crate) fn run(op: &str, given: &Value) -> Option<Value> {
    Some(match op {
        "schedule.pace.run" => pace(given),
        "schedule.rate_limiter.run" => outcome(rate_limiter(given)),
        "schedule.retry_policy.ranges" => ranges(given),
        "schedule.retry_policy.run" => retries(given),
        "schedule.session_pool.run" => outcome(pool(given)),
        _ => return None,
    })
}

pub(crate) fn at(step: &Value, name: &str) -> Timestamp {
    Timestamp::from_micros(step[name].as_u64().unwrap_or_else(|| panic!("no {name}: {step}")))
}

pub(crate) fn duration(value: &Value) -> Option<Duration> {
    value.as_u64().map(Duration::from_micros)
}

pub(crate) fn number(value: &Value) -> u32 {
    value.as_u64().and_then(|number| number.try_into().ok()).expect("a number")
}

fn moment(moment: Timestamp) -> Value {
    if moment == Timestamp::MAX { Value::Null } else { json!(moment.as_micros()) }
}

pub(crate) fn steps(given: &Value) -> std::slice::Iter<'_, Value> {
    given["steps"].as_array().expect("steps").iter()
}

pub(crate) fn rate(value: &Value) -> Result<Rate, Error> {
    let period = duration(&value[1]).expect("a period");
    Ok(Rate::new(value[0].as_u64().expect("a count"), period)?)
}

/// Each step's outcome: of `take`, null or the moment before which there is nothing; of
/// `give_back`, whether it was possible; of `ready`, the moment.
fn rate_limiter(given: &Value) -> Result<Value, Error> {
    check_keys(given, &["rate", "burst", "now_us", "steps"]);
    let burst = number(&given["burst"]);
    let mut limiter = RateLimiter::new(rate(&given["rate"])?, burst, at(given, "now_us"))?;
    let outcomes = steps(given).map(|step| {
        check_keys(step, &["at_us", "call", "count"]);
        match text(&step["call"]) {
            "take" => {
                let taken = limiter.try_acquire(number(&step["count"]), at(step, "at_us"));
                taken.map_or_else(moment, |()| Value::Null)
            }
            "give_back" => json!(limiter.give_back()),
            "ready" => moment(limiter.ready_at(at(step, "at_us"))),
            other => panic!("no call is named {other}"),
        }
    });
    Ok(outcomes.collect())
}

fn span(value: &Value) -> (Duration, Duration) {
    (duration(&value[0]).expect("a duration"), duration(&value[1]).expect("a duration"))
}

/// A policy: a preset, with rules for classes.
pub(crate) fn policy(given: &Value) -> RetryPolicy {
    let preset = given["preset"].as_str().unwrap_or("default");
    let mut policy = RetryPolicy::preset(preset).expect("a preset");
    for (class, rule) in given["rules"].as_object().into_iter().flatten() {
        check_keys(rule, &["budget", "wait"]);
        let class = FailureClass::from_name(class).expect("a class");
        let mut known = policy.rule(class);
        if !rule["wait"].is_null() {
            known.wait = wait(&rule["wait"]);
        }
        if !rule["budget"].is_null() {
            known.budget = budget(&rule["budget"]);
        }
        policy = policy.with_rule(class, Rule::new(known.wait, known.budget));
    }
    policy
}

fn wait(given: &Value) -> Wait {
    check_keys(given, &["between_us", "growing_us", "first_us", "first"]);
    let (least, most) = span(&given["between_us"]);
    let mut wait = Wait::between(least, most);
    if !given["growing_us"].is_null() {
        let (step, cap) = span(&given["growing_us"]);
        wait = wait.growing(step, cap);
    }
    if !given["first"].is_null() {
        let (least, most) = span(&given["first_us"]);
        wait = wait.with_first(number(&given["first"]), least, most);
    }
    wait
}

fn budget(given: &Value) -> Budget {
    if given == "forever" {
        return Budget::Forever;
    }
    check_keys(given, &["retries", "since_first_attempt_us", "uninterrupted_us"]);
    if !given["retries"].is_null() {
        return Budget::Retries(number(&given["retries"]));
    }
    match duration(&given["since_first_attempt_us"]) {
        Some(time) => Budget::SinceFirstAttempt(time),
        None => Budget::Uninterrupted(duration(&given["uninterrupted_us"]).expect("a budget")),
    }
}

/// The shortest and longest wait after each failure, and the budget, of each class asked for.
fn ranges(given: &Value) -> Value {
    check_keys(given, &["preset", "rules", "classes", "failures"]);
    let policy = policy(given);
    let classes = given["classes"].as_array().expect("classes").iter().map(text);
    let rows = classes.map(|name| {
        let rule = policy.rule(FailureClass::from_name(name).expect("a class"));
        let failures = given["failures"].as_array().expect("failures").iter().map(number);
        let waits = failures.map(|n| {
            let (least, most) = rule.wait.range(n);
            json!([in_micros(least), in_micros(most)])
        });
        let budget = match rule.budget {
            Budget::Forever => json!("forever"),
            Budget::Retries(retries) => json!({ "retries": retries }),
            Budget::SinceFirstAttempt(time) => json!({"since_first_attempt_us": in_micros(time)}),
            Budget::Uninterrupted(time) => json!({"uninterrupted_us": in_micros(time)}),
            other => panic!("no name for {other:?}"),
        };
        (name.to_owned(), json!({"waits_us": waits.collect::<Vec<_>>(), "budget": budget}))
    });
    Value::Object(rows.collect())
}

/// The wait before the next try after each failure; null to give up.
fn retries(given: &Value) -> Value {
    check_keys(given, &["preset", "rules", "seed", "first_attempt_us", "failures"]);
    let policy = policy(given);
    let mut rng = Rng::new(given["seed"].as_u64().expect("a seed"));
    let mut progress = Progress::new(at(given, "first_attempt_us"));
    let failures = given["failures"].as_array().expect("failures").iter();
    let waits = failures.map(|failure| {
        check_keys(failure, &["at_us", "class", "asked_us"]);
        let class = FailureClass::from_name(text(&failure["class"])).expect("a class");
        let asked = duration(&failure["asked_us"]);
        policy.next(&mut progress, class, asked, at(failure, "at_us"), &mut rng).map(in_micros)
    });
    json!(waits.collect::<Vec<_>>())
}

/// After each step, when the next request may be sent; null while only an answer can tell.
fn pace(given: &Value) -> Value {
    check_keys(given, &["margin_us", "ready_us", "steps"]);
    let mut pace = Pace::new(duration(&given["margin_us"]), at(given, "ready_us"));
    let mut turns = Vec::new();
    let moments = steps(given).map(|step| {
        check_keys(step, &["at_us", "call", "delay_us", "turn", "asked_us"]);
        let now = at(step, "at_us");
        let turn = step["turn"].as_u64().and_then(|turn| usize::try_from(turn).ok());
        match (text(&step["call"]), turn.and_then(|turn| turns.get_mut(turn))) {
            ("begin", _) => {
                turns.push(pace.begin(duration(&step["delay_us"]).expect("a delay"), now));
            }
            ("sent", Some(turn)) => pace.sent(turn, now),
            ("answered", Some(turn)) => pace.answered(*turn, now),
            ("timed_out", Some(turn)) => pace.timed_out(*turn, now),
            ("not_sent", Some(turn)) => pace.not_sent(*turn),
            ("slow_down", _) => pace.slow_down(duration(&step["asked_us"]), now),
            ("recover", _) => pace.recover(),
            (other, turn) => panic!("no call is named {other} (turn {turn:?})"),
        }
        moment(pace.ready_at())
    });
    moments.collect()
}

struct Pool {
    sessions: SessionPool,
    places: Vec<Option<Place>>,
    uses: Vec<Use>,
}

fn pool(given: &Value) -> Result<Value, Error> {
    check_keys(given, &["config", "steps"]);
    let mut pool = Pool {
        sessions: SessionPool::new(pool_config(&given["config"])?),
        places: vec![],
        uses: vec![],
    };
    Ok(steps(given).map(|step| pool.step(step)).collect())
}

pub(crate) fn pool_config(given: &Value) -> Result<PoolConfig, Error> {
    let known = [
        "size",
        "margin_us",
        "idle_us",
        "lifetime_us",
        "safety_us",
        "max_bans",
        "max_timeouts",
        "anonymous_percent",
    ];
    let mut config = PoolConfig::default();
    for (name, value) in given.as_object().into_iter().flatten() {
        let time = || duration(value).expect("a duration");
        config = match name.as_str() {
            "size" => config.with_size(number(value))?,
            "margin_us" => config.with_margin(duration(value)),
            "idle_us" => config.with_idle(time()),
            "lifetime_us" => config.with_lifetime(duration(value)),
            "safety_us" => config.with_safety(time()),
            "max_bans" => config.with_max_bans(number(value)),
            "max_timeouts" => config.with_max_timeouts(number(value)),
            "anonymous_percent" => config.with_anonymous_percent(number(value))?,
            _ => panic!("no setting is named {name}, only {known:?}"),
        };
    }
    Ok(config)
}

fn unavailable(reason: Unavailable) -> Value {
    match reason {
        Unavailable::Busy => json!("busy"),
        Unavailable::Empty => json!("empty"),
        Unavailable::Until(at) => json!({"until_us": at.as_micros()}),
    }
}

impl Pool {
    fn place(&mut self, step: &Value) -> Place {
        let index = usize::try_from(step["place"].as_u64().expect("a place")).unwrap();
        self.places[index].take().expect("a place that is not used up")
    }

    /// Places and uses are numbered in the order in which they were got.
    fn step(&mut self, step: &Value) -> Value {
        check_keys(
            step,
            &[
                "at_us", "call", "named", "place", "id", "address", "sent_us", "delay_us", "use",
                "name", "ending", "asked_us", "by",
            ],
        );
        let now = at(step, "at_us");
        let address = step["address"].as_str();
        let delay = duration(&step["delay_us"]);
        let session = |pool: &SessionPool| pool.find(text(&step["id"])).expect("a session");
        let usage = step["use"].as_u64().and_then(|index| usize::try_from(index).ok());
        match text(&step["call"]) {
            "reserve" => {
                let place = self.sessions.reserve(step["named"].as_bool().unwrap_or(false), now);
                let index = place.is_some().then_some(self.places.len());
                self.places.extend(place.map(Some));
                json!(index)
            }
            "add" => {
                let place = self.place(step);
                let first = delay.map(|delay| FirstUse { sent: at(step, "sent_us"), delay });
                self.sessions.add(place, text(&step["id"]), address, first, now);
                Value::Null
            }
            "cancel" => {
                let place = self.place(step);
                self.sessions.cancel(place);
                Value::Null
            }
            "lose" => {
                let place = self.place(step);
                self.sessions.lose(place, now);
                Value::Null
            }
            "adopt" => {
                self.sessions.adopt(text(&step["id"]), address, delay.expect("a delay"), now);
                Value::Null
            }
            "acquire" => {
                let delay = delay.expect("a delay");
                let usage = if step["id"].is_string() {
                    self.sessions.try_acquire_session(session(&self.sessions), delay, now)
                } else {
                    self.sessions.try_acquire(delay, now)
                };
                usage.map_or_else(unavailable, |usage| {
                    self.uses.push(usage);
                    json!({"id": self.sessions.id(usage.session())})
                })
            }
            "ready" => self.sessions.ready_at(now).map_or_else(unavailable, |()| Value::Null),
            "sent" => {
                let mut usage = self.uses[usage.expect("a use")];
                self.sessions.sent(&mut usage, now);
                self.uses[usage_index(step)] = usage;
                Value::Null
            }
            "finish" => {
                let usage = self.uses[usage_index(step)];
                json!({"retired": self.sessions.finish(usage, ending(step), now)})
            }
            "ban" => {
                let key = session(&self.sessions);
                json!({"retired": self.sessions.ban(key)})
            }
            "expired" => json!(self.sessions.take_expired(now)),
            "name" => json!(self.sessions.set_name(session(&self.sessions), text(&step["name"]))),
            "end_name" => {
                let key = self.sessions.end_name(text(&step["name"]));
                json!(key.and_then(|key| self.sessions.id(key)))
            }
            "address" => {
                self.sessions.set_address(session(&self.sessions), address.expect("an address"));
                Value::Null
            }
            "shrink" => {
                self.sessions.shrink();
                Value::Null
            }
            "grow" => {
                self.sessions.grow(number(&step["by"]));
                Value::Null
            }
            "stats" => {
                let stats = self.sessions.stats();
                told([
                    ("sessions", json!(stats.sessions)),
                    ("in_use", json!(stats.in_use)),
                    ("named", json!(stats.named)),
                    ("reserved", json!(stats.reserved)),
                    ("lost", json!(stats.lost)),
                    ("limit", json!(stats.limit)),
                ])
            }
            other => panic!("no call is named {other}"),
        }
    }
}

fn usage_index(step: &Value) -> usize {
    usize::try_from(step["use"].as_u64().expect("a use")).unwrap()
}

fn ending(step: &Value) -> Ending {
    match text(&step["ending"]) {
        "answered" => Ending::Answered,
        "banned" => Ending::Banned,
        "gone" => Ending::Gone,
        "broken" => Ending::Broken,
        "not_sent" => Ending::NotSent,
        "refused" => Ending::Refused,
        "slower" => Ending::Slower(duration(&step["asked_us"])),
        "timed_out" => Ending::TimedOut,
        other => panic!("no ending is named {other}"),
    }
}
