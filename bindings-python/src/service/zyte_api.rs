//! `silkline::service::zyte_api` for Python.

use core::net::IpAddr;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use pyo3::{exceptions::PyValueError, prelude::*, types::PyBytes};
use silkline::{
    http::{Headers, Method, Request},
    service::{
        Keys, Pace,
        extraction::Ticket as ExtractTicket,
        proxy::{BanRule, FetchFailure, FetchOutcome, Ticket},
        zyte_api::{
            PageFailure, PageOutcome, ZyteApiConfig, ZyteApiService, ZyteApiStep,
            proxy::{ZyteProxyConfig, ZyteProxyService},
        },
    },
};

use super::{
    PyAnswer,
    extraction::Output,
    proxy::{Ban, ConnectStep, PollStep, PyTunnel, RequestStep, address, unknown_failure},
};
use crate::{
    convert::{Body, ReceivedHeaders, Text, delay, moment, seed_or_random},
    errors,
    http::PyHeaders,
};

/// A page for the host to fetch, and what it is wanted for.
///
/// >>> from silkline import basic_authorization
/// >>> from silkline.service import ZyteApiService
/// >>> headers = {"Authorization": basic_authorization("KEY"), "Content-Type": "application/json"}
/// >>> body = b'{"url": "https://example.com/", "product": true}'
/// >>> step = ZyteApiService().handle_request("POST", "/v1/extract", headers, body, 0.0)
/// >>> step, step.item
/// (ZyteApiFetch(1, GET https://example.com/), 'product')
#[pyclass(name = "ZyteApiFetch", module = "silkline.service", frozen, get_all)]
pub(crate) struct PyZyteApiFetch {
    /// Names the request from here on.
    ticket: u64,
    /// The page's URL; ``None`` if the answer is only held back.
    url: Option<String>,
    /// The method.
    method: String,
    /// Headers that the target is to see besides those of a browser.
    headers: Py<PyHeaders>,
    /// The body to send.
    body: Py<PyBytes>,
    /// Whether redirects are followed.
    follow_redirects: bool,
    /// The item to extract, by Zyte API's name of it.
    item: Option<String>,
    /// Whether the page is wanted as a browser shows it.
    browser_html: bool,
}

#[pymethods]
impl PyZyteApiFetch {
    fn __repr__(&self) -> String {
        let url = self.url.as_deref().unwrap_or("-");
        format!("ZyteApiFetch({}, {} {url})", self.ticket, self.method)
    }
}

/// What a target answered.
///
/// >>> from silkline.service import ZyteApiPage
/// >>> ZyteApiPage("https://example.com/", 200, {"Content-Type": "text/html"}, b"<p>")
/// ZyteApiPage(200, <3 bytes>)
#[pyclass(name = "ZyteApiPage", module = "silkline.service", frozen, get_all)]
pub(crate) struct PyZyteApiPage {
    /// Where, after all redirects.
    url: String,
    /// The target's status.
    status: u16,
    /// The target's headers.
    headers: Py<PyHeaders>,
    /// The target's body.
    body: Py<PyBytes>,
    /// The page as a browser shows it; wanted where the request asks for it.
    browser_html: Option<String>,
    /// The item, as JSON in Zyte API's schema; wanted where the request asks for it.
    item: Option<String>,
}

#[pymethods]
impl PyZyteApiPage {
    #[new]
    #[pyo3(signature = (url, status, headers, body, *, browser_html = None, item = None))]
    fn new(
        py: Python<'_>,
        url: Text,
        status: u16,
        headers: ReceivedHeaders,
        body: Body,
        browser_html: Option<Text>,
        item: Option<Text>,
    ) -> PyResult<Self> {
        Ok(Self {
            url: url.value,
            status,
            headers: Py::new(py, PyHeaders(headers.0))?,
            body: body.0,
            browser_html: browser_html.map(|html| html.value),
            item: item.map(|item| item.value),
        })
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("ZyteApiPage({}, <{} bytes>)", self.status, self.body.as_bytes(py).len())
    }
}

/// What came of a page, as the host tells it.
#[derive(FromPyObject)]
pub(crate) enum ZyteApiOutcome<'py> {
    Page(Bound<'py, PyZyteApiPage>),
    Failure(String),
}

impl ZyteApiOutcome<'_> {
    fn into_core(self, py: Python<'_>) -> PyResult<PageOutcome> {
        match self {
            Self::Page(page) => {
                let page = page.get();
                Ok(PageOutcome::Page {
                    url: page.url.clone(),
                    status: page.status,
                    headers: page.headers.get().0.clone(),
                    body: page.body.as_bytes(py).to_vec(),
                    browser_html: page.browser_html.clone(),
                    item: page.item.clone(),
                })
            }
            Self::Failure(name) => PageFailure::from_name(&name)
                .map(PageOutcome::Failed)
                .ok_or_else(|| unknown_failure(&name, PageFailure::all().map(PageFailure::name))),
        }
    }
}

/// An answer, or a page to fetch first.
#[derive(IntoPyObject)]
pub(crate) enum ZyteApiFirstStep {
    Answer(PyAnswer),
    Fetch(PyZyteApiFetch),
}

/// Zyte API's ``POST /v1/extract``, without sockets and clock.
///
/// The host passes every request in, fetches the page that is wanted, and tells what came of it; it
/// calls `poll` after anything it passed in and at the moment that the last call named. Moments
/// are seconds on any clock that does not go back. The same arguments and calls give the same
/// answers.
///
/// Every argument that is left out keeps the documented default. ``keys`` are the good keys (left
/// out: any non-empty one), ``disabled_keys`` those of suspended accounts. Rates are in requests a
/// minute (``math.inf`` for no limit), a minute's worth of them at once: ``rate`` for each key,
/// ``system_rate`` for all together, ``domain_rate`` for each website. ``occupied`` maps domains to
/// the seconds for which they are over their limit from the first request on, ``forbidden_domains``
/// names those that are refused. ``bans`` are rules of a domain (``None`` for any), statuses and
/// texts of a body; ``faults`` is a fault script, as JSON.
///
/// >>> import json
/// >>> from silkline import basic_authorization
/// >>> from silkline.service import ZyteApiPage, ZyteApiService
/// >>> service = ZyteApiService(keys=["KEY"], seed=1)
/// >>> headers = {"Authorization": basic_authorization("KEY"), "Content-Type": "application/json"}
/// >>> body = b'{"url": "https://example.com/", "httpResponseBody": true}'
/// >>> step = service.handle_request("POST", "/v1/extract", headers, body, 0.0)
/// >>> page = ZyteApiPage(step.url, 404, {}, b"gone")
/// >>> answer = service.handle_fetched(step.ticket, page, 0.5)
/// >>> answer.status, json.loads(answer.body)["statusCode"]
/// (200, 404)
#[pyclass(name = "ZyteApiService", module = "silkline.service", frozen)]
pub(crate) struct PyZyteApiService {
    inner: Mutex<ZyteApiService>,
    max_payload: usize,
}

impl PyZyteApiService {
    fn lock(&self) -> MutexGuard<'_, ZyteApiService> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl PyZyteApiService {
    #[new]
    #[pyo3(signature = (*, keys = None, disabled_keys = None, rate = None, system_rate = None,
        domain_rate = None, occupied = None, max_payload = None, timeout = None,
        forbidden_domains = None, bans = None, faults = None, seed = None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments, each with a default")]
    fn new(
        py: Python<'_>,
        keys: Option<Vec<String>>,
        disabled_keys: Option<Vec<String>>,
        rate: Option<f64>,
        system_rate: Option<f64>,
        domain_rate: Option<f64>,
        occupied: Option<BTreeMap<String, f64>>,
        max_payload: Option<usize>,
        timeout: Option<f64>,
        forbidden_domains: Option<Vec<String>>,
        bans: Option<Vec<Ban>>,
        faults: Option<String>,
        seed: Option<u64>,
    ) -> PyResult<Self> {
        let keys = keys.map_or_else(Keys::any, Keys::only);
        let mut config = ZyteApiConfig::default()
            .with_keys(keys.with_disabled(disabled_keys.unwrap_or_default()))
            .with_system_pace(maybe_pace("system_rate", system_rate)?)
            .with_domain_pace(maybe_pace("domain_rate", domain_rate)?)
            .with_forbidden(forbidden_domains.unwrap_or_default())
            .with_bans(ban_rules(bans));
        if let Some(pace) = maybe_pace("rate", rate)? {
            config = config.with_pace(pace);
        }
        if let Some(domains) = occupied {
            let domains = domains
                .into_iter()
                .map(|(domain, time)| delay("occupied", time).map(|time| (domain, time)));
            config = config.with_occupied(domains.collect::<PyResult<Vec<_>>>()?);
        }
        if let Some(bytes) = max_payload {
            config = config.with_max_payload(bytes);
        }
        if let Some(timeout) = timeout {
            config = config.with_timeout(delay("timeout", timeout)?);
        }
        if let Some(script) = faults {
            config = config.with_faults(&script).map_err(|error| errors::faults(py, &error))?;
        }
        let max_payload = config.max_payload();
        let seed = seed_or_random(py, seed)?;
        Ok(Self { inner: Mutex::new(ZyteApiService::new(config, seed)), max_payload })
    }

    /// How many bytes a request's body may have. One more is enough to be told off.
    #[getter]
    fn max_payload(&self) -> usize {
        self.max_payload
    }

    /// Takes a request. The URL may be absolute or begin with the path.
    fn handle_request(
        &self,
        py: Python<'_>,
        method: Text,
        url: Text,
        headers: ReceivedHeaders,
        body: &Bound<'_, PyBytes>,
        now: f64,
    ) -> PyResult<ZyteApiFirstStep> {
        let now = moment(now)?;
        let method: Method = method.value.parse().map_err(|error| errors::method(py, &error))?;
        let request = Request::new(method, url.value)
            .with_headers(headers.0)
            .with_body(body.as_bytes().to_vec());
        let step = py.detach(|| self.lock().handle_request(&request, now));
        let (ticket, wish) = match step {
            ZyteApiStep::Answer(answer) => {
                return PyAnswer::from_core(py, None, answer).map(ZyteApiFirstStep::Answer);
            }
            ZyteApiStep::Fetch { ticket, wish } => (ticket.number(), wish),
        };
        Ok(ZyteApiFirstStep::Fetch(match wish {
            Some(wish) => PyZyteApiFetch {
                ticket,
                url: Some(wish.url),
                method: wish.method.as_str().into(),
                headers: Py::new(py, PyHeaders(wish.headers))?,
                body: PyBytes::new(py, &wish.body).unbind(),
                follow_redirects: wish.follow_redirects,
                item: wish.item,
                browser_html: wish.browser_html,
            },
            None => PyZyteApiFetch {
                ticket,
                url: None,
                method: "GET".into(),
                headers: Py::new(py, PyHeaders(Headers::new()))?,
                body: PyBytes::new(py, b"").unbind(),
                follow_redirects: true,
                item: None,
                browser_html: false,
            },
        }))
    }

    /// Answers what the host could not read as an HTTP request.
    fn handle_malformed(&self, py: Python<'_>, now: f64) -> PyResult<PyAnswer> {
        let now = moment(now)?;
        let answer = self.lock().handle_malformed(now);
        PyAnswer::from_core(py, None, answer)
    }

    /// Takes what came of a page: a `ZyteApiPage`, or the name of a failure. Gives the answer if
    /// nothing holds it back.
    fn handle_fetched(
        &self,
        py: Python<'_>,
        ticket: u64,
        outcome: ZyteApiOutcome<'_>,
        now: f64,
    ) -> PyResult<Option<PyAnswer>> {
        let (now, outcome) = (moment(now)?, outcome.into_core(py)?);
        let named = ExtractTicket::from_number(ticket);
        let answer = py.detach(|| self.lock().handle_fetched(named, outcome, now));
        answer.map(|answer| PyAnswer::from_core(py, Some(ticket), answer)).transpose()
    }

    /// The client of a request went away: nothing more is wanted for it.
    fn handle_closed(&self, ticket: u64, now: f64) -> PyResult<()> {
        let now = moment(now)?;
        self.lock().handle_closed(ExtractTicket::from_number(ticket), now);
        Ok(())
    }

    /// What is to be done next: an answer to send, the moment to come back, or nothing.
    fn poll(&self, py: Python<'_>, now: f64) -> PyResult<Option<Output>> {
        let now = moment(now)?;
        let output = self.lock().poll(now);
        Output::from_core(py, output)
    }

    /// The counts so far, as JSON.
    fn stats_json(&self) -> String {
        self.lock().stats().to_json()
    }
}

/// Zyte API's proxy mode, without sockets and clock. It is driven as `ProxyService` is.
///
/// Every argument that is left out keeps the documented default. ``outgoing`` are the addresses
/// that sessions leave from. Rates are in requests a minute: ``rate`` for each key, ``system_rate``
/// for all together, ``domain_rate`` for each website. Sessions live for ``session_life`` seconds in
/// all, for ``session_idle`` after a request, and until ``session_bans`` bans in a row. ``bans`` are
/// rules of a domain (``None`` for any), statuses and texts of a body; ``faults`` is a fault script,
/// as JSON.
///
/// >>> from silkline import basic_authorization
/// >>> from silkline.service import ZyteProxyService
/// >>> service = ZyteProxyService(outgoing=["127.0.0.2"], seed=1)
/// >>> headers = {
/// ...     "Proxy-Authorization": basic_authorization("KEY"),
/// ...     "Zyte-Session-ID": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
/// ... }
/// >>> step = service.handle_request("GET", "http://example.com/", headers, 0.0)
/// >>> step.outgoing
/// '127.0.0.2'
/// >>> service.handle_responded(step.ticket, 302, {"Location": "/b"}, b"", 0.5)
/// ProxyFetch(1, GET http://example.com/b)
#[pyclass(name = "ZyteProxyService", module = "silkline.service", frozen)]
pub(crate) struct PyZyteProxyService(Mutex<ZyteProxyService>);

impl PyZyteProxyService {
    fn lock(&self) -> MutexGuard<'_, ZyteProxyService> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl PyZyteProxyService {
    #[new]
    #[pyo3(signature = (*, keys = None, disabled_keys = None, outgoing = None,
        sessions_per_address = None, max_sessions = None, session_life = None,
        session_idle = None, session_bans = None, rate = None, system_rate = None,
        domain_rate = None, retries = None, max_redirects = None, timeout = None,
        max_header_bytes = None, max_body_bytes = None, bans = None, forbidden_domains = None,
        faults = None, seed = None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments, each with a default")]
    fn new(
        py: Python<'_>,
        keys: Option<Vec<String>>,
        disabled_keys: Option<Vec<String>>,
        outgoing: Option<Vec<String>>,
        sessions_per_address: Option<usize>,
        max_sessions: Option<usize>,
        session_life: Option<f64>,
        session_idle: Option<f64>,
        session_bans: Option<u32>,
        rate: Option<f64>,
        system_rate: Option<f64>,
        domain_rate: Option<f64>,
        retries: Option<u32>,
        max_redirects: Option<u32>,
        timeout: Option<f64>,
        max_header_bytes: Option<usize>,
        max_body_bytes: Option<u64>,
        bans: Option<Vec<Ban>>,
        forbidden_domains: Option<Vec<String>>,
        faults: Option<String>,
        seed: Option<u64>,
    ) -> PyResult<Self> {
        fn set<T>(field: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *field = value;
            }
        }
        let time = |name: &str, value: Option<f64>| value.map(|v| delay(name, v)).transpose();
        let mut config = ZyteProxyConfig::default()
            .with_system_pace(maybe_pace("system_rate", system_rate)?)
            .with_domain_pace(maybe_pace("domain_rate", domain_rate)?);
        if let Some(pace) = maybe_pace("rate", rate)? {
            config = config.with_pace(pace);
        }
        let keys = keys.map_or_else(Keys::any, Keys::only);
        config.keys = keys.with_disabled(disabled_keys.unwrap_or_default());
        if let Some(outgoing) = outgoing {
            config.outgoing =
                outgoing.iter().map(|text| address(text)).collect::<PyResult<Vec<IpAddr>>>()?;
        }
        set(&mut config.sessions_per_address, sessions_per_address);
        set(&mut config.max_sessions, max_sessions);
        set(&mut config.session_life, time("session_life", session_life)?);
        set(&mut config.session_idle, time("session_idle", session_idle)?);
        set(&mut config.session_bans, session_bans);
        set(&mut config.retries, retries);
        set(&mut config.max_redirects, max_redirects);
        set(&mut config.timeout, time("timeout", timeout)?);
        set(&mut config.max_header_bytes, max_header_bytes);
        set(&mut config.max_body_bytes, max_body_bytes);
        config.bans = ban_rules(bans);
        config.forbidden_domains = forbidden_domains.unwrap_or_default();
        let seed = seed_or_random(py, seed)?;
        let mut service = ZyteProxyService::new(config, seed);
        if let Some(script) = faults {
            service = service.with_faults(&script).map_err(|error| errors::faults(py, &error))?;
        }
        Ok(Self(Mutex::new(service)))
    }

    /// Takes a CONNECT to host and port.
    fn handle_connect(
        &self,
        py: Python<'_>,
        authority: Text,
        headers: ReceivedHeaders,
        now: f64,
    ) -> PyResult<ConnectStep> {
        let now = moment(now)?;
        let request = Request::new(Method::CONNECT, authority.value).with_headers(headers.0);
        let step = self.lock().handle_connect(&request, now);
        ConnectStep::from_core(py, step)
    }

    /// Takes a request whose URL is absolute, with the tunnel it came through. The body stays
    /// with the host.
    #[pyo3(signature = (method, url, headers, now, tunnel = None))]
    fn handle_request(
        &self,
        py: Python<'_>,
        method: Text,
        url: Text,
        headers: ReceivedHeaders,
        now: f64,
        tunnel: Option<&PyTunnel>,
    ) -> PyResult<RequestStep> {
        let now = moment(now)?;
        let method: Method = method.value.parse().map_err(|error| errors::method(py, &error))?;
        let request = Request::new(method, url.value).with_headers(headers.0);
        let step = self.lock().handle_request(request, tunnel.map(|tunnel| &tunnel.0), now);
        RequestStep::from_core(py, step)
    }

    /// Takes a target's answer: status, headers and, if the fetch asked for it, the start of the
    /// body.
    fn handle_responded(
        &self,
        py: Python<'_>,
        ticket: u64,
        status: u16,
        headers: ReceivedHeaders,
        body_start: Vec<u8>,
        now: f64,
    ) -> PyResult<RequestStep> {
        let outcome = FetchOutcome::Responded { status, headers: headers.0, body_start };
        let now = moment(now)?;
        let step = self.lock().handle_fetched(Ticket(ticket), outcome, now);
        RequestStep::from_core(py, step)
    }

    /// Takes the failure of a fetch, by its name: ``nxdomain``, ``timeout``, ….
    fn handle_failed(
        &self,
        py: Python<'_>,
        ticket: u64,
        failure: Text,
        now: f64,
    ) -> PyResult<RequestStep> {
        let failure = FetchFailure::from_name(&failure.value).ok_or_else(|| {
            unknown_failure(&failure.value, FetchFailure::all().map(FetchFailure::name))
        })?;
        let now = moment(now)?;
        let step = self.lock().handle_fetched(Ticket(ticket), FetchOutcome::Failed(failure), now);
        RequestStep::from_core(py, step)
    }

    /// Takes note that an answer was passed on, with how many bytes of body.
    fn handle_finished(&self, ticket: u64, body_bytes: u64, now: f64) -> PyResult<()> {
        let now = moment(now)?;
        self.lock().handle_finished(Ticket(ticket), body_bytes, now);
        Ok(())
    }

    /// Takes note that the client of a request went away.
    fn handle_closed(&self, ticket: u64, now: f64) -> PyResult<()> {
        let now = moment(now)?;
        self.lock().handle_closed(Ticket(ticket), now);
        Ok(())
    }

    /// Answers a request for the service itself, which has nothing to be asked for.
    fn handle_api(
        &self,
        py: Python<'_>,
        method: Text,
        path: Text,
        headers: ReceivedHeaders,
        now: f64,
    ) -> PyResult<PyAnswer> {
        let now = moment(now)?;
        let method: Method = method.value.parse().map_err(|error| errors::method(py, &error))?;
        let request = Request::new(method, path.value).with_headers(headers.0);
        let answer = self.lock().handle_api(&request, now);
        PyAnswer::from_core(py, None, answer)
    }

    /// Answers bytes that are no request, or one whose head is too large to be read.
    fn handle_unreadable(&self, py: Python<'_>, too_large: bool, now: f64) -> PyResult<PyAnswer> {
        let now = moment(now)?;
        let answer = self.lock().handle_unreadable(too_large, now);
        PyAnswer::from_core(py, None, answer)
    }

    /// What is to be done next: a fetch, the moment to come back, or nothing.
    fn poll(&self, py: Python<'_>, now: f64) -> PyResult<Option<PollStep>> {
        let now = moment(now)?;
        let output = self.lock().poll(now);
        PollStep::from_core(py, output)
    }

    /// The counts so far, as JSON.
    fn stats_json(&self) -> String {
        self.lock().stats().to_json()
    }
}

fn ban_rules(bans: Option<Vec<Ban>>) -> Vec<BanRule> {
    let bans = bans.unwrap_or_default().into_iter();
    bans.map(|(domain, statuses, texts)| BanRule::new(domain, statuses, texts)).collect()
}

/// So many requests a minute, a minute's worth of them at once.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what does not fit is the most there is"
)]
fn maybe_pace(name: &str, rate: Option<f64>) -> PyResult<Option<Pace>> {
    let Some(rate) = rate else { return Ok(None) };
    let pace = Pace::per_second(rate / 60.0).map(|pace| pace.with_burst(rate as u32));
    let pace =
        pace.ok_or_else(|| PyValueError::new_err(format!("{name} must be a number above 0")))?;
    Ok(Some(pace))
}
