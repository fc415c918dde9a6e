//! A request to send, and the proxy to use.

use pyo3::{prelude::*, sync::PyOnceLock};
use silkline::{
    engine::{JobId, ProxyEndpoint, ProxySend},
    proxy::ProxyWarning,
};

use crate::{
    convert,
    http::{LazyRequest, PyRequest},
    names::{literal, match_args},
};

literal! {
    /// What a request is for.
    SendKindName { "create_session", "delete_session", "fetch", "list_sessions" }
}

match_args!(EndpointArgs: "url", "authorization");
match_args!(SendArgs: "request_id", "request", "proxy", "connect");

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
    proxy: PyOnceLock<Py<PyProxyEndpoint>>,
    request: LazyRequest,
    connect: Option<LazyRequest>,
}

impl PyProxySend {
    pub(super) fn from_core(send: ProxySend) -> Self {
        Self {
            request_id: send.id.as_u64(),
            kind: SendKindName(send.kind.as_str()),
            warnings: send.warnings.into_iter().map(ProxyWarning::code).collect(),
            deadline: convert::told(send.deadline),
            job: send.job.map(JobId::as_u64),
            session: send.session.map(|session| session.as_str().into()),
            session_name: send.session_name,
            endpoint: send.proxy,
            proxy: PyOnceLock::new(),
            request: send.request.into(),
            connect: send.connect.map(LazyRequest::from),
        }
    }
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
        self.request.object(py)
    }

    /// What opens the tunnel, for an https target.
    #[getter]
    fn connect(&self, py: Python<'_>) -> PyResult<Option<Py<PyRequest>>> {
        self.connect.as_ref().map(|connect| connect.object(py)).transpose()
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
            self.request.inner.method.as_str(),
            convert::shown(py, &self.request.inner.url)?,
            self.deadline.into_pyobject(py)?.repr()?
        ))
    }
}
