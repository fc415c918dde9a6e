//! `silkline::plan` for Python.

use pyo3::prelude::*;
use silkline::plan::{Plan, PlanSettings};

use crate::{convert::Text, errors, shared::Shared};

/// A crawl in virtual time, by settings as JSON; `silkline.plan.Plan` has them by name.
///
/// >>> from silkline.plan import PlanRun
/// >>> run = PlanRun('{"kind": "proxy", "pages": 10}')
/// >>> run.advance(1000)
/// True
/// >>> run
/// PlanRun(10 of 10 pages)
#[pyclass(name = "PlanRun", module = "silkline.plan", frozen)]
pub(crate) struct PyPlanRun(Shared<Plan>);

#[pymethods]
impl PyPlanRun {
    #[new]
    fn new(py: Python<'_>, settings: Text) -> PyResult<Self> {
        py.detach(|| PlanSettings::from_json(&settings.value).and_then(Plan::new))
            .map(|plan| Self(Shared::new(plan)))
            .map_err(|error| errors::plan(py, &error))
    }

    /// Goes on by so many moments of virtual time, without holding up other threads; true if the
    /// crawl is over.
    fn advance(&self, py: Python<'_>, moments: u32) -> bool {
        self.0.detached(py, |plan| plan.advance(moments))
    }

    /// Pages that are done or failed, all pages, and the microseconds of virtual time so far.
    fn progress(&self, py: Python<'_>) -> (u64, u64, u64) {
        let progress = self.0.detached(py, |plan| plan.progress());
        (progress.finished, progress.total, progress.elapsed_us)
    }

    /// What came of it, so far if it is not over, as JSON.
    fn report(&self, py: Python<'_>) -> String {
        self.0.detached(py, |plan| plan.report().to_json())
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let (finished, total, _) = self.progress(py);
        format!("PlanRun({finished} of {total} pages)")
    }
}
