//! Which failures are worth another try, and when.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use silkline::schedule::{FailureClass, Progress, RetryPolicy};

use super::rules::PyRule;
use crate::{
    convert::{Moment, maybe_delay, seconds, told},
    names::{self, literal},
    rng::PyRng,
    shared::Shared,
};

literal! {
    /// Why something did not succeed, as far as waits and budgets differ.
    FailureClassName {
        "account", "ban", "billed_query", "download", "download_internal", "garbled", "network",
        "occupied", "query", "server", "target", "throttled",
    }
}

impl FailureClassName {
    fn into_core(self) -> PyResult<FailureClass> {
        names::known(FailureClass::from_name(self.0), self.0)
    }
}

literal! {
    /// A policy that is ready made.
    PresetName { "aggressive", "default", "smart_proxy", "zyte_api", "zyte_api_aggressive" }
}

/// What one piece of work has been through: failures by class, and since when.
///
/// >>> from silkline.schedule import Progress
/// >>> Progress(10.0).failures("network"), Progress(10.0).first_attempt
/// (0, 10.0)
#[pyclass(name = "Progress", module = "silkline.schedule", frozen)]
pub(crate) struct PyProgress(Shared<Progress>);

#[pymethods]
impl PyProgress {
    #[new]
    fn new(first_attempt: Moment) -> Self {
        Self(Shared::new(Progress::new(first_attempt.0)))
    }

    /// Failures of a class so far.
    fn failures(&self, py: Python<'_>, failure: FailureClassName) -> PyResult<u32> {
        let class = failure.into_core()?;
        Ok(self.0.lock(py).failures(class))
    }

    /// When the first attempt was made.
    #[getter]
    fn first_attempt(&self, py: Python<'_>) -> f64 {
        told(self.0.lock(py).first_attempt())
    }
}

/// A wait and a budget for each class of failures.
///
/// The preset ``"default"`` is the published behaviour of the services' own clients, ``"zyte_api"``
/// that of the successor's client, ``"zyte_api_aggressive"`` (or ``"aggressive"``) the same with
/// twice the attempts, ``"smart_proxy"`` that of clients of Smart Proxy Manager.
///
/// >>> from silkline.schedule import Budget, Progress, RetryPolicy, Rng, Rule
/// >>> policy = RetryPolicy()
/// >>> rule = policy.rule("query")
/// >>> policy = policy.with_rule("query", Rule(rule.wait, Budget("retries", 1)))
/// >>> progress, rng = Progress(0.0), Rng(1)
/// >>> 3 <= policy.next(progress, "query", 5.0, rng) <= 8
/// True
/// >>> policy.next(progress, "query", 15.0, rng) is None, progress.failures("query")
/// (True, 2)
#[pyclass(name = "RetryPolicy", module = "silkline.schedule", frozen, eq)]
#[derive(Eq, PartialEq)]
pub(crate) struct PyRetryPolicy(pub(crate) RetryPolicy);

#[pymethods]
impl PyRetryPolicy {
    #[new]
    #[pyo3(signature = (preset = PresetName("default"), rules = None))]
    fn new(
        preset: PresetName,
        rules: Option<BTreeMap<FailureClassName, PyRef<'_, PyRule>>>,
    ) -> PyResult<Self> {
        let mut policy = names::known(RetryPolicy::preset(preset.0), preset.0)?;
        for (failure, rule) in rules.into_iter().flatten() {
            policy = policy.with_rule(failure.into_core()?, rule.to_core());
        }
        Ok(Self(policy))
    }

    /// The rule of a class.
    fn rule(&self, failure: FailureClassName) -> PyResult<PyRule> {
        Ok(self.0.rule(failure.into_core()?).into())
    }

    /// The same with another rule for a class.
    fn with_rule(&self, failure: FailureClassName, rule: PyRef<'_, PyRule>) -> PyResult<Self> {
        Ok(Self(self.0.clone().with_rule(failure.into_core()?, rule.to_core())))
    }

    /// Counts a failure, and gives the seconds to wait before the next try; `None` to give up.
    /// ``asked`` is the service's own delay, which is the least.
    #[pyo3(signature = (progress, failure, now, rng, *, asked = None))]
    fn next(
        &self,
        py: Python<'_>,
        progress: &PyProgress,
        failure: FailureClassName,
        now: Moment,
        rng: &PyRng,
        asked: Option<f64>,
    ) -> PyResult<Option<f64>> {
        let (class, asked) = (failure.into_core()?, maybe_delay("asked", asked)?);
        let mut progress = progress.0.lock(py);
        let wait = rng.with(py, |rng| self.0.next(&mut progress, class, asked, now.0, rng));
        Ok(wait.map(seconds))
    }

    // Scrapy copies its settings.
    fn __copy__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __deepcopy__<'py>(slf: PyRef<'py, Self>, _memo: &Bound<'py, PyAny>) -> PyRef<'py, Self> {
        slf
    }

    fn __repr__(&self) -> String {
        let mut presets =
            PresetName::ALL.iter().filter_map(|name| Some((*name, RetryPolicy::preset(name)?)));
        presets.find(|(_, preset)| *preset == self.0).map_or_else(
            || "<RetryPolicy with rules of its own>".into(),
            |(name, _)| format!("RetryPolicy('{name}')"),
        )
    }
}
