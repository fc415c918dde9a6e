//! The parts that decide when something may be sent: rate limiter, retry policy, pace, session
//! pool. Each is a small machine of its own, usable alone: time is an argument, randomness a
//! seeded [`Rng`](crate::Rng), "not yet" is a value. Nothing here knows HTTP.

mod pace;
mod parking;
mod pool;
mod queues;
mod rate;
mod retry;
mod rules;
mod slab;
mod timers;
mod verdict;

pub use pace::{Pace, Turn};
pub use pool::{
    Ending, FirstUse, InvalidPool, Place, PoolConfig, PoolStats, SessionKey, SessionPool,
    Unavailable, Use,
};
pub use rate::{InvalidRate, Rate, RateLimiter};
pub use retry::{Progress, RetryPolicy};
pub use rules::{Budget, Rule, Wait};
pub use verdict::{FailureClass, Verdict};

pub(crate) use pool::SavedSession;
pub(crate) use queues::{DomainQueues, Level, Next};
pub(crate) use slab::{NONE, Slab};
pub(crate) use timers::Timers;
