//! `silkline::bridge` for Python.

use pyo3::prelude::*;
use silkline::{
    bridge::{
        BridgeConnect, BridgeRelay, BridgeSend, BridgeStep, BridgeTunnel, BridgedQuery, ProxyBridge,
    },
    http::{Method, Request},
    proxy::ProxyApi,
    service::{Keys, extraction::FetchOutcome, proxy::FetchFailure},
};

use crate::{
    convert::{Moment, ReceivedHeaders, Text, maybe_delay, seed_or_random},
    errors,
    extraction::PyQueryResult,
    http::{MethodName, PyHeaders},
    service::PyAnswer,
    shared::Shared,
};

/// What came of a query at Zyte API, for `silkline.service.ExtractionService.handle_fetched`, which
/// answers in the words of the Automatic Extraction API.
///
/// >>> from silkline.bridge import BridgedQuery
/// >>> BridgedQuery.of_error("user_rate_limit_exceeded", "user rate limit exceeded", 7.0)
/// BridgedQuery('user-rate-limit-exceeded')
/// >>> BridgedQuery.of_error("network_failure", "the connection failed")
/// BridgedQuery('InternalError')
#[pyclass(name = "BridgedQuery", module = "silkline.bridge", frozen)]
pub(crate) struct PyBridgedQuery(pub(crate) BridgedQuery);

#[pymethods]
impl PyBridgedQuery {
    /// From the result of a query.
    #[staticmethod]
    fn of_result(py: Python<'_>, result: &Bound<'_, PyQueryResult>) -> Self {
        Self(BridgedQuery::of_result(result.get().view(py)))
    }

    /// From an error that no result explains: its code, its message, and the seconds after which
    /// the service asked to try again.
    #[staticmethod]
    #[pyo3(signature = (code, message, retry_after = None))]
    fn of_error(code: Text, message: Text, retry_after: Option<f64>) -> PyResult<Self> {
        let retry_after = maybe_delay("retry_after", retry_after)?;
        Ok(Self(BridgedQuery::of_error(&code.value, &message.value, retry_after)))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let text = match FetchOutcome::from(self.0.clone()) {
            FetchOutcome::Error { text, .. } => text,
            FetchOutcome::Refused { problem, .. } => problem,
            _ => return Ok("BridgedQuery(<item>)".into()),
        };
        Ok(format!("BridgedQuery({})", text.into_pyobject(py)?.repr()?))
    }
}

/// An open tunnel of a bridge: what its CONNECT said counts for each request inside.
///
/// >>> from silkline import basic_authorization
/// >>> from silkline.bridge import ProxyBridge
/// >>> headers = {"Proxy-Authorization": basic_authorization("KEY")}
/// >>> ProxyBridge("NEW-KEY").handle_connect("example.com:443", headers, 0.0)
/// BridgeTunnel(example.com:443)
#[pyclass(name = "BridgeTunnel", module = "silkline.bridge", frozen)]
pub(crate) struct PyBridgeTunnel(BridgeTunnel);

#[pymethods]
impl PyBridgeTunnel {
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
        format!("BridgeTunnel({})", self.0.authority)
    }
}

/// A request for the proxy behind a bridge.
///
/// >>> from silkline import basic_authorization
/// >>> from silkline.bridge import ProxyBridge
/// >>> headers = {"Proxy-Authorization": basic_authorization("KEY"), "X-Crawlera-JobId": "7"}
/// >>> send = ProxyBridge("NEW-KEY").handle_request("GET", "http://a.example/", headers, 0.0)
/// >>> send, send.headers["Zyte-JobId"], send.connect_headers
/// (BridgeSend(1, GET http://a.example/), '7', None)
#[pyclass(name = "BridgeSend", module = "silkline.bridge", frozen, get_all)]
pub(crate) struct PyBridgeSend {
    /// By which to speak of it.
    ticket: u64,
    /// The method.
    method: String,
    /// The target's URL, absolute.
    url: String,
    /// The headers: of the request in absolute form, or of the one inside the tunnel.
    headers: Py<PyHeaders>,
    /// The headers of the CONNECT that opens the tunnel; ``None`` for a plain target.
    connect_headers: Option<Py<PyHeaders>>,
}

impl PyBridgeSend {
    fn from_core(py: Python<'_>, send: BridgeSend) -> PyResult<Self> {
        let request = send.proxied.request;
        let connect = send.proxied.connect;
        Ok(Self {
            ticket: send.ticket,
            method: request.method.as_str().into(),
            url: request.url,
            headers: Py::new(py, PyHeaders(request.headers))?,
            connect_headers: connect
                .map(|connect| Py::new(py, PyHeaders(connect.headers)))
                .transpose()?,
        })
    }
}

#[pymethods]
impl PyBridgeSend {
    fn __repr__(&self) -> String {
        format!("BridgeSend({}, {} {})", self.ticket, self.method, self.url)
    }
}

/// The head of a target's answer, as a bridge passes it on.
///
/// >>> from silkline import basic_authorization
/// >>> from silkline.bridge import ProxyBridge
/// >>> bridge = ProxyBridge("NEW-KEY")
/// >>> headers = {"Proxy-Authorization": basic_authorization("KEY")}
/// >>> send = bridge.handle_request("GET", "http://a.example/", headers, 0.0)
/// >>> bridge.handle_response(send.ticket, 404, {"Content-Type": "text/html"}, b"", 1.0)
/// BridgeRelay(404)
#[pyclass(name = "BridgeRelay", module = "silkline.bridge", frozen, get_all)]
pub(crate) struct PyBridgeRelay {
    /// The status.
    status: u16,
    /// The headers to pass on.
    headers: Py<PyHeaders>,
}

#[pymethods]
impl PyBridgeRelay {
    fn __repr__(&self) -> String {
        format!("BridgeRelay({})", self.status)
    }
}

/// An answer to a CONNECT, or a tunnel to open.
#[derive(IntoPyObject)]
pub(crate) enum ConnectStep {
    Answer(PyAnswer),
    Tunnel(PyBridgeTunnel),
}

/// An answer, or a request to send.
#[derive(IntoPyObject)]
pub(crate) enum RequestStep {
    Answer(PyAnswer),
    Send(PyBridgeSend),
}

/// An answer of the service's own, or the head of a target's.
#[derive(IntoPyObject)]
pub(crate) enum RelayStep {
    Answer(PyAnswer),
    Relay(PyBridgeRelay),
}

/// Speaks Smart Proxy Manager with unchanged programs, for a host that sends through the proxy mode
/// of Zyte API at ``endpoint``, with ``api_key``.
///
/// Programs may use any non-empty key, or one of ``keys``. Sessions are made here and end with those
/// of Zyte API: after 15 minutes, or 2 minutes unused. Moments are seconds on any clock that does
/// not go back.
///
/// >>> from silkline import basic_authorization
/// >>> from silkline.bridge import ProxyBridge
/// >>> bridge = ProxyBridge("NEW-KEY", seed=1)
/// >>> headers = {"Authorization": basic_authorization("KEY")}
/// >>> answer = bridge.handle_api("POST", "/sessions", headers, 0.0)
/// >>> answer.status, answer.body
/// (200, b'910a2dec-8902-4cc1-beeb-8da1658eec67')
#[pyclass(name = "ProxyBridge", module = "silkline.bridge", frozen)]
pub(crate) struct PyProxyBridge(Shared<ProxyBridge>);

#[pymethods]
impl PyProxyBridge {
    #[new]
    #[pyo3(signature = (api_key, endpoint = None, *, keys = None, seed = None))]
    fn new(
        py: Python<'_>,
        api_key: String,
        endpoint: Option<String>,
        keys: Option<Vec<String>>,
        seed: Option<u64>,
    ) -> PyResult<Self> {
        let mut api = ProxyApi::new(api_key).map_err(|error| errors::api_key(py, &error))?;
        if let Some(endpoint) = endpoint {
            api = api.with_endpoint(&endpoint).map_err(|error| errors::endpoint(py, &error))?;
        }
        let keys = keys.map_or_else(Keys::any, Keys::only);
        let seed = seed_or_random(py, seed)?;
        Ok(Self(Shared::new(ProxyBridge::new(api, keys, seed))))
    }

    /// The proxy behind, without key.
    #[getter]
    fn upstream(&self, py: Python<'_>) -> String {
        self.0.lock(py).upstream().into()
    }

    /// Takes a CONNECT to host and port.
    fn handle_connect(
        &self,
        py: Python<'_>,
        authority: Text,
        headers: ReceivedHeaders,
        now: Moment,
    ) -> PyResult<ConnectStep> {
        let request = Request::new(Method::CONNECT, authority.value).with_headers(headers.0);
        let step = self.0.lock(py).handle_connect(&request, now.0);
        match step {
            BridgeConnect::Answer(response) => PyAnswer::of(py, response).map(ConnectStep::Answer),
            BridgeConnect::Tunnel(tunnel) => Ok(ConnectStep::Tunnel(PyBridgeTunnel(*tunnel))),
        }
    }

    /// Takes a request whose URL is absolute, with the tunnel it came through. The body stays
    /// with the host.
    #[pyo3(signature = (method, url, headers, now, tunnel = None))]
    fn handle_request(
        &self,
        py: Python<'_>,
        method: MethodName,
        url: Text,
        headers: ReceivedHeaders,
        now: Moment,
        tunnel: Option<&PyBridgeTunnel>,
    ) -> PyResult<RequestStep> {
        let request = Request::new(method.0, url.value).with_headers(headers.0);
        let step = self.0.lock(py).handle_request(request, tunnel.map(|tunnel| &tunnel.0), now.0);
        match step {
            BridgeStep::Answer(response) => PyAnswer::of(py, response).map(RequestStep::Answer),
            BridgeStep::Send(send) => PyBridgeSend::from_core(py, *send).map(RequestStep::Send),
        }
    }

    /// Takes what the proxy behind answered: status, headers and the start of the body.
    fn handle_response(
        &self,
        py: Python<'_>,
        ticket: u64,
        status: u16,
        headers: ReceivedHeaders,
        body_start: Vec<u8>,
        now: Moment,
    ) -> PyResult<RelayStep> {
        let relay = self.0.lock(py).handle_response(ticket, status, &headers.0, &body_start, now.0);
        Ok(match relay {
            BridgeRelay::Answer(response) => RelayStep::Answer(PyAnswer::of(py, response)?),
            BridgeRelay::Pass { status, headers } => RelayStep::Relay(PyBridgeRelay {
                status,
                headers: Py::new(py, PyHeaders(headers))?,
            }),
        })
    }

    /// Takes what the proxy behind answered to a CONNECT that it refused.
    fn handle_connect_refused(
        &self,
        py: Python<'_>,
        ticket: u64,
        status: u16,
        headers: ReceivedHeaders,
        now: Moment,
    ) -> PyResult<PyAnswer> {
        let response =
            self.0.lock(py).handle_connect_refused(ticket, status, &headers.0, &[], now.0);
        PyAnswer::of(py, response)
    }

    /// Takes note that a request has no answer: ``nxdomain``, ``timeout``, ….
    fn handle_failed(
        &self,
        py: Python<'_>,
        ticket: u64,
        failure: Text,
        now: Moment,
    ) -> PyResult<PyAnswer> {
        // What the host does not know by name is an error of its own.
        let failure =
            FetchFailure::from_name(&failure.value).unwrap_or(FetchFailure::InternalError);
        let response = self.0.lock(py).handle_failed(ticket, failure, now.0);
        PyAnswer::of(py, response)
    }

    /// Takes note that the program went away.
    fn handle_closed(&self, py: Python<'_>, ticket: u64, now: Moment) {
        self.0.lock(py).handle_closed(ticket, now.0);
    }

    /// Answers what the host could not read as a request, because its head is too large or for
    /// any other reason.
    fn handle_unreadable(
        &self,
        py: Python<'_>,
        too_large: bool,
        now: Moment,
    ) -> PyResult<PyAnswer> {
        let response = self.0.lock(py).handle_unreadable(too_large, now.0);
        PyAnswer::of(py, response)
    }

    /// Answers a call of the sessions API, by its path.
    fn handle_api(
        &self,
        py: Python<'_>,
        method: MethodName,
        path: Text,
        headers: ReceivedHeaders,
        now: Moment,
    ) -> PyResult<PyAnswer> {
        let request = Request::new(method.0, path.value).with_headers(headers.0);
        let response = self.0.lock(py).handle_api(&request, now.0);
        PyAnswer::of(py, response)
    }

    /// The counts so far, as a JSON object.
    fn stats_json(&self, py: Python<'_>) -> String {
        self.0.lock(py).stats_json()
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("ProxyBridge({})", self.0.lock(py).upstream())
    }
}
