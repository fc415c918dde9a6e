//! What lies between driver and service.

use silkline::service::Delivery;

use super::random::{Dice, SECOND};

/// What the network does to requests and answers. Shares in parts of a million.
#[derive(Clone, Debug, Default)]
pub(super) struct Network {
    /// One-way delays are uniform in 0 to this.
    pub(super) delay_us: u64,
    /// Requests that never leave, as the driver knows.
    pub(super) not_sent: u64,
    /// Requests that are lost on the way: the driver sees a broken connection.
    pub(super) lost: u64,
    /// Answers that never come, and nobody notices before the deadline.
    pub(super) dropped: u64,
    /// Answers on whose way the connection breaks.
    pub(super) broken: u64,
    /// Answers that take up to `slow_us` longer.
    pub(super) slow: u64,
    pub(super) slow_us: u64,
    /// Answers that come twice.
    pub(super) doubled: u64,
    /// Answers that come although the driver gave up the connection.
    pub(super) after_all: u64,
    /// Pages that are none: targets that do not answer as they should.
    pub(super) no_page: u64,
    /// Requests that the driver keeps for up to `queue_us` before it sends them, and says so.
    pub(super) queued: u64,
    pub(super) queue_us: u64,
    /// Answers that the application calls bans.
    pub(super) disguised: u64,
}

/// What the driver knows of a request under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) connection: u64,
    pub(super) deadline: u64,
}

/// How an answer fares on its way to the driver.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// It arrives at this moment, and a second time if at all.
    Arrives { at: u64, again: Option<u64> },
    /// The connection breaks at this moment.
    Breaks { at: u64 },
    /// It is never seen.
    Vanishes,
}

impl Network {
    pub(super) fn way_back(&self, delivery: &Delivery, dice: &mut Dice, now: u64) -> Way {
        let mut at = now + dice.up_to(self.delay_us);
        if *delivery != Delivery::Whole || dice.in_a_million(self.broken) {
            return Way::Breaks { at };
        }
        if dice.in_a_million(self.dropped) {
            return Way::Vanishes;
        }
        if dice.in_a_million(self.slow) {
            at += dice.up_to(self.slow_us);
        }
        let doubled = dice.in_a_million(self.doubled);
        Way::Arrives { at, again: doubled.then(|| at + dice.up_to(SECOND)) }
    }
}
