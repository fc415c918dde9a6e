//! `silkline::Rng` for Python.

use pyo3::prelude::*;
use silkline::Rng;

use crate::{convert::seed_or_random, shared::Shared};

/// A small seeded generator, for jitter and ties. Not for secrets.
///
/// The same seed gives the same numbers in every language. Without a seed, the operating system
/// gives one.
///
/// >>> from silkline.schedule import Rng
/// >>> rng = Rng(1234567)
/// >>> rng.next_u64(), rng.up_to(9)
/// (6457827717110365317, 1)
/// >>> Rng(rng.state).next_u64() == rng.next_u64()
/// True
#[pyclass(name = "Rng", module = "silkline.schedule", frozen)]
pub(crate) struct PyRng(Shared<Rng>);

impl PyRng {
    pub(crate) fn with<R>(&self, py: Python<'_>, call: impl FnOnce(&mut Rng) -> R) -> R {
        call(&mut self.0.lock(py))
    }
}

#[pymethods]
impl PyRng {
    #[new]
    #[pyo3(signature = (seed = None))]
    fn new(py: Python<'_>, seed: Option<u64>) -> PyResult<Self> {
        Ok(Self(Shared::new(Rng::new(seed_or_random(py, seed)?))))
    }

    /// The state, a seed from which another generator goes on with the same sequence.
    #[getter]
    fn state(&self, py: Python<'_>) -> u64 {
        self.with(py, |rng| rng.state())
    }

    /// The next 64 random bits.
    fn next_u64(&self, py: Python<'_>) -> u64 {
        self.with(py, Rng::next_u64)
    }

    /// A number from 0 to ``most``.
    fn up_to(&self, py: Python<'_>, most: u64) -> u64 {
        self.with(py, |rng| rng.up_to(most))
    }
}
