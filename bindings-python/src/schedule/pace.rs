//! The spacing of requests through one outgoing address.

use pyo3::prelude::*;
use silkline::{
    Timestamp,
    schedule::{Pace, Turn},
};

use crate::{
    convert::{self, Moment, maybe_delay, told},
    shared::Shared,
};

/// A request under way, as `Pace.begin` counted it.
///
/// >>> from silkline.schedule import Pace
/// >>> Pace(0.25).begin(12, 3.0).sent
/// 3.0
#[pyclass(name = "Turn", module = "silkline.schedule", frozen, eq)]
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct PyTurn(Turn);

#[pymethods]
impl PyTurn {
    /// When it was sent, as far as known.
    #[getter]
    fn sent(&self) -> f64 {
        told(self.0.sent())
    }
}

/// The pace of one session or address, ready from ``ready`` on.
///
/// The service counts a request when it arrives, at a moment between sending and answer that a
/// client cannot see. So the next one is ready at min(answer, sent + margin) + delay: the margin
/// covers the jitter of the way there; without one (`None`), only the answer counts.
///
/// >>> from silkline.schedule import Pace
/// >>> pace = Pace(0.25)
/// >>> turn = pace.begin(12, 0.0)
/// >>> pace.ready_at
/// 12.25
/// >>> pace.answered(turn, 0.1)
/// >>> pace.ready_at
/// 12.1
#[pyclass(name = "Pace", module = "silkline.schedule", frozen)]
pub(crate) struct PyPace(Shared<Pace>);

#[pymethods]
impl PyPace {
    #[new]
    #[pyo3(signature = (margin, ready = 0.0))]
    fn new(margin: Option<f64>, ready: f64) -> PyResult<Self> {
        let margin = maybe_delay("margin", margin)?;
        Ok(Self(Shared::new(Pace::new(margin, convert::moment(ready)?))))
    }

    /// When the next request may be sent; `None` while only an answer can tell.
    #[getter]
    fn ready_at(&self, py: Python<'_>) -> Option<f64> {
        let ready = self.0.lock(py).ready_at();
        (ready < Timestamp::MAX).then(|| told(ready))
    }

    /// Counts a request sent at ``now`` whose domain asks for ``delay`` seconds afterwards.
    fn begin(&self, py: Python<'_>, delay: f64, now: Moment) -> PyResult<PyTurn> {
        let delay = convert::delay("delay", delay)?;
        Ok(PyTurn(self.0.lock(py).begin(delay, now.0)))
    }

    /// The request left at ``now``, later than it was handed out: gives its turn as it is from then
    /// on.
    fn sent(&self, py: Python<'_>, turn: &PyTurn, now: Moment) -> PyTurn {
        let mut turn = turn.0;
        self.0.lock(py).sent(&mut turn, now.0);
        PyTurn(turn)
    }

    /// The request's answer was there at ``now``.
    fn answered(&self, py: Python<'_>, turn: &PyTurn, now: Moment) {
        self.0.lock(py).answered(turn.0, now.0);
    }

    /// No answer came in time: nobody knows when the request arrived, so it cools from ``now``.
    fn timed_out(&self, py: Python<'_>, turn: &PyTurn, now: Moment) {
        self.0.lock(py).timed_out(turn.0, now.0);
    }

    /// The request never left: as if it had not begun.
    fn not_sent(&self, py: Python<'_>, turn: &PyTurn) {
        self.0.lock(py).not_sent(turn.0);
    }

    /// The service says it is too fast: not before ``asked`` seconds have passed, and slower by two
    /// steps.
    #[pyo3(signature = (now, *, asked = None))]
    fn slow_down(&self, py: Python<'_>, now: Moment, asked: Option<f64>) -> PyResult<()> {
        let asked = maybe_delay("asked", asked)?;
        self.0.lock(py).slow_down(asked, now.0);
        Ok(())
    }

    /// A good answer that asked for nothing: back towards the plain delay by one step.
    fn recover(&self, py: Python<'_>) {
        self.0.lock(py).recover();
    }

    /// Waits at least until a moment.
    fn not_before(&self, py: Python<'_>, moment: Moment) {
        self.0.lock(py).not_before(moment.0);
    }

    /// Steps by which it is slowed down; each adds half of the plain delay.
    #[getter]
    fn steps(&self, py: Python<'_>) -> u32 {
        self.0.lock(py).steps()
    }
}
