//! `silkline::service::proxy` for Python.

use core::net::IpAddr;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use pyo3::{exceptions::PyValueError, prelude::*};
use silkline::{
    http::{Method, Request},
    service::{
        Keys,
        proxy::{
            BanRule, Connect, Fetch, FetchFailure, FetchOutcome, ProxyConfig, ProxyOutput,
            ProxyService, Relay, Step, Ticket, Tunnel,
        },
    },
};

use super::PyAnswer;
use crate::{
    convert::{self, ReceivedHeaders, Text, moment, seconds, seed_or_random},
    errors,
    http::PyHeaders,
};

/// An open tunnel: what its CONNECT said counts for each request inside.
///
/// >>> from silkline import basic_authorization
/// >>> from silkline.service import ProxyService
/// >>> headers = {"Proxy-Authorization": basic_authorization("KEY")}
/// >>> ProxyService().handle_connect("example.com:443", headers, 0.0)
/// ProxyTunnel(example.com:443)
#[pyclass(name = "ProxyTunnel", module = "silkline.service", frozen)]
pub(crate) struct PyTunnel(pub(super) Tunnel);

#[pymethods]
impl PyTunnel {
    /// Host and port of the target.
    #[getter]
    fn authority(&self) -> &str {
        &self.0.authority
    }

    /// The headers of the 200 that answers the CONNECT.
    #[getter]
    fn headers(&self) -> PyHeaders {
        PyHeaders(self.0.answer_headers.clone())
    }

    fn __repr__(&self) -> String {
        format!("ProxyTunnel({})", self.0.authority)
    }
}

/// Something for the host to fetch from a target.
///
/// >>> from silkline import basic_authorization
/// >>> from silkline.service import ProxyService
/// >>> headers = {"Proxy-Authorization": basic_authorization("KEY")}
/// >>> service = ProxyService()
/// >>> fetch = service.handle_request("GET", "http://example.com/", headers, 0.0)
/// >>> fetch.outgoing, fetch.timeout, fetch
/// ('127.0.0.2', 30.0, ProxyFetch(1, GET http://example.com/))
#[pyclass(name = "ProxyFetch", module = "silkline.service", frozen, get_all)]
pub(crate) struct PyProxyFetch {
    /// Names the request from here on.
    ticket: u64,
    /// The local address to leave from.
    outgoing: String,
    /// The method.
    method: String,
    /// The absolute URL.
    url: String,
    /// The headers that the target is to see.
    headers: Py<PyHeaders>,
    /// The seconds until the attempt fails with ``timeout``.
    timeout: f64,
    /// Whether ban rules look into the body, so that its start is wanted with the outcome.
    inspect_body: bool,
}

impl PyProxyFetch {
    fn from_core(py: Python<'_>, fetch: Fetch) -> PyResult<Self> {
        Ok(Self {
            ticket: fetch.ticket.0,
            outgoing: fetch.outgoing.to_string(),
            method: fetch.request.method.as_str().into(),
            url: fetch.request.url,
            headers: Py::new(py, PyHeaders(fetch.request.headers))?,
            timeout: seconds(fetch.timeout),
            inspect_body: fetch.inspect_body,
        })
    }
}

#[pymethods]
impl PyProxyFetch {
    fn __repr__(&self) -> String {
        format!("ProxyFetch({}, {} {})", self.ticket, self.method, self.url)
    }
}

/// A request that is held back: its fetch comes from ``poll``.
///
/// >>> from silkline import basic_authorization
/// >>> from silkline.service import ProxyService
/// >>> headers = {"Proxy-Authorization": basic_authorization("KEY")}
/// >>> service = ProxyService()
/// >>> fetch = service.handle_request("GET", "http://example.com/", headers, 0.0)
/// >>> service.handle_request("GET", "http://example.com/", headers, 0.5)
/// ProxyWait(2)
/// >>> service.poll(12.0)
/// ProxyFetch(2, GET http://example.com/)
#[pyclass(name = "ProxyWait", module = "silkline.service", frozen, get_all)]
pub(crate) struct PyProxyWait {
    /// Names the request from here on.
    ticket: u64,
}

#[pymethods]
impl PyProxyWait {
    fn __repr__(&self) -> String {
        format!("ProxyWait({})", self.ticket)
    }
}

/// The head of a target's answer to pass on, with the service's headers; the body follows.
///
/// >>> from silkline import basic_authorization
/// >>> from silkline.service import ProxyService
/// >>> headers = {"Proxy-Authorization": basic_authorization("KEY")}
/// >>> service = ProxyService()
/// >>> fetch = service.handle_request("GET", "http://example.com/", headers, 0.0)
/// >>> relay = service.handle_responded(fetch.ticket, 404, {"Content-Type": "text/plain"}, b"", 0.5)
/// >>> relay, relay.headers["X-Crawlera-Slave"]
/// (ProxyRelay(1, 404), '127.0.0.2:3128')
#[pyclass(name = "ProxyRelay", module = "silkline.service", frozen, get_all)]
pub(crate) struct PyProxyRelay {
    /// Whose answer it is.
    ticket: u64,
    /// The status.
    status: u16,
    /// The headers.
    headers: Py<PyHeaders>,
    /// After this many bytes a fault script wants the connection closed.
    truncated: Option<usize>,
    /// A body of more bytes is too large: the connection is closed.
    max_body_bytes: u64,
}

impl PyProxyRelay {
    fn from_core(py: Python<'_>, relay: Relay) -> PyResult<Self> {
        Ok(Self {
            ticket: relay.ticket.0,
            status: relay.status,
            headers: Py::new(py, PyHeaders(relay.headers))?,
            truncated: relay.truncate,
            max_body_bytes: relay.max_body_bytes,
        })
    }
}

#[pymethods]
impl PyProxyRelay {
    fn __repr__(&self) -> String {
        format!("ProxyRelay({}, {})", self.ticket, self.status)
    }
}

/// What becomes of a CONNECT.
#[derive(IntoPyObject)]
pub(crate) enum ConnectStep {
    Answer(PyAnswer),
    Tunnel(PyTunnel),
}

impl ConnectStep {
    pub(super) fn from_core(py: Python<'_>, step: Connect) -> PyResult<Self> {
        match step {
            Connect::Answer(answer) => PyAnswer::from_core(py, None, answer).map(Self::Answer),
            Connect::Tunnel(tunnel) => Ok(Self::Tunnel(PyTunnel(tunnel))),
        }
    }
}

/// What becomes of a request.
#[derive(IntoPyObject)]
pub(crate) enum RequestStep {
    Answer(PyAnswer),
    Fetch(PyProxyFetch),
    Relay(PyProxyRelay),
    Wait(PyProxyWait),
}

impl RequestStep {
    pub(super) fn from_core(py: Python<'_>, step: Step) -> PyResult<Self> {
        Ok(match step {
            Step::Answer(answer) => Self::Answer(PyAnswer::from_core(py, None, answer)?),
            Step::Fetch(fetch) => Self::Fetch(PyProxyFetch::from_core(py, *fetch)?),
            Step::Relay(relay) => Self::Relay(PyProxyRelay::from_core(py, relay)?),
            Step::Wait(ticket) => Self::Wait(PyProxyWait { ticket: ticket.0 }),
        })
    }
}

/// What there is to do.
#[derive(IntoPyObject)]
pub(crate) enum PollStep {
    Fetch(PyProxyFetch),
    WaitUntil(f64),
}

impl PollStep {
    pub(super) fn from_core(py: Python<'_>, output: ProxyOutput) -> PyResult<Option<Self>> {
        Ok(match output {
            ProxyOutput::Fetch(fetch) => Some(Self::Fetch(PyProxyFetch::from_core(py, *fetch)?)),
            ProxyOutput::WaitUntil(at) => Some(Self::WaitUntil(convert::told(at))),
            ProxyOutput::Idle => None,
        })
    }
}

/// The proxy service of Smart Proxy Manager, without sockets and clock.
///
/// The host passes every request in, fetches from the address that a fetch names, tells what came
/// of it, and passes the target's answer on; it calls ``poll`` after anything it passed in and at
/// the moment that the last call named. Moments are seconds on any clock that does not go back.
///
/// Every argument that is left out keeps the documented default. ``outgoing`` are the addresses
/// that sessions leave from, ``delay`` the seconds between requests of one address and
/// ``domain_delays`` other values for some domains. Each request that comes too early adds
/// ``delay_growth`` of the domain's delay to the spacing, since the real growth is unpublished.
/// ``bans`` are rules of a domain (``None`` for any), statuses and texts of a body; ``faults`` is
/// a fault script, as JSON.
///
/// >>> from silkline import basic_authorization
/// >>> from silkline.service import ProxyService
/// >>> service = ProxyService(outgoing=["127.0.0.2"], seed=1)
/// >>> key = basic_authorization("KEY")
/// >>> answer = service.handle_api("POST", "/sessions", {"Authorization": key}, 0.0)
/// >>> session = answer.body.decode()
/// >>> headers = {"Proxy-Authorization": key, "X-Crawlera-Session": session}
/// >>> step = service.handle_request("GET", "http://example.com/", headers, 1.0)
/// >>> step.outgoing
/// '127.0.0.2'
/// >>> relay = service.handle_responded(step.ticket, 200, {}, b"", 1.5)
/// >>> relay.headers["X-Crawlera-Session"] == session
/// True
/// >>> service.handle_finished(step.ticket, 0, 1.6)
/// >>> service.handle_request("GET", "http://example.com/", headers, 2.0)
/// ProxyWait(2)
/// >>> service.poll(2.0)
/// 13.0
#[pyclass(name = "ProxyService", module = "silkline.service", frozen)]
pub(crate) struct PyProxyService(Mutex<ProxyService>);

impl PyProxyService {
    fn lock(&self) -> MutexGuard<'_, ProxyService> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A ban rule: domain, statuses, texts.
pub(super) type Ban = (Option<String>, Vec<u16>, Vec<String>);

#[pymethods]
impl PyProxyService {
    #[new]
    #[pyo3(signature = (*, keys = None, disabled_keys = None, outgoing = None,
        sessions_per_address = None, max_sessions = None, session_idle = None, delay = None,
        domain_delays = None, delay_growth = None, retries = None, timeout = None,
        max_connections = None, max_outstanding = None, max_header_bytes = None,
        max_body_bytes = None, bans = None, forbidden_domains = None, withheld_headers = None,
        faults = None, seed = None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments, each with a default")]
    fn new(
        py: Python<'_>,
        keys: Option<Vec<String>>,
        disabled_keys: Option<Vec<String>>,
        outgoing: Option<Vec<String>>,
        sessions_per_address: Option<usize>,
        max_sessions: Option<usize>,
        session_idle: Option<f64>,
        delay: Option<f64>,
        domain_delays: Option<BTreeMap<String, f64>>,
        delay_growth: Option<f64>,
        retries: Option<u32>,
        timeout: Option<f64>,
        max_connections: Option<usize>,
        max_outstanding: Option<usize>,
        max_header_bytes: Option<usize>,
        max_body_bytes: Option<u64>,
        bans: Option<Vec<Ban>>,
        forbidden_domains: Option<Vec<String>>,
        withheld_headers: Option<Vec<String>>,
        faults: Option<String>,
        seed: Option<u64>,
    ) -> PyResult<Self> {
        fn set<T>(field: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *field = value;
            }
        }
        let time =
            |name: &str, value: Option<f64>| value.map(|v| convert::delay(name, v)).transpose();
        let mut config = ProxyConfig::default();
        let keys = keys.map_or_else(Keys::any, Keys::only);
        config.keys = keys.with_disabled(disabled_keys.unwrap_or_default());
        if let Some(outgoing) = outgoing {
            config.outgoing = outgoing.iter().map(|text| address(text)).collect::<PyResult<_>>()?;
        }
        set(&mut config.sessions_per_address, sessions_per_address);
        set(&mut config.max_sessions, max_sessions);
        set(&mut config.session_idle, time("session_idle", session_idle)?);
        set(&mut config.delay, time("delay", delay)?);
        for (domain, value) in domain_delays.unwrap_or_default() {
            config.domain_delays.insert(domain, convert::delay("domain_delays", value)?);
        }
        if let Some(growth) = delay_growth {
            config.delay_growth_percent = percent(growth)?;
        }
        set(&mut config.retries, retries);
        set(&mut config.timeout, time("timeout", timeout)?);
        config.max_connections = max_connections;
        config.max_outstanding = max_outstanding;
        set(&mut config.max_header_bytes, max_header_bytes);
        set(&mut config.max_body_bytes, max_body_bytes);
        config.bans = bans
            .unwrap_or_default()
            .into_iter()
            .map(|(domain, statuses, texts)| BanRule::new(domain, statuses, texts))
            .collect();
        config.forbidden_domains = forbidden_domains.unwrap_or_default();
        config.withheld_headers = withheld_headers.unwrap_or_default();
        let seed = seed_or_random(py, seed)?;
        let mut service = ProxyService::new(config, seed);
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

    /// Answers a request for the service itself: the calls to ``/sessions``.
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

pub(super) fn unknown_failure<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> PyErr {
    let (name, known) = (name.escape_debug(), known.collect::<Vec<_>>().join(", "));
    PyValueError::new_err(format!("`{name}` is no failure, these are: {known}"))
}

pub(super) fn address(text: &str) -> PyResult<IpAddr> {
    let name = text.escape_debug();
    text.parse().map_err(|_| PyValueError::new_err(format!("`{name}` is no IP address")))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked first"
)]
fn percent(share: f64) -> PyResult<u32> {
    if !(0.0..=1_000.0).contains(&share) {
        return Err(PyValueError::new_err("delay_growth must be a number from 0 to 1000"));
    }
    Ok((share * 100.0).round() as u32)
}
