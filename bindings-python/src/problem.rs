//! `silkline::problem` for Python: problem documents, read and built.

use pyo3::{
    prelude::*,
    types::{PyBytes, PyString},
};
use silkline::problem::Problem;

use crate::{
    convert::{self, Body, Members, Rebuild, Text},
    errors,
};

/// A problem document (RFC 7807): what a service says is wrong.
///
/// >>> from silkline import Problem
/// >>> problem = Problem.read(b'{"type": "http://a.b/rate-limit-exceeded.html", "retryAfter": 2.5}')
/// >>> problem.kind, problem.title, problem.members, problem.retry_delay
/// ('rate-limit-exceeded', None, {'retryAfter': 2.5}, 2.5)
/// >>> Problem("http://a.b/empty-request", title="Empty", status=400).to_json()
/// '{"type":"http://a.b/empty-request","title":"Empty","status":400}'
#[pyclass(name = "Problem", module = "silkline", frozen, eq)]
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct PyProblem(pub(crate) Problem);

#[pymethods]
impl PyProblem {
    #[new]
    #[pyo3(signature = (
        problem_type = None, *, title = None, status = None, detail = None, instance = None,
        members = None
    ))]
    fn new(
        py: Python<'_>,
        problem_type: Option<Text>,
        title: Option<Text>,
        status: Option<u16>,
        detail: Option<Text>,
        instance: Option<Text>,
        members: Option<Members<'_>>,
    ) -> PyResult<Self> {
        let mut problem = problem_type.map_or_else(Problem::default, |uri| Problem::new(uri.value));
        if let Some(title) = title {
            problem = problem.with_title(title.value);
        }
        if let Some(status) = status {
            problem = problem.with_status(status);
        }
        if let Some(detail) = detail {
            problem = problem.with_detail(detail.value);
        }
        if let Some(instance) = instance {
            problem = problem.with_instance(instance.value);
        }
        for (name, value) in members.iter().flat_map(|members| &members.0) {
            problem = problem
                .with_member(&name.extract::<Text>()?.value, &convert::to_json(&value)?)
                .map_err(|error| errors::problem(py, &error))?;
        }
        Ok(Self(problem))
    }

    /// Reads the body of an answer.
    ///
    /// >>> from silkline import Problem
    /// >>> Problem.read(b'{"title": "Empty"}').title
    /// 'Empty'
    #[staticmethod]
    fn read(py: Python<'_>, body: Body) -> PyResult<Self> {
        let problem = Problem::read(body.0.as_bytes(py));
        problem.map(Self).map_err(|error| errors::problem(py, &error))
    }

    /// The same with a member of one's own, given as JSON text.
    ///
    /// >>> from silkline import Problem
    /// >>> Problem("about:blank").with_member("limit", "5.0").to_json()
    /// '{"type":"about:blank","limit":5.0}'
    fn with_member(
        &self,
        py: Python<'_>,
        name: Text,
        json: &Bound<'_, PyString>,
    ) -> PyResult<Self> {
        let problem = self.0.clone().with_member(&name.value, &convert::json_text(json)?);
        problem.map(Self).map_err(|error| errors::problem(py, &error))
    }

    /// The document as JSON.
    ///
    /// >>> from silkline import Problem
    /// >>> Problem("about:blank", members={"limit": 5}).to_json()
    /// '{"type":"about:blank","limit":5}'
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    /// The URI of the problem's type, as it stands in the document.
    #[getter]
    fn problem_type(&self) -> Option<&str> {
        self.0.problem_type()
    }

    /// What tells the types apart: the last path segment of the type, without `.html`.
    #[getter]
    fn kind(&self) -> Option<&str> {
        self.0.kind()
    }

    /// A short summary of the problem's type.
    #[getter]
    fn title(&self) -> Option<&str> {
        self.0.title()
    }

    /// The status of the response, as the document repeats it.
    #[getter]
    fn status(&self) -> Option<u16> {
        self.0.status()
    }

    /// An explanation of this occurrence.
    #[getter]
    fn detail(&self) -> Option<&str> {
        self.0.detail()
    }

    /// A URI of this occurrence.
    #[getter]
    fn instance(&self) -> Option<&str> {
        self.0.instance()
    }

    /// The other members; a new dict each time.
    #[getter]
    fn members<'py>(&self, py: Python<'py>) -> PyResult<Members<'py>> {
        convert::members(py, self.0.members().map(|(name, json)| (name, json.as_bytes())))
    }

    /// How many seconds to wait before the next attempt, if a member says so.
    #[getter]
    fn retry_delay(&self) -> Option<f64> {
        self.0.retry_delay().map(convert::seconds)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.to_json().into_pyobject(py)?.hash()
    }

    fn __repr__(&self) -> String {
        format!("<Problem {}>", self.to_json())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Rebuild<'py, (Bound<'py, PyBytes>,)>> {
        let read = py.get_type::<Self>().getattr("read")?;
        Ok((read, (PyBytes::new(py, self.to_json().as_bytes()),)))
    }
}
