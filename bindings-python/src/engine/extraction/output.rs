//! What the engine tells its driver to do.

use pyo3::{exceptions::PyNotImplementedError, prelude::*, types::PyBytes};
use silkline::engine::{ExtractionEvent, ExtractionJobError, ExtractionOutput};

use super::{
    super::{
        bodies::{self, Held},
        contract::{PyAbort, PyIdle, PyWaitUntil},
    },
    events::{PyExtractionFinished, PyExtractionStopped, PyExtractionUnmatched},
    send::PyExtractionSend,
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
                Self::Stopped(PyExtractionStopped::from_core(py, error))
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

impl bodies::Output for ExtractionOutput {
    fn held(&self) -> Held<'_> {
        let result = match self {
            Self::Event(ExtractionEvent::Finished(finished)) => match &finished.outcome {
                Ok(result) => Some(result),
                Err(ExtractionJobError::Query(result)) => Some(&**result),
                Err(_) => None,
            },
            Self::Event(ExtractionEvent::Unmatched(unmatched)) => Some(&unmatched.result),
            Self::Event(_) => None,
            Self::Abort(_) => return Held::Abort,
            _ => return Held::Other,
        };
        Held::Event(result.map(|result| &result.body()[..]))
    }
}
