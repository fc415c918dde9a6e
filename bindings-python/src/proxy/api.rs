//! Requests through the proxy, and the calls of the sessions API.

use pyo3::{exceptions::PyValueError, prelude::*};
use silkline::proxy::{
    self, OptionPlace, ProxyApi, ProxyDialect, ProxyOptions, ProxyWarning, SessionId,
};

use super::{PyProxyAnswer, PyProxyOptions, PySessionList, answer::ServiceErrorObject};
use crate::{
    convert::{Body, ReceivedHeaders},
    errors,
    http::{PyHeaders, PyRequest},
    names::{self, literal},
};

literal! {
    /// The service that requests go through.
    ProxyDialectName { "smart_proxy_manager", "zyte_api" }
}

/// A request as it goes through the proxy.
///
/// >>> from silkline import ProxyApi, Request
/// >>> proxied = ProxyApi("KEY").request(Request("GET", "http://example.com/a"))
/// >>> proxied.connect is None, proxied.request.url
/// (True, 'http://example.com/a')
#[pyclass(name = "ProxiedRequest", module = "silkline", frozen, get_all)]
pub(crate) struct PyProxiedRequest {
    /// For an https target, what opens the tunnel: its URL is ``host:port``. ``None`` for a plain
    /// target.
    connect: Option<Py<PyRequest>>,
    /// The request itself. For a plain target it goes to the proxy in absolute form, with the
    /// authorization; for an https target it goes through the tunnel, without.
    request: Py<PyRequest>,
    /// Codes of what is allowed but hardly meant.
    warnings: Vec<&'static str>,
}

#[pymethods]
impl PyProxiedRequest {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let request = self.request.bind(py).repr()?;
        Ok(match &self.connect {
            Some(connect) => format!("ProxiedRequest({}, {request})", connect.bind(py).repr()?),
            None => format!("ProxiedRequest(None, {request})"),
        })
    }
}

/// Builds requests to Smart Proxy Manager and reads its answers.
///
/// It sends nothing. ``endpoint`` is ``http://host:port`` or ``https://host:port``;
/// ``option_place`` says where the options of requests to https targets go: ``"inside"`` the tunnel
/// (as usual), or on the ``"connect"``, for clients that cannot add headers inside.
///
/// >>> from silkline import ProxyApi, ProxyOptions, Request
/// >>> api = ProxyApi("KEY")
/// >>> options = ProxyOptions(session="create")
/// >>> proxied = api.request(Request("GET", "https://example.com/"), options)
/// >>> proxied.connect.url, proxied.connect.headers["Proxy-Authorization"]
/// ('example.com:443', 'Basic S0VZOg==')
/// >>> proxied.request.headers["X-Crawlera-Session"]
/// 'create'
/// >>> answer = api.read(200, {"X-Crawlera-Session": "1836172", "X-Crawlera-Slave": "192.0.2.1:80"})
/// >>> answer.session, answer.outgoing_host
/// ('1836172', '192.0.2.1')
///
/// With ``dialect="zyte_api"`` the same options go out as headers of the successor's proxy mode.
/// What has no counterpart there is among the warnings, or refused if it would mean something else.
/// Redirects are not followed, as by Smart Proxy Manager, unless ``follow_redirects`` is set. Errors
/// of both services are understood in any dialect.
///
/// >>> api = ProxyApi("KEY", dialect="zyte_api")
/// >>> options = ProxyOptions(profile="mobile", max_retries=2)
/// >>> proxied = api.request(Request("GET", "http://example.com/"), options)
/// >>> proxied.request.headers["Zyte-Device"], proxied.warnings
/// ('mobile', ['max_retries_unmapped'])
#[pyclass(name = "ProxyApi", module = "silkline", frozen)]
pub(crate) struct PyProxyApi(pub(crate) ProxyApi);

#[pymethods]
impl PyProxyApi {
    /// The address of the service, unless another is given.
    #[classattr]
    const DEFAULT_ENDPOINT: &'static str = proxy::DEFAULT_ENDPOINT;

    /// The most bytes that the headers of a request may have in all.
    #[classattr]
    const MAX_HEADERS_SIZE: usize = proxy::MAX_HEADERS_SIZE;

    #[new]
    #[pyo3(signature = (
        api_key, endpoint = None, dialect = ProxyDialectName("smart_proxy_manager"), *,
        option_place = None, follow_redirects = false
    ))]
    fn new(
        py: Python<'_>,
        api_key: String,
        endpoint: Option<String>,
        dialect: ProxyDialectName,
        option_place: Option<String>,
        follow_redirects: bool,
    ) -> PyResult<Self> {
        let dialect = names::known(ProxyDialect::from_name(dialect.0), dialect.0)?;
        let mut api = ProxyApi::new(api_key)
            .map_err(|error| errors::api_key(py, &error))?
            .with_dialect(dialect)
            .with_follow_redirects(follow_redirects);
        if let Some(endpoint) = endpoint {
            api = api.with_endpoint(&endpoint).map_err(|error| errors::endpoint(py, &error))?;
        }
        if let Some(name) = option_place {
            let place = OptionPlace::from_name(&name).ok_or_else(|| {
                PyValueError::new_err("option_place is neither 'inside' nor 'connect'")
            })?;
            api = api.with_option_place(place);
        }
        Ok(Self(api))
    }

    /// The proxy's URL, without the key.
    #[getter]
    fn endpoint(&self) -> &str {
        self.0.endpoint()
    }

    /// The service that requests go through.
    #[getter]
    fn dialect(&self) -> ProxyDialectName {
        ProxyDialectName(self.0.dialect().as_str())
    }

    /// Whether the service follows redirects.
    #[getter]
    fn follow_redirects(&self) -> bool {
        self.0.follow_redirects()
    }

    /// The value of ``Proxy-Authorization``. A secret.
    ///
    /// >>> from silkline import ProxyApi
    /// >>> ProxyApi("KEY").authorization()
    /// 'Basic S0VZOg=='
    fn authorization(&self) -> String {
        self.0.authorization()
    }

    /// The proxy's URL with the key as user, for clients that take it in no other way. A secret.
    ///
    /// >>> from silkline import ProxyApi
    /// >>> ProxyApi("KEY").endpoint_with_key()
    /// 'http://KEY:@proxy.zyte.com:8011'
    fn endpoint_with_key(&self) -> String {
        self.0.endpoint_with_key()
    }

    /// A request to a target as it goes through the proxy.
    ///
    /// ``X-Crawlera-*`` headers of the target's request count as options, and must not contradict
    /// those given. ``Proxy-Authorization`` is the key's alone and never goes inside a tunnel.
    ///
    /// >>> from silkline import ProxyApi, ProxyOptions, Request
    /// >>> target = Request("GET", "http://example.com/", {"Cookie": "a=b"})
    /// >>> ProxyApi("KEY").request(target, ProxyOptions(profile="mobile")).warnings
    /// ['cookie_dropped']
    #[pyo3(signature = (target, options = None))]
    fn request(
        &self,
        py: Python<'_>,
        target: &PyRequest,
        options: Option<&PyProxyOptions>,
    ) -> PyResult<PyProxiedRequest> {
        let none = ProxyOptions::new();
        let options = options.map_or(&none, |options| &options.0);
        let proxied = self.0.request(target.to_core(py)?, options);
        let proxied = proxied.map_err(|error| errors::proxied_request(py, &error))?;
        let whole = |request| Py::new(py, PyRequest::from_core(py, request)?);
        Ok(PyProxiedRequest {
            connect: proxied.connect.map(whole).transpose()?,
            request: whole(proxied.request)?,
            warnings: proxied.warnings.into_iter().map(ProxyWarning::code).collect(),
        })
    }

    /// ``POST /sessions``: asks for a new session. Zyte API has no such calls.
    ///
    /// >>> from silkline import ProxyApi
    /// >>> request = ProxyApi("KEY").create_session()
    /// >>> request.method, request.url
    /// ('POST', 'http://proxy.zyte.com:8011/sessions')
    fn create_session(&self, py: Python<'_>) -> PyResult<PyRequest> {
        let request = self.0.create_session();
        PyRequest::from_core(py, request.map_err(|error| errors::proxy_options(py, &error))?)
    }

    /// ``GET /sessions``: asks for the sessions of the account. Zyte API has no such calls.
    ///
    /// >>> from silkline import ProxyApi
    /// >>> ProxyApi("KEY").list_sessions().method
    /// 'GET'
    fn list_sessions(&self, py: Python<'_>) -> PyResult<PyRequest> {
        let request = self.0.list_sessions();
        PyRequest::from_core(py, request.map_err(|error| errors::proxy_options(py, &error))?)
    }

    /// ``DELETE /sessions/<id>``: ends a session. Zyte API has no such calls.
    ///
    /// >>> from silkline import ProxyApi
    /// >>> ProxyApi("KEY").delete_session("1836172").url
    /// 'http://proxy.zyte.com:8011/sessions/1836172'
    fn delete_session(&self, py: Python<'_>, session: String) -> PyResult<PyRequest> {
        let id = SessionId::new(session).map_err(|error| errors::session_id(py, &error))?;
        let request = self.0.delete_session(&id);
        PyRequest::from_core(py, request.map_err(|error| errors::proxy_options(py, &error))?)
    }

    /// Reads the head of an answer to a proxied request, and of an error's body the beginning.
    ///
    /// Whatever the status, an answer without ``X-Crawlera-Error`` is the target's and a successful
    /// fetch, but for two errors that a proxy may send without a code: 407, and 413 of a request
    /// that no outgoing node has passed on.
    ///
    /// >>> from silkline import ProxyApi
    /// >>> answer = ProxyApi("KEY").read(503, {"X-Crawlera-Error": "banned"}, b"Ban")
    /// >>> answer.error.code, answer.error.action, answer.billed
    /// ('banned', 'retry_elsewhere', False)
    #[pyo3(signature = (status, headers, body_prefix = None))]
    fn read(
        &self,
        py: Python<'_>,
        status: u16,
        headers: ReceivedHeaders,
        body_prefix: Option<Body>,
    ) -> PyProxyAnswer {
        let body = body_prefix.as_ref().map_or(&b""[..], |body| body.0.as_bytes(py));
        PyProxyAnswer::from_core(py, &self.0.read(status, &headers.0, body))
    }

    /// Reads the answer to a CONNECT; ``None`` if the tunnel is open.
    ///
    /// No target can have answered it, so what has no code is judged by its status.
    ///
    /// >>> from silkline import ProxyApi
    /// >>> ProxyApi("KEY").read_connect(407, {}).code
    /// 'bad_proxy_auth'
    #[pyo3(signature = (status, headers, body_prefix = None))]
    fn read_connect(
        &self,
        py: Python<'_>,
        status: u16,
        headers: ReceivedHeaders,
        body_prefix: Option<Body>,
    ) -> Option<ServiceErrorObject> {
        let body = body_prefix.as_ref().map_or(&b""[..], |body| body.0.as_bytes(py));
        let error = self.0.read_connect(status, &headers.0, body)?;
        Some(ServiceErrorObject::new(py, &error))
    }

    /// Reads the answer to `create_session`: the id. Raises `ProxyServiceError` or
    /// `SessionCallFailed`.
    ///
    /// >>> from silkline import ProxyApi
    /// >>> ProxyApi("KEY").read_created_session(200, {}, b"1836172")
    /// '1836172'
    fn read_created_session(
        &self,
        py: Python<'_>,
        status: u16,
        headers: ReceivedHeaders,
        body: Body,
    ) -> PyResult<String> {
        let id = self.0.read_created_session(status, &headers.0, body.0.as_bytes(py));
        Ok(id.map_err(|error| errors::session_call(py, &error))?.as_str().into())
    }

    /// Reads the answer to `list_sessions`. Raises `ProxyServiceError` or `SessionCallFailed`.
    ///
    /// >>> from silkline import ProxyApi
    /// >>> ProxyApi("KEY").read_session_list(200, {}, b'{"1": "192.0.2.1", "2": null}').sessions
    /// [('1', '192.0.2.1'), ('2', None)]
    fn read_session_list(
        &self,
        py: Python<'_>,
        status: u16,
        headers: ReceivedHeaders,
        body: Body,
    ) -> PyResult<PySessionList> {
        let list = self.0.read_session_list(status, &headers.0, body.0.as_bytes(py));
        list.map(PySessionList::from).map_err(|error| errors::session_call(py, &error))
    }

    /// Reads the answer to `delete_session`. Raises `ProxyServiceError`, with the code
    /// ``bad_session_id`` if the session is not there.
    ///
    /// >>> from silkline import ProxyApi
    /// >>> ProxyApi("KEY").read_deleted_session(200, {}, b"")
    fn read_deleted_session(
        &self,
        py: Python<'_>,
        status: u16,
        headers: ReceivedHeaders,
        body: Body,
    ) -> PyResult<()> {
        let done = self.0.read_deleted_session(status, &headers.0, body.0.as_bytes(py));
        done.map_err(|error| errors::session_call(py, &error))
    }

    /// Finds what must not leave on a request that will not be proxied: pairs of the header's name
    /// (or ``"url"``) and ``"option"``, ``"proxy_authorization"`` or ``"key"``.
    ///
    /// >>> from silkline import ProxyApi, Request
    /// >>> request = Request("GET", "http://example.com/", {"X-Crawlera-Session": "7"})
    /// >>> ProxyApi("KEY").leaks(request)
    /// [('X-Crawlera-Session', 'option')]
    fn leaks(&self, py: Python<'_>, request: &PyRequest) -> PyResult<Vec<(String, &'static str)>> {
        let found = self.0.leaks(&request.to_core(py)?);
        Ok(found.into_iter().map(|leak| (leak.name, leak.kind.as_str())).collect())
    }

    /// The same request without what `leaks` finds.
    ///
    /// >>> from silkline import ProxyApi, Request
    /// >>> request = Request("GET", "http://example.com/", {"X-Crawlera-Session": "7"})
    /// >>> ProxyApi("KEY").strip_leaks(request)
    /// Request('GET', 'http://example.com/', Headers([]), <0 bytes>)
    fn strip_leaks(&self, py: Python<'_>, request: &PyRequest) -> PyResult<PyRequest> {
        PyRequest::from_core(py, self.0.strip_leaks(request.to_core(py)?))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let endpoint = self.endpoint().into_pyobject(py)?.repr()?.to_string();
        Ok(match self.0.dialect() {
            ProxyDialect::SmartProxyManager => format!("ProxyApi(endpoint={endpoint})"),
            dialect => format!("ProxyApi(endpoint={endpoint}, dialect='{}')", dialect.as_str()),
        })
    }
}

/// The error behind a CONNECT of which only the status is known; ``None`` if that is a success.
///
/// >>> from silkline import read_connect_failure
/// >>> error = read_connect_failure(407)
/// >>> error.code, error.action
/// ('bad_proxy_auth', 'stop_all_after_retries')
#[pyfunction]
pub(crate) fn read_connect_failure(py: Python<'_>, status: u16) -> Option<ServiceErrorObject> {
    proxy::read_connect_failure(status).map(|error| ServiceErrorObject::new(py, &error))
}

/// The status of a failed CONNECT in an HTTP client's error message; ``None`` if there is none.
///
/// >>> from silkline import connect_status
/// >>> connect_status("Tunnel connection failed: 407 Proxy Authentication Required")
/// 407
#[pyfunction]
pub(crate) fn connect_status(message: String) -> Option<u16> {
    proxy::connect_status(&message)
}

/// Finds the headers that must not reach a target, as pairs of name and ``"option"`` or
/// ``"proxy_authorization"``: options of the service and of its successor (``X-Crawlera-*``,
/// ``Zyte-*``) and what authorizes at a proxy. `ProxyApi.leaks` finds the key itself, too.
///
/// >>> from silkline import proxy_leaks
/// >>> proxy_leaks({"Accept": "text/html", "X-Crawlera-Session": "7"})
/// [('X-Crawlera-Session', 'option')]
#[pyfunction]
pub(crate) fn proxy_leaks(headers: ReceivedHeaders) -> Vec<(String, &'static str)> {
    let found = proxy::proxy_leaks(&headers.0).into_iter();
    found.map(|leak| (leak.name, leak.kind.as_str())).collect()
}

/// The same headers without those that `proxy_leaks` finds.
///
/// >>> from silkline import strip_proxy_leaks
/// >>> strip_proxy_leaks({"Accept": "text/html", "X-Crawlera-Session": "7"})
/// Headers([('Accept', 'text/html')])
#[pyfunction]
pub(crate) fn strip_proxy_leaks(headers: ReceivedHeaders) -> PyHeaders {
    PyHeaders(proxy::strip_proxy_leaks(headers.0))
}
