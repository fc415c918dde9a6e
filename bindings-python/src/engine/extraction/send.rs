//! A request to send.

use pyo3::prelude::*;
use silkline::engine::ExtractionSend;

use crate::{
    convert,
    http::{LazyRequest, PyRequest},
    names::match_args,
};

match_args!(SendArgs: "request_id", "request");

/// Send a request, and report its answer or failure under its id.
///
/// >>> from silkline import ExtractionApi, ExtractionEngine
/// >>> engine = ExtractionEngine(ExtractionApi("KEY"))
/// >>> job = engine.submit({"url": "https://example.com/", "pageType": "article"}, 0.0)
/// >>> send = engine.poll(0.0)
/// >>> send.request_id, send.request.method, send.deadline, send.queries
/// (1, 'POST', 605.0, 1)
#[pyclass(name = "ExtractionSend", module = "silkline.engine", frozen)]
pub(crate) struct PyExtractionSend {
    /// By which to speak of the request.
    #[pyo3(get)]
    request_id: u64,
    /// When the engine gives it up, in seconds on the driver's clock.
    #[pyo3(get)]
    deadline: f64,
    /// How many queries it carries.
    #[pyo3(get)]
    queries: u32,
    request: LazyRequest,
}

impl From<ExtractionSend> for PyExtractionSend {
    fn from(send: ExtractionSend) -> Self {
        Self {
            request_id: send.id.as_u64(),
            deadline: convert::told(send.deadline),
            queries: send.queries,
            request: send.request.into(),
        }
    }
}

#[pymethods]
impl PyExtractionSend {
    #[classattr]
    fn __match_args__() -> SendArgs {
        SendArgs
    }

    /// The request.
    #[getter]
    fn request(&self, py: Python<'_>) -> PyResult<Py<PyRequest>> {
        self.request.object(py)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "ExtractionSend({}, <{} queries>, deadline={})",
            self.request_id,
            self.queries,
            self.deadline.into_pyobject(py)?.repr()?
        ))
    }
}
