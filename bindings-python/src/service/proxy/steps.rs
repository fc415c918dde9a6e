//! What a proxy's side of the wire tells its host to do.

#[cfg(feature = "stubs")]
use pyo3::inspect::PyStaticExpr;
use pyo3::{Borrowed, prelude::*};
use silkline::service::proxy::{Connect, Fetch, FetchFailure, ProxyOutput, Relay, Step, Tunnel};

use super::super::{PyAnswer, settings::unknown_failure};
use crate::{
    convert::{Text, seconds, told},
    http::PyHeaders,
};

/// An open tunnel: what its CONNECT said counts for each request inside.
///
/// >>> from silkline import basic_authorization
/// >>> from silkline.service import ProxyService
/// >>> headers = {"Proxy-Authorization": basic_authorization("KEY")}
/// >>> ProxyService().handle_connect("example.com:443", headers, 0.0)
/// ProxyTunnel(example.com:443)
#[pyclass(name = "ProxyTunnel", module = "silkline.service", frozen)]
pub(crate) struct PyTunnel(Tunnel);

impl PyTunnel {
    pub(crate) fn as_core(&self) -> &Tunnel {
        &self.0
    }
}

#[pymethods]
impl PyTunnel {
    /// Host and port of the target.
    #[getter]
    fn authority(&self) -> &str {
        &self.0.authority
    }

    /// The headers of the 200 that answers the CONNECT.
    #[getter]
    fn headers(&self) -> PyHeaders {
        PyHeaders(self.0.answer_headers.clone())
    }

    fn __repr__(&self) -> String {
        format!("ProxyTunnel({})", self.0.authority)
    }
}

/// Something for the host to fetch from a target.
///
/// >>> from silkline import basic_authorization
/// >>> from silkline.service import ProxyService
/// >>> headers = {"Proxy-Authorization": basic_authorization("KEY")}
/// >>> service = ProxyService()
/// >>> fetch = service.handle_request("GET", "http://example.com/", headers, 0.0)
/// >>> fetch.outgoing, fetch.timeout, fetch
/// ('127.0.0.2', 30.0, ProxyFetch(1, GET http://example.com/))
#[pyclass(name = "ProxyFetch", module = "silkline.service", frozen, get_all)]
pub(crate) struct PyProxyFetch {
    /// Names the request from here on.
    ticket: u64,
    /// The local address to leave from.
    outgoing: String,
    /// The method.
    method: String,
    /// The absolute URL.
    url: String,
    /// The headers that the target is to see.
    headers: Py<PyHeaders>,
    /// The seconds until the attempt fails with ``timeout``.
    timeout: f64,
    /// Whether ban rules look into the body, so that its start is wanted with the outcome.
    inspect_body: bool,
}

impl PyProxyFetch {
    fn from_core(py: Python<'_>, fetch: Fetch) -> PyResult<Self> {
        Ok(Self {
            ticket: fetch.ticket.0,
            outgoing: fetch.outgoing.to_string(),
            method: fetch.request.method.as_str().into(),
            url: fetch.request.url,
            headers: Py::new(py, PyHeaders(fetch.request.headers))?,
            timeout: seconds(fetch.timeout),
            inspect_body: fetch.inspect_body,
        })
    }
}

#[pymethods]
impl PyProxyFetch {
    fn __repr__(&self) -> String {
        format!("ProxyFetch({}, {} {})", self.ticket, self.method, self.url)
    }
}

/// A request that is held back: its fetch comes from ``poll``.
///
/// >>> from silkline import basic_authorization
/// >>> from silkline.service import ProxyService
/// >>> headers = {"Proxy-Authorization": basic_authorization("KEY")}
/// >>> service = ProxyService()
/// >>> fetch = service.handle_request("GET", "http://example.com/", headers, 0.0)
/// >>> service.handle_request("GET", "http://example.com/", headers, 0.5)
/// ProxyWait(2)
/// >>> service.poll(12.0)
/// ProxyFetch(2, GET http://example.com/)
#[pyclass(name = "ProxyWait", module = "silkline.service", frozen, get_all)]
pub(crate) struct PyProxyWait {
    /// Names the request from here on.
    ticket: u64,
}

#[pymethods]
impl PyProxyWait {
    fn __repr__(&self) -> String {
        format!("ProxyWait({})", self.ticket)
    }
}

/// The head of a target's answer to pass on, with the service's headers; the body follows.
///
/// >>> from silkline import basic_authorization
/// >>> from silkline.service import ProxyService
/// >>> headers = {"Proxy-Authorization": basic_authorization("KEY")}
/// >>> service = ProxyService()
/// >>> fetch = service.handle_request("GET", "http://example.com/", headers, 0.0)
/// >>> relay = service.handle_responded(fetch.ticket, 404, {"Content-Type": "text/plain"}, b"", 0.5)
/// >>> relay, relay.headers["X-Crawlera-Slave"]
/// (ProxyRelay(1, 404), '127.0.0.2:3128')
#[pyclass(name = "ProxyRelay", module = "silkline.service", frozen, get_all)]
pub(crate) struct PyProxyRelay {
    /// Whose answer it is.
    ticket: u64,
    /// The status.
    status: u16,
    /// The headers.
    headers: Py<PyHeaders>,
    /// After this many bytes a fault script wants the connection closed.
    truncated: Option<usize>,
    /// A body of more bytes is too large: the connection is closed.
    max_body_bytes: u64,
}

impl PyProxyRelay {
    fn from_core(py: Python<'_>, relay: Relay) -> PyResult<Self> {
        Ok(Self {
            ticket: relay.ticket.0,
            status: relay.status,
            headers: Py::new(py, PyHeaders(relay.headers))?,
            truncated: relay.truncate,
            max_body_bytes: relay.max_body_bytes,
        })
    }
}

#[pymethods]
impl PyProxyRelay {
    fn __repr__(&self) -> String {
        format!("ProxyRelay({}, {})", self.ticket, self.status)
    }
}

/// What becomes of a CONNECT.
#[derive(IntoPyObject)]
pub(crate) enum ConnectStep {
    Answer(PyAnswer),
    Tunnel(PyTunnel),
}

impl ConnectStep {
    pub(crate) fn from_core(py: Python<'_>, step: Connect) -> PyResult<Self> {
        match step {
            Connect::Answer(answer) => PyAnswer::from_core(py, None, answer).map(Self::Answer),
            Connect::Tunnel(tunnel) => Ok(Self::Tunnel(PyTunnel(tunnel))),
        }
    }
}

/// What becomes of a request.
#[derive(IntoPyObject)]
pub(crate) enum RequestStep {
    Answer(PyAnswer),
    Fetch(PyProxyFetch),
    Relay(PyProxyRelay),
    Wait(PyProxyWait),
}

impl RequestStep {
    pub(crate) fn from_core(py: Python<'_>, step: Step) -> PyResult<Self> {
        Ok(match step {
            Step::Answer(answer) => Self::Answer(PyAnswer::from_core(py, None, answer)?),
            Step::Fetch(fetch) => Self::Fetch(PyProxyFetch::from_core(py, *fetch)?),
            Step::Relay(relay) => Self::Relay(PyProxyRelay::from_core(py, relay)?),
            Step::Wait(ticket) => Self::Wait(PyProxyWait { ticket: ticket.0 }),
        })
    }
}

/// What there is to do.
#[derive(IntoPyObject)]
pub(crate) enum PollStep {
    Fetch(PyProxyFetch),
    WaitUntil(f64),
}

impl PollStep {
    pub(crate) fn from_core(py: Python<'_>, output: ProxyOutput) -> PyResult<Option<Self>> {
        Ok(match output {
            ProxyOutput::Fetch(fetch) => Some(Self::Fetch(PyProxyFetch::from_core(py, *fetch)?)),
            ProxyOutput::WaitUntil(at) => Some(Self::WaitUntil(told(at))),
            ProxyOutput::Idle => None,
        })
    }
}

/// Why there is nothing from a target, by its name.
pub(crate) struct FailureName(pub(crate) FetchFailure);

impl FromPyObject<'_, '_> for FailureName {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: PyStaticExpr = <Text as FromPyObject<'_, '_>>::INPUT_TYPE;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let name = object.extract::<Text>()?.value;
        FetchFailure::from_name(&name)
            .map(Self)
            .ok_or_else(|| unknown_failure(&name, FetchFailure::all().map(FetchFailure::name)))
    }
}
