//! What the engine tells its driver to do.

use core::convert::Infallible;

#[cfg(feature = "stubs")]
use pyo3::inspect::PyStaticExpr;
use pyo3::{
    exceptions::PyNotImplementedError,
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyList},
};
use silkline::{
    engine::{
        ExtractionEvent, ExtractionJobError, ExtractionOutcome, ExtractionOutput, ExtractionSend,
        UnmatchedResult,
    },
    extraction::{Query, QueryResult},
    http::Request,
};

use super::super::contract::{PyAbort, PyIdle, PyWaitUntil};
#[cfg(feature = "stubs")]
use crate::hints;
use crate::{
    convert, errors,
    extraction::{PyQuery, PyQueryResult},
    http::PyRequest,
    names::match_args,
};

/// What to do next.
#[derive(IntoPyObject)]
pub(crate) enum Output {
    Send(PyExtractionSend),
    Abort(PyAbort),
    Finished(PyExtractionFinished),
    Stopped(PyExtractionStopped),
    Unmatched(PyExtractionUnmatched),
    WaitUntil(PyWaitUntil),
    Idle(PyIdle),
}

impl Output {
    pub(super) fn from_core(
        py: Python<'_>,
        output: ExtractionOutput,
        body: Option<Py<PyBytes>>,
    ) -> PyResult<Self> {
        Ok(match output {
            ExtractionOutput::Send(send) => Self::Send(send.into()),
            ExtractionOutput::Abort(id) => Self::Abort(id.into()),
            ExtractionOutput::Event(ExtractionEvent::Finished(finished)) => {
                Self::Finished(PyExtractionFinished::from_core(py, *finished, body)?)
            }
            ExtractionOutput::Event(ExtractionEvent::Stopped(error)) => {
                let error = errors::service_event(py, error, 0).into_value(py);
                Self::Stopped(PyExtractionStopped { error: error.into_any() })
            }
            ExtractionOutput::Event(ExtractionEvent::Unmatched(unmatched)) => {
                Self::Unmatched(PyExtractionUnmatched::from_core(py, *unmatched, body)?)
            }
            ExtractionOutput::Event(event) => {
                return Err(PyNotImplementedError::new_err(format!("event {}", event.name())));
            }
            ExtractionOutput::WaitUntil { at, reason } => {
                Self::WaitUntil(PyWaitUntil::from_core(at, reason))
            }
            ExtractionOutput::Idle(reason) => Self::Idle(reason.into()),
        })
    }
}

/// What to do next, one after the other.
pub(crate) struct Outputs(Py<PyList>);

impl Outputs {
    /// Each output becomes an object at once, so that it moves only once.
    pub(super) fn from_core(
        py: Python<'_>,
        outputs: Vec<ExtractionOutput>,
        bodies: Vec<Option<Py<PyBytes>>>,
    ) -> PyResult<Self> {
        let object = |(output, body)| Output::from_core(py, output, body)?.into_pyobject(py);
        let objects = outputs.into_iter().zip(bodies).map(object);
        PyList::new(py, objects.collect::<PyResult<Vec<_>>>()?).map(Bound::unbind).map(Self)
    }
}

impl<'py> IntoPyObject<'py> for Outputs {
    type Target = PyList;
    type Output = Bound<'py, PyList>;
    type Error = Infallible;

    #[cfg(feature = "stubs")]
    const OUTPUT_TYPE: PyStaticExpr = hints::list!(Output::OUTPUT_TYPE);

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Infallible> {
        Ok(self.0.into_bound(py))
    }
}

/// The result that an event tells of.
pub(super) fn result_of(event: &ExtractionEvent) -> Option<&QueryResult> {
    match event {
        ExtractionEvent::Finished(finished) => match &finished.outcome {
            Ok(result) => Some(result),
            Err(ExtractionJobError::Query(result)) => Some(result),
            Err(_) => None,
        },
        ExtractionEvent::Unmatched(unmatched) => Some(&unmatched.result),
        _ => None,
    }
}

match_args!(SendArgs: "request_id", "request");
match_args!(FinishedArgs: "job", "key", "result", "error");
match_args!(StoppedArgs: "error");
match_args!(UnmatchedArgs: "result");

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
    inner: Request,
    request: PyOnceLock<Py<PyRequest>>,
}

impl From<ExtractionSend> for PyExtractionSend {
    fn from(send: ExtractionSend) -> Self {
        Self {
            request_id: send.id.as_u64(),
            deadline: convert::told(send.deadline),
            queries: send.queries,
            inner: send.request,
            request: PyOnceLock::new(),
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
        let make = || Py::new(py, PyRequest::from_core(py, self.inner.clone())?);
        self.request.get_or_try_init(py, make).map(|request| request.clone_ref(py))
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
    fn from_core(
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
        let key = match &self.key {
            None => String::new(),
            Some(key) => format!("{}, ", convert::shown(py, key)?),
        };
        let query = self.query.get().__repr__(py)?;
        let outcome = match &self.error {
            None => "ok".into(),
            Some(error) => error.bind(py).repr()?.to_string(),
        };
        Ok(format!("<ExtractionFinished {}, {key}{outcome} of {query}>", self.job))
    }
}

/// Why a job has no item, as an object.
pub(crate) struct JobError(Py<PyAny>);

impl<'py> IntoPyObject<'py> for JobError {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = Infallible;

    #[cfg(feature = "stubs")]
    const OUTPUT_TYPE: PyStaticExpr = hints::EXTRACTION_JOB_ERROR;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Infallible> {
        Ok(self.0.into_bound(py))
    }
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
    error: Py<PyAny>,
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

/// Why an engine stopped, as an object.
pub(crate) struct StopError(Py<PyAny>);

impl<'py> IntoPyObject<'py> for StopError {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = Infallible;

    #[cfg(feature = "stubs")]
    const OUTPUT_TYPE: PyStaticExpr = hints::SERVICE_ERROR;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Infallible> {
        Ok(self.0.into_bound(py))
    }
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
    fn from_core(
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
