//! `silkline::service` for Python: the services' side of the protocols.

mod extraction;
mod proxy;
mod settings;
mod zyte_api;

use pyo3::{prelude::*, types::PyBytes};
use silkline::{
    http::Response,
    service::{Answer, Delivery},
};

pub(crate) use self::{
    extraction::{PyExtractionService, PyFetch, PyFetchQuery, PyFetchedPage},
    proxy::{PyProxyFetch, PyProxyRelay, PyProxyService, PyProxyWait, PyTunnel},
    zyte_api::{PyZyteApiFetch, PyZyteApiPage, PyZyteApiService, PyZyteProxyService},
};
use crate::http::PyHeaders;

/// An answer for the host to send.
///
/// >>> from silkline.service import ExtractionService
/// >>> ExtractionService().handle_request("GET", "/", {}, b"", 0.0)
/// ServiceAnswer(404, <92 bytes>)
#[pyclass(name = "ServiceAnswer", module = "silkline.service", frozen, get_all)]
pub(crate) struct PyAnswer {
    /// The request it answers; `None` if that was answered at once.
    ticket: Option<u64>,
    /// The status.
    status: u16,
    /// The headers. The host adds `Content-Length` and what else HTTP wants.
    headers: Py<PyHeaders>,
    /// The body.
    body: Py<PyBytes>,
    /// Whether a fault script wants the connection closed without a byte of the answer.
    dropped: bool,
    /// How many bytes of the body to send before the connection is closed, if a fault script wants
    /// it cut; the full length is announced.
    truncated: Option<usize>,
}

impl PyAnswer {
    /// An answer that is delivered whole.
    pub(crate) fn of(py: Python<'_>, response: Response) -> PyResult<Self> {
        Ok(Self {
            ticket: None,
            status: response.status,
            headers: Py::new(py, PyHeaders(response.headers))?,
            body: PyBytes::new(py, &response.body).unbind(),
            dropped: false,
            truncated: None,
        })
    }

    pub(super) fn from_core(py: Python<'_>, ticket: Option<u64>, answer: Answer) -> PyResult<Self> {
        let (dropped, truncated) = match answer.delivery {
            Delivery::Dropped => (true, None),
            Delivery::Truncated(length) => (false, Some(length)),
            _ => (false, None),
        };
        Ok(Self {
            ticket,
            status: answer.response.status,
            headers: Py::new(py, PyHeaders(answer.response.headers))?,
            body: PyBytes::new(py, &answer.response.body).unbind(),
            dropped,
            truncated,
        })
    }
}

#[pymethods]
impl PyAnswer {
    fn __repr__(&self, py: Python<'_>) -> String {
        format!("ServiceAnswer({}, <{} bytes>)", self.status, self.body.as_bytes(py).len())
    }
}
