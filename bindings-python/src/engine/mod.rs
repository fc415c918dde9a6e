//! `silkline::engine` for Python: the machines that tie it together.
//!
//! A machine is behind a lock, so that threads may share it. Nothing of Python runs under the lock:
//! what a call gives is turned into objects after it, or a finalizer that calls the machine, or a
//! switch of threads, could stand still for ever.

mod contract;
mod extraction;

pub(crate) use contract::{PyAbort, PyIdle, PyWaitUntil};
pub(crate) use extraction::{
    PyExtractionEngine, PyExtractionFinished, PyExtractionSend, PyExtractionStats,
    PyExtractionStopped, PyExtractionUnmatched,
};
