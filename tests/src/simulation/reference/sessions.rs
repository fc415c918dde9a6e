//! Which session when: of those that nobody uses the one that is ready first.

use core::time::Duration;

use silkline::{
    Timestamp,
    schedule::{Ending, PoolConfig, SessionPool, Unavailable, Use},
};

use crate::simulation::{
    checks::{Broken, Checked, hold},
    random::{Dice, SECOND},
};

const MARGIN: u64 = 250_000;
/// The service's half an hour, less the safety.
const USABLE: u64 = (30 * 60 - 30) * SECOND;
const SIZE: usize = 5;
/// From here on a first answer was slow because its request was held back.
const HELD: u64 = 3 * SECOND;

/// A session, as plainly as can be.
#[derive(Clone, Debug)]
struct Plain {
    id: String,
    ready: u64,
    sent: u64,
    sent_before: u64,
    timeouts: u32,
    /// None of its requests has been answered.
    fresh: bool,
    used: Option<(Use, u64)>,
}

struct Pair {
    dice: Dice,
    pool: SessionPool,
    model: Vec<Plain>,
    now: u64,
    made: u64,
}

impl Pair {
    fn clock(&self) -> Timestamp {
        Timestamp::from_micros(self.now)
    }

    fn forget_expired(&mut self) {
        let now = self.now;
        self.model.retain(|session| session.used.is_some() || session.sent + USABLE > now);
    }

    fn add(&mut self) -> Checked {
        let place = self.pool.reserve(false, self.clock());
        let room = self.model.len() < SIZE;
        let Some(place) = place else {
            // The pool may not have looked for expired ones, but never lacks room otherwise.
            return hold(!room || self.pool.stats().sessions >= 5, || "no room".into());
        };
        hold(room, || format!("room for a session beside {}", self.model.len()))?;
        self.made += 1;
        let id = self.made.to_string();
        self.pool.add(place, &id, None, None, self.clock());
        let now = self.now;
        self.model.push(Plain {
            id,
            ready: now,
            sent: now,
            sent_before: now,
            timeouts: 0,
            fresh: true,
            used: None,
        });
        Ok(())
    }

    fn acquire(&mut self) -> Checked {
        self.forget_expired();
        let delay = self.dice.between(1, 20) * SECOND;
        let free = self.model.iter().filter(|session| session.used.is_none());
        let first = free.map(|session| session.ready).min();
        let now = self.now;
        match (self.pool.try_acquire(Duration::from_micros(delay), self.clock()), first) {
            (Ok(usage), Some(first)) => {
                let id = self.pool.id(usage.session()).unwrap_or_default().to_owned();
                let known = self.model.iter_mut().find(|session| session.id == id);
                let session = known.ok_or_else(|| Broken(format!("{id} has expired")))?;
                hold(session.used.is_none(), || format!("{id} is in use"))?;
                hold(session.ready == first && first <= now, || {
                    format!("{id} is ready at {}, the first one at {first}", session.ready)
                })?;
                session.sent_before = session.sent;
                session.sent = now;
                session.used = Some((usage, delay));
                Ok(())
            }
            (Err(Unavailable::Until(at)), Some(first)) => {
                hold(at.as_micros() == first && first > now, || format!("{at:?}, not {first}"))
            }
            (Err(Unavailable::Busy), None) => {
                hold(!self.model.is_empty(), || "busy without sessions".into())
            }
            (Err(Unavailable::Empty), None) => {
                hold(self.model.is_empty(), || "empty with sessions".into())
            }
            (seen, first) => Err(Broken(format!("{seen:?}, the first one is ready at {first:?}"))),
        }
    }

    fn finish(&mut self) -> Checked {
        let used = self.model.iter().enumerate().filter(|(_, session)| session.used.is_some());
        let used: Vec<usize> = used.map(|(index, _)| index).collect();
        if used.is_empty() {
            return Ok(());
        }
        let index = *self.dice.pick(&used);
        let (now, clock) = (self.now, self.clock());
        let session = &mut self.model[index];
        let Some((usage, delay)) = session.used.take() else { return Ok(()) };
        let endings = [Ending::Answered, Ending::NotSent, Ending::Broken, Ending::TimedOut];
        let ending = match self.dice.up_to(9) {
            0..=5 => endings[0],
            6 => Ending::Banned,
            _ => *self.dice.pick(&endings),
        };
        let latest = session.sent + MARGIN;
        let mut retired = false;
        match ending {
            Ending::NotSent => {}
            Ending::Broken => session.ready = session.ready.max(now.max(latest) + delay),
            Ending::TimedOut => {
                session.ready = session.ready.max(now + delay);
                session.timeouts += 1;
                retired = session.timeouts >= 2;
            }
            _ => {
                // A first request that took long was held back: its address cooled.
                let held = std::mem::take(&mut session.fresh) && now - session.sent > HELD;
                let arrived = if held { now } else { now.min(latest) };
                session.ready = session.ready.max(arrived + delay);
                session.timeouts = 0;
                retired = ending == Ending::Banned;
            }
        }
        if matches!(ending, Ending::NotSent | Ending::Broken | Ending::TimedOut) {
            session.sent = session.sent_before;
        }
        if retired {
            self.model.remove(index);
        }
        let said = self.pool.finish(usage, ending, clock);
        hold(said == retired, || format!("{ending:?} retires: {said}"))
    }
}

/// Runs the pool and the plain list side by side.
pub fn compare(seed: u64) -> Result<(), Broken> {
    let config = PoolConfig::default()
        .with_size(u32::try_from(SIZE).expect("few"))
        .expect("a size")
        .with_margin(Some(Duration::from_micros(MARGIN)));
    let mut pair = Pair {
        dice: Dice::new(seed),
        pool: SessionPool::new(config),
        model: Vec::new(),
        now: 0,
        made: 0,
    };
    for _ in 0..400 {
        match pair.dice.up_to(9) {
            0 => pair.add()?,
            1..=4 => pair.acquire()?,
            5..=7 => pair.finish()?,
            8 => pair.now += pair.dice.up_to(5 * SECOND) / 4,
            _ => {
                // While something is under way, no longer than an answer takes.
                let busy = pair.model.iter().any(|session| session.used.is_some());
                let most = if busy { SECOND / 4 } else { 600 * SECOND };
                pair.now += pair.dice.up_to(most);
            }
        }
    }
    Ok(())
}
