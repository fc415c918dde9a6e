//! Sessions: which one is ready first, which are worn out.

use std::sync::{Mutex, PoisonError};

#[cfg(feature = "stubs")]
use pyo3::inspect::PyStaticExpr;
use pyo3::{Borrowed, exceptions::PyValueError, prelude::*, sync::MutexExt};
use silkline::{
    Timestamp,
    schedule::{
        Ending, FirstUse, Place, PoolConfig, PoolStats, SessionKey, SessionPool, Unavailable, Use,
    },
};

use crate::{
    convert::{self, told},
    errors,
    names::{self, literal, match_args},
    shared::Shared,
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
pub(crate) struct PySessionKey(SessionKey);

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
    fn take(&self, py: Python<'_>) -> PyResult<Place> {
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
pub(crate) struct PyUse(Use);

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

/// A margin as it is given: seconds, or none at all; or left to the core.
#[derive(Default)]
pub(crate) enum Margin {
    Given(Option<f64>),
    #[default]
    Left,
}

impl FromPyObject<'_, '_> for Margin {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: PyStaticExpr = <Option<f64> as FromPyObject<'_, '_>>::INPUT_TYPE;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        object.extract().map(Self::Given)
    }
}

literal! {
    /// A pool that is ready made.
    PoolPresetName { "default", "zyte_api" }
}

/// The settings of a pool as they are given.
#[derive(Default)]
pub(crate) struct PoolSettings {
    pub(crate) preset: Option<PoolPresetName>,
    pub(crate) size: Option<u32>,
    pub(crate) margin: Margin,
    pub(crate) idle: Option<f64>,
    pub(crate) lifetime: Option<f64>,
    pub(crate) safety: Option<f64>,
    pub(crate) max_bans: Option<u32>,
    pub(crate) max_timeouts: Option<u32>,
    pub(crate) anonymous_percent: Option<u32>,
}

impl PoolSettings {
    pub(crate) fn into_core(self, py: Python<'_>) -> PyResult<PoolConfig> {
        let wrong = |error| errors::pool(py, &error);
        let mut config = match self.preset {
            None => PoolConfig::default(),
            Some(preset) => names::known(PoolConfig::preset(preset.0), preset.0)?,
        };
        if let Some(size) = self.size {
            config = config.with_size(size).map_err(wrong)?;
        }
        if let Margin::Given(margin) = self.margin {
            let margin = margin.map(|margin| convert::delay("margin", margin)).transpose()?;
            config = config.with_margin(margin);
        }
        if let Some(idle) = self.idle {
            config = config.with_idle(convert::delay("idle", idle)?);
        }
        if let Some(lifetime) = self.lifetime {
            config = config.with_lifetime(Some(convert::delay("lifetime", lifetime)?));
        }
        if let Some(safety) = self.safety {
            config = config.with_safety(convert::delay("safety", safety)?);
        }
        if let Some(bans) = self.max_bans {
            config = config.with_max_bans(bans);
        }
        if let Some(timeouts) = self.max_timeouts {
            config = config.with_max_timeouts(timeouts);
        }
        if let Some(percent) = self.anonymous_percent {
            config = config.with_anonymous_percent(percent).map_err(wrong)?;
        }
        Ok(config)
    }
}

/// A pool of sessions: pure scheduling, without any request of its own.
///
/// A session serves one request at a time and is ready again when its pace says so; sessions known
/// to leave from one address share one pace. Sessions past their idle time are never handed out.
///
/// Every argument that is left out keeps its default: ``size`` sessions at most (100), ``margin``
/// seconds by which a request may arrive later than it was sent (0.25; `None`: as late as its
/// answer), ``idle`` seconds after which the service forgets a session (1800), ``lifetime`` seconds
/// after its first request when it does so anyway (never), ``safety`` seconds before that it is not
/// used any more (30), ``max_bans`` (1) and ``max_timeouts`` in a row (2) that retire a session,
/// ``anonymous_percent`` of the pool that named sessions must leave (50). The preset ``"zyte_api"``
/// begins with sessions of the successor: 120 seconds idle, 900 in all, 3 bans in a row.
///
/// >>> from silkline.schedule import SessionPool, Unavailable, Use
/// >>> pool = SessionPool(size=2)
/// >>> place = pool.reserve(0.0)
/// >>> session = pool.add(place, "a", 1.0)
/// >>> use = pool.try_acquire(12, 1.0)
/// >>> pool.try_acquire(12, 1.0)
/// Unavailable('busy')
/// >>> pool.finish(use, "answered", 1.5)
/// False
/// >>> match pool.try_acquire(12, 2.0):
/// ...     case Use():
/// ...         print("go")
/// ...     case Unavailable(reason, until):
/// ...         print(reason, until)
/// cooling 13.25
#[pyclass(name = "SessionPool", module = "silkline.schedule", frozen)]
pub(crate) struct PySessionPool(Shared<SessionPool>);

#[pymethods]
impl PySessionPool {
    #[new]
    #[pyo3(signature = (
        preset = None, *, size = None, margin = Margin::Left, idle = None, lifetime = None,
        safety = None, max_bans = None, max_timeouts = None, anonymous_percent = None
    ))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments, each with a default")]
    fn new(
        py: Python<'_>,
        preset: Option<PoolPresetName>,
        size: Option<u32>,
        margin: Margin,
        idle: Option<f64>,
        lifetime: Option<f64>,
        safety: Option<f64>,
        max_bans: Option<u32>,
        max_timeouts: Option<u32>,
        anonymous_percent: Option<u32>,
    ) -> PyResult<Self> {
        let settings = PoolSettings {
            preset,
            size,
            margin,
            idle,
            lifetime,
            safety,
            max_bans,
            max_timeouts,
            anonymous_percent,
        };
        Ok(Self(Shared::new(SessionPool::new(settings.into_core(py)?))))
    }

    /// Reserves a place for a session to be created; `None` if the pool is full, or if it may hold
    /// no further named one.
    #[pyo3(signature = (now, *, named = false))]
    fn reserve(&self, py: Python<'_>, now: f64, named: bool) -> PyResult<Option<PyPlace>> {
        let now = convert::moment(now)?;
        let place = self.0.lock(py).reserve(named, now);
        Ok(place.map(PyPlace::from))
    }

    /// Fills a place with the session that the service made; ``address`` if it told one;
    /// ``first_use`` (when it was sent, and the delay of its domain) if the request that created the
    /// session went through it.
    ///
    /// A known id is the same session again: it keeps its state and the place is free.
    #[pyo3(signature = (place, id, now, *, address = None, first_use = None))]
    fn add(
        &self,
        py: Python<'_>,
        place: &PyPlace,
        id: &str,
        now: f64,
        address: Option<&str>,
        first_use: Option<(f64, f64)>,
    ) -> PyResult<PySessionKey> {
        let now = convert::moment(now)?;
        let first = first_use.map(|(sent, delay)| {
            let delay = convert::delay("delay", delay)?;
            Ok::<_, PyErr>(FirstUse { sent: convert::moment(sent)?, delay })
        });
        let (first, place) = (first.transpose()?, place.take(py)?);
        Ok(PySessionKey(self.0.lock(py).add(place, id, address, first, now)))
    }

    /// Takes in a session that the service lists, as if used at this moment. Beyond the limit too:
    /// it exists.
    #[pyo3(signature = (id, delay, now, *, address = None))]
    fn adopt(
        &self,
        py: Python<'_>,
        id: &str,
        delay: f64,
        now: f64,
        address: Option<&str>,
    ) -> PyResult<PySessionKey> {
        let (delay, now) = (convert::delay("delay", delay)?, convert::moment(now)?);
        Ok(PySessionKey(self.0.lock(py).adopt(id, address, delay, now)))
    }

    /// Gives back the place of a creation that failed.
    fn cancel(&self, py: Python<'_>, place: &PyPlace) -> PyResult<()> {
        let place = place.take(py)?;
        self.0.lock(py).cancel(place);
        Ok(())
    }

    /// Keeps the place of a creation whose answer was lost until the service has forgotten the
    /// session that it may have made.
    fn lose(&self, py: Python<'_>, place: &PyPlace, now: f64) -> PyResult<()> {
        let now = convert::moment(now)?;
        let place = place.take(py)?;
        self.0.lock(py).lose(place, now);
        Ok(())
    }

    /// Takes back the place of a lost creation, because its answer came after all; `None` if none
    /// of that kind is kept.
    #[pyo3(signature = (*, named = false))]
    fn find_lost(&self, py: Python<'_>, named: bool) -> Option<PyPlace> {
        self.0.lock(py).find_lost(named).map(PyPlace::from)
    }

    /// When the first place of a lost creation comes back.
    #[getter]
    fn next_place(&self, py: Python<'_>) -> Option<f64> {
        self.0.lock(py).next_place().map(told)
    }

    /// Whether an anonymous session can be had: `None`, or why not.
    fn ready_at(&self, py: Python<'_>, now: f64) -> PyResult<Option<PyUnavailable>> {
        let now = convert::moment(now)?;
        Ok(self.0.lock(py).ready_at(now).err().map(PyUnavailable::from))
    }

    /// Takes the anonymous session that has been ready longest, for a request to a domain that asks
    /// for ``delay`` seconds afterwards; or says why there is none.
    fn try_acquire(&self, py: Python<'_>, delay: f64, now: f64) -> PyResult<Acquired> {
        let (delay, now) = (convert::delay("delay", delay)?, convert::moment(now)?);
        Ok(self.0.lock(py).try_acquire(delay, now).into())
    }

    /// Takes a certain session, named or not.
    fn try_acquire_session(
        &self,
        py: Python<'_>,
        session: &PySessionKey,
        delay: f64,
        now: f64,
    ) -> PyResult<Acquired> {
        let (delay, now) = (convert::delay("delay", delay)?, convert::moment(now)?);
        Ok(self.0.lock(py).try_acquire_session(session.0, delay, now).into())
    }

    /// The request left later than it was handed out: gives its use as it is from then on.
    fn sent(&self, py: Python<'_>, r#use: &PyUse, now: f64) -> PyResult<PyUse> {
        let (mut found, now) = (r#use.0, convert::moment(now)?);
        self.0.lock(py).sent(&mut found, now);
        Ok(PyUse(found))
    }

    /// Ends a use; true if the session is retired: gone, worn out by bans or time-outs. With
    /// ``"slower"``, ``asked`` is the delay that the service named.
    #[pyo3(signature = (r#use, ending, now, *, asked = None))]
    fn finish(
        &self,
        py: Python<'_>,
        r#use: &PyUse,
        ending: EndingName,
        now: f64,
        asked: Option<f64>,
    ) -> PyResult<bool> {
        let asked = asked.map(|asked| convert::delay("asked", asked)).transpose()?;
        let now = convert::moment(now)?;
        let ending = match ending.0 {
            "banned" => Ending::Banned,
            "broken" => Ending::Broken,
            "gone" => Ending::Gone,
            "not_sent" => Ending::NotSent,
            "refused" => Ending::Refused,
            "slower" => Ending::Slower(asked),
            "timed_out" => Ending::TimedOut,
            _ => Ending::Answered,
        };
        Ok(self.0.lock(py).finish(r#use.0, ending, now))
    }

    /// Counts a ban that was learned outside of the end of a use; true if the session is retired.
    fn ban(&self, py: Python<'_>, session: &PySessionKey) -> bool {
        self.0.lock(py).ban(session.0)
    }

    /// Takes a session out of the pool; its id, or `None` if it is gone already.
    fn remove(&self, py: Python<'_>, session: &PySessionKey) -> Option<String> {
        self.0.lock(py).remove(session.0).map(String::from)
    }

    /// The id of a session past its idle time, each given once: the service has forgotten it.
    fn take_expired(&self, py: Python<'_>, now: f64) -> PyResult<Option<String>> {
        let now = convert::moment(now)?;
        Ok(self.0.lock(py).take_expired(now).map(String::from))
    }

    /// When the next session that nobody uses is past its idle time.
    #[getter]
    fn next_expiry(&self, py: Python<'_>) -> Option<f64> {
        self.0.lock(py).next_expiry().map(told)
    }

    /// Gives a session a name: from then on only `try_acquire_session` hands it out. False if
    /// another session has the name, or if no further session may be named.
    fn set_name(&self, py: Python<'_>, session: &PySessionKey, name: &str) -> bool {
        self.0.lock(py).set_name(session.0, name)
    }

    /// Takes a name away; the session serves everybody again when it is free.
    fn end_name(&self, py: Python<'_>, name: &str) -> Option<PySessionKey> {
        self.0.lock(py).end_name(name).map(PySessionKey)
    }

    /// The session of a name.
    fn named(&self, py: Python<'_>, name: &str) -> Option<PySessionKey> {
        self.0.lock(py).named(name).map(PySessionKey)
    }

    /// The session with an id.
    fn find(&self, py: Python<'_>, id: &str) -> Option<PySessionKey> {
        self.0.lock(py).find(id).map(PySessionKey)
    }

    /// The id of a session; `None` if it is gone.
    fn id(&self, py: Python<'_>, session: &PySessionKey) -> Option<String> {
        self.0.lock(py).id(session.0).map(String::from)
    }

    /// The name of a session.
    fn name(&self, py: Python<'_>, session: &PySessionKey) -> Option<String> {
        self.0.lock(py).name(session.0).map(String::from)
    }

    /// The address of a session, if known.
    fn address(&self, py: Python<'_>, session: &PySessionKey) -> Option<String> {
        self.0.lock(py).address(session.0).map(String::from)
    }

    /// Says from which address a session leaves: it shares the pace of others there. Of a session
    /// in use, it counts from the end of the use on.
    fn set_address(&self, py: Python<'_>, session: &PySessionKey, address: &str) {
        self.0.lock(py).set_address(session.0, address);
    }

    /// When a session's pace lets the next request through; `None` while only an answer can tell,
    /// or if it is gone.
    fn session_ready_at(&self, py: Python<'_>, session: &PySessionKey) -> Option<f64> {
        let ready = self.0.lock(py).session_ready_at(session.0);
        ready.filter(|ready| *ready < Timestamp::MAX).map(told)
    }

    /// The delay in seconds that the service announced with the last answer of a session.
    fn announced(&self, py: Python<'_>, session: &PySessionKey) -> f64 {
        convert::seconds(self.0.lock(py).announced(session.0))
    }

    /// The service says that a session is too fast, in an answer that nobody waited for.
    #[pyo3(signature = (session, now, *, asked = None))]
    fn slow_down(
        &self,
        py: Python<'_>,
        session: &PySessionKey,
        now: f64,
        asked: Option<f64>,
    ) -> PyResult<()> {
        let asked = asked.map(|asked| convert::delay("asked", asked)).transpose()?;
        let now = convert::moment(now)?;
        self.0.lock(py).slow_down(session.0, asked, now);
        Ok(())
    }

    /// Nothing is to go through a session before a moment.
    fn not_before(&self, py: Python<'_>, session: &PySessionKey, moment: f64) -> PyResult<()> {
        let moment = convert::moment(moment)?;
        self.0.lock(py).not_before(session.0, moment);
        Ok(())
    }

    /// Whether there is a place for one more session.
    #[getter]
    fn has_room(&self, py: Python<'_>) -> bool {
        self.0.lock(py).has_room()
    }

    /// Whether sessions may have names at all.
    #[getter]
    fn has_names(&self, py: Python<'_>) -> bool {
        self.0.lock(py).has_names()
    }

    /// Whether one more session may get a name.
    #[getter]
    fn may_name(&self, py: Python<'_>) -> bool {
        self.0.lock(py).may_name()
    }

    /// The service keeps no more sessions than there are: the limit falls to that, at least 1.
    fn shrink(&self, py: Python<'_>) {
        self.0.lock(py).shrink();
    }

    /// Raises the limit again, up to the configured size.
    fn grow(&self, py: Python<'_>, by: u32) {
        self.0.lock(py).grow(by);
    }

    /// The ids of all sessions.
    fn ids(&self, py: Python<'_>) -> Vec<String> {
        self.0.lock(py).ids().map(String::from).collect()
    }

    /// The pool's numbers.
    fn stats(&self, py: Python<'_>) -> PyPoolStats {
        self.0.lock(py).stats().into()
    }
}
