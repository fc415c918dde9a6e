//! What both engines say to their driver, and it to them.

use core::{convert::Infallible, marker::PhantomData};

#[cfg(feature = "stubs")]
use pyo3::inspect::PyStaticExpr;
use pyo3::{IntoPyObjectExt, prelude::*, types::PyList};
use silkline::{
    Timestamp,
    engine::{Failure, IdleReason, Receipt, RequestId, UnknownRequest, WaitReason},
};

use crate::{
    convert, errors,
    names::{self, literal, match_args},
};

literal! {
    /// Why a request has no answer.
    FailureName { "network", "not_sent", "timeout" }
}

impl FailureName {
    pub(super) fn into_core(self) -> PyResult<Failure> {
        names::known(Failure::from_name(self.0), self.0)
    }
}

literal! {
    /// Whether an answer was still waited for.
    ReceiptName { "accepted", "late" }
}

impl ReceiptName {
    pub(super) fn from_core(
        py: Python<'_>,
        receipt: Result<Receipt, UnknownRequest>,
    ) -> PyResult<Self> {
        let receipt = receipt.map_err(|error| errors::unknown_request(py, &error))?;
        Ok(Self(receipt.as_str()))
    }
}

literal! {
    /// Why nothing can be sent before a moment.
    WaitReasonName {
        "answers", "back_off", "budget", "domain_occupied", "rate", "session_cooling", "slots_busy",
    }
}

literal! {
    /// Why nothing will happen before the next command.
    IdleReasonName { "closed", "empty", "incomplete", "out_of_budget", "stopped" }
}

match_args!(AbortArgs: "request_id");
match_args!(WaitUntilArgs: "at", "reason");
match_args!(IdleArgs: "reason");

/// Give a request up: nobody waits for its answer. If one comes nevertheless, pass it in.
///
/// >>> from silkline import ExtractionApi, ExtractionEngine
/// >>> from silkline.engine import Abort
/// >>> engine = ExtractionEngine(ExtractionApi("KEY"))
/// >>> job = engine.submit({"url": "https://example.com/", "pageType": "article"}, 0.0)
/// >>> request_id = engine.poll(0.0).request_id
/// >>> engine.cancel(job, 1.0)
/// True
/// >>> engine.poll_batch(1.0, 10)[1] == Abort(request_id)
/// True
#[pyclass(name = "Abort", module = "silkline.engine", frozen, eq, hash)]
#[derive(Eq, Hash, PartialEq)]
pub(crate) struct PyAbort {
    /// The id of the request.
    #[pyo3(get)]
    request_id: u64,
}

impl From<RequestId> for PyAbort {
    fn from(id: RequestId) -> Self {
        Self { request_id: id.as_u64() }
    }
}

#[pymethods]
impl PyAbort {
    #[classattr]
    fn __match_args__() -> AbortArgs {
        AbortArgs
    }

    #[new]
    fn new(request_id: u64) -> Self {
        Self { request_id }
    }

    fn __repr__(&self) -> String {
        format!("Abort({})", self.request_id)
    }

    fn __getnewargs__(&self) -> (u64,) {
        (self.request_id,)
    }
}

/// Nothing to do before this moment, unless a command or an input comes.
///
/// >>> from silkline import ExtractionApi, ExtractionEngine
/// >>> engine = ExtractionEngine(ExtractionApi("KEY"))
/// >>> queries = [{"url": f"https://example.com/{n}", "pageType": "article"} for n in range(2)]
/// >>> engine.submit_many(queries, 0.0)
/// [1, 2]
/// >>> engine.poll_batch(0.0, 10)[1]
/// WaitUntil(0.2, 'rate')
#[pyclass(name = "WaitUntil", module = "silkline.engine", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct PyWaitUntil {
    /// The moment, in seconds on the driver's clock; never later than the first deadline.
    #[pyo3(get)]
    at: f64,
    /// Why nothing can be sent now.
    #[pyo3(get)]
    reason: WaitReasonName,
}

impl PyWaitUntil {
    pub(super) fn from_core(at: Timestamp, reason: WaitReason) -> Self {
        Self { at: convert::told(at), reason: WaitReasonName(reason.as_str()) }
    }
}

#[pymethods]
impl PyWaitUntil {
    #[classattr]
    fn __match_args__() -> WaitUntilArgs {
        WaitUntilArgs
    }

    #[new]
    fn new(at: f64, reason: WaitReasonName) -> Self {
        Self { at, reason }
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        (self.at, self.reason).into_pyobject(py)?.hash()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("WaitUntil({}, '{}')", self.at.into_pyobject(py)?.repr()?, self.reason.0))
    }

    fn __getnewargs__(&self) -> (f64, WaitReasonName) {
        (self.at, self.reason)
    }
}

/// Nothing to do before the next command.
///
/// >>> from silkline import ExtractionApi, ExtractionEngine
/// >>> ExtractionEngine(ExtractionApi("KEY")).poll(0.0)
/// Idle('empty')
#[pyclass(name = "Idle", module = "silkline.engine", frozen, eq, hash)]
#[derive(Eq, Hash, PartialEq)]
pub(crate) struct PyIdle {
    /// Why.
    #[pyo3(get)]
    reason: IdleReasonName,
}

impl From<IdleReason> for PyIdle {
    fn from(reason: IdleReason) -> Self {
        Self { reason: IdleReasonName(reason.as_str()) }
    }
}

#[pymethods]
impl PyIdle {
    #[classattr]
    fn __match_args__() -> IdleArgs {
        IdleArgs
    }

    #[new]
    fn new(reason: IdleReasonName) -> Self {
        Self { reason }
    }

    fn __repr__(&self) -> String {
        format!("Idle('{}')", self.reason.0)
    }

    fn __getnewargs__(&self) -> (IdleReasonName,) {
        (self.reason,)
    }
}

/// What to do next, one after the other.
pub(crate) struct Outputs<O>(Py<PyList>, PhantomData<O>);

impl<'py, O: IntoPyObject<'py>> Outputs<O> {
    /// Each output becomes an object at once, so that it moves only once.
    pub(super) fn new(
        py: Python<'py>,
        outputs: impl Iterator<Item = PyResult<O>>,
    ) -> PyResult<Self> {
        let object = |output: PyResult<O>| output?.into_bound_py_any(py);
        let objects = outputs.map(object).collect::<PyResult<Vec<_>>>()?;
        Ok(Self(PyList::new(py, objects)?.unbind(), PhantomData))
    }
}

impl<'py, O: IntoPyObject<'py>> IntoPyObject<'py> for Outputs<O> {
    type Target = PyList;
    type Output = Bound<'py, PyList>;
    type Error = Infallible;

    #[cfg(feature = "stubs")]
    const OUTPUT_TYPE: PyStaticExpr = Vec::<O>::OUTPUT_TYPE;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Infallible> {
        Ok(self.0.into_bound(py))
    }
}

/// The key of a job as the beginning of a `repr` shows it.
pub(super) fn shown_key(py: Python<'_>, key: Option<&str>) -> PyResult<String> {
    key.map_or(Ok(String::new()), |key| Ok(format!("{}, ", convert::shown(py, key)?)))
}
