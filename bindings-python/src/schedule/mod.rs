//! `silkline::schedule` for Python: rate limiter, retry policy, pace, session pool.
//!
//! Each machine is behind a lock, so that threads may share it; nothing of Python runs under it.

mod pace;
mod pool;
mod rate;
mod retry;
mod rules;

pub(crate) use self::{
    pace::{PyPace, PyTurn},
    pool::{PyPlace, PyPoolStats, PySessionKey, PySessionPool, PyUnavailable, PyUse},
    rate::{PyRate, PyRateLimiter, RateLike},
    retry::{PyProgress, PyRetryPolicy},
    rules::{PyBudget, PyRule, PyWait},
};
