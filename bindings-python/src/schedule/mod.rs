//! `silkline::schedule` for Python: rate limiter, retry policy, pace, session pool.
//!
//! Threads may share each machine.

mod pace;
mod pool;
mod rate;
mod retry;
mod rules;

pub(crate) use self::{
    pace::{PyPace, PyTurn},
    pool::{
        Margin, PoolSettings, PyPlace, PyPoolStats, PySessionKey, PySessionPool, PyUnavailable,
        PyUse,
    },
    rate::{PyRate, PyRateLimiter, RateLike},
    retry::{PyProgress, PyRetryPolicy},
    rules::{PyBudget, PyRule, PyWait},
};
