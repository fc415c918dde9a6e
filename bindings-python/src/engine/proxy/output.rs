//! What the engine tells its driver to do.

use core::convert::Infallible;

#[cfg(feature = "stubs")]
use pyo3::inspect::PyStaticExpr;
use pyo3::{
    exceptions::PyNotImplementedError,
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyList},
};
use silkline::{
    engine::{
        IncompleteJob, ProxyEndpoint, ProxyEvent, ProxyFetched, ProxyJobError, ProxyOutcome,
        ProxyOutput, ProxySend,
    },
    http::{Request, Response},
    proxy::ProxyWarning,
};

use super::super::contract::{PyAbort, PyIdle, PyWaitUntil};
#[cfg(feature = "stubs")]
use crate::hints;
use crate::{
    convert, errors,
    http::{PyHeaders, PyRequest},
    names::{literal, match_args},
};

/// What to do next.
#[derive(IntoPyObject)]
#[expect(clippy::large_enum_variant, reason = "most outputs are sends")]
pub(crate) enum Output {
    Send(PyProxySend),
    Abort(PyAbort),
    Finished(PyProxyFinished),
    Incomplete(PyProxyIncomplete),
    SessionLost(PyProxySessionLost),
    Stopped(PyProxyStopped),
    WaitUntil(PyWaitUntil),
    Idle(PyIdle),
}

impl Output {
    pub(super) fn from_core(
        py: Python<'_>,
        output: ProxyOutput,
        body: Option<Py<PyBytes>>,
    ) -> PyResult<Self> {
        Ok(match output {
            ProxyOutput::Send(send) => Self::Send(PyProxySend::from_core(send)),
            ProxyOutput::Abort(id) => Self::Abort(id.into()),
            ProxyOutput::Event(ProxyEvent::Finished(finished)) => {
                Self::Finished(PyProxyFinished::from_core(py, *finished, body)?)
            }
            ProxyOutput::Event(ProxyEvent::Incomplete(incomplete)) => {
                Self::Incomplete(PyProxyIncomplete::from_core(py, *incomplete)?)
            }
            ProxyOutput::Event(ProxyEvent::SessionLost { name, session, cause }) => {
                Self::SessionLost(PyProxySessionLost {
                    name: name.into(),
                    session: session.as_str().into(),
                    cause: LossName(cause.as_str()),
                })
            }
            ProxyOutput::Event(ProxyEvent::Stopped(error)) => {
                let error = errors::proxy_service(py, &error).into_value(py).into_any();
                Self::Stopped(PyProxyStopped { error })
            }
            ProxyOutput::Event(event) => {
                return Err(PyNotImplementedError::new_err(format!("event {}", event.name())));
            }
            ProxyOutput::WaitUntil { at, reason } => {
                Self::WaitUntil(PyWaitUntil::from_core(at, reason))
            }
            ProxyOutput::Idle(reason) => Self::Idle(reason.into()),
        })
    }
}

/// What to do next, one after the other.
pub(crate) struct Outputs(Py<PyList>);

impl Outputs {
    /// Each output becomes an object at once, so that it moves only once.
    pub(super) fn from_core(
        py: Python<'_>,
        outputs: Vec<ProxyOutput>,
        bodies: Vec<Option<Py<PyBytes>>>,
    ) -> PyResult<Self> {
        let object = |(output, body)| Output::from_core(py, output, body)?.into_pyobject(py);
        let objects = outputs.into_iter().zip(bodies).map(object);
        PyList::new(py, objects.collect::<PyResult<Vec<_>>>()?).map(Bound::unbind).map(Self)
    }
}

impl<'py> IntoPyObject<'py> for Outputs {
    type Target = PyList;
    type Output = Bound<'py, PyList>;
    type Error = Infallible;

    #[cfg(feature = "stubs")]
    const OUTPUT_TYPE: PyStaticExpr = hints::list!(Output::OUTPUT_TYPE);

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Infallible> {
        Ok(self.0.into_bound(py))
    }
}

/// The part of a body that an event holds.
pub(super) fn body_in(event: &ProxyEvent) -> Option<&[u8]> {
    match event {
        ProxyEvent::Finished(finished) => match &finished.outcome {
            Ok(fetched) => Some(&fetched.response.body),
            Err(ProxyJobError::Banned(response)) => Some(&response.body),
            Err(_) => None,
        },
        _ => None,
    }
}

literal! {
    /// What a request is for.
    SendKindName { "create_session", "delete_session", "fetch", "list_sessions" }
}

literal! {
    /// How a session was lost.
    LossName { "banned", "expired", "gone", "timed_out" }
}

match_args!(EndpointArgs: "url", "authorization");
match_args!(SendArgs: "request_id", "request", "proxy", "connect");
match_args!(FetchedArgs: "status", "headers", "body");
match_args!(FinishedArgs: "job", "key", "response", "error");
match_args!(IncompleteArgs: "job", "key", "request");
match_args!(SessionLostArgs: "name", "session", "cause");
match_args!(StoppedArgs: "error");

/// The proxy that a request goes through. The authorization does not show in the `repr`.
///
/// >>> from silkline import ProxyApi, ProxyEngine
/// >>> engine = ProxyEngine(ProxyApi("KEY"))
/// >>> job = engine.submit("https://example.com/", 0.0)
/// >>> proxy = engine.poll(0.0).proxy
/// >>> proxy.url, proxy.authorization
/// ('http://proxy.zyte.com:8011', 'Basic S0VZOg==')
/// >>> proxy
/// ProxyEndpoint('http://proxy.zyte.com:8011', [redacted])
#[pyclass(name = "ProxyEndpoint", module = "silkline.engine", frozen, eq, hash)]
#[derive(Eq, Hash, PartialEq)]
pub(crate) struct PyProxyEndpoint {
    /// Its URL, without key.
    #[pyo3(get)]
    url: String,
    /// The value of ``Proxy-Authorization``. A secret; the request to a plain target, or its
    /// CONNECT, has it already.
    #[pyo3(get)]
    authorization: String,
}

impl From<&ProxyEndpoint> for PyProxyEndpoint {
    fn from(proxy: &ProxyEndpoint) -> Self {
        Self { url: proxy.url.as_ref().into(), authorization: proxy.authorization.as_ref().into() }
    }
}

#[pymethods]
impl PyProxyEndpoint {
    #[classattr]
    fn __match_args__() -> EndpointArgs {
        EndpointArgs
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("ProxyEndpoint({}, [redacted])", convert::shown(py, &self.url)?))
    }
}

/// Send a request, and report its answer or failure under its id.
///
/// With a ``proxy``, the request goes through it: an https target needs a tunnel, which ``connect``
/// opens. Without one, it is a call of the sessions API, which goes to the service itself.
///
/// >>> from silkline import ProxyApi, ProxyEngine
/// >>> engine = ProxyEngine(ProxyApi("KEY"))
/// >>> job = engine.submit("http://example.com/", 0.0)
/// >>> send = engine.poll(0.0)
/// >>> send.kind, send.request.method, send.request.url, send.request.headers["X-Crawlera-Session"]
/// ('fetch', 'GET', 'http://example.com/', 'create')
/// >>> send.job == job, send.session, send.deadline, send.connect
/// (True, None, 190.0, None)
#[pyclass(name = "ProxySend", module = "silkline.engine", frozen)]
pub(crate) struct PyProxySend {
    /// By which to speak of the request.
    #[pyo3(get)]
    request_id: u64,
    /// What it is for: ``"fetch"`` for a job's request, the others are calls of the sessions API.
    #[pyo3(get)]
    kind: SendKindName,
    /// What is allowed but hardly meant.
    #[pyo3(get)]
    warnings: Vec<&'static str>,
    /// When the engine gives it up, in seconds on the driver's clock.
    #[pyo3(get)]
    deadline: f64,
    /// The job that it is for.
    #[pyo3(get)]
    job: Option<u64>,
    /// The session in use, or the one to delete; `None` outside sessions or if it makes one.
    #[pyo3(get)]
    session: Option<String>,
    /// The name of the sequence of requests that the job belongs to.
    #[pyo3(get)]
    session_name: Option<String>,
    endpoint: Option<ProxyEndpoint>,
    inner: Request,
    tunnel: Option<Request>,
    proxy: PyOnceLock<Py<PyProxyEndpoint>>,
    request: PyOnceLock<Py<PyRequest>>,
    connect: PyOnceLock<Py<PyRequest>>,
}

impl PyProxySend {
    fn from_core(send: ProxySend) -> Self {
        Self {
            request_id: send.id.as_u64(),
            kind: SendKindName(send.kind.as_str()),
            warnings: send.warnings.into_iter().map(ProxyWarning::code).collect(),
            deadline: convert::told(send.deadline),
            job: send.job.map(silkline::engine::JobId::as_u64),
            session: send.session.map(|session| session.as_str().into()),
            session_name: send.session_name,
            endpoint: send.proxy,
            inner: send.request,
            tunnel: send.connect,
            proxy: PyOnceLock::new(),
            request: PyOnceLock::new(),
            connect: PyOnceLock::new(),
        }
    }
}

fn once(
    py: Python<'_>,
    cell: &PyOnceLock<Py<PyRequest>>,
    request: &Request,
) -> PyResult<Py<PyRequest>> {
    let make = || Py::new(py, PyRequest::from_core(py, request.clone())?);
    cell.get_or_try_init(py, make).map(|request| request.clone_ref(py))
}

#[pymethods]
impl PyProxySend {
    #[classattr]
    fn __match_args__() -> SendArgs {
        SendArgs
    }

    /// The request.
    #[getter]
    fn request(&self, py: Python<'_>) -> PyResult<Py<PyRequest>> {
        once(py, &self.request, &self.inner)
    }

    /// What opens the tunnel, for an https target.
    #[getter]
    fn connect(&self, py: Python<'_>) -> PyResult<Option<Py<PyRequest>>> {
        self.tunnel.as_ref().map(|request| once(py, &self.connect, request)).transpose()
    }

    /// The proxy to use; `None` for calls of the sessions API.
    #[getter]
    fn proxy(&self, py: Python<'_>) -> PyResult<Option<Py<PyProxyEndpoint>>> {
        let Some(endpoint) = &self.endpoint else { return Ok(None) };
        let make = || Py::new(py, PyProxyEndpoint::from(endpoint));
        self.proxy.get_or_try_init(py, make).map(|proxy| Some(proxy.clone_ref(py)))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "ProxySend({}, '{}', {} {}, deadline={})",
            self.request_id,
            self.kind.0,
            self.inner.method.as_str(),
            convert::shown(py, &self.inner.url)?,
            self.deadline.into_pyobject(py)?.repr()?
        ))
    }
}

/// The answer of a target.
///
/// >>> from silkline import ProxyApi, ProxyEngine
/// >>> engine = ProxyEngine(ProxyApi("KEY"))
/// >>> job = engine.submit("http://example.com/", 0.0)
/// >>> send = engine.poll(0.0)
/// >>> headers = {"X-Crawlera-Session": "7", "X-Crawlera-Version": "1"}
/// >>> engine.handle_response(send.request_id, 200, headers, b"<html>", 1.0)
/// 'accepted'
/// >>> fetched = engine.poll(1.0).response
/// >>> fetched.status, fetched.body, fetched.session, fetched.request_id
/// (200, b'<html>', '7', 1)
#[pyclass(name = "ProxyFetched", module = "silkline.engine", frozen, get_all)]
pub(crate) struct PyProxyFetched {
    /// The status.
    status: u16,
    /// The headers.
    headers: Py<PyHeaders>,
    /// What the driver gave of the body.
    body: Py<PyBytes>,
    /// The request that it answers: the driver may have more of the body. `None` for an answer that
    /// the application called a ban.
    request_id: Option<u64>,
    /// The session that it came through.
    session: Option<String>,
    /// The address that the request left from, if the service told.
    outgoing: Option<String>,
}

impl PyProxyFetched {
    fn new(py: Python<'_>, response: Response, body: Option<Py<PyBytes>>) -> PyResult<Self> {
        Ok(Self {
            status: response.status,
            headers: Py::new(py, PyHeaders(response.headers))?,
            body: body.unwrap_or_else(|| PyBytes::new(py, &response.body).unbind()),
            request_id: None,
            session: None,
            outgoing: None,
        })
    }

    fn from_core(
        py: Python<'_>,
        fetched: ProxyFetched,
        body: Option<Py<PyBytes>>,
    ) -> PyResult<Self> {
        let outgoing = fetched.outgoing.as_ref();
        Ok(Self {
            request_id: Some(fetched.request.as_u64()),
            session: fetched.session.map(|session| session.as_str().into()),
            outgoing: outgoing.map(|address| address.as_str().into()),
            ..Self::new(py, fetched.response, body)?
        })
    }
}

#[pymethods]
impl PyProxyFetched {
    #[classattr]
    fn __match_args__() -> FetchedArgs {
        FetchedArgs
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("<ProxyFetched {}, {} bytes>", self.status, self.body.as_bytes(py).len())
    }
}

/// A job ended: with a ``response`` of the target, or with an ``error``.
///
/// >>> from silkline import ProxyApi, ProxyEngine
/// >>> engine = ProxyEngine(ProxyApi("KEY"))
/// >>> job = engine.submit("http://example.com/", 0.0, key="a")
/// >>> engine.cancel(job, 1.0)
/// True
/// >>> finished = engine.poll(1.0)
/// >>> finished.job, finished.key, finished.request.url, finished.ok, finished.error
/// (1, 'a', 'http://example.com/', False, ProxyJobError('the job was cancelled'))
/// >>> finished.error.code, finished.attempts, finished.billed, finished.elapsed
/// ('job_cancelled', 0, 0, 1.0)
#[pyclass(name = "ProxyFinished", module = "silkline.engine", frozen)]
pub(crate) struct PyProxyFinished {
    /// The job's id.
    #[pyo3(get)]
    job: u64,
    /// The text that it was submitted with.
    #[pyo3(get)]
    key: Option<String>,
    inner: Request,
    request: PyOnceLock<Py<PyRequest>>,
    /// The answer; with an error, the one that the application called a ban.
    #[pyo3(get)]
    response: Option<Py<PyProxyFetched>>,
    error: Option<Py<PyAny>>,
    /// How often it was sent.
    #[pyo3(get)]
    attempts: u32,
    /// How many of its attempts are known to be billed.
    #[pyo3(get)]
    billed: u32,
    /// Of how many nobody knows, because their answer was lost.
    #[pyo3(get)]
    possibly_billed: u32,
    /// How many seconds it took since it was submitted.
    #[pyo3(get)]
    elapsed: f64,
}

impl PyProxyFinished {
    fn from_core(
        py: Python<'_>,
        finished: ProxyOutcome,
        body: Option<Py<PyBytes>>,
    ) -> PyResult<Self> {
        let error = finished.outcome.as_ref().err();
        let error = error.map(|error| errors::proxy_job(py, error).into_value(py).into_any());
        let response = match finished.outcome {
            Ok(fetched) => Some(PyProxyFetched::from_core(py, fetched, body)?),
            Err(ProxyJobError::Banned(response)) => Some(PyProxyFetched::new(py, *response, body)?),
            Err(_) => None,
        };
        Ok(Self {
            job: finished.job.as_u64(),
            key: finished.key.map(String::from),
            inner: finished.request,
            request: PyOnceLock::new(),
            response: response.map(|response| Py::new(py, response)).transpose()?,
            error,
            attempts: finished.attempts,
            billed: finished.cost.billed,
            possibly_billed: finished.cost.possibly_billed,
            elapsed: convert::seconds(finished.elapsed),
        })
    }
}

#[pymethods]
impl PyProxyFinished {
    #[classattr]
    fn __match_args__() -> FinishedArgs {
        FinishedArgs
    }

    /// Its request, as it was submitted.
    #[getter]
    fn request(&self, py: Python<'_>) -> PyResult<Py<PyRequest>> {
        once(py, &self.request, &self.inner)
    }

    /// Whether the target answered.
    #[getter]
    fn ok(&self) -> bool {
        self.error.is_none()
    }

    /// Why there is no answer, as an exception object with a ``code``; `None` if there is one.
    #[getter]
    fn error(&self, py: Python<'_>) -> Option<JobError> {
        self.error.as_ref().map(|error| JobError(error.clone_ref(py)))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let key = match &self.key {
            None => String::new(),
            Some(key) => format!("{}, ", convert::shown(py, key)?),
        };
        let outcome = match (&self.error, &self.response) {
            (Some(error), _) => error.bind(py).repr()?.to_string(),
            (None, response) => {
                response.as_ref().map_or(0, |response| response.get().status).to_string()
            }
        };
        let url = convert::shown(py, &self.inner.url)?;
        Ok(format!("<ProxyFinished {}, {key}{outcome} of {url}>", self.job))
    }
}

/// Why a job has no response, as an object.
pub(crate) struct JobError(Py<PyAny>);

impl<'py> IntoPyObject<'py> for JobError {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = Infallible;

    #[cfg(feature = "stubs")]
    const OUTPUT_TYPE: PyStaticExpr = hints::SILKLINE_ERROR;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Infallible> {
        Ok(self.0.into_bound(py))
    }
}

/// A job that came out of a snapshot without its secrets. It waits until `ProxyEngine.supply` or
/// `ProxyEngine.cancel`.
///
/// >>> from silkline import ProxyApi, ProxyEngine, Request
/// >>> engine = ProxyEngine(ProxyApi("KEY"))
/// >>> job = engine.submit(Request("GET", "http://example.com/", {"Cookie": "a=b"}), 0.0)
/// >>> again = ProxyEngine.restore(ProxyApi("KEY"), engine.snapshot(0.0), 0.0)
/// >>> incomplete = again.poll(0.0)
/// >>> incomplete.job, incomplete.request.url, incomplete.headers, incomplete.body
/// (1, 'http://example.com/', ['Cookie'], False)
/// >>> again.supply(1, Request("GET", "http://example.com/", {"Cookie": "a=b"}), 0.0)
/// True
#[pyclass(name = "ProxyIncomplete", module = "silkline.engine", frozen, get_all)]
pub(crate) struct PyProxyIncomplete {
    /// The job's id.
    job: u64,
    /// The text that it was submitted with.
    key: Option<String>,
    /// Its request, less what is missing.
    request: Py<PyRequest>,
    /// The names of the headers that are missing.
    headers: Vec<String>,
    /// Whether the body is missing.
    body: bool,
    /// Whether the URL is missing: it held the key.
    url: bool,
}

impl PyProxyIncomplete {
    fn from_core(py: Python<'_>, incomplete: IncompleteJob) -> PyResult<Self> {
        Ok(Self {
            job: incomplete.job.as_u64(),
            key: incomplete.key.map(String::from),
            request: Py::new(py, PyRequest::from_core(py, incomplete.request)?)?,
            headers: incomplete.headers,
            body: incomplete.body,
            url: incomplete.url,
        })
    }
}

#[pymethods]
impl PyProxyIncomplete {
    #[classattr]
    fn __match_args__() -> IncompleteArgs {
        IncompleteArgs
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<ProxyIncomplete {}, {}>", self.job, self.request.bind(py).repr()?))
    }
}

/// A named session was lost.
///
/// >>> from silkline import ProxyApi, ProxyEngine
/// >>> engine = ProxyEngine(ProxyApi("KEY"))
/// >>> job = engine.submit("http://example.com/", 0.0, session="login")
/// >>> send = engine.poll(0.0)
/// >>> headers = {"X-Crawlera-Session": "7", "X-Crawlera-Version": "1"}
/// >>> engine.handle_response(send.request_id, 200, headers, b"", 1.0)
/// 'accepted'
/// >>> job = engine.submit("http://example.com/", 30.0, session="login")
/// >>> send = engine.poll_batch(30.0, 2)[1]
/// >>> engine.handle_response(send.request_id, 400, {"X-Crawlera-Error": "bad_session_id"}, b"", 31.0)
/// 'accepted'
/// >>> engine.poll_batch(31.0, 3)[:2]
/// [ProxySessionLost('login', '7', 'gone'), <ProxyFinished 2, ProxyJobError('session `login` was lost') of 'http://example.com/'>]
#[pyclass(name = "ProxySessionLost", module = "silkline.engine", frozen, eq, hash, get_all)]
#[derive(Eq, Hash, PartialEq)]
pub(crate) struct PyProxySessionLost {
    /// The name.
    name: String,
    /// The id of the session.
    session: String,
    /// How it was lost.
    cause: LossName,
}

#[pymethods]
impl PyProxySessionLost {
    #[classattr]
    fn __match_args__() -> SessionLostArgs {
        SessionLostArgs
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (name, id) = (convert::shown(py, &self.name)?, convert::shown(py, &self.session)?);
        Ok(format!("ProxySessionLost({name}, {id}, '{}')", self.cause.0))
    }
}

/// The account is refused: the engine is stopped, its queue kept, until `resume` or `close`.
///
/// >>> from silkline import ProxyApi, ProxyEngine
/// >>> engine = ProxyEngine(ProxyApi("KEY"))
/// >>> job = engine.submit("http://example.com/", 0.0)
/// >>> send = engine.poll(0.0)
/// >>> headers = {"X-Crawlera-Error": "user_suspended"}
/// >>> engine.handle_response(send.request_id, 403, headers, b"", 1.0)
/// 'accepted'
/// >>> engine.poll(1.0).error.code
/// 'user_suspended'
#[pyclass(name = "ProxyStopped", module = "silkline.engine", frozen)]
pub(crate) struct PyProxyStopped {
    error: Py<PyAny>,
}

#[pymethods]
impl PyProxyStopped {
    #[classattr]
    fn __match_args__() -> StoppedArgs {
        StoppedArgs
    }

    /// What the service said, which can be raised.
    #[getter]
    fn error(&self, py: Python<'_>) -> StopError {
        StopError(self.error.clone_ref(py))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<ProxyStopped {}>", self.error.bind(py).repr()?))
    }
}

/// Why an engine stopped, as an object.
pub(crate) struct StopError(Py<PyAny>);

impl<'py> IntoPyObject<'py> for StopError {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = Infallible;

    #[cfg(feature = "stubs")]
    const OUTPUT_TYPE: PyStaticExpr = hints::PROXY_SERVICE_ERROR;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Infallible> {
        Ok(self.0.into_bound(py))
    }
}
