//! `silkline::http` for Python: headers and requests.

#[cfg(feature = "stubs")]
use pyo3::inspect::PyStaticExpr;
use pyo3::{
    Borrowed,
    exceptions::PyKeyError,
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyList, PyTuple},
};
use silkline::http::{self, ApiKey, Headers, Method, Request};

use crate::{
    convert::{self, Pairs, Rebuild, ReceivedHeaders, SentHeaders, Text},
    errors,
    names::match_args,
};

/// Headers: pairs of name and value, in order, spelled as they were given.
///
/// They iterate as pairs and are looked up by name without regard to case. HTTP clients take them
/// as they are, or as `dict(headers)`. The values of secrets do not show in the `repr`.
///
/// >>> from silkline import Headers
/// >>> headers = Headers([("Accept", "text/html"), ("X-Tag", "a"), ("x-tag", "b")])
/// >>> headers["accept"], headers.get("X-TAG"), headers.get_all("x-tag")
/// ('text/html', 'a', ['a', 'b'])
/// >>> "Cookie" in headers, headers.get("Cookie") is None, len(headers)
/// (False, True, 3)
/// >>> list(headers)[0]
/// ('Accept', 'text/html')
/// >>> dict(headers)["Accept"]
/// 'text/html'
/// >>> Headers({"Authorization": "Basic c2VjcmV0Og=="})
/// Headers([('Authorization', '[redacted]')])
#[pyclass(name = "Headers", module = "silkline", frozen)]
pub(crate) struct PyHeaders(pub(crate) Headers);

type Items<'a> = Vec<(&'a str, &'a str)>;

#[pymethods]
impl PyHeaders {
    #[new]
    #[pyo3(signature = (headers = None))]
    fn new(headers: Option<SentHeaders>) -> Self {
        Self(headers.unwrap_or_default().0)
    }

    /// Takes headers that came over the wire as they are, however badly spelled.
    ///
    /// >>> from silkline import Headers
    /// >>> Headers.from_received({b"X-Odd name": [b"\xe9"]})
    /// Headers([('X-Odd name', 'é')])
    #[staticmethod]
    fn from_received(headers: ReceivedHeaders) -> Self {
        Self(headers.0)
    }

    /// The first value under a name, or the default.
    ///
    /// >>> from silkline import Headers
    /// >>> Headers({"Accept": "text/html"}).get("accept")
    /// 'text/html'
    #[pyo3(signature = (name, default = None))]
    fn get(&self, name: Text, default: Option<String>) -> Option<String> {
        self.0.get(&name.value).map(String::from).or(default)
    }

    /// All values under a name, in order.
    ///
    /// >>> from silkline import Headers
    /// >>> Headers([("Via", "a"), ("via", "b")]).get_all("Via")
    /// ['a', 'b']
    fn get_all(&self, name: Text) -> Vec<String> {
        self.0.get_all(&name.value).map(String::from).collect()
    }

    /// All pairs of name and value, in order.
    ///
    /// >>> from silkline import Headers
    /// >>> Headers([("Via", "a"), ("via", "b")]).items()
    /// [('Via', 'a'), ('via', 'b')]
    fn items(&self) -> Items<'_> {
        self.0.iter().collect()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Pairs<'py>> {
        PyList::new(py, self.items())?.try_iter().map(Pairs)
    }

    fn __getitem__(&self, name: Text) -> PyResult<String> {
        self.0.get(&name.value).map(String::from).ok_or_else(|| PyKeyError::new_err(name.value))
    }

    fn __contains__(&self, name: Text) -> bool {
        self.0.contains(&name.value)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        match other.cast::<Self>() {
            Ok(other) => self.0 == other.get().0,
            Err(_) => other
                .extract::<Vec<(String, String)>>()
                .is_ok_and(|pairs| self.0 == Headers::from_received(pairs)),
        }
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        PyTuple::new(py, self.items())?.hash()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let pairs: Vec<_> = self.0.redacted().collect();
        Ok(format!("Headers({})", PyList::new(py, pairs)?.repr()?))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Rebuild<'py, (Items<'_>,)>> {
        Ok((py.get_type::<Self>().getattr("from_received")?, (self.items(),)))
    }
}

/// The method of a request, by its name.
pub(crate) struct MethodName(pub(crate) Method);

impl FromPyObject<'_, '_> for MethodName {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: PyStaticExpr = <Text as FromPyObject<'_, '_>>::INPUT_TYPE;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let name = object.extract::<Text>()?.value;
        name.parse().map(Self).map_err(|error| errors::method(object.py(), &error))
    }
}

match_args!(RequestArgs: "method", "url", "headers", "body");

/// An HTTP request, ready for the client to send.
///
/// The client adds `Host` and `Content-Length`. Credentials do not show in the `repr`.
///
/// >>> from silkline import Request
/// >>> Request("GET", "https://example.com/", {"Cookie": "a=1"})
/// Request('GET', 'https://example.com/', Headers([('Cookie', '[redacted]')]), <0 bytes>)
#[pyclass(name = "Request", module = "silkline", frozen)]
pub(crate) struct PyRequest {
    /// The method.
    #[pyo3(get)]
    method: String,
    /// The absolute URL.
    #[pyo3(get)]
    url: String,
    /// The headers, in the order to send them.
    #[pyo3(get)]
    headers: Py<PyHeaders>,
    /// The body; empty for none.
    #[pyo3(get)]
    body: Py<PyBytes>,
}

impl PyRequest {
    pub(crate) fn to_core(&self, py: Python<'_>) -> PyResult<Request> {
        let method: Method = self.method.parse().map_err(|error| errors::method(py, &error))?;
        Ok(Request::new(method, self.url.as_str())
            .with_headers(self.headers.get().0.clone())
            .with_body(self.body.as_bytes(py)))
    }

    pub(crate) fn from_core(py: Python<'_>, request: Request) -> PyResult<Self> {
        Ok(Self {
            method: request.method.as_str().into(),
            url: request.url,
            headers: Py::new(py, PyHeaders(request.headers))?,
            body: PyBytes::new(py, &request.body).unbind(),
        })
    }
}

#[pymethods]
impl PyRequest {
    #[classattr]
    fn __match_args__() -> RequestArgs {
        RequestArgs
    }

    #[new]
    #[pyo3(signature = (method, url, headers = None, body = None))]
    fn new(
        py: Python<'_>,
        method: MethodName,
        url: Text,
        headers: Option<SentHeaders>,
        body: Option<Py<PyBytes>>,
    ) -> PyResult<Self> {
        Ok(Self {
            method: method.0.as_str().into(),
            url: url.value,
            headers: Py::new(py, PyHeaders::new(headers))?,
            body: body.unwrap_or_else(|| PyBytes::new(py, b"").unbind()),
        })
    }

    fn __eq__(&self, other: &Self, py: Python<'_>) -> bool {
        self.method == other.method
            && self.url == other.url
            && self.headers.get().0 == other.headers.get().0
            && self.body.as_bytes(py) == other.body.as_bytes(py)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.__getnewargs__(py).into_pyobject(py)?.hash()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "Request('{}', {}, {}, <{} bytes>)",
            self.method,
            self.url.as_str().into_pyobject(py)?.repr()?,
            self.headers.get().__repr__(py)?,
            self.body.as_bytes(py).len()
        ))
    }

    fn __getnewargs__(&self, py: Python<'_>) -> (&str, &str, Py<PyHeaders>, Py<PyBytes>) {
        (&self.method, &self.url, self.headers.clone_ref(py), self.body.clone_ref(py))
    }
}

/// A request that becomes an object when it is asked for.
pub(crate) struct LazyRequest {
    pub(crate) inner: Request,
    object: PyOnceLock<Py<PyRequest>>,
}

impl From<Request> for LazyRequest {
    fn from(inner: Request) -> Self {
        Self { inner, object: PyOnceLock::new() }
    }
}

impl LazyRequest {
    pub(crate) fn object(&self, py: Python<'_>) -> PyResult<Py<PyRequest>> {
        let make = || Py::new(py, PyRequest::from_core(py, self.inner.clone())?);
        self.object.get_or_try_init(py, make).map(|request| request.clone_ref(py))
    }
}

/// The value of `Authorization` (or `Proxy-Authorization`) for a key.
///
/// >>> from silkline import basic_authorization
/// >>> basic_authorization("secret")
/// 'Basic c2VjcmV0Og=='
#[pyfunction]
pub(crate) fn basic_authorization(py: Python<'_>, api_key: Text) -> PyResult<String> {
    let key = ApiKey::new(api_key.value).map_err(|error| errors::api_key(py, &error))?;
    Ok(key.basic())
}

/// The delay in seconds that `Retry-After` asks for; `None` if it is unknown.
///
/// A date becomes a delay through the answer's own `Date`.
///
/// >>> from silkline import retry_after
/// >>> retry_after({"Retry-After": "120"})
/// 120.0
#[pyfunction]
pub(crate) fn retry_after(headers: ReceivedHeaders) -> Option<f64> {
    http::retry_after(&headers.0).map(convert::seconds)
}

/// The user and password of a Basic authorization value; `None` if it is none.
///
/// >>> from silkline import basic_credentials
/// >>> basic_credentials("Basic c2VjcmV0Og==")
/// ('secret', '')
#[pyfunction]
pub(crate) fn basic_credentials(value: Text) -> Option<(String, String)> {
    http::basic_credentials(&value.value)
}

/// Seconds since 1970-01-01 of an HTTP date, in any of its three forms; `None` if it is none.
///
/// >>> from silkline import parse_http_date
/// >>> parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT")
/// 784111777
#[pyfunction]
pub(crate) fn parse_http_date(text: Text) -> Option<i64> {
    http::parse_http_date(&text.value)
}
