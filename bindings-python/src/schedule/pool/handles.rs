//! What the pool hands out, and what it takes back.

use core::time::Duration;
use std::sync::{Mutex, PoisonError};

use pyo3::{exceptions::PyValueError, prelude::*, sync::MutexExt};
use silkline::schedule::{Ending, Place, PoolStats, SessionKey, Unavailable, Use};

use crate::{
    convert::told,
    names::{literal, match_args},
};

/// A session of a pool, as long as it is in the pool.
///
/// >>> from silkline.schedule import SessionPool
/// >>> pool = SessionPool()
/// >>> session = pool.adopt("a", 12, 0.0)
/// >>> session == pool.find("a"), pool.id(session)
/// (True, 'a')
#[pyclass(name = "SessionKey", module = "silkline.schedule", frozen, eq, hash)]
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub(crate) struct PySessionKey(pub(super) SessionKey);

/// A place in the pool, reserved for a session that is being created. It is used up by the call
/// that fills it or gives it back.
///
/// >>> from silkline.schedule import SessionPool
/// >>> SessionPool().reserve(0.0, named=True).named
/// True
#[pyclass(name = "Place", module = "silkline.schedule", frozen)]
pub(crate) struct PyPlace {
    place: Mutex<Option<Place>>,
    /// Whether it is for a named session.
    #[pyo3(get)]
    named: bool,
}

impl From<Place> for PyPlace {
    fn from(place: Place) -> Self {
        Self { named: place.is_named(), place: Mutex::new(Some(place)) }
    }
}

impl PyPlace {
    pub(super) fn take(&self, py: Python<'_>) -> PyResult<Place> {
        let mut place = self.place.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        place.take().ok_or_else(|| PyValueError::new_err("the place is used up"))
    }
}

/// A session in use by one request.
///
/// >>> from silkline.schedule import SessionPool
/// >>> pool = SessionPool()
/// >>> session = pool.adopt("a", 12, 0.0)
/// >>> use = pool.try_acquire(12, 60.0)
/// >>> use.session == session, use.sent
/// (True, 60.0)
#[pyclass(name = "Use", module = "silkline.schedule", frozen, eq)]
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct PyUse(pub(super) Use);

#[pymethods]
impl PyUse {
    /// The session.
    #[getter]
    fn session(&self) -> PySessionKey {
        PySessionKey(self.0.session())
    }

    /// When the request was sent, as far as known.
    #[getter]
    fn sent(&self) -> f64 {
        told(self.0.sent())
    }
}

literal! {
    /// Why no session can be had.
    UnavailableReason { "busy", "cooling", "empty" }
}

match_args!(UnavailableArgs: "reason", "until");

/// Why no session can be had: all are in use (``"busy"``), there is none (``"empty"``), or not
/// before a moment (``"cooling"``).
///
/// >>> from silkline.schedule import SessionPool
/// >>> pool = SessionPool()
/// >>> pool.try_acquire(12, 0.0)
/// Unavailable('empty')
/// >>> session = pool.adopt("a", 12, 0.0)
/// >>> pool.try_acquire(12, 0.0)
/// Unavailable('cooling', 12.0)
#[pyclass(name = "Unavailable", module = "silkline.schedule", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct PyUnavailable {
    /// Why.
    #[pyo3(get)]
    reason: UnavailableReason,
    /// The moment before which there is none, if only time is missing.
    #[pyo3(get)]
    until: Option<f64>,
}

impl From<Unavailable> for PyUnavailable {
    fn from(reason: Unavailable) -> Self {
        let (reason, until) = match reason {
            Unavailable::Busy => ("busy", None),
            Unavailable::Empty => ("empty", None),
            Unavailable::Until(at) => ("cooling", Some(told(at))),
        };
        Self { reason: UnavailableReason(reason), until }
    }
}

#[pymethods]
impl PyUnavailable {
    #[classattr]
    fn __match_args__() -> UnavailableArgs {
        UnavailableArgs
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        (self.reason, self.until).into_pyobject(py)?.hash()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let reason = self.reason.0;
        Ok(match self.until {
            None => format!("Unavailable('{reason}')"),
            Some(until) => format!("Unavailable('{reason}', {})", until.into_pyobject(py)?.repr()?),
        })
    }
}

/// A use, or why there is none.
#[derive(IntoPyObject)]
pub(crate) enum Acquired {
    Use(PyUse),
    Unavailable(PyUnavailable),
}

impl From<Result<Use, Unavailable>> for Acquired {
    fn from(found: Result<Use, Unavailable>) -> Self {
        match found {
            Ok(found) => Self::Use(PyUse(found)),
            Err(reason) => Self::Unavailable(reason.into()),
        }
    }
}

literal! {
    /// How a use ended.
    EndingName { "answered", "banned", "broken", "gone", "not_sent", "refused", "slower", "timed_out" }
}

impl EndingName {
    /// With the delay that the service named, which a slower pace is told with.
    pub(super) fn into_core(self, asked: Option<Duration>) -> Ending {
        match self.0 {
            "banned" => Ending::Banned,
            "broken" => Ending::Broken,
            "gone" => Ending::Gone,
            "not_sent" => Ending::NotSent,
            "refused" => Ending::Refused,
            "slower" => Ending::Slower(asked),
            "timed_out" => Ending::TimedOut,
            _ => Ending::Answered,
        }
    }
}

/// Numbers of a pool.
///
/// >>> from silkline.schedule import SessionPool
/// >>> pool = SessionPool(size=20)
/// >>> place = pool.reserve(0.0)
/// >>> pool.stats().reserved, pool.stats().limit
/// (1, 20)
#[pyclass(name = "PoolStats", module = "silkline.schedule", frozen, eq, get_all)]
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct PyPoolStats {
    /// Sessions, in use or not.
    sessions: u32,
    /// Sessions in use.
    in_use: u32,
    /// Named sessions and places for them.
    named: u32,
    /// Places kept for creations under way.
    reserved: u32,
    /// Places kept because a creation's answer was lost.
    lost: u32,
    /// How many sessions there may be at the moment.
    limit: u32,
}

impl From<PoolStats> for PyPoolStats {
    fn from(stats: PoolStats) -> Self {
        Self {
            sessions: stats.sessions,
            in_use: stats.in_use,
            named: stats.named,
            reserved: stats.reserved,
            lost: stats.lost,
            limit: stats.limit,
        }
    }
}
