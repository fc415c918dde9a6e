//! `silkline::schedule`: its machines, usable alone.

use silkline::{
    Rng as CoreRng, Timestamp,
    schedule::{self, Budget, Ending, FirstUse, Place, Turn, Unavailable, Use},
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::{
    convert::{self, Object, count, delay, deliver, moment, number, tell, tell_delay},
    errors::Thrown,
    schedule::{RetryPolicy, class_of, pool_config, rate},
};

/// A token bucket.
#[wasm_bindgen]
pub struct RateLimiter(schedule::RateLimiter);

#[wasm_bindgen]
impl RateLimiter {
    /// A full bucket.
    #[wasm_bindgen(constructor)]
    pub fn new(times: f64, period: f64, burst: f64, now: f64) -> Result<Self, Thrown> {
        Ok(Self(schedule::RateLimiter::new(rate(times, period)?, count(burst), moment(now))?))
    }

    /// Takes tokens: nothing, or the moment before which there is none.
    #[wasm_bindgen(js_name = tryAcquire)]
    pub fn try_acquire(&mut self, tokens: f64, now: f64) -> Option<f64> {
        self.0.try_acquire(count(tokens), moment(now)).err().map(tell)
    }

    /// Undoes the latest taking.
    #[wasm_bindgen(js_name = giveBack)]
    pub fn give_back(&mut self) -> bool {
        self.0.give_back()
    }

    /// When the next token is there.
    #[wasm_bindgen(js_name = readyAt)]
    pub fn ready_at(&self, now: f64) -> f64 {
        tell(self.0.ready_at(moment(now)))
    }
}

/// The seeded generator behind jitter.
#[wasm_bindgen]
pub struct Rng(CoreRng);

#[wasm_bindgen]
impl Rng {
    /// Starts a sequence.
    #[wasm_bindgen(constructor)]
    pub fn new(seed: u64) -> Self {
        Self(CoreRng::new(seed))
    }

    /// The id of a new session of Zyte API's proxy mode.
    #[wasm_bindgen(js_name = sessionId)]
    pub fn session_id(&mut self) -> String {
        silkline::zyte_api::session_id(&mut self.0).as_str().into()
    }
}

/// What one piece of work has been through.
#[wasm_bindgen]
pub struct Progress(schedule::Progress);

#[wasm_bindgen]
impl Progress {
    /// Begins with the first attempt.
    #[wasm_bindgen(constructor)]
    pub fn new(first_attempt: f64) -> Self {
        Self(schedule::Progress::new(moment(first_attempt)))
    }

    /// Failures of a class so far.
    pub fn failures(&self, class: usize) -> u32 {
        class_of(class).map_or(0, |class| self.0.failures(class))
    }
}

#[wasm_bindgen]
impl RetryPolicy {
    /// The budget of a class, as kind and amount.
    pub fn budget(&self, class: usize) -> Vec<f64> {
        let budget = class_of(class).map(|class| self.0.rule(class).budget);
        match budget {
            Some(Budget::Retries(retries)) => vec![1.0, retries.into()],
            Some(Budget::SinceFirstAttempt(time)) => vec![2.0, tell_delay(time)],
            Some(Budget::Uninterrupted(time)) => vec![3.0, tell_delay(time)],
            _ => vec![0.0, 0.0],
        }
    }

    /// The shortest and the longest wait after so many failures of a class.
    pub fn range(&self, class: usize, failures: f64) -> Vec<f64> {
        let rule = class_of(class).map(|class| self.0.rule(class));
        let (least, most) = rule.map(|rule| rule.wait.range(count(failures))).unwrap_or_default();
        vec![tell_delay(least), tell_delay(most)]
    }

    /// Counts a failure: how long to wait before the next try, or nothing to give up.
    pub fn next(
        &self,
        progress: &mut Progress,
        class: usize,
        asked: Option<f64>,
        now: f64,
        rng: &mut Rng,
    ) -> Option<f64> {
        let class = class_of(class)?;
        let asked = asked.map(delay);
        self.0.next(&mut progress.0, class, asked, moment(now), &mut rng.0).map(tell_delay)
    }
}

/// Numbers of a turn.
#[expect(clippy::cast_precision_loss, reason = "nobody takes 2^53 turns")]
fn tell_turn(turn: Turn) -> Vec<f64> {
    vec![turn.number() as f64, tell(turn.sent()), tell_delay(turn.delay())]
}

fn read_turn(numbers: &[f64]) -> Turn {
    let [place, sent, wait] = *numbers else {
        return Turn::from_parts(u64::MAX, Timestamp::ZERO, core::time::Duration::ZERO);
    };
    Turn::from_parts(number(place), moment(sent), delay(wait))
}

/// The pace of one session or address.
#[wasm_bindgen]
pub struct Pace(schedule::Pace);

#[wasm_bindgen]
impl Pace {
    /// The pace of an address that is ready at a moment.
    #[wasm_bindgen(constructor)]
    pub fn new(margin: Option<f64>, ready: f64) -> Self {
        Self(schedule::Pace::new(margin.map(delay), moment(ready)))
    }

    /// When the next request may be sent.
    #[wasm_bindgen(js_name = readyAt)]
    pub fn ready_at(&self) -> f64 {
        tell(self.0.ready_at())
    }

    /// Steps by which it is slowed down.
    pub fn steps(&self) -> u32 {
        self.0.steps()
    }

    /// Counts a request, and gives the numbers of its turn.
    pub fn begin(&mut self, wait: f64, now: f64) -> Vec<f64> {
        tell_turn(self.0.begin(delay(wait), moment(now)))
    }

    /// The request left later; gives the turn as it is then.
    pub fn sent(&mut self, turn: &[f64], now: f64) -> Vec<f64> {
        let mut turn = read_turn(turn);
        self.0.sent(&mut turn, moment(now));
        tell_turn(turn)
    }

    /// The request's answer was there.
    pub fn answered(&mut self, turn: &[f64], now: f64) {
        self.0.answered(read_turn(turn), moment(now));
    }

    /// No answer came in time.
    #[wasm_bindgen(js_name = timedOut)]
    pub fn timed_out(&mut self, turn: &[f64], now: f64) {
        self.0.timed_out(read_turn(turn), moment(now));
    }

    /// The request never left.
    #[wasm_bindgen(js_name = notSent)]
    pub fn not_sent(&mut self, turn: &[f64]) {
        self.0.not_sent(read_turn(turn));
    }

    /// The service says it is too fast.
    #[wasm_bindgen(js_name = slowDown)]
    pub fn slow_down(&mut self, asked: Option<f64>, now: f64) {
        self.0.slow_down(asked.map(delay), moment(now));
    }

    /// A good answer that asked for nothing.
    pub fn recover(&mut self) {
        self.0.recover();
    }

    /// Waits at least until a moment.
    #[wasm_bindgen(js_name = notBefore)]
    pub fn not_before(&mut self, at: f64) {
        self.0.not_before(moment(at));
    }
}

/// A pool of sessions. Places and uses stay here; the other side holds their numbers, and hands
/// each in once.
#[wasm_bindgen]
pub struct SessionPool {
    pool: schedule::SessionPool,
    places: Kept<Place>,
    uses: Kept<Use>,
}

struct Kept<T>(Vec<Option<T>>, Vec<usize>);

impl<T> Kept<T> {
    fn put(&mut self, thing: T) -> usize {
        if let Some(index) = self.1.pop()
            && let Some(slot) = self.0.get_mut(index)
        {
            *slot = Some(thing);
            return index;
        }
        self.0.push(Some(thing));
        self.0.len() - 1
    }

    fn take(&mut self, index: usize) -> Option<T> {
        let thing = self.0.get_mut(index)?.take()?;
        self.1.push(index);
        Some(thing)
    }
}

/// What crosses instead of a use: 1 busy, 2 empty, 3 not before a moment.
fn unavailable(reason: Unavailable) -> [f64; 2] {
    match reason {
        Unavailable::Busy => [1.0, 0.0],
        Unavailable::Empty => [2.0, 0.0],
        Unavailable::Until(at) => [3.0, tell(at)],
    }
}

#[wasm_bindgen]
impl SessionPool {
    /// An empty pool. The settings are in the order in which they are read here; one that is not
    /// given is NaN. `sure` is false for no margin.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &[f64], sure: bool) -> Result<Self, Thrown> {
        let config = pool_config(&mut convert::Given::new(settings), sure)?;
        let pool = schedule::SessionPool::new(config);
        Ok(Self { pool, places: Kept(vec![], vec![]), uses: Kept(vec![], vec![]) })
    }

    /// Reserves a place, and gives its number.
    pub fn reserve(&mut self, named: bool, now: f64) -> Option<usize> {
        self.pool.reserve(named, moment(now)).map(|place| self.places.put(place))
    }

    /// Fills a place; `sent` and `wait` are those of the request that created the session, if it
    /// went through it.
    #[expect(clippy::needless_pass_by_value, reason = "texts cross by value")]
    pub fn add(
        &mut self,
        place: usize,
        id: &str,
        address: Option<String>,
        sent: Option<f64>,
        wait: f64,
        now: f64,
    ) {
        let Some(place) = self.places.take(place) else { return };
        let first = sent.map(|sent| FirstUse { sent: moment(sent), delay: delay(wait) });
        self.pool.add(place, id, address.as_deref(), first, moment(now));
    }

    /// Takes in a session that the service lists.
    #[expect(clippy::needless_pass_by_value, reason = "texts cross by value")]
    pub fn adopt(&mut self, id: &str, address: Option<String>, wait: f64, now: f64) {
        self.pool.adopt(id, address.as_deref(), delay(wait), moment(now));
    }

    /// Gives back a place.
    pub fn cancel(&mut self, place: usize) {
        if let Some(place) = self.places.take(place) {
            self.pool.cancel(place);
        }
    }

    /// Keeps the place of a creation whose answer was lost.
    pub fn lose(&mut self, place: usize, now: f64) {
        if let Some(place) = self.places.take(place) {
            self.pool.lose(place, moment(now));
        }
    }

    /// Whether an anonymous session can be had: nothing, or why not.
    #[wasm_bindgen(js_name = readyAt)]
    pub fn ready_at(&self, now: f64) -> Option<Vec<f64>> {
        self.pool.ready_at(moment(now)).err().map(|reason| unavailable(reason).to_vec())
    }

    /// Takes a session, or a certain one: its number and the use's, or why not.
    #[wasm_bindgen(js_name = tryAcquire)]
    pub fn try_acquire(&mut self, id: Option<String>, wait: f64, now: f64) -> JsValue {
        let (wait, now) = (delay(wait), moment(now));
        let usage = match id {
            None => self.pool.try_acquire(wait, now),
            Some(id) => match self.pool.find(&id) {
                Some(key) => self.pool.try_acquire_session(key, wait, now),
                None => Err(Unavailable::Empty),
            },
        };
        match usage {
            Ok(usage) => {
                let id = self.pool.id(usage.session()).unwrap_or_default().to_owned();
                let index = self.uses.put(usage);
                deliver(&[0.0, convert::float(index)], &[], &id)
            }
            Err(reason) => deliver(&unavailable(reason), &[], ""),
        }
    }

    /// The request left later than it was handed out.
    pub fn sent(&mut self, usage: usize, now: f64) {
        if let Some(Some(usage)) = self.uses.0.get_mut(usage) {
            self.pool.sent(usage, moment(now));
        }
    }

    /// Ends a use, by the index of the ending in alphabetical order. Whether the session is retired.
    pub fn finish(&mut self, usage: usize, ending: u8, asked: Option<f64>, now: f64) -> bool {
        let Some(usage) = self.uses.take(usage) else { return true };
        let ending = match ending {
            0 => Ending::Answered,
            1 => Ending::Banned,
            2 => Ending::Broken,
            3 => Ending::Gone,
            4 => Ending::NotSent,
            5 => Ending::Refused,
            6 => Ending::Slower(asked.map(delay)),
            _ => Ending::TimedOut,
        };
        self.pool.finish(usage, ending, moment(now))
    }

    /// Counts a ban that was learned outside of the end of a use; whether the session is retired.
    pub fn ban(&mut self, id: &str) -> bool {
        self.pool.find(id).is_some_and(|key| self.pool.ban(key))
    }

    /// Takes a session out of the pool; false if there is none of that id.
    pub fn remove(&mut self, id: &str) -> bool {
        self.pool.find(id).and_then(|key| self.pool.remove(key)).is_some()
    }

    /// A session past its idle time.
    #[wasm_bindgen(js_name = takeExpired)]
    pub fn take_expired(&mut self, now: f64) -> Option<String> {
        self.pool.take_expired(moment(now)).map(Into::into)
    }

    /// When the next session that nobody uses is past its idle time.
    #[wasm_bindgen(js_name = nextExpiry)]
    pub fn next_expiry(&self) -> Option<f64> {
        self.pool.next_expiry().map(tell)
    }

    /// Gives a session a name.
    #[wasm_bindgen(js_name = setName)]
    pub fn set_name(&mut self, id: &str, name: &str) -> bool {
        self.pool.find(id).is_some_and(|key| self.pool.set_name(key, name))
    }

    /// Takes a name away, and gives the id of its session.
    #[wasm_bindgen(js_name = endName)]
    pub fn end_name(&mut self, name: &str) -> Option<String> {
        let key = self.pool.end_name(name)?;
        self.pool.id(key).map(Into::into)
    }

    /// The id of the session of a name.
    pub fn named(&self, name: &str) -> Option<String> {
        self.pool.id(self.pool.named(name)?).map(Into::into)
    }

    /// Name and address of a session as JSON, and when its pace lets the next request through.
    pub fn session(&self, id: &str) -> Option<String> {
        let key = self.pool.find(id)?;
        let ready = self.pool.session_ready_at(key).filter(|at| *at < Timestamp::MAX);
        let object = Object::new()
            .maybe_text("name", self.pool.name(key))
            .maybe_text("address", self.pool.address(key))
            .millis("readyAt", ready.map(|at| at.since(Timestamp::ZERO)));
        Some(object.end())
    }

    /// Says from which address a session leaves; false if there is none of that id.
    #[wasm_bindgen(js_name = setAddress)]
    pub fn set_address(&mut self, id: &str, address: &str) -> bool {
        let key = self.pool.find(id);
        key.map(|key| self.pool.set_address(key, address)).is_some()
    }

    /// The limit falls to what there is.
    pub fn shrink(&mut self) {
        self.pool.shrink();
    }

    /// The limit rises again.
    pub fn grow(&mut self, by: f64) {
        self.pool.grow(count(by));
    }

    /// The ids of all sessions as a JSON array.
    pub fn ids(&self) -> String {
        convert::array(self.pool.ids().map(convert::quoted))
    }

    /// The pool's numbers as JSON.
    pub fn stats(&self) -> String {
        let stats = self.pool.stats();
        Object::new()
            .number("sessions", stats.sessions)
            .number("inUse", stats.in_use)
            .number("named", stats.named)
            .number("reserved", stats.reserved)
            .number("lost", stats.lost)
            .number("limit", stats.limit)
            .end()
    }
}
