//! The only place that makes exceptions. Their classes are Python's own, in
//! `silkline/exceptions.py`, so that they can be subclassed, pickled and read there.

use pyo3::{PyTypeInfo, import_exception, prelude::*, types::PyDict};
use silkline::{http, service};

import_exception!(silkline.exceptions, InvalidApiKey);
import_exception!(silkline.exceptions, InvalidFaults);
import_exception!(silkline.exceptions, InvalidHeader);
import_exception!(silkline.exceptions, InvalidMethod);

/// An exception of class `E`: the core's message and code, and the error's data as attributes.
fn exception<E: PyTypeInfo>(
    py: Python<'_>,
    error: &impl core::fmt::Display,
    code: &str,
    fill: impl FnOnce(&Bound<'_, PyDict>) -> PyResult<()>,
) -> PyErr {
    let make = || {
        let data = PyDict::new(py);
        data.set_item("code", code)?;
        fill(&data)?;
        E::type_object(py).call((error.to_string(),), Some(&data))
    };
    make().map_or_else(|failure| failure, PyErr::from_value)
}

pub(crate) fn api_key(py: Python<'_>, error: &http::InvalidApiKey) -> PyErr {
    exception::<InvalidApiKey>(py, error, error.code(), |data| match error {
        http::InvalidApiKey::Character { position, length } => {
            data.set_item("position", position)?;
            data.set_item("length", length)
        }
        _ => Ok(()),
    })
}

pub(crate) fn header(py: Python<'_>, error: &http::InvalidHeader) -> PyErr {
    exception::<InvalidHeader>(py, error, error.code(), |data| match error {
        http::InvalidHeader::Name { name } => data.set_item("name", name),
        http::InvalidHeader::Value { name, position } => {
            data.set_item("name", name)?;
            data.set_item("position", position)
        }
        _ => Ok(()),
    })
}

pub(crate) fn method(py: Python<'_>, error: &http::InvalidMethod) -> PyErr {
    exception::<InvalidMethod>(py, error, error.code(), |data| {
        data.set_item("method", &error.method)
    })
}

pub(crate) fn faults(py: Python<'_>, error: &service::InvalidFaults) -> PyErr {
    exception::<InvalidFaults>(py, error, error.code(), |data| {
        data.set_item("reason", &error.reason)
    })
}
