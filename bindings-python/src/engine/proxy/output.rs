//! What the engine tells its driver to do.

use pyo3::{exceptions::PyNotImplementedError, prelude::*, types::PyBytes};
use silkline::engine::{ProxyEvent, ProxyJobError, ProxyOutput};

use super::{
    super::{
        bodies::{self, Held},
        contract::{PyAbort, PyIdle, PyWaitUntil},
    },
    events::{PyProxyFinished, PyProxyIncomplete, PyProxySessionLost, PyProxyStopped},
    send::PyProxySend,
};

/// What to do next.
#[derive(IntoPyObject)]
#[expect(clippy::large_enum_variant, reason = "most outputs are sends")]
pub(crate) enum Output {
    Send(PyProxySend),
    Abort(PyAbort),
    Finished(PyProxyFinished),
    Incomplete(PyProxyIncomplete),
    SessionLost(PyProxySessionLost),
    Stopped(PyProxyStopped),
    WaitUntil(PyWaitUntil),
    Idle(PyIdle),
}

impl Output {
    pub(super) fn from_core(
        py: Python<'_>,
        output: ProxyOutput,
        body: Option<Py<PyBytes>>,
    ) -> PyResult<Self> {
        Ok(match output {
            ProxyOutput::Send(send) => Self::Send(PyProxySend::from_core(send)),
            ProxyOutput::Abort(id) => Self::Abort(id.into()),
            ProxyOutput::Event(ProxyEvent::Finished(finished)) => {
                Self::Finished(PyProxyFinished::from_core(py, *finished, body)?)
            }
            ProxyOutput::Event(ProxyEvent::Incomplete(incomplete)) => {
                Self::Incomplete(PyProxyIncomplete::from_core(py, *incomplete)?)
            }
            ProxyOutput::Event(ProxyEvent::SessionLost { name, session, cause }) => {
                Self::SessionLost(PyProxySessionLost::new(name.into(), &session, cause))
            }
            ProxyOutput::Event(ProxyEvent::Stopped(error)) => {
                Self::Stopped(PyProxyStopped::from_core(py, &error))
            }
            ProxyOutput::Event(event) => {
                return Err(PyNotImplementedError::new_err(format!("event {}", event.name())));
            }
            ProxyOutput::WaitUntil { at, reason } => {
                Self::WaitUntil(PyWaitUntil::from_core(at, reason))
            }
            ProxyOutput::Idle(reason) => Self::Idle(reason.into()),
        })
    }
}

impl bodies::Output for ProxyOutput {
    fn held(&self) -> Held<'_> {
        let response = match self {
            Self::Event(ProxyEvent::Finished(finished)) => match &finished.outcome {
                Ok(fetched) => Some(&fetched.response),
                Err(ProxyJobError::Banned(response)) => Some(&**response),
                Err(_) => None,
            },
            Self::Event(_) => None,
            Self::Abort(_) => return Held::Abort,
            _ => return Held::Other,
        };
        Held::Event(response.map(|response| &response.body[..]))
    }
}
