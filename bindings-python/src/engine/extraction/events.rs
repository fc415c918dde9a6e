//! What became of jobs, and of the engine.

use pyo3::{exceptions::PyBaseException, prelude::*, types::PyBytes};
use silkline::{
    engine::{ExtractionJobError, ExtractionOutcome, UnmatchedResult},
    extraction::{Query, QueryResult, ServiceError},
};

use super::super::contract::shown_key;
use crate::{
    convert, errors,
    extraction::{PyQuery, PyQueryResult},
    names::{match_args, object},
};

match_args!(FinishedArgs: "job", "key", "result", "error");
match_args!(StoppedArgs: "error");
match_args!(UnmatchedArgs: "result");

/// A job ended: with an item in ``result``, or with an ``error``.
///
/// >>> from silkline import ExtractionApi, ExtractionEngine
/// >>> engine = ExtractionEngine(ExtractionApi("KEY"))
/// >>> job = engine.submit({"url": "https://example.com/", "pageType": "article"}, 0.0, key="a")
/// >>> engine.cancel(job, 1.0)
/// True
/// >>> finished = engine.poll(1.0)
/// >>> finished.job, finished.key, finished.ok, finished.error
/// (1, 'a', False, ExtractionJobError('the job was cancelled'))
/// >>> finished.error.code, finished.attempts, finished.billed, finished.elapsed
/// ('job_cancelled', 0, 0, 1.0)
#[pyclass(name = "ExtractionFinished", module = "silkline.engine", frozen)]
pub(crate) struct PyExtractionFinished {
    /// The job's id.
    #[pyo3(get)]
    job: u64,
    /// The text that it was submitted with.
    #[pyo3(get)]
    key: Option<String>,
    /// Its query.
    #[pyo3(get)]
    query: Py<PyQuery>,
    /// What the service found out; `None` if no answer has anything on the query. With an error of
    /// the query, the result has no item.
    #[pyo3(get)]
    result: Option<Py<PyQueryResult>>,
    error: Option<Py<PyAny>>,
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

impl PyExtractionFinished {
    pub(super) fn from_core(
        py: Python<'_>,
        finished: ExtractionOutcome,
        body: Option<Py<PyBytes>>,
    ) -> PyResult<Self> {
        let query = Py::new(py, PyQuery(finished.query))?;
        let (result, error) = match finished.outcome {
            Ok(found) => (Some(result(py, &found, Some(&query), body)?), None),
            Err(ExtractionJobError::Query(found)) => {
                let result = result(py, &found, Some(&query), body)?;
                let error = result.get().error_object().map(|error| error.clone_ref(py));
                (Some(result), error.map(Py::into_any))
            }
            Err(ExtractionJobError::Service(error)) => {
                (None, Some(errors::service_event(py, error, 1).into_value(py).into_any()))
            }
            Err(error) => (None, Some(errors::job(py, &error).into_value(py).into_any())),
        };
        Ok(Self {
            job: finished.job.as_u64(),
            key: finished.key.map(String::from),
            query,
            result,
            error,
            attempts: finished.attempts,
            billed: finished.cost.billed,
            possibly_billed: finished.cost.possibly_billed,
            elapsed: convert::seconds(finished.elapsed),
        })
    }
}

fn result(
    py: Python<'_>,
    found: &QueryResult,
    query: Option<&Py<PyQuery>>,
    body: Option<Py<PyBytes>>,
) -> PyResult<Py<PyQueryResult>> {
    let body = body.unwrap_or_else(|| PyBytes::new(py, found.body()).unbind());
    let query = query.map(|query| query.clone_ref(py));
    Py::new(py, PyQueryResult::of(py, found.entry().clone(), query, body)?)
}

#[pymethods]
impl PyExtractionFinished {
    #[classattr]
    fn __match_args__() -> FinishedArgs {
        FinishedArgs
    }

    /// Whether there is an item.
    #[getter]
    fn ok(&self) -> bool {
        self.error.is_none()
    }

    /// Why there is no item: a `QueryError` that the service answered the query with, or an
    /// exception object for what no answer explains; each has a ``code``. `None` if there is one.
    #[getter]
    fn error(&self, py: Python<'_>) -> Option<JobError> {
        self.error.as_ref().map(|error| JobError(error.clone_ref(py)))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let key = shown_key(py, self.key.as_deref())?;
        let query = self.query.get().__repr__(py)?;
        let outcome = match &self.error {
            None => "ok".into(),
            Some(error) => error.bind(py).repr()?.to_string(),
        };
        Ok(format!("<ExtractionFinished {}, {key}{outcome} of {query}>", self.job))
    }
}

object! {
    /// Why a job has no item, as an object.
    JobError: PyAny = crate::hints::EXTRACTION_JOB_ERROR
}

/// The account is refused: the engine is stopped, its queue kept, until `resume` or `close`.
///
/// >>> from silkline import ExtractionApi, ExtractionEngine
/// >>> engine = ExtractionEngine(ExtractionApi("KEY"))
/// >>> job = engine.submit({"url": "https://example.com/", "pageType": "article"}, 0.0)
/// >>> send = engine.poll(0.0)
/// >>> engine.handle_response(send.request_id, 401, {}, b"", 1.0)
/// 'accepted'
/// >>> engine.poll(1.0)
/// <ExtractionStopped ServiceError('status 401 with an empty body')>
/// >>> engine.poll(1.0)
/// Idle('stopped')
#[pyclass(name = "ExtractionStopped", module = "silkline.engine", frozen)]
pub(crate) struct PyExtractionStopped {
    error: Py<PyBaseException>,
}

impl PyExtractionStopped {
    pub(super) fn from_core(py: Python<'_>, error: ServiceError) -> Self {
        Self { error: errors::service_event(py, error, 0).into_value(py) }
    }
}

#[pymethods]
impl PyExtractionStopped {
    #[classattr]
    fn __match_args__() -> StoppedArgs {
        StoppedArgs
    }

    /// What the service said, which can be raised.
    #[getter]
    fn error(&self, py: Python<'_>) -> StopError {
        StopError(self.error.clone_ref(py))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<ExtractionStopped {}>", self.error.bind(py).repr()?))
    }
}

object! {
    /// Why an engine stopped, as an object.
    StopError: PyBaseException = crate::hints::SERVICE_ERROR
}

/// The service sent a result that no query of the request asked for.
///
/// >>> from silkline import ExtractionApi, ExtractionEngine
/// >>> engine = ExtractionEngine(ExtractionApi("KEY"))
/// >>> job = engine.submit({"url": "https://example.com/", "pageType": "article"}, 0.0)
/// >>> body = b'[{"query": {"userQuery": {"url": "http://b.example/"}}, "article": {}}]'
/// >>> send = engine.poll(0.0)
/// >>> engine.handle_response(send.request_id, 200, {}, body, 1.0)
/// 'accepted'
/// >>> unmatched = engine.poll(1.0)
/// >>> unmatched.result.error.code, unmatched.result.url, unmatched.query
/// ('foreign_result', 'http://b.example/', None)
#[pyclass(name = "ExtractionUnmatched", module = "silkline.engine", frozen)]
pub(crate) struct PyExtractionUnmatched {
    /// The result; its error says why it is nobody's.
    #[pyo3(get)]
    result: Py<PyQueryResult>,
    /// The query whose second result it is.
    #[pyo3(get)]
    query: Option<Py<PyQuery>>,
}

impl PyExtractionUnmatched {
    pub(super) fn from_core(
        py: Python<'_>,
        unmatched: UnmatchedResult,
        body: Option<Py<PyBytes>>,
    ) -> PyResult<Self> {
        let query = unmatched.query.map(|query: Query| Py::new(py, PyQuery(query))).transpose()?;
        Ok(Self { result: result(py, &unmatched.result, query.as_ref(), body)?, query })
    }
}

#[pymethods]
impl PyExtractionUnmatched {
    #[classattr]
    fn __match_args__() -> UnmatchedArgs {
        UnmatchedArgs
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<ExtractionUnmatched {}>", self.result.get().__repr__(py)?))
    }
}
