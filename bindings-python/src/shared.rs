//! A machine that threads share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::{Python, sync::MutexExt};

/// A machine behind a lock.
///
/// Nothing of Python runs under the lock: what a call gives is turned into objects after it, or a
/// finalizer that calls the machine, or a switch of threads, could stand still for ever.
pub(crate) struct Shared<T>(Mutex<T>);

impl<T> Shared<T> {
    pub(crate) fn new(machine: T) -> Self {
        Self(Mutex::new(machine))
    }

    /// The machine, for a short call that needs nothing of Python.
    pub(crate) fn lock(&self, py: Python<'_>) -> MutexGuard<'_, T> {
        self.0.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a call that may take long, with the interpreter released.
    pub(crate) fn detached<R: Send>(
        &self,
        py: Python<'_>,
        call: impl Send + FnOnce(&mut T) -> R,
    ) -> R
    where
        T: Send,
    {
        py.detach(|| call(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}
