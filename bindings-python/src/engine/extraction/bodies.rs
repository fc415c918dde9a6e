//! The objects whose bytes the results are over.

use std::collections::BTreeMap;

use pyo3::{Py, Python, types::PyBytes};
use silkline::{
    engine::{ExtractionEvent, ExtractionJobError, ExtractionOutput},
    extraction::QueryResult,
};

/// The caller's `bytes` of each answer whose results may still come out, by where the core keeps
/// its copy: so the results that Python sees share one object, which is the caller's own, and the
/// core's copy goes when the last of them is out.
#[derive(Default)]
pub(super) struct Bodies(BTreeMap<usize, Py<PyBytes>>);

impl Bodies {
    /// Remembers an answer. The entry of one that lay at the same place, and so is gone, is given
    /// back, to be dropped where Python may run.
    pub(super) fn keep(&mut self, copy: &[u8], body: Py<PyBytes>) -> Option<Py<PyBytes>> {
        self.0.insert(copy.as_ptr().addr(), body)
    }

    /// The body of an output's result; and, once something comes out that is no event, the bodies
    /// that nobody needs any more, since events come first.
    pub(super) fn of(
        &mut self,
        py: Python<'_>,
        output: &ExtractionOutput,
    ) -> (Option<Py<PyBytes>>, Option<Self>) {
        match output {
            ExtractionOutput::Event(event) => {
                (result(event).and_then(|it| self.find(py, it)), None)
            }
            ExtractionOutput::Abort(_) => (None, None),
            _ if self.0.is_empty() => (None, None),
            _ => (None, Some(core::mem::take(self))),
        }
    }

    fn find(&self, py: Python<'_>, result: &QueryResult) -> Option<Py<PyBytes>> {
        let body = self.0.get(&result.body().as_ptr().addr())?;
        (body.as_bytes(py).len() == result.body().len()).then(|| body.clone_ref(py))
    }
}

/// The result that an event tells of.
fn result(event: &ExtractionEvent) -> Option<&QueryResult> {
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
