//! The objects whose bytes the events are over.

use std::collections::BTreeMap;

use pyo3::{Py, Python, types::PyBytes};

/// How much of a body's beginning is compared before it is taken for the one at its place.
const PROBE: usize = 4096;

/// What an output has to do with bodies.
pub(super) enum Held<'a> {
    /// An event, over this body if over any.
    Event(Option<&'a [u8]>),
    /// An abort, after which there may be further events.
    Abort,
    /// Anything else comes when all events are out.
    Other,
}

/// An output of an engine.
pub(super) trait Output {
    fn held(&self) -> Held<'_>;
}

/// The caller's `bytes` of each answer that may still come out in an event, by where the core keeps
/// its copy: so what Python sees is the caller's own object, once, and the core's copy goes when the
/// last event of it is out.
///
/// Events come before anything else. So with the first output that is none, or an abort, nobody
/// needs the bodies any more.
#[derive(Default)]
pub(super) struct Bodies(BTreeMap<usize, Py<PyBytes>>);

impl Bodies {
    /// Remembers an answer. The entry of one that lay at the same place, and so is gone, is given
    /// back, to be dropped where Python may run.
    pub(super) fn keep(&mut self, copy: &[u8], body: Py<PyBytes>) -> Option<Py<PyBytes>> {
        self.0.insert(copy.as_ptr().addr(), body)
    }

    /// The body of an output, and those that nobody needs any more, to be dropped where Python may
    /// run.
    pub(super) fn of(
        &mut self,
        py: Python<'_>,
        output: &impl Output,
    ) -> (Option<Py<PyBytes>>, Option<Self>) {
        match output.held() {
            Held::Event(copy) => (copy.and_then(|copy| self.find(py, copy)), None),
            Held::Abort => (None, None),
            Held::Other => (None, (!self.0.is_empty()).then(|| core::mem::take(self))),
        }
    }

    /// The caller's object of a copy.
    fn find(&self, py: Python<'_>, copy: &[u8]) -> Option<Py<PyBytes>> {
        let body = self.0.get(&copy.as_ptr().addr())?;
        let bytes = body.as_bytes(py);
        let same =
            bytes.len() == copy.len() && bytes.iter().zip(copy).take(PROBE).all(|(a, b)| a == b);
        same.then(|| body.clone_ref(py))
    }
}
