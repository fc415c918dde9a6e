//! What queries cost.

use pyo3::{prelude::*, types::PyDict};
use silkline::extraction::{ServiceFault, Usage};

use super::PyQueryResult;
use crate::convert::Members;

/// Queries counted by whether the service charges for them.
///
/// >>> from silkline import ExtractionApi, Query, Usage
/// >>> queries = [Query("https://example.com/", "article")]
/// >>> body = b'''[{"query": {"userQuery": {"url": "https://example.com/", "pageType": "article"}},
/// ...               "error": "Downloader error: http404"}]'''
/// >>> usage = Usage.of_results(ExtractionApi("KEY").results(queries, 200, [], body))
/// >>> usage + usage
/// Usage(queries=2, billed=2, unbilled=0, unknown=0)
#[pyclass(name = "Usage", module = "silkline", frozen, eq, hash)]
#[derive(Clone, Eq, Hash, PartialEq)]
pub(crate) struct PyUsage(Usage);

impl From<Usage> for PyUsage {
    fn from(usage: Usage) -> Self {
        Self(usage)
    }
}

impl PyUsage {
    pub(crate) fn of_fault(fault: &ServiceFault, queries: usize) -> Self {
        Self(Usage::of_fault(fault, queries))
    }
}

#[pymethods]
impl PyUsage {
    #[new]
    #[pyo3(signature = (*, queries = 0, billed = 0, unbilled = 0, unknown = 0))]
    fn new(queries: u64, billed: u64, unbilled: u64, unknown: u64) -> Self {
        let mut usage = Usage::default();
        usage.queries = queries;
        usage.billed = billed;
        usage.unbilled = unbilled;
        usage.unknown = unknown;
        Self(usage)
    }

    /// What the results of an answer say.
    ///
    /// >>> from silkline import Usage
    /// >>> Usage.of_results([])
    /// Usage(queries=0, billed=0, unbilled=0, unknown=0)
    #[staticmethod]
    fn of_results(results: Vec<PyRef<'_, PyQueryResult>>) -> Self {
        Self(Usage::of_entries(results.iter().map(|result| result.entry())))
    }

    /// All queries: the sum of the others.
    #[getter]
    fn queries(&self) -> u64 {
        self.0.queries
    }

    /// Queries that are charged: items, and errors of fetching the page.
    #[getter]
    fn billed(&self) -> u64 {
        self.0.billed
    }

    /// Queries that are not charged: all other errors.
    #[getter]
    fn unbilled(&self) -> u64 {
        self.0.unbilled
    }

    /// Queries of which nobody can tell, because the service's answer does not.
    #[getter]
    fn unknown(&self) -> u64 {
        self.0.unknown
    }

    fn __add__(&self, other: &Self) -> Self {
        Self(self.0 + other.0)
    }

    fn __radd__(&self, other: &Self) -> Self {
        other.__add__(self)
    }

    pub(crate) fn __repr__(&self) -> String {
        let Usage { queries, billed, unbilled, unknown, .. } = self.0;
        format!("Usage(queries={queries}, billed={billed}, unbilled={unbilled}, unknown={unknown})")
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<((), Members<'py>)> {
        let counts = PyDict::new(py);
        counts.set_item("queries", self.0.queries)?;
        counts.set_item("billed", self.0.billed)?;
        counts.set_item("unbilled", self.0.unbilled)?;
        counts.set_item("unknown", self.0.unknown)?;
        Ok(((), Members(counts)))
    }
}
