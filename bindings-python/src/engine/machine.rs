//! An engine that threads share, with the bodies that its events are over.

use pyo3::{prelude::*, types::PyBytes};
use silkline::{
    engine::{JobId, NotSubmitted, Receipt, UnknownRequest},
    http::Response,
};

use super::{
    bodies::{Bodies, Output},
    contract::ReceiptName,
};
use crate::{
    convert::{Body, ReceivedHeaders},
    errors,
    extraction::BIG,
    shared::Shared,
};

/// What the lock guards.
struct Inner<E> {
    engine: E,
    bodies: Bodies,
}

/// An engine behind a lock.
pub(super) struct Machine<E>(Shared<Inner<E>>);

impl<E: Send> Machine<E> {
    pub(super) fn new(engine: E) -> Self {
        Self(Shared::new(Inner { engine, bodies: Bodies::default() }))
    }

    /// A short call.
    pub(super) fn call<R>(&self, py: Python<'_>, call: impl FnOnce(&mut E) -> R) -> R {
        call(&mut self.0.lock(py).engine)
    }

    /// A call that may take long, with the interpreter released.
    pub(super) fn detached<R: Send>(
        &self,
        py: Python<'_>,
        call: impl Send + FnOnce(&mut E) -> R,
    ) -> R {
        self.0.detached(py, |inner| call(&mut inner.engine))
    }

    /// Takes a job in, and gives its number.
    pub(super) fn submit(
        &self,
        py: Python<'_>,
        submit: impl FnOnce(&mut E) -> Result<JobId, NotSubmitted>,
    ) -> PyResult<u64> {
        let id = self.call(py, submit);
        id.map(JobId::as_u64).map_err(|error| errors::not_submitted(py, &error))
    }

    /// The next output, with the body that it is over.
    pub(super) fn poll<O: Output>(
        &self,
        py: Python<'_>,
        poll: impl FnOnce(&mut E) -> O,
    ) -> (O, Option<Py<PyBytes>>) {
        let mut inner = self.0.lock(py);
        let output = poll(&mut inner.engine);
        let (body, done) = inner.bodies.of(py, &output);
        drop(inner);
        drop(done);
        (output, body)
    }

    /// The next outputs, with the body of each.
    pub(super) fn poll_batch<O: Output>(
        &self,
        py: Python<'_>,
        poll: impl FnOnce(&mut E) -> Vec<O>,
    ) -> impl Iterator<Item = (O, Option<Py<PyBytes>>)> {
        let mut inner = self.0.lock(py);
        let outputs = poll(&mut inner.engine);
        let (bodies, done): (Vec<_>, Vec<_>) =
            outputs.iter().map(|output| inner.bodies.of(py, output)).unzip();
        drop(inner);
        drop(done);
        outputs.into_iter().zip(bodies)
    }

    /// Takes an answer, and keeps the caller's own object of its body.
    pub(super) fn handle_response(
        &self,
        py: Python<'_>,
        status: u16,
        headers: ReceivedHeaders,
        body: Body,
        handle: impl Send + FnOnce(&mut E, Response) -> Result<Receipt, UnknownRequest>,
    ) -> PyResult<ReceiptName> {
        let (bytes, kept) = (body.0.as_bytes(py), body.0.clone_ref(py));
        let call = |inner: &mut Inner<E>| {
            let response = Response::new(status, headers.0, bytes);
            let before = inner.bodies.keep(&response.body, kept);
            (handle(&mut inner.engine, response), before)
        };
        let (receipt, _before) =
            if bytes.len() < BIG { call(&mut self.0.lock(py)) } else { self.0.detached(py, call) };
        ReceiptName::from_core(py, receipt)
    }
}
