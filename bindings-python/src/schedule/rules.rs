//! How long to wait before the next try, and when to give up.

use core::time::Duration;

use pyo3::{exceptions::PyValueError, prelude::*};
use silkline::schedule::{Budget, Rule, Wait};

use super::super::rng::PyRng;
use crate::{
    convert::{delay, seconds},
    names::{literal, match_args},
};

/// A wait with full jitter: a random time between ``least`` and ``most`` seconds, and a part that
/// may grow with each try.
///
/// >>> from silkline.schedule import Rng, Wait
/// >>> wait = Wait(3, 7).growing(1, 55).with_first(2, 20, 40)
/// >>> [wait.range(failures) for failures in (1, 2, 3, 4, 20)]
/// [(20.0, 40.0), (20.0, 40.0), (3.0, 11.0), (3.0, 15.0), (3.0, 62.0)]
/// >>> 20 <= wait.after(1, Rng(1)) <= 40
/// True
#[pyclass(name = "Wait", module = "silkline.schedule", frozen, eq)]
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct PyWait(Wait);

#[pymethods]
impl PyWait {
    #[new]
    fn new(least: f64, most: f64) -> PyResult<Self> {
        Ok(Self(Wait::between(delay("least", least)?, delay("most", most)?)))
    }

    /// The same with a part that doubles from ``step`` with each try, up to ``cap`` seconds.
    fn growing(&self, step: f64, cap: f64) -> PyResult<Self> {
        Ok(Self(self.0.growing(delay("step", step)?, delay("cap", cap)?)))
    }

    /// The same, but the first ``tries`` waits are between ``least`` and ``most`` seconds.
    fn with_first(&self, tries: u32, least: f64, most: f64) -> PyResult<Self> {
        Ok(Self(self.0.with_first(tries, delay("least", least)?, delay("most", most)?)))
    }

    /// The wait after so many failures, in seconds.
    fn after(&self, py: Python<'_>, failures: u32, rng: &PyRng) -> f64 {
        seconds(rng.with(py, |rng| self.0.after(failures, rng)))
    }

    /// The shortest and the longest wait after so many failures.
    fn range(&self, failures: u32) -> (f64, f64) {
        let (least, most) = self.0.range(failures);
        (seconds(least), seconds(most))
    }

    fn __copy__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __deepcopy__<'py>(slf: PyRef<'py, Self>, _memo: &Bound<'py, PyAny>) -> PyRef<'py, Self> {
        slf
    }

    fn __repr__(&self) -> String {
        let (least, most) = self.0.range(1);
        format!("<Wait of {} to {} seconds at first>", seconds(least), seconds(most))
    }
}

literal! {
    /// What a budget counts.
    BudgetKind { "forever", "retries", "since_first_attempt", "uninterrupted" }
}

match_args!(BudgetArgs: "kind", "limit");
match_args!(RuleArgs: "wait", "budget");

/// When to give up: never (``"forever"``), after so many ``"retries"`` of the class, when so many
/// seconds have passed ``"since_first_attempt"``, or when failures of the class came for so many
/// seconds ``"uninterrupted"``.
///
/// >>> from silkline.schedule import Budget
/// >>> Budget("retries", 3), Budget("forever")
/// (Budget('retries', 3), Budget('forever'))
/// >>> Budget("uninterrupted", 900).limit
/// 900.0
#[pyclass(name = "Budget", module = "silkline.schedule", frozen, eq)]
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct PyBudget(pub(super) Budget);

/// Retries, or seconds.
#[derive(IntoPyObject)]
pub(crate) enum Limit {
    Count(u32),
    Seconds(f64),
}

#[pymethods]
impl PyBudget {
    #[classattr]
    fn __match_args__() -> BudgetArgs {
        BudgetArgs
    }

    #[new]
    #[pyo3(signature = (kind, limit = None))]
    fn new(kind: BudgetKind, limit: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let time =
            |limit: &Bound<'_, PyAny>| -> PyResult<Duration> { delay("limit", limit.extract()?) };
        let budget = match (kind.0, limit) {
            ("forever", None) => Budget::Forever,
            ("retries", Some(limit)) => Budget::Retries(limit.extract()?),
            ("since_first_attempt", Some(limit)) => Budget::SinceFirstAttempt(time(limit)?),
            ("uninterrupted", Some(limit)) => Budget::Uninterrupted(time(limit)?),
            (kind, None) => {
                return Err(PyValueError::new_err(format!("budget `{kind}` needs a limit")));
            }
            (kind, Some(_)) => {
                return Err(PyValueError::new_err(format!("budget `{kind}` takes no limit")));
            }
        };
        Ok(Self(budget))
    }

    /// What it counts.
    #[getter]
    fn kind(&self) -> BudgetKind {
        BudgetKind(match self.0 {
            Budget::Retries(_) => "retries",
            Budget::SinceFirstAttempt(_) => "since_first_attempt",
            Budget::Uninterrupted(_) => "uninterrupted",
            _ => "forever",
        })
    }

    /// How many retries or seconds; `None` for no end.
    #[getter]
    fn limit(&self) -> Option<Limit> {
        match self.0 {
            Budget::Retries(retries) => Some(Limit::Count(retries)),
            Budget::SinceFirstAttempt(time) | Budget::Uninterrupted(time) => {
                Some(Limit::Seconds(seconds(time)))
            }
            _ => None,
        }
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.__getnewargs__().into_pyobject(py)?.hash()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let kind = self.kind().0;
        Ok(match self.limit() {
            None => format!("Budget('{kind}')"),
            Some(limit) => format!("Budget('{kind}', {})", limit.into_pyobject(py)?.repr()?),
        })
    }

    fn __getnewargs__(&self) -> (BudgetKind, Option<Limit>) {
        (self.kind(), self.limit())
    }
}

/// The wait and the budget of a class of failures.
///
/// >>> from silkline.schedule import Budget, Rule, Wait
/// >>> Rule(Wait(1, 2), Budget("retries", 3)).budget
/// Budget('retries', 3)
#[pyclass(name = "Rule", module = "silkline.schedule", frozen, eq)]
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct PyRule {
    /// How long to wait.
    #[pyo3(get)]
    wait: PyWait,
    /// When to give up.
    #[pyo3(get)]
    budget: PyBudget,
}

impl From<Rule> for PyRule {
    fn from(rule: Rule) -> Self {
        Self { wait: PyWait(rule.wait), budget: PyBudget(rule.budget) }
    }
}

impl PyRule {
    pub(super) fn to_core(self) -> Rule {
        Rule::new(self.wait.0, self.budget.0)
    }
}

#[pymethods]
impl PyRule {
    #[classattr]
    fn __match_args__() -> RuleArgs {
        RuleArgs
    }

    #[new]
    fn new(wait: PyRef<'_, PyWait>, budget: PyRef<'_, PyBudget>) -> Self {
        Self { wait: *wait, budget: *budget }
    }

    fn __copy__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __deepcopy__<'py>(slf: PyRef<'py, Self>, _memo: &Bound<'py, PyAny>) -> PyRef<'py, Self> {
        slf
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Rule({}, {})", self.wait.__repr__(), self.budget.__repr__(py)?))
    }
}
