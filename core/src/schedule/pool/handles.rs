//! What users of a pool hold and hear.

use core::time::Duration;

use crate::{Timestamp, schedule::Turn};

/// A session of a pool, as long as it is in the pool.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SessionKey {
    pub(super) index: u32,
    pub(super) serial: u64,
}

/// A place in the pool, reserved for a session that is being created.
#[derive(Debug, Eq, PartialEq)]
pub struct Place {
    pub(super) named: bool,
}

impl Place {
    /// Whether it is for a named session.
    pub const fn is_named(&self) -> bool {
        self.named
    }
}

/// The request that created a session and already went through it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FirstUse {
    /// When it was sent.
    pub sent: Timestamp,
    /// The delay of the domain it went to.
    pub delay: Duration,
}

/// A session in use by one request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Use {
    pub(super) session: SessionKey,
    pub(super) turn: Turn,
}

impl Use {
    /// The session.
    pub const fn session(&self) -> SessionKey {
        self.session
    }

    /// When the request was sent, as far as known.
    pub const fn sent(&self) -> Timestamp {
        self.turn.sent()
    }
}

/// How a use ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Ending {
    /// With an answer that says nothing about the session.
    Answered,
    /// With an answer that says the address is refused by the target.
    Banned,
    /// The connection broke: nobody knows whether the service saw the request.
    Broken,
    /// The service does not know the session.
    Gone,
    /// The request never left.
    NotSent,
    /// The service refused the request before it went through the session.
    Refused,
    /// With an answer that says it is too fast, with the delay if it names one.
    Slower(Option<Duration>),
    /// Without an answer.
    TimedOut,
}

/// Why no session can be had.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unavailable {
    /// All are in use.
    Busy,
    /// There is none.
    Empty,
    /// Not before this moment.
    Until(Timestamp),
}

/// Numbers of a pool.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Sessions, in use or not.
    pub sessions: u32,
    /// Sessions in use.
    pub in_use: u32,
    /// Named sessions and places for them.
    pub named: u32,
    /// Places kept for creations under way.
    pub reserved: u32,
    /// Places kept because a creation's answer was lost.
    pub lost: u32,
    /// How many sessions there may be at the moment.
    pub limit: u32,
}
