//! Sessions: which one is ready first, which are worn out.

mod config;
mod handles;

use pyo3::prelude::*;
use silkline::{
    Timestamp,
    schedule::{FirstUse, SessionPool},
};

use self::{
    config::PoolPresetName,
    handles::{Acquired, EndingName},
};
pub(crate) use self::{
    config::{Margin, PoolSettings},
    handles::{PyPlace, PyPoolStats, PySessionKey, PyUnavailable, PyUse},
};
use crate::{
    convert::{self, Moment, maybe_delay, told},
    shared::Shared,
};

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
    fn reserve(&self, py: Python<'_>, now: Moment, named: bool) -> Option<PyPlace> {
        let place = self.0.lock(py).reserve(named, now.0);
        place.map(PyPlace::from)
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
        now: Moment,
        address: Option<&str>,
        first_use: Option<(Moment, f64)>,
    ) -> PyResult<PySessionKey> {
        let first = first_use.map(|(sent, delay)| {
            Ok::<_, PyErr>(FirstUse { sent: sent.0, delay: convert::delay("delay", delay)? })
        });
        let (first, place) = (first.transpose()?, place.take(py)?);
        Ok(PySessionKey(self.0.lock(py).add(place, id, address, first, now.0)))
    }

    /// Takes in a session that the service lists, as if used at this moment. Beyond the limit too:
    /// it exists.
    #[pyo3(signature = (id, delay, now, *, address = None))]
    fn adopt(
        &self,
        py: Python<'_>,
        id: &str,
        delay: f64,
        now: Moment,
        address: Option<&str>,
    ) -> PyResult<PySessionKey> {
        let delay = convert::delay("delay", delay)?;
        Ok(PySessionKey(self.0.lock(py).adopt(id, address, delay, now.0)))
    }

    /// Gives back the place of a creation that failed.
    fn cancel(&self, py: Python<'_>, place: &PyPlace) -> PyResult<()> {
        let place = place.take(py)?;
        self.0.lock(py).cancel(place);
        Ok(())
    }

    /// Keeps the place of a creation whose answer was lost until the service has forgotten the
    /// session that it may have made.
    fn lose(&self, py: Python<'_>, place: &PyPlace, now: Moment) -> PyResult<()> {
        let place = place.take(py)?;
        self.0.lock(py).lose(place, now.0);
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
    fn ready_at(&self, py: Python<'_>, now: Moment) -> Option<PyUnavailable> {
        self.0.lock(py).ready_at(now.0).err().map(PyUnavailable::from)
    }

    /// Takes the anonymous session that has been ready longest, for a request to a domain that asks
    /// for ``delay`` seconds afterwards; or says why there is none.
    fn try_acquire(&self, py: Python<'_>, delay: f64, now: Moment) -> PyResult<Acquired> {
        let delay = convert::delay("delay", delay)?;
        Ok(self.0.lock(py).try_acquire(delay, now.0).into())
    }

    /// Takes a certain session, named or not.
    fn try_acquire_session(
        &self,
        py: Python<'_>,
        session: &PySessionKey,
        delay: f64,
        now: Moment,
    ) -> PyResult<Acquired> {
        let delay = convert::delay("delay", delay)?;
        Ok(self.0.lock(py).try_acquire_session(session.0, delay, now.0).into())
    }

    /// The request left later than it was handed out: gives its use as it is from then on.
    fn sent(&self, py: Python<'_>, r#use: &PyUse, now: Moment) -> PyUse {
        let mut found = r#use.0;
        self.0.lock(py).sent(&mut found, now.0);
        PyUse(found)
    }

    /// Ends a use; true if the session is retired: gone, worn out by bans or time-outs. With
    /// ``"slower"``, ``asked`` is the delay that the service named.
    #[pyo3(signature = (r#use, ending, now, *, asked = None))]
    fn finish(
        &self,
        py: Python<'_>,
        r#use: &PyUse,
        ending: EndingName,
        now: Moment,
        asked: Option<f64>,
    ) -> PyResult<bool> {
        let asked = maybe_delay("asked", asked)?;
        Ok(self.0.lock(py).finish(r#use.0, ending.into_core(asked), now.0))
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
    fn take_expired(&self, py: Python<'_>, now: Moment) -> Option<String> {
        self.0.lock(py).take_expired(now.0).map(String::from)
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
        now: Moment,
        asked: Option<f64>,
    ) -> PyResult<()> {
        let asked = maybe_delay("asked", asked)?;
        self.0.lock(py).slow_down(session.0, asked, now.0);
        Ok(())
    }

    /// Nothing is to go through a session before a moment.
    fn not_before(&self, py: Python<'_>, session: &PySessionKey, moment: Moment) {
        self.0.lock(py).not_before(session.0, moment.0);
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
