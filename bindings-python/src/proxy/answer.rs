//! What answers say.

use pyo3::{exceptions::PyBaseException, prelude::*};
use silkline::proxy::{
    OutgoingAddress, ProxyAnswer, ProxyServiceError, ProxySessionList, SessionId,
};

use crate::{convert, errors, names::object};

/// What the head of an answer through the proxy says about session, pace and error.
///
/// >>> from silkline import ProxyApi
/// >>> headers = {"X-Crawlera-Version": "1.60", "X-Crawlera-Session": "7"}
/// >>> answer = ProxyApi("KEY").read(404, headers)
/// >>> answer.origin, answer.session, answer.error
/// ('target', '7', None)
#[pyclass(name = "ProxyAnswer", module = "silkline", frozen)]
pub(crate) struct PyProxyAnswer {
    /// Whose answer it is: ``"service"`` (an error), ``"target"``, or ``"other"`` if nothing in the
    /// headers names the service.
    #[pyo3(get)]
    origin: &'static str,
    /// The id of the session that the request went through.
    #[pyo3(get)]
    session: Option<String>,
    /// The address that the request left from, as the service spells it, mostly ``ip:port``.
    #[pyo3(get)]
    outgoing: Option<String>,
    /// The address without the port: what sessions that share an address have in common.
    #[pyo3(get)]
    outgoing_host: Option<String>,
    /// The port of the address.
    #[pyo3(get)]
    outgoing_port: Option<u16>,
    /// The version of the service.
    #[pyo3(get)]
    version: Option<String>,
    /// How many seconds the next request of the session has to wait.
    #[pyo3(get)]
    next_request_in: Option<f64>,
    /// What ``Retry-After`` says, in seconds.
    #[pyo3(get)]
    retry_after: Option<f64>,
    /// How many seconds the target took, if asked for.
    #[pyo3(get)]
    debug_request_time: Option<f64>,
    /// Which user agent the target saw, if asked for.
    #[pyo3(get)]
    debug_ua: Option<String>,
    /// Whether the answer costs money.
    #[pyo3(get)]
    billed: bool,
    error: Option<Py<PyBaseException>>,
}

impl PyProxyAnswer {
    pub(super) fn from_core(py: Python<'_>, answer: &ProxyAnswer) -> Self {
        let outgoing = answer.outgoing.as_ref();
        let error = answer.error.as_ref();
        Self {
            origin: answer.origin.as_str(),
            session: answer.session.as_ref().map(|id| id.as_str().into()),
            outgoing: outgoing.map(|address| address.as_str().into()),
            outgoing_host: outgoing.map(OutgoingAddress::host),
            outgoing_port: outgoing.and_then(OutgoingAddress::port),
            version: answer.version.clone(),
            next_request_in: answer.next_request_in.map(convert::seconds),
            retry_after: answer.retry_after.map(convert::seconds),
            debug_request_time: answer.debug_request_time.map(convert::seconds),
            debug_ua: answer.debug_ua.clone(),
            billed: answer.billed(),
            error: error.map(|error| errors::proxy_service(py, error).into_value(py)),
        }
    }
}

#[pymethods]
impl PyProxyAnswer {
    /// The service's error, which can be raised.
    #[getter]
    fn error(&self, py: Python<'_>) -> Option<ServiceErrorObject> {
        self.error.as_ref().map(|error| ServiceErrorObject(error.clone_ref(py)))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let mut parts = vec![format!("'{}'", self.origin)];
        if let Some(session) = &self.session {
            parts.push(format!("session={}", session.into_pyobject(py)?.repr()?));
        }
        if let Some(error) = &self.error {
            parts.push(format!("error={}", error.bind(py).repr()?));
        }
        Ok(format!("ProxyAnswer({})", parts.join(", ")))
    }
}

/// The sessions of an account.
///
/// >>> from silkline import ProxyApi
/// >>> body = b'{"1836172": "192.0.2.1", "1691272": null}'
/// >>> dict(ProxyApi("KEY").read_session_list(200, {}, body).sessions)
/// {'1836172': '192.0.2.1', '1691272': None}
#[pyclass(name = "ProxySessionList", module = "silkline", frozen, get_all)]
pub(crate) struct PySessionList {
    /// Each session's id and outgoing address, in the answer's order; ``None``: it has none yet.
    sessions: Vec<(String, Option<String>)>,
    /// The sessions that the answer names more than once; the last address counts.
    duplicates: Vec<String>,
}

impl From<ProxySessionList> for PySessionList {
    fn from(list: ProxySessionList) -> Self {
        let text = |id: &SessionId| id.as_str().to_owned();
        let address = |address: &OutgoingAddress| address.as_str().to_owned();
        let sessions = list.sessions.iter();
        Self {
            sessions: sessions.map(|(id, at)| (text(id), at.as_ref().map(address))).collect(),
            duplicates: list.duplicates.iter().map(text).collect(),
        }
    }
}

#[pymethods]
impl PySessionList {
    fn __repr__(&self) -> String {
        format!("ProxySessionList(<{} sessions>)", self.sessions.len())
    }
}

object! {
    /// An error of the service as an exception object, to be looked at or raised.
    ServiceErrorObject: PyBaseException = crate::hints::PROXY_SERVICE_ERROR
}

impl ServiceErrorObject {
    pub(crate) fn new(py: Python<'_>, error: &ProxyServiceError) -> Self {
        Self(errors::proxy_service(py, error).into_value(py))
    }
}
