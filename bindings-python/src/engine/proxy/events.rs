//! What became of jobs, of named sessions, and of the engine.

use pyo3::{exceptions::PyBaseException, prelude::*, types::PyBytes};
use silkline::{
    engine::{IncompleteJob, ProxyFetched, ProxyJobError, ProxyOutcome, SessionLoss},
    http::Response,
    proxy::{ProxyServiceError, SessionId},
};

use super::super::contract::shown_key;
use crate::{
    convert, errors,
    http::{LazyRequest, PyHeaders, PyRequest},
    names::{literal, match_args, object},
    proxy::ServiceErrorObject,
};

literal! {
    /// How a session was lost.
    LossName { "banned", "expired", "gone", "timed_out" }
}

match_args!(FetchedArgs: "status", "headers", "body");
match_args!(FinishedArgs: "job", "key", "response", "error");
match_args!(IncompleteArgs: "job", "key", "request");
match_args!(SessionLostArgs: "name", "session", "cause");
match_args!(StoppedArgs: "error");

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
    request: LazyRequest,
    /// The answer; with an error, the one that the application called a ban.
    #[pyo3(get)]
    response: Option<Py<PyProxyFetched>>,
    error: Option<Py<PyBaseException>>,
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
    pub(super) fn from_core(
        py: Python<'_>,
        finished: ProxyOutcome,
        body: Option<Py<PyBytes>>,
    ) -> PyResult<Self> {
        let error = finished.outcome.as_ref().err();
        let error = error.map(|error| errors::proxy_job(py, error).into_value(py));
        let response = match finished.outcome {
            Ok(fetched) => Some(PyProxyFetched::from_core(py, fetched, body)?),
            Err(ProxyJobError::Banned(response)) => Some(PyProxyFetched::new(py, *response, body)?),
            Err(_) => None,
        };
        Ok(Self {
            job: finished.job.as_u64(),
            key: finished.key.map(String::from),
            request: finished.request.into(),
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
        self.request.object(py)
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
        let key = shown_key(py, self.key.as_deref())?;
        let outcome = match (&self.error, &self.response) {
            (Some(error), _) => error.bind(py).repr()?.to_string(),
            (None, response) => {
                response.as_ref().map_or(0, |response| response.get().status).to_string()
            }
        };
        let url = convert::shown(py, &self.request.inner.url)?;
        Ok(format!("<ProxyFinished {}, {key}{outcome} of {url}>", self.job))
    }
}

object! {
    /// Why a job has no response, as an object.
    JobError: PyBaseException = crate::hints::SILKLINE_ERROR
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
    pub(super) fn from_core(py: Python<'_>, incomplete: IncompleteJob) -> PyResult<Self> {
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

impl PyProxySessionLost {
    pub(super) fn new(name: String, session: &SessionId, cause: SessionLoss) -> Self {
        Self { name, session: session.as_str().into(), cause: LossName(cause.as_str()) }
    }
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
    error: Py<PyBaseException>,
}

impl PyProxyStopped {
    pub(super) fn from_core(py: Python<'_>, error: &ProxyServiceError) -> Self {
        Self { error: errors::proxy_service(py, error).into_value(py) }
    }
}

#[pymethods]
impl PyProxyStopped {
    #[classattr]
    fn __match_args__() -> StoppedArgs {
        StoppedArgs
    }

    /// What the service said, which can be raised.
    #[getter]
    fn error(&self, py: Python<'_>) -> ServiceErrorObject {
        ServiceErrorObject(self.error.clone_ref(py))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<ProxyStopped {}>", self.error.bind(py).repr()?))
    }
}
