//! `silkline::bridge` for Python.

use pyo3::prelude::*;
use silkline::{bridge::BridgedQuery, service::extraction::FetchOutcome};

use crate::{
    convert::{Text, delay},
    extraction::PyQueryResult,
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
        let retry_after = retry_after.map(delay).transpose()?;
        Ok(Self(BridgedQuery::of_error(&code.value, &message.value, retry_after)))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let text = match FetchOutcome::from(self.0.clone()) {
            FetchOutcome::Error(text) => text,
            FetchOutcome::Refused { problem, .. } => problem,
            _ => return Ok("BridgedQuery(<item>)".into()),
        };
        Ok(format!("BridgedQuery({})", text.into_pyobject(py)?.repr()?))
    }
}
