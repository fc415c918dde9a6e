//! What went wrong with one query.

use pyo3::{prelude::*, types::PyDict};
use silkline::extraction::QueryError;

use crate::{
    convert::{self, Members, Text},
    names::match_args,
};

match_args!(QueryErrorArgs: "code", "text");

/// Why a query has no item. Data, not an exception: the other queries of the answer have theirs.
///
/// >>> from silkline import QueryError
/// >>> error = QueryError.from_text("Domain a.com is occupied, please retry in 23.5 seconds")
/// >>> error.code, error.domain, error.retry_after
/// ('domain_occupied', 'a.com', 23.5)
/// >>> error.billed, error.retry
/// (False, True)
#[pyclass(name = "QueryError", module = "silkline", frozen, eq, get_all)]
#[derive(Clone, PartialEq)]
pub(crate) struct PyQueryError {
    /// The stable code.
    code: String,
    /// The service's own text, or what is wrong with its result.
    text: String,
    /// Whether the service charges for the query nevertheless.
    billed: bool,
    /// Whether another attempt can succeed.
    retry: bool,
    /// How often at most to try again, where the error itself limits that.
    max_retries: Option<u32>,
    /// How many seconds the service wants to be left alone.
    retry_after: Option<f64>,
    /// The domain that is occupied.
    domain: Option<String>,
    /// The HTTP status that the page was answered with.
    status: Option<u16>,
}

impl From<&QueryError> for PyQueryError {
    fn from(error: &QueryError) -> Self {
        Self {
            code: error.code.into(),
            text: error.text.clone(),
            billed: error.billed,
            retry: error.retry,
            max_retries: error.max_retries,
            retry_after: error.retry_after.map(convert::seconds),
            domain: error.domain.clone(),
            status: error.status,
        }
    }
}

#[pymethods]
impl PyQueryError {
    #[classattr]
    fn __match_args__() -> QueryErrorArgs {
        QueryErrorArgs
    }

    #[new]
    #[pyo3(signature = (
        code, text, *, billed = false, retry = false, max_retries = None, retry_after = None,
        domain = None, status = None
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn new(
        code: String,
        text: String,
        billed: bool,
        retry: bool,
        max_retries: Option<u32>,
        retry_after: Option<f64>,
        domain: Option<String>,
        status: Option<u16>,
    ) -> Self {
        Self { code, text, billed, retry, max_retries, retry_after, domain, status }
    }

    /// Reads the text of a result's `error` member.
    ///
    /// >>> from silkline import QueryError
    /// >>> error = QueryError.from_text("Downloader error: http404")
    /// >>> error.code, error.status, error.billed
    /// ('downloader_http', 404, True)
    #[staticmethod]
    fn from_text(text: Text) -> Self {
        Self::from(&QueryError::from_text(text.value))
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        (&self.code, &self.text, &self.domain).into_pyobject(py)?.hash()
    }

    fn __str__(&self) -> &str {
        &self.text
    }

    pub(super) fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (code, text) = (self.code.as_str().into_pyobject(py)?, &self.text);
        Ok(format!("QueryError({}, {})", code.repr()?, text.into_pyobject(py)?.repr()?))
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<((&str, &str), Members<'py>)> {
        let options = PyDict::new(py);
        options.set_item("billed", self.billed)?;
        options.set_item("retry", self.retry)?;
        options.set_item("max_retries", self.max_retries)?;
        options.set_item("retry_after", self.retry_after)?;
        options.set_item("domain", self.domain.as_deref())?;
        options.set_item("status", self.status)?;
        Ok(((&self.code, &self.text), Members(options)))
    }
}
