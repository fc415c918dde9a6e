//! What a job is made of.

#[cfg(feature = "stubs")]
use pyo3::inspect::PyStaticExpr;
use pyo3::{
    Borrowed,
    exceptions::PyValueError,
    prelude::*,
    types::{PyIterator, PyString},
};
use silkline::{
    engine::JobSession,
    http::{Method, Request},
    proxy::SessionId,
};

#[cfg(feature = "stubs")]
use crate::hints;
use crate::{convert::Text, errors, http::PyRequest};

/// A request to a target as a program has it: a `Request`, or a URL to GET.
pub(crate) struct Target(pub(super) Request);

impl FromPyObject<'_, '_> for Target {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: PyStaticExpr = hints::TARGET;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyString>() {
            return Ok(Self(Request::new(Method::GET, object.extract::<Text>()?.value)));
        }
        object.cast::<PyRequest>()?.get().to_core(object.py()).map(Self)
    }
}

/// Targets one after the other, none before it is asked for.
pub(crate) struct Targets<'py>(pub(super) Bound<'py, PyIterator>);

impl<'py> FromPyObject<'_, 'py> for Targets<'py> {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: PyStaticExpr = hints::TARGETS;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        object.try_iter().map(Self)
    }
}

/// The session that a job goes through, by what is said of it.
pub(super) fn session(
    py: Python<'_>,
    name: Option<Text>,
    replace: bool,
    stay_in: Option<Text>,
    outside: bool,
) -> PyResult<JobSession> {
    let wrong = |text| Err(PyValueError::new_err(text));
    match (name, stay_in) {
        (Some(_), _) if outside => wrong("outside sessions there is no session to name"),
        (_, Some(_)) if outside => wrong("outside sessions there is none to stay in"),
        (Some(_), Some(_)) => wrong("a session is named or stayed in, not both"),
        (Some(name), None) => Ok(JobSession::Named { name: name.value.into(), replace }),
        (None, Some(id)) => {
            let session =
                SessionId::new(id.value).map_err(|error| errors::session_id(py, &error))?;
            Ok(JobSession::Stay { session })
        }
        (None, None) if outside => Ok(JobSession::Outside),
        (None, None) => Ok(JobSession::Pool),
    }
}
