//! A token bucket.

use core::time::Duration;
use pyo3::prelude::*;
use silkline::schedule::{Rate, RateLimiter};

use crate::{
    convert::{Moment, delay, moment, seconds, told},
    errors,
    names::match_args,
    shared::Shared,
};

match_args!(RateArgs: "count", "period");

/// How often something may happen on average: so many times in a period of so many seconds.
///
/// >>> from silkline.schedule import Rate
/// >>> Rate(1, 3)
/// Rate(1, 3.0)
#[pyclass(name = "Rate", module = "silkline.schedule", frozen, eq)]
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct PyRate(Rate);

#[pymethods]
impl PyRate {
    #[classattr]
    fn __match_args__() -> RateArgs {
        RateArgs
    }

    #[new]
    #[pyo3(signature = (count, period = 1.0))]
    fn new(py: Python<'_>, count: u64, period: f64) -> PyResult<Self> {
        let rate = Rate::new(count, delay("period", period)?);
        rate.map(Self).map_err(|error| errors::rate(py, &error))
    }

    /// How many times in a period.
    #[getter]
    fn count(&self) -> u64 {
        self.0.count()
    }

    /// The period in seconds.
    #[getter]
    fn period(&self) -> f64 {
        seconds(self.0.period())
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.__getnewargs__().into_pyobject(py)?.hash()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Rate({}, {})", self.count(), self.period().into_pyobject(py)?.repr()?))
    }

    fn __getnewargs__(&self) -> (u64, f64) {
        (self.count(), self.period())
    }
}

/// A rate as a program has it: a `Rate`, or a number of times a second.
#[derive(FromPyObject)]
pub(crate) enum RateLike<'py> {
    Exact(PyRef<'py, PyRate>),
    PerSecond(f64),
}

impl RateLike<'_> {
    pub(crate) fn into_core(self, py: Python<'_>) -> PyResult<Rate> {
        let rate = match self {
            Self::Exact(rate) => return Ok(rate.0),
            // Millionths of a time a second are as many as there are microseconds in as many
            // seconds. What is no number of times is none at all, for the core to refuse.
            Self::PerSecond(rate) => delay("rate", rate).unwrap_or(Duration::ZERO).as_micros(),
        };
        let rate = Rate::per_second_millionths(u64::try_from(rate).unwrap_or(u64::MAX));
        rate.map_err(|error| errors::rate(py, &error))
    }
}

/// A token bucket: ``burst`` tokens at most, refilled at a rate; full in the beginning.
///
/// A taker of several tokens at once (a batch of queries) needs one and takes all, leaving a debt
/// that the next taker waits for. The rate is a number of tokens a second, or a `Rate`.
///
/// >>> from silkline.schedule import RateLimiter
/// >>> limiter = RateLimiter(5, burst=1, now=0.0)
/// >>> limiter.try_acquire(1, 0.0) is None
/// True
/// >>> limiter.try_acquire(1, 0.0)
/// 0.2
/// >>> limiter.try_acquire(3, 0.2) is None, limiter.ready_at(0.2)
/// (True, 0.8)
#[pyclass(name = "RateLimiter", module = "silkline.schedule", frozen)]
pub(crate) struct PyRateLimiter(Shared<RateLimiter>);

#[pymethods]
impl PyRateLimiter {
    #[new]
    #[pyo3(signature = (rate, *, burst, now = 0.0))]
    fn new(py: Python<'_>, rate: RateLike<'_>, burst: u32, now: f64) -> PyResult<Self> {
        let limiter = RateLimiter::new(rate.into_core(py)?, burst, moment(now)?);
        let limiter = limiter.map_err(|error| errors::rate(py, &error))?;
        Ok(Self(Shared::new(limiter)))
    }

    /// Takes so many tokens if there is one; otherwise gives the moment before which there is none.
    fn try_acquire(&self, py: Python<'_>, count: u32, now: Moment) -> Option<f64> {
        self.0.lock(py).try_acquire(count, now.0).err().map(told)
    }

    /// Undoes the latest taking, because its use never happened; false if that is not possible.
    fn give_back(&self, py: Python<'_>) -> bool {
        self.0.lock(py).give_back()
    }

    /// When the next token is there: ``now`` if one is.
    fn ready_at(&self, py: Python<'_>, now: Moment) -> f64 {
        told(self.0.lock(py).ready_at(now.0))
    }
}
