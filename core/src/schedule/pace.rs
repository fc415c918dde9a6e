//! The spacing of requests through one outgoing address.

use core::time::Duration;

use crate::Timestamp;

/// Steps that an address can be slowed down by; each adds half of the plain delay.
const MAX_STEPS: u32 = 6;

/// A request under way, as [`Pace::begin`] counted it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Turn {
    number: u64,
    sent: Timestamp,
    delay: Duration,
}

impl Turn {
    /// The turn that these numbers were read from, for borders that keep them on their own side.
    pub const fn from_parts(number: u64, sent: Timestamp, delay: Duration) -> Self {
        Self { number, sent, delay }
    }

    /// How many turns the address had before.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// When it was sent, as far as known.
    pub const fn sent(&self) -> Timestamp {
        self.sent
    }

    /// How long the address has to wait after it.
    pub const fn delay(&self) -> Duration {
        self.delay
    }
}

/// The pace of one session or address.
///
/// The service counts a request when it arrives, at a moment between sending and answer that a
/// client cannot see. So the next one is ready at min(answer, sent + margin) + delay: the margin
/// covers the jitter of the way there; without one, only the answer counts.
///
/// ```
/// use core::time::Duration;
/// use silkline::{Timestamp, schedule::Pace};
///
/// let mut pace = Pace::new(Some(Duration::from_millis(250)), Timestamp::ZERO);
/// let turn = pace.begin(Duration::from_secs(12), Timestamp::ZERO);
/// assert_eq!(pace.ready_at(), Timestamp::from_micros(12_250_000));
/// pace.answered(turn, Timestamp::from_micros(100_000));
/// assert_eq!(pace.ready_at(), Timestamp::from_micros(12_100_000));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pace {
    margin: Option<Duration>,
    /// Not before this, whatever becomes of the request under way.
    floor: Timestamp,
    /// The latest request, until its answer settles when it can have arrived.
    open: Option<Turn>,
    turns: u64,
    steps: u32,
}

impl Pace {
    /// The pace of an address that is ready at `ready`. Without a margin the wait begins with the
    /// answer.
    pub const fn new(margin: Option<Duration>, ready: Timestamp) -> Self {
        Self { margin, floor: ready, open: None, turns: 0, steps: 0 }
    }

    /// When the next request may be sent; [`Timestamp::MAX`] while only an answer can tell.
    pub fn ready_at(&self) -> Timestamp {
        let open = self.open.map(|turn| match self.margin {
            Some(margin) => turn.sent + margin + turn.delay,
            None => Timestamp::MAX,
        });
        open.map_or(self.floor, |open| open.max(self.floor))
    }

    /// Counts a request sent at `now` whose domain asks for `delay` afterwards.
    pub fn begin(&mut self, delay: Duration, now: Timestamp) -> Turn {
        let turn = Turn { number: self.turns, sent: now, delay: self.slowed(delay) };
        self.turns += 1;
        let ready = self.ready_at();
        if ready < Timestamp::MAX {
            self.floor = ready;
        }
        self.open = Some(turn);
        turn
    }

    /// The delay as slowed down by the steps taken.
    fn slowed(&self, delay: Duration) -> Duration {
        delay.saturating_add((delay / 2).saturating_mul(self.steps))
    }

    /// The request left at `now`, later than it was handed out.
    pub fn sent(&mut self, turn: &mut Turn, now: Timestamp) {
        turn.sent = turn.sent.max(now);
        if self.is_open(*turn) {
            self.open = Some(*turn);
        }
    }

    /// The request's answer was there at `now`.
    pub fn answered(&mut self, turn: Turn, now: Timestamp) {
        let arrived = match self.margin {
            Some(margin) => now.min(turn.sent + margin),
            None => now,
        };
        self.close(turn, arrived + turn.delay);
    }

    /// No answer came in time: nobody knows when the request arrived, so it cools from `now`.
    pub fn timed_out(&mut self, turn: Turn, now: Timestamp) {
        self.close(turn, now + turn.delay);
    }

    /// The request never left: as if it had not begun.
    pub fn not_sent(&mut self, turn: Turn) {
        self.close(turn, Timestamp::ZERO);
    }

    fn is_open(&self, turn: Turn) -> bool {
        self.open.is_some_and(|open| open.number == turn.number)
    }

    fn close(&mut self, turn: Turn, ready: Timestamp) {
        self.floor = self.floor.max(ready);
        if self.is_open(turn) {
            self.open = None;
        }
    }

    /// The service says it is too fast: not before `asked` has passed, and slower by two steps.
    pub fn slow_down(&mut self, asked: Option<Duration>, now: Timestamp) {
        self.steps = (self.steps + 2).min(MAX_STEPS);
        self.not_before(now + asked.unwrap_or_default());
    }

    /// A good answer that asked for nothing: back towards the plain delay by one step.
    pub fn recover(&mut self) {
        self.steps = self.steps.saturating_sub(1);
    }

    /// Waits at least until `moment`.
    pub fn not_before(&mut self, moment: Timestamp) {
        self.floor = self.floor.max(moment);
    }

    /// Steps by which it is slowed down; each adds half of the plain delay.
    pub const fn steps(&self) -> u32 {
        self.steps
    }

    pub(crate) fn set_steps(&mut self, steps: u32) {
        self.steps = steps.min(MAX_STEPS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Duration = Duration::from_secs(12);
    const MARGIN: Duration = Duration::from_millis(250);

    fn ms(millis: u64) -> Timestamp {
        Timestamp::from_micros(millis * 1_000)
    }

    #[test]
    fn a_late_answer_does_not_delay() {
        let mut pace = Pace::new(Some(MARGIN), ms(0));
        let turn = pace.begin(DELAY, ms(0));
        pace.answered(turn, ms(30_000));
        assert_eq!(pace.ready_at(), ms(12_250));
    }

    #[test]
    fn without_margin_only_the_answer_counts() {
        let mut pace = Pace::new(None, ms(0));
        let turn = pace.begin(DELAY, ms(0));
        assert_eq!(pace.ready_at(), Timestamp::MAX);
        pace.answered(turn, ms(30_000));
        assert_eq!(pace.ready_at(), ms(42_000));
    }

    #[test]
    fn sent_later_counts_later() {
        let mut pace = Pace::new(Some(MARGIN), ms(0));
        let mut turn = pace.begin(DELAY, ms(0));
        pace.sent(&mut turn, ms(500));
        assert_eq!(pace.ready_at(), ms(12_750));
        pace.answered(turn, ms(600));
        assert_eq!(pace.ready_at(), ms(12_600));
    }

    #[test]
    fn what_never_left_costs_nothing() {
        let mut pace = Pace::new(Some(MARGIN), ms(5));
        let turn = pace.begin(DELAY, ms(10));
        pace.not_sent(turn);
        assert_eq!(pace.ready_at(), ms(5));
    }

    #[test]
    fn an_earlier_turn_of_a_shared_address_cannot_shorten_a_later_one() {
        let mut pace = Pace::new(Some(MARGIN), ms(0));
        let first = pace.begin(DELAY, ms(0));
        let second = pace.begin(DELAY, ms(12_250));
        pace.answered(first, ms(13_000));
        assert_eq!(pace.ready_at(), ms(24_500));
        pace.answered(second, ms(12_300));
        assert_eq!(pace.ready_at(), ms(24_300));
    }

    #[test]
    fn slows_down_at_once_and_recovers_step_by_step() {
        let mut pace = Pace::new(Some(MARGIN), ms(0));
        let turn = pace.begin(DELAY, ms(0));
        pace.answered(turn, ms(100));
        pace.slow_down(Some(Duration::from_secs(130)), ms(100));
        assert_eq!(pace.ready_at(), ms(130_100));
        for (delay, start) in [(24, 200_000), (18, 300_000), (12, 400_000), (12, 500_000)] {
            let turn = pace.begin(DELAY, ms(start));
            pace.answered(turn, ms(start));
            assert_eq!(pace.ready_at(), ms(start + delay * 1_000));
            pace.recover();
        }
        for _ in 0..9 {
            pace.slow_down(None, ms(0));
        }
        assert_eq!(pace.steps(), MAX_STEPS);
    }

    #[test]
    fn a_timeout_cools_from_the_deadline() {
        let mut pace = Pace::new(Some(MARGIN), ms(0));
        let turn = pace.begin(DELAY, ms(0));
        pace.timed_out(turn, ms(190_000));
        assert_eq!(pace.ready_at(), ms(202_000));
    }
}
