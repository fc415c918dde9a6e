//! The only place that makes exceptions. Their classes are Python's own, in
//! `silkline/exceptions.py`, so that they can be subclassed, pickled and read there.

use core::time::Duration;

use pyo3::{
    PyTypeInfo, import_exception,
    prelude::*,
    types::{PyBytes, PyDict},
};
use silkline::{
    engine, extraction, http, json, plan, problem, proxy, schedule, service, zyte_api::items,
};

use crate::{convert, extraction::PyUsage, http::PyHeaders, problem::PyProblem};

import_exception!(silkline.exceptions, ExtractionJobError);
import_exception!(silkline.exceptions, InvalidApiKey);
import_exception!(silkline.exceptions, InvalidBatch);
import_exception!(silkline.exceptions, InvalidEndpoint);
import_exception!(silkline.exceptions, InvalidFaults);
import_exception!(silkline.exceptions, InvalidHeader);
import_exception!(silkline.exceptions, InvalidItem);
import_exception!(silkline.exceptions, InvalidJson);
import_exception!(silkline.exceptions, InvalidMethod);
import_exception!(silkline.exceptions, InvalidPlan);
import_exception!(silkline.exceptions, InvalidPool);
import_exception!(silkline.exceptions, InvalidProblem);
import_exception!(silkline.exceptions, InvalidProxiedRequest);
import_exception!(silkline.exceptions, InvalidProxyOptions);
import_exception!(silkline.exceptions, InvalidQuery);
import_exception!(silkline.exceptions, InvalidRate);
import_exception!(silkline.exceptions, InvalidSessionId);
import_exception!(silkline.exceptions, InvalidSetting);
import_exception!(silkline.exceptions, InvalidSnapshot);
import_exception!(silkline.exceptions, NotSubmitted);
import_exception!(silkline.exceptions, ProxyJobError);
import_exception!(silkline.exceptions, ProxyServiceError);
import_exception!(silkline.exceptions, ServiceError);
import_exception!(silkline.exceptions, SessionCallFailed);
import_exception!(silkline.exceptions, UnknownRequest);

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

pub(crate) fn item(py: Python<'_>, error: &items::InvalidItem) -> PyErr {
    use items::InvalidItem as E;
    exception::<InvalidItem>(py, error, error.code(), |data| match error {
        E::NoCounterpart { page_type } => data.set_item("page_type", page_type.as_str()),
        E::NotObject { kind } => data.set_item("found", kind.as_str()),
        E::Syntax { error } => data.set_item("position", error.position()),
        _ => Ok(()),
    })
}

pub(crate) fn plan(py: Python<'_>, error: &plan::InvalidPlan) -> PyErr {
    exception::<InvalidPlan>(py, error, error.code(), |data| data.set_item("reason", &error.reason))
}

pub(crate) fn faults(py: Python<'_>, error: &service::InvalidFaults) -> PyErr {
    exception::<InvalidFaults>(py, error, error.code(), |data| {
        data.set_item("reason", &error.reason)
    })
}

pub(crate) fn endpoint(py: Python<'_>, error: &http::InvalidEndpoint) -> PyErr {
    exception::<InvalidEndpoint>(py, error, error.code(), |data| match error {
        http::InvalidEndpoint::NotOrigin { endpoint } | http::InvalidEndpoint::Url { endpoint } => {
            data.set_item("endpoint", endpoint)
        }
        _ => Ok(()),
    })
}

pub(crate) fn batch(py: Python<'_>, error: &extraction::InvalidBatch) -> PyErr {
    if let extraction::InvalidBatch::Query(error) = error {
        return query(py, error);
    }
    exception::<InvalidBatch>(py, error, error.code(), |data| match error {
        extraction::InvalidBatch::TooMany { count, limit } => {
            data.set_item("count", count)?;
            data.set_item("limit", limit)
        }
        _ => Ok(()),
    })
}

pub(crate) fn query(py: Python<'_>, error: &extraction::InvalidQuery) -> PyErr {
    use extraction::InvalidQuery as E;
    exception::<InvalidQuery>(py, error, error.code(), |data| {
        if let Some(field) = error.field() {
            data.set_item("field", field)?;
        }
        if let Some(limit) = error.limit() {
            data.set_item("limit", limit)?;
        }
        match error {
            E::CustomHtmlTooLong { length }
            | E::MetaTooLong { length }
            | E::UrlTooLong { length, .. } => data.set_item("length", length),
            E::ExtraJson { length, position, .. } | E::Json { length, position } => {
                data.set_item("length", length)?;
                data.set_item("position", position)
            }
            E::FieldType { expected, found, .. } => {
                data.set_item("expected", expected)?;
                data.set_item("found", found)
            }
            E::LoneSurrogate { position, .. } => data.set_item("position", position),
            E::NotObject { found } => data.set_item("found", found),
            E::PageType { page_type } => data.set_item("page_type", page_type),
            E::Unsupported { value, dialect, reason, .. } => {
                data.set_item("value", value)?;
                data.set_item("dialect", dialect)?;
                data.set_item("reason", reason)
            }
            E::Url { url } | E::UrlScheme { url } => data.set_item("url", url),
            _ => Ok(()),
        }
    })
}

fn json(py: Python<'_>, error: &json::InvalidJson) -> PyErr {
    exception::<InvalidJson>(py, error, error.code(), |data| {
        data.set_item("position", error.position())
    })
}

pub(crate) fn problem(py: Python<'_>, error: &problem::InvalidProblem) -> PyErr {
    use problem::InvalidProblem as E;
    let exception = exception::<InvalidProblem>(py, error, error.code(), |data| match error {
        E::Json(reason) => data.set_item("position", reason.position()),
        E::Member { name, reason } => {
            data.set_item("name", name)?;
            data.set_item("position", reason.position())
        }
        E::NotObject { found } => data.set_item("found", found),
        E::Reserved { name } => data.set_item("name", name),
        E::TooLarge { length } => data.set_item("length", length),
        _ => Ok(()),
    });
    if let E::Json(reason) | E::Member { reason, .. } = error {
        exception.set_cause(py, Some(json(py, reason)));
    }
    exception
}

/// The answer itself goes with the error: it may say what no reader understood.
pub(crate) fn service(
    py: Python<'_>,
    fault: &extraction::ServiceFault,
    queries: usize,
    headers: http::Headers,
    body: Py<PyBytes>,
) -> PyErr {
    exception::<ServiceError>(py, fault, fault.code(), |data| {
        data.set_item("status", fault.status())?;
        data.set_item("problem", fault.problem().cloned().map(PyProblem))?;
        data.set_item("retry_after", fault.retry_after().map(convert::seconds))?;
        data.set_item("retry", fault.retry().as_str())?;
        data.set_item("billed", fault.billed())?;
        data.set_item("billing_known", fault.billing_known())?;
        data.set_item("usage", Py::new(py, PyUsage::of_fault(fault, queries))?)?;
        data.set_item("headers", Py::new(py, PyHeaders(headers))?)?;
        data.set_item("body", body)
    })
}

pub(crate) fn session_id(py: Python<'_>, error: &proxy::InvalidSessionId) -> PyErr {
    exception::<InvalidSessionId>(py, error, error.code(), |data| {
        data.set_item("id", &error.id)?;
        data.set_item("reason", error.reason)
    })
}

pub(crate) fn proxy_options(py: Python<'_>, error: &proxy::InvalidProxyOptions) -> PyErr {
    use proxy::InvalidProxyOptions as E;
    if let E::SessionId(error) = error {
        return session_id(py, error);
    }
    exception::<InvalidProxyOptions>(py, error, error.code(), |data| match error {
        E::Contradiction { header } | E::Repeated { header } | E::UnknownOption { header } => {
            data.set_item("header", header)
        }
        E::ControlCharacter { header, position } => {
            data.set_item("header", header)?;
            data.set_item("position", position)
        }
        E::MaxRetries { value } => data.set_item("value", value),
        E::Timeout { millis } => {
            data.set_item("timeout", convert::seconds(Duration::from_millis(*millis)))
        }
        E::Unsupported { header, value, reason } => {
            data.set_item("header", header)?;
            data.set_item("value", value)?;
            data.set_item("reason", reason)
        }
        E::Value { header, value, expected } => {
            data.set_item("header", header)?;
            data.set_item("value", value)?;
            data.set_item("expected", expected)
        }
        _ => Ok(()),
    })
}

pub(crate) fn proxied_request(py: Python<'_>, error: &proxy::InvalidProxiedRequest) -> PyErr {
    use proxy::InvalidProxiedRequest as E;
    match error {
        E::Header(error) => return header(py, error),
        E::Options(error) => return proxy_options(py, error),
        _ => {}
    }
    exception::<InvalidProxiedRequest>(py, error, error.code(), |data| match error {
        E::HeadersTooLarge { size } => data.set_item("size", size),
        E::Scheme { url } | E::Url { url } => data.set_item("url", url),
        _ => Ok(()),
    })
}

pub(crate) fn proxy_service(py: Python<'_>, error: &proxy::ProxyServiceError) -> PyErr {
    exception::<ProxyServiceError>(py, error, error.code(), |data| {
        data.set_item("status", error.status)?;
        data.set_item("text", &error.text)?;
        data.set_item("detail", &error.detail)?;
        data.set_item("action", error.action().as_str())?;
        data.set_item("retry_after", error.retry_after.map(convert::seconds))?;
        data.set_item("is_ban", error.is_ban())?;
        data.set_item("billed", error.billed())
    })
}

pub(crate) fn session_call(py: Python<'_>, error: &proxy::SessionCallFailed) -> PyErr {
    use proxy::SessionCallFailed as E;
    if let E::Service(error) = error {
        return proxy_service(py, error);
    }
    exception::<SessionCallFailed>(py, error, error.code(), |data| match error {
        E::Answer { reason } => data.set_item("reason", reason),
        _ => Ok(()),
    })
}

/// The same, of an answer that an engine kept.
pub(crate) fn service_event(
    py: Python<'_>,
    error: extraction::ServiceError,
    queries: usize,
) -> PyErr {
    let fault = error.fault().clone();
    let http::Response { headers, body, .. } = error.into_response();
    service(py, &fault, queries, headers, PyBytes::new(py, &body).unbind())
}

pub(crate) fn job(py: Python<'_>, error: &engine::ExtractionJobError) -> PyErr {
    exception::<ExtractionJobError>(py, error, error.code(), |_| Ok(()))
}

pub(crate) fn not_submitted(py: Python<'_>, error: &engine::NotSubmitted) -> PyErr {
    match error {
        engine::NotSubmitted::Query(error) => return query(py, error),
        engine::NotSubmitted::Request(error) => return proxied_request(py, error),
        _ => {}
    }
    exception::<NotSubmitted>(py, error, error.code(), |data| match error {
        engine::NotSubmitted::QueueFull { limit } => data.set_item("limit", limit),
        _ => Ok(()),
    })
}

pub(crate) fn unknown_request(py: Python<'_>, error: &engine::UnknownRequest) -> PyErr {
    exception::<UnknownRequest>(py, error, error.code(), |data| {
        data.set_item("id", error.id.as_u64())
    })
}

pub(crate) fn setting(py: Python<'_>, error: &engine::InvalidSetting) -> PyErr {
    exception::<InvalidSetting>(py, error, error.code(), |data| {
        data.set_item("setting", error.setting)?;
        data.set_item("value", error.value)?;
        data.set_item("least", error.least)?;
        data.set_item("most", error.most)
    })
}

pub(crate) fn snapshot(py: Python<'_>, error: &engine::InvalidSnapshot) -> PyErr {
    use engine::InvalidSnapshot as E;
    exception::<InvalidSnapshot>(py, error, error.code(), |data| match error {
        E::Content { reason } => data.set_item("reason", reason),
        E::Machine { found, expected } => {
            data.set_item("found", found)?;
            data.set_item("expected", expected)
        }
        E::Version { found, known } => {
            data.set_item("found", found)?;
            data.set_item("known", known)
        }
        _ => Ok(()),
    })
}

pub(crate) fn rate(py: Python<'_>, error: &schedule::InvalidRate) -> PyErr {
    exception::<InvalidRate>(py, error, error.code(), |_| Ok(()))
}

pub(crate) fn pool(py: Python<'_>, error: &schedule::InvalidPool) -> PyErr {
    use schedule::InvalidPool as E;
    exception::<InvalidPool>(py, error, error.code(), |data| match error {
        E::Anonymous { percent } => data.set_item("percent", percent),
        E::Size { size } => data.set_item("size", size),
        _ => Ok(()),
    })
}

pub(crate) fn proxy_job(py: Python<'_>, error: &engine::ProxyJobError) -> PyErr {
    use engine::ProxyJobError as E;
    match error {
        E::Request(error) => proxied_request(py, error),
        E::Service(error) => proxy_service(py, error),
        _ => exception::<ProxyJobError>(py, error, error.code(), |data| match error {
            E::SessionLost { name } => data.set_item("session", name.as_ref()),
            _ => Ok(()),
        }),
    }
}
