//! The engine for proxied requests through sessions.

mod events;
mod job;
mod output;
mod send;
mod settings;
mod stats;

use std::collections::BTreeMap;

use pyo3::{prelude::*, types::PyBytes};
use silkline::{
    engine::{JobId, ProxyEngine, ProxyJob, ProxyReply, RequestId},
    proxy::ProxyOptions,
};

pub(crate) use self::{
    events::{
        PyProxyFetched, PyProxyFinished, PyProxyIncomplete, PyProxySessionLost, PyProxyStopped,
    },
    send::{PyProxyEndpoint, PyProxySend},
    stats::PyProxyStats,
};
use self::{
    job::{Target, Targets},
    output::Output,
    settings::{CreationName, Settings},
};
use super::{
    contract::{FailureName, Outputs, ReceiptName},
    machine::Machine,
};
use crate::{
    convert::{Body, Moment, ReceivedHeaders, Text, delay, maybe_delay, moment, seed_or_random},
    errors,
    proxy::{PyProxyApi, PyProxyOptions},
    schedule::{Margin, PoolSettings, PyRetryPolicy},
};

/// Decides which request to send through which session when, without sockets and clock.
///
/// Programs submit requests; a driver calls `poll` (or `poll_batch`) after anything it passed in and
/// at the moment that the last call named, sends what it is told to, and says what came back when
/// the body has been read: then the session is free again. Moments are seconds on any clock that
/// does not go back. The same arguments, seed and calls give the same outputs. Threads may share an
/// engine.
///
/// Every argument that is left out keeps its default. Those of the pool (``size`` to
/// ``anonymous_percent``) are those of `silkline.schedule.SessionPool`. Sessions are made by the
/// request that needs one (``creation="header"``) or by ``POST /sessions`` (``"call"``), ``warm_up``
/// of them before any job needs them. Requests of one session are ``delay`` seconds apart (12), or
/// as ``domain_delays`` says for a domain and its subdomains. ``concurrency`` is how many requests
/// may be under way (100), ``call_concurrency`` how many calls of the sessions API (8),
/// ``queue_size`` how many jobs may be unfinished (a million), ``deadline`` how many seconds an
/// answer may take (190), ``policy`` a `silkline.schedule.RetryPolicy`, ``options`` are those of
/// requests whose job says nothing else. Of a snapshot, ``requeue`` says whether jobs that were
/// under way are tried again (they may be billed twice) or end as interrupted, ``keep_secrets``
/// whether it holds `Cookie`, `Authorization` and body of the jobs, ``adopt_all`` whether sessions
/// are taken over that it does not name. ``delete_on_close`` says whether `close` deletes the
/// sessions of this engine. Without a ``seed``, waits differ from run to run.
///
/// >>> from silkline import ProxyApi, ProxyEngine
/// >>> from silkline.engine import ProxyFinished, ProxySend
/// >>> engine = ProxyEngine(ProxyApi("KEY"), size=20, seed=1)
/// >>> engine.submit("http://example.com/", 0.0, key="home")
/// 1
/// >>> match engine.poll(0.0):
/// ...     case ProxySend(request_id, request, proxy):
/// ...         print(request.method, request.url, proxy.url)
/// GET http://example.com/ http://proxy.zyte.com:8011
/// >>> engine.poll(0.0)
/// WaitUntil(190.0, 'answers')
/// >>> headers = {"X-Crawlera-Session": "7", "X-Crawlera-Version": "1"}
/// >>> engine.handle_response(request_id, 200, headers, b"<html>", 0.5)
/// 'accepted'
/// >>> match engine.poll(0.5):
/// ...     case ProxyFinished(job, key, response):
/// ...         print(job, key, response.status, response.body)
/// 1 home 200 b'<html>'
/// >>> engine.poll(0.5)
/// Idle('empty')
#[pyclass(name = "ProxyEngine", module = "silkline", frozen)]
pub(crate) struct PyProxyEngine(Machine<ProxyEngine>);

impl PyProxyEngine {
    fn take(&self, py: Python<'_>, job: ProxyJob, now: Moment) -> PyResult<u64> {
        self.0.submit(py, |engine| engine.submit(job, now.0))
    }
}

#[pymethods]
impl PyProxyEngine {
    #[new]
    #[pyo3(signature = (
        api, *, size = None, margin = Margin::Left, idle = None, lifetime = None, safety = None, max_bans = None,
        max_timeouts = None, anonymous_percent = None, creation = None, warm_up = None,
        delay = None, domain_delays = None, concurrency = None, call_concurrency = None,
        queue_size = None, deadline = None, policy = None, options = None, requeue = None,
        keep_secrets = None, adopt_all = None, delete_on_close = None, seed = None, now = 0.0
    ))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments, each with a default")]
    fn new(
        py: Python<'_>,
        api: PyRef<'_, PyProxyApi>,
        size: Option<u32>,
        margin: Margin,
        idle: Option<f64>,
        lifetime: Option<f64>,
        safety: Option<f64>,
        max_bans: Option<u32>,
        max_timeouts: Option<u32>,
        anonymous_percent: Option<u32>,
        creation: Option<CreationName>,
        warm_up: Option<u32>,
        delay: Option<f64>,
        domain_delays: Option<BTreeMap<String, f64>>,
        concurrency: Option<u32>,
        call_concurrency: Option<u32>,
        queue_size: Option<u32>,
        deadline: Option<f64>,
        policy: Option<PyRef<'_, PyRetryPolicy>>,
        options: Option<PyRef<'_, PyProxyOptions>>,
        requeue: Option<bool>,
        keep_secrets: Option<bool>,
        adopt_all: Option<bool>,
        delete_on_close: Option<bool>,
        seed: Option<u64>,
        now: f64,
    ) -> PyResult<Self> {
        let pool = PoolSettings {
            size,
            margin,
            idle,
            lifetime,
            safety,
            max_bans,
            max_timeouts,
            anonymous_percent,
            ..Default::default()
        };
        let settings = Settings {
            pool,
            creation,
            warm_up,
            delay,
            domain_delays,
            concurrency,
            call_concurrency,
            queue_size,
            deadline,
            policy,
            options,
            requeue,
            keep_secrets,
            adopt_all,
            delete_on_close,
        };
        let (config, seed) = (settings.into_core(py)?, seed_or_random(py, seed)?);
        Ok(Self(Machine::new(ProxyEngine::new(api.0.clone(), config, seed, moment(now)?))))
    }

    /// An engine that goes on where a snapshot was taken, ``downtime`` seconds ago if that is known
    /// (none else). Its sessions are used again once the service has listed them. The other
    /// arguments are those of a new engine; the generator's state comes from the snapshot.
    ///
    /// >>> from silkline import ProxyApi, ProxyEngine
    /// >>> api = ProxyApi("KEY")
    /// >>> engine = ProxyEngine(api)
    /// >>> job = engine.submit("http://example.com/", 0.0)
    /// >>> again = ProxyEngine.restore(api, engine.snapshot(1.0), 0.0, downtime=60)
    /// >>> job in again
    /// True
    #[staticmethod]
    #[pyo3(signature = (
        api, snapshot, now, downtime = None, *, size = None, margin = Margin::Left, idle = None,
        lifetime = None, safety = None, max_bans = None, max_timeouts = None, anonymous_percent = None,
        creation = None, warm_up = None, delay = None, domain_delays = None, concurrency = None,
        call_concurrency = None, queue_size = None, deadline = None, policy = None, options = None,
        requeue = None, keep_secrets = None, adopt_all = None, delete_on_close = None
    ))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments, each with a default")]
    fn restore(
        py: Python<'_>,
        api: PyRef<'_, PyProxyApi>,
        snapshot: Body,
        now: Moment,
        downtime: Option<f64>,
        size: Option<u32>,
        margin: Margin,
        idle: Option<f64>,
        lifetime: Option<f64>,
        safety: Option<f64>,
        max_bans: Option<u32>,
        max_timeouts: Option<u32>,
        anonymous_percent: Option<u32>,
        creation: Option<CreationName>,
        warm_up: Option<u32>,
        delay: Option<f64>,
        domain_delays: Option<BTreeMap<String, f64>>,
        concurrency: Option<u32>,
        call_concurrency: Option<u32>,
        queue_size: Option<u32>,
        deadline: Option<f64>,
        policy: Option<PyRef<'_, PyRetryPolicy>>,
        options: Option<PyRef<'_, PyProxyOptions>>,
        requeue: Option<bool>,
        keep_secrets: Option<bool>,
        adopt_all: Option<bool>,
        delete_on_close: Option<bool>,
    ) -> PyResult<Self> {
        let pool = PoolSettings {
            size,
            margin,
            idle,
            lifetime,
            safety,
            max_bans,
            max_timeouts,
            anonymous_percent,
            ..Default::default()
        };
        let settings = Settings {
            pool,
            creation,
            warm_up,
            delay,
            domain_delays,
            concurrency,
            call_concurrency,
            queue_size,
            deadline,
            policy,
            options,
            requeue,
            keep_secrets,
            adopt_all,
            delete_on_close,
        };
        let (config, downtime) = (settings.into_core(py)?, maybe_delay("downtime", downtime)?);
        let (api, bytes) = (api.0.clone(), snapshot.0.as_bytes(py));
        let engine = py.detach(|| ProxyEngine::restore(api, config, bytes, now.0, downtime));
        engine
            .map(|engine| Self(Machine::new(engine)))
            .map_err(|error| errors::snapshot(py, &error))
    }

    /// Takes a job in: a request (a `Request`, or a URL to GET), options, which win over those of
    /// the engine, a priority (higher ones go first, always) and a text that comes back with its
    /// event, over snapshots too. Gives the job's id.
    ///
    /// Jobs of one ``session`` name go one after the other, in the order of their submission,
    /// through one session, until `end_session`. If that is lost, they end as ``session_lost``, or
    /// with ``replace_session`` go through a new one. A job that is to ``stay_in`` the session of an
    /// id goes through that as long as it is there, ahead of all others: so does the redirect of a
    /// request without a name. Jobs ``outside_sessions`` leave the choice of an address to the
    /// service. All others go through any session of the pool.
    ///
    /// Raises `NotSubmitted` if the queue is full or the engine closed, and for a request that
    /// could not be sent, what `ProxyApi.request` raises.
    ///
    /// >>> from silkline import ProxyApi, ProxyEngine, ProxyOptions, Request
    /// >>> engine = ProxyEngine(ProxyApi("KEY"))
    /// >>> request = Request("POST", "https://example.com/login", None, b"user=a")
    /// >>> engine.submit(request, 0.0, session="login", options=ProxyOptions(cookies="disable"))
    /// 1
    /// >>> send = engine.poll(0.0)
    /// >>> send.session_name, send.connect.method, send.request.body
    /// ('login', 'CONNECT', b'user=a')
    #[pyo3(signature = (
        request, now, *, options = None, session = None, replace_session = false,
        stay_in = None, outside_sessions = false, priority = 0, key = None
    ))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments, each with a default")]
    fn submit(
        &self,
        py: Python<'_>,
        request: Target,
        now: Moment,
        options: Option<&PyProxyOptions>,
        session: Option<Text>,
        replace_session: bool,
        stay_in: Option<Text>,
        outside_sessions: bool,
        priority: i32,
        key: Option<Text>,
    ) -> PyResult<u64> {
        let session = job::session(py, session, replace_session, stay_in, outside_sessions)?;
        let options = options.map_or_else(ProxyOptions::new, |options| options.0.clone());
        let job = ProxyJob::new(request.0)
            .with_options(options)
            .with_session(session)
            .with_priority(priority)
            .with_key_option(key.map(|key| key.value));
        self.take(py, job, now)
    }

    /// Takes a job in for each request of an iterable, through any session of the pool, as long as
    /// there is room, and gives the ids of the jobs. Nothing is taken from an iterator for which
    /// there is no room, so the same one can be passed again later. A request that is wrong raises;
    /// those before it are taken in.
    ///
    /// >>> from silkline import ProxyApi, ProxyEngine
    /// >>> engine = ProxyEngine(ProxyApi("KEY"), queue_size=2)
    /// >>> urls = (f"https://example.com/{n}" for n in range(3))
    /// >>> engine.submit_many(urls, 0.0), engine.room
    /// ([1, 2], 0)
    /// >>> next(urls)
    /// 'https://example.com/2'
    #[pyo3(signature = (requests, now, *, options = None, priority = 0))]
    fn submit_many(
        &self,
        py: Python<'_>,
        requests: Targets<'_>,
        now: Moment,
        options: Option<&PyProxyOptions>,
        priority: i32,
    ) -> PyResult<Vec<u64>> {
        let options = options.map_or_else(ProxyOptions::new, |options| options.0.clone());
        let (mut requests, mut ids) = (requests.0, Vec::new());
        while self.room(py) > 0 {
            let Some(request) = requests.next() else { return Ok(ids) };
            let job = ProxyJob::new(request?.extract::<Target>()?.0).with_priority(priority);
            ids.push(self.take(py, job.with_options(options.clone()), now)?);
        }
        Ok(ids)
    }

    /// How many further jobs are taken in; none of a closed engine.
    #[getter]
    fn room(&self, py: Python<'_>) -> u32 {
        self.0.call(py, |engine| engine.room())
    }

    /// Ends a job as cancelled; false if it has ended. A request under way for it is aborted; what
    /// it cost still counts.
    fn cancel(&self, py: Python<'_>, job: u64, now: Moment) -> bool {
        self.0.call(py, |engine| engine.cancel(JobId::from_u64(job), now.0))
    }

    /// Gives a job the request that a snapshot did not keep whole; false if none is waited for.
    fn supply(&self, py: Python<'_>, job: u64, request: Target, now: Moment) -> PyResult<bool> {
        let job = JobId::from_u64(job);
        let supplied = self.0.call(py, |engine| engine.supply(job, request.0, now.0));
        supplied.map_err(|error| errors::proxied_request(py, &error))
    }

    /// Ends a named session after the jobs that it has so far: no other request goes through it,
    /// and it is deleted. A job submitted under the name from here on begins another one. False if
    /// there is none of that name.
    fn end_session(&self, py: Python<'_>, name: Text, now: Moment) -> bool {
        self.0.call(py, |engine| engine.end_session(&name.value, now.0))
    }

    /// Whether a job is unfinished.
    fn __contains__(&self, py: Python<'_>, job: u64) -> bool {
        self.0.call(py, |engine| engine.contains(JobId::from_u64(job)))
    }

    /// What to do next. Call until it says `WaitUntil` or `Idle`.
    fn poll(&self, py: Python<'_>, now: Moment) -> PyResult<Output> {
        let (output, body) = self.0.poll(py, |engine| engine.poll(now.0));
        Output::from_core(py, output, body)
    }

    /// What to do next, up to ``most`` things at once: the last one is `WaitUntil` or `Idle`, unless
    /// there are more.
    ///
    /// >>> from silkline import ProxyApi, ProxyEngine
    /// >>> engine = ProxyEngine(ProxyApi("KEY"))
    /// >>> ids = engine.submit_many(["http://a.example/", "http://b.example/"], 0.0)
    /// >>> [type(output).__name__ for output in engine.poll_batch(0.0, 64)]
    /// ['ProxySend', 'ProxySend', 'WaitUntil']
    fn poll_batch(&self, py: Python<'_>, now: Moment, most: usize) -> PyResult<Outputs<Output>> {
        let outputs = self.0.poll_batch(py, |engine| engine.poll_batch(now.0, most));
        Outputs::new(py, outputs.map(|(output, body)| Output::from_core(py, output, body)))
    }

    /// Says that a request left, if the driver knows: a session's rest then begins with that moment.
    /// Optional. Raises `UnknownRequest`, as all that follows, for an id that no request has that
    /// was handed out and not answered.
    fn handle_sent(&self, py: Python<'_>, request_id: u64, now: Moment) -> PyResult<ReceiptName> {
        let id = RequestId::from_u64(request_id);
        ReceiptName::from_core(py, self.0.call(py, |engine| engine.handle_sent(id, now.0)))
    }

    /// Takes the answer of a request, when its body has been read: its session is free again. Of a
    /// target's body the beginning is enough, as much as the application wants in the event;
    /// ``bytes`` are kept, not copied. ``banned`` is the application's verdict: whether the answer
    /// is a ban in disguise. ``connect`` says that it answers the CONNECT: no target can have given
    /// it. Gives ``"accepted"``, or ``"late"`` if the request had been given up.
    #[pyo3(signature = (request_id, status, headers, body, now, *, banned = false, connect = false))]
    #[expect(clippy::too_many_arguments, reason = "an answer has as many parts")]
    fn handle_response(
        &self,
        py: Python<'_>,
        request_id: u64,
        status: u16,
        headers: ReceivedHeaders,
        body: Body,
        now: Moment,
        banned: bool,
        connect: bool,
    ) -> PyResult<ReceiptName> {
        let id = RequestId::from_u64(request_id);
        let handle = |engine: &mut ProxyEngine, response| {
            let reply = ProxyReply::new(response).with_banned(banned).to_connect(connect);
            engine.handle_response(id, reply, now.0)
        };
        self.0.handle_response(py, status, headers, body, handle)
    }

    /// Says that a request has no answer: ``"network"`` (the connection broke), ``"not_sent"`` (it
    /// never left: session, pace and cost are given back), or ``"timeout"`` (the driver's own limit
    /// passed).
    fn handle_failure(
        &self,
        py: Python<'_>,
        request_id: u64,
        failure: FailureName,
        now: Moment,
    ) -> PyResult<ReceiptName> {
        let (id, failure) = (RequestId::from_u64(request_id), failure.into_core()?);
        let receipt = self.0.call(py, |engine| engine.handle_failure(id, failure, now.0));
        ReceiptName::from_core(py, receipt)
    }

    /// Goes on after a stop, as if the account were well again; also ends a pause.
    fn resume(&self, py: Python<'_>, now: Moment) {
        self.0.call(py, |engine| engine.resume(now.0));
    }

    /// Ends all jobs that are not under way as closed; what is under way may finish until ``grace``
    /// seconds have passed, then it is aborted. Then the sessions of this engine are deleted.
    /// Nothing else is sent or taken in from here on.
    fn close(&self, py: Python<'_>, now: Moment, grace: f64) -> PyResult<()> {
        let grace = delay("grace", grace)?;
        self.0.detached(py, |engine| engine.close(now.0, grace));
        Ok(())
    }

    /// Everything that a new process needs to go on, without the API's key; and of the jobs without
    /// `Cookie`, `Authorization` and body, unless ``keep_secrets`` was asked for.
    fn snapshot<'py>(&self, py: Python<'py>, now: Moment) -> Bound<'py, PyBytes> {
        let bytes = self.0.detached(py, |engine| engine.snapshot(now.0));
        PyBytes::new(py, &bytes)
    }

    /// The engine's numbers.
    fn stats(&self, py: Python<'_>) -> PyProxyStats {
        self.0.call(py, |engine| engine.stats()).into()
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let stats = self.0.call(py, |engine| engine.stats());
        format!(
            "<ProxyEngine {} queued, {} waiting, {} under way, {} sessions>",
            stats.queued, stats.waiting, stats.in_flight, stats.pool.sessions
        )
    }
}
