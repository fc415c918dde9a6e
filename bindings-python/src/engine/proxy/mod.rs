//! The engine for proxied requests through sessions.

mod output;
mod stats;

use std::collections::BTreeMap;

#[cfg(feature = "stubs")]
use pyo3::inspect::PyStaticExpr;
use pyo3::{
    Borrowed,
    exceptions::PyValueError,
    prelude::*,
    types::{PyBytes, PyIterator, PyString},
};
use silkline::{
    engine::{
        JobId, JobSession, ProxyConfig, ProxyEngine, ProxyJob, ProxyOutput, ProxyReply, Receipt,
        RequestId, SessionCreation, UnknownRequest,
    },
    http::{Method, Request, Response},
    proxy::{ProxyOptions, SessionId},
};

use self::output::{Output, Outputs, body_in};
pub(crate) use self::{
    output::{
        PyProxyEndpoint, PyProxyFetched, PyProxyFinished, PyProxyIncomplete, PyProxySend,
        PyProxySessionLost, PyProxyStopped,
    },
    stats::PyProxyStats,
};
use super::{
    bodies::Bodies,
    contract::{FailureName, ReceiptName},
};
use crate::{
    convert::{Body, ReceivedHeaders, Text, delay, moment, seed_or_random},
    errors,
    extraction::BIG,
    http::PyRequest,
    names::{self, literal},
    proxy::{PyProxyApi, PyProxyOptions},
    schedule::{Margin, PoolSettings, PyRetryPolicy},
    shared::Shared,
};

/// What the lock guards.
struct Machine {
    engine: ProxyEngine,
    bodies: Bodies,
}

literal! {
    /// How sessions are made.
    CreationName { "call", "header" }
}

/// A request to a target as a program has it: a `Request`, or a URL to GET.
pub(crate) struct Target(Request);

impl FromPyObject<'_, '_> for Target {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: PyStaticExpr = crate::hints::TARGET;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyString>() {
            return Ok(Self(Request::new(Method::GET, object.extract::<Text>()?.value)));
        }
        object.cast::<PyRequest>()?.get().to_core(object.py()).map(Self)
    }
}

/// Targets one after the other, none before it is asked for.
pub(crate) struct Targets<'py>(Bound<'py, PyIterator>);

impl<'py> FromPyObject<'_, 'py> for Targets<'py> {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: PyStaticExpr = crate::hints::TARGETS;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        object.try_iter().map(Self)
    }
}

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
pub(crate) struct PyProxyEngine(Shared<Machine>);

/// The settings of an engine as they are given.
struct Settings<'py> {
    pool: PoolSettings,
    creation: Option<CreationName>,
    warm_up: Option<u32>,
    delay: Option<f64>,
    domain_delays: Option<BTreeMap<String, f64>>,
    concurrency: Option<u32>,
    call_concurrency: Option<u32>,
    queue_size: Option<u32>,
    deadline: Option<f64>,
    policy: Option<PyRef<'py, PyRetryPolicy>>,
    options: Option<PyRef<'py, PyProxyOptions>>,
    requeue: Option<bool>,
    keep_secrets: Option<bool>,
    adopt_all: Option<bool>,
    delete_on_close: Option<bool>,
}

impl Settings<'_> {
    fn into_core(self, py: Python<'_>) -> PyResult<ProxyConfig> {
        let setting = |error| errors::setting(py, &error);
        let mut config = ProxyConfig::default().with_pool(self.pool.into_core(py)?);
        if let Some(name) = self.creation {
            let creation = names::known(SessionCreation::from_name(name.0), name.0)?;
            config = config.with_creation(creation);
        }
        if let Some(sessions) = self.warm_up {
            config = config.with_warm_up(sessions).map_err(setting)?;
        }
        if let Some(seconds) = self.delay {
            config = config.with_delay(delay("delay", seconds)?);
        }
        for (domain, seconds) in self.domain_delays.into_iter().flatten() {
            config = config.with_domain_delay(&domain, delay("domain_delays", seconds)?);
        }
        if let Some(concurrency) = self.concurrency {
            config = config.with_concurrency(concurrency).map_err(setting)?;
        }
        if let Some(concurrency) = self.call_concurrency {
            config = config.with_call_concurrency(concurrency).map_err(setting)?;
        }
        if let Some(size) = self.queue_size {
            config = config.with_queue_size(size).map_err(setting)?;
        }
        if let Some(deadline) = self.deadline {
            config = config.with_deadline(delay("deadline", deadline)?);
        }
        if let Some(policy) = self.policy {
            config = config.with_policy(policy.0.clone());
        }
        if let Some(options) = self.options {
            let options = config.with_options(options.0.clone());
            config = options.map_err(|error| errors::proxy_options(py, &error))?;
        }
        if let Some(requeue) = self.requeue {
            config = config.with_requeue(requeue);
        }
        if let Some(keep) = self.keep_secrets {
            config = config.with_keep_secrets(keep);
        }
        if let Some(adopt) = self.adopt_all {
            config = config.with_adopt_all(adopt);
        }
        if let Some(delete) = self.delete_on_close {
            config = config.with_delete_on_close(delete);
        }
        Ok(config)
    }
}

fn receipt(py: Python<'_>, receipt: Result<Receipt, UnknownRequest>) -> PyResult<ReceiptName> {
    receipt.map(ReceiptName::from).map_err(|error| errors::unknown_request(py, &error))
}

/// The body that an output's event holds, and those that nobody needs any more.
fn body_of(
    py: Python<'_>,
    bodies: &mut Bodies,
    output: &ProxyOutput,
) -> (Option<Py<PyBytes>>, Option<Bodies>) {
    match output {
        ProxyOutput::Event(event) => (body_in(event).and_then(|body| bodies.find(py, body)), None),
        ProxyOutput::Abort(_) => (None, None),
        _ => (None, bodies.clear()),
    }
}

impl PyProxyEngine {
    fn over(engine: ProxyEngine) -> Self {
        Self(Shared::new(Machine { engine, bodies: Bodies::default() }))
    }

    fn take(&self, py: Python<'_>, job: ProxyJob, now: f64) -> PyResult<u64> {
        let now = moment(now)?;
        let id = self.0.lock(py).engine.submit(job, now);
        id.map(JobId::as_u64).map_err(|error| errors::not_submitted(py, &error))
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
        Ok(Self::over(ProxyEngine::new(api.0.clone(), config, seed, moment(now)?)))
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
        now: f64,
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
        let (config, now) = (settings.into_core(py)?, moment(now)?);
        let seconds = |downtime| crate::convert::delay("downtime", downtime);
        let downtime = downtime.map(seconds).transpose()?;
        let (api, bytes) = (api.0.clone(), snapshot.0.as_bytes(py));
        let engine = py.detach(|| ProxyEngine::restore(api, config, bytes, now, downtime));
        engine.map(Self::over).map_err(|error| errors::snapshot(py, &error))
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
        now: f64,
        options: Option<&PyProxyOptions>,
        session: Option<Text>,
        replace_session: bool,
        stay_in: Option<Text>,
        outside_sessions: bool,
        priority: i32,
        key: Option<Text>,
    ) -> PyResult<u64> {
        let session = match (session, stay_in) {
            (Some(_), _) if outside_sessions => {
                return Err(PyValueError::new_err("outside sessions there is no session to name"));
            }
            (_, Some(_)) if outside_sessions => {
                return Err(PyValueError::new_err("outside sessions there is none to stay in"));
            }
            (Some(_), Some(_)) => {
                return Err(PyValueError::new_err("a session is named or stayed in, not both"));
            }
            (Some(name), None) => {
                JobSession::Named { name: name.value.into(), replace: replace_session }
            }
            (None, Some(id)) => {
                let session =
                    SessionId::new(id.value).map_err(|error| errors::session_id(py, &error))?;
                JobSession::Stay { session }
            }
            (None, None) if outside_sessions => JobSession::Outside,
            (None, None) => JobSession::Pool,
        };
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
        now: f64,
        options: Option<&PyProxyOptions>,
        priority: i32,
    ) -> PyResult<Vec<u64>> {
        let options = options.map_or_else(ProxyOptions::new, |options| options.0.clone());
        let (mut requests, mut ids) = (requests.0, Vec::new());
        while self.0.lock(py).engine.room() > 0 {
            let Some(request) = requests.next() else { return Ok(ids) };
            let job = ProxyJob::new(request?.extract::<Target>()?.0).with_priority(priority);
            ids.push(self.take(py, job.with_options(options.clone()), now)?);
        }
        Ok(ids)
    }

    /// How many further jobs are taken in; none of a closed engine.
    #[getter]
    fn room(&self, py: Python<'_>) -> u32 {
        self.0.lock(py).engine.room()
    }

    /// Ends a job as cancelled; false if it has ended. A request under way for it is aborted; what
    /// it cost still counts.
    fn cancel(&self, py: Python<'_>, job: u64, now: f64) -> PyResult<bool> {
        let now = moment(now)?;
        Ok(self.0.lock(py).engine.cancel(JobId::from_u64(job), now))
    }

    /// Gives a job the request that a snapshot did not keep whole; false if none is waited for.
    fn supply(&self, py: Python<'_>, job: u64, request: Target, now: f64) -> PyResult<bool> {
        let now = moment(now)?;
        let supplied = self.0.lock(py).engine.supply(JobId::from_u64(job), request.0, now);
        supplied.map_err(|error| errors::proxied_request(py, &error))
    }

    /// Ends a named session after the jobs that it has so far: no other request goes through it,
    /// and it is deleted. A job submitted under the name from here on begins another one. False if
    /// there is none of that name.
    fn end_session(&self, py: Python<'_>, name: Text, now: f64) -> PyResult<bool> {
        let now = moment(now)?;
        Ok(self.0.lock(py).engine.end_session(&name.value, now))
    }

    /// Whether a job is unfinished.
    fn __contains__(&self, py: Python<'_>, job: u64) -> bool {
        self.0.lock(py).engine.contains(JobId::from_u64(job))
    }

    /// What to do next. Call until it says `WaitUntil` or `Idle`.
    fn poll(&self, py: Python<'_>, now: f64) -> PyResult<Output> {
        let now = moment(now)?;
        let mut machine = self.0.lock(py);
        let output = machine.engine.poll(now);
        let (body, done) = body_of(py, &mut machine.bodies, &output);
        drop(machine);
        drop(done);
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
    fn poll_batch(&self, py: Python<'_>, now: f64, most: usize) -> PyResult<Outputs> {
        let now = moment(now)?;
        let mut machine = self.0.lock(py);
        let outputs = machine.engine.poll_batch(now, most);
        let (bodies, done): (Vec<_>, Vec<_>) =
            outputs.iter().map(|output| body_of(py, &mut machine.bodies, output)).unzip();
        drop(machine);
        drop(done);
        Outputs::from_core(py, outputs, bodies)
    }

    /// Says that a request left, if the driver knows: a session's rest then begins with that moment.
    /// Optional. Raises `UnknownRequest`, as all that follows, for an id that no request has that
    /// was handed out and not answered.
    fn handle_sent(&self, py: Python<'_>, request_id: u64, now: f64) -> PyResult<ReceiptName> {
        let (id, now) = (RequestId::from_u64(request_id), moment(now)?);
        let answer = self.0.lock(py).engine.handle_sent(id, now);
        receipt(py, answer)
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
        now: f64,
        banned: bool,
        connect: bool,
    ) -> PyResult<ReceiptName> {
        let (id, now) = (RequestId::from_u64(request_id), moment(now)?);
        let (bytes, kept) = (body.0.as_bytes(py), body.0.clone_ref(py));
        let call = |machine: &mut Machine| {
            let response = Response::new(status, headers.0, bytes);
            let before = machine.bodies.keep(&response.body, kept);
            let reply = ProxyReply::new(response).with_banned(banned).to_connect(connect);
            (machine.engine.handle_response(id, reply, now), before)
        };
        let (answer, _before) =
            if bytes.len() < BIG { call(&mut self.0.lock(py)) } else { self.0.detached(py, call) };
        receipt(py, answer)
    }

    /// Says that a request has no answer: ``"network"`` (the connection broke), ``"not_sent"`` (it
    /// never left: session, pace and cost are given back), or ``"timeout"`` (the driver's own limit
    /// passed).
    fn handle_failure(
        &self,
        py: Python<'_>,
        request_id: u64,
        failure: FailureName,
        now: f64,
    ) -> PyResult<ReceiptName> {
        let (id, now) = (RequestId::from_u64(request_id), moment(now)?);
        let failure = failure.into_core()?;
        let answer = self.0.lock(py).engine.handle_failure(id, failure, now);
        receipt(py, answer)
    }

    /// Goes on after a stop, as if the account were well again; also ends a pause.
    fn resume(&self, py: Python<'_>, now: f64) -> PyResult<()> {
        let now = moment(now)?;
        self.0.lock(py).engine.resume(now);
        Ok(())
    }

    /// Ends all jobs that are not under way as closed; what is under way may finish until ``grace``
    /// seconds have passed, then it is aborted. Then the sessions of this engine are deleted.
    /// Nothing else is sent or taken in from here on.
    fn close(&self, py: Python<'_>, now: f64, grace: f64) -> PyResult<()> {
        let (now, grace) = (moment(now)?, delay("grace", grace)?);
        self.0.detached(py, |machine| machine.engine.close(now, grace));
        Ok(())
    }

    /// Everything that a new process needs to go on, without the API's key; and of the jobs without
    /// `Cookie`, `Authorization` and body, unless ``keep_secrets`` was asked for.
    fn snapshot<'py>(&self, py: Python<'py>, now: f64) -> PyResult<Bound<'py, PyBytes>> {
        let now = moment(now)?;
        let bytes = self.0.detached(py, |machine| machine.engine.snapshot(now));
        Ok(PyBytes::new(py, &bytes))
    }

    /// The engine's numbers.
    fn stats(&self, py: Python<'_>) -> PyProxyStats {
        self.0.lock(py).engine.stats().into()
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let stats = self.0.lock(py).engine.stats();
        format!(
            "<ProxyEngine {} queued, {} waiting, {} under way, {} sessions>",
            stats.queued, stats.waiting, stats.in_flight, stats.pool.sessions
        )
    }
}
