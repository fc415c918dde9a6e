//! `silkline::service::zyte_api` for Python.

mod proxy;

use std::collections::BTreeMap;

use pyo3::{prelude::*, types::PyBytes};
use silkline::{
    http::{Headers, Request},
    service::{
        extraction::Ticket,
        zyte_api::{PageFailure, PageOutcome, ZyteApiConfig, ZyteApiService, ZyteApiStep},
    },
};

pub(crate) use self::proxy::PyZyteProxyService;
use super::{
    PyAnswer,
    extraction::Output,
    settings::{self, Ban, pace_per_minute, unknown_failure},
};
use crate::{
    convert::{Body, Moment, ReceivedHeaders, Text, delay, seed_or_random},
    errors,
    http::{MethodName, PyHeaders},
    shared::Shared,
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
    machine: Shared<ZyteApiService>,
    max_payload: usize,
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
        let mut config = ZyteApiConfig::default()
            .with_keys(settings::keys(keys, disabled_keys))
            .with_system_pace(pace_per_minute("system_rate", system_rate)?)
            .with_domain_pace(pace_per_minute("domain_rate", domain_rate)?)
            .with_occupied(settings::delays("occupied", occupied)?)
            .with_forbidden(forbidden_domains.unwrap_or_default())
            .with_bans(settings::bans(bans));
        if let Some(pace) = pace_per_minute("rate", rate)? {
            config = config.with_pace(pace);
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
        Ok(Self { machine: Shared::new(ZyteApiService::new(config, seed)), max_payload })
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
        method: MethodName,
        url: Text,
        headers: ReceivedHeaders,
        body: &Bound<'_, PyBytes>,
        now: Moment,
    ) -> PyResult<ZyteApiFirstStep> {
        let request = Request::new(method.0, url.value)
            .with_headers(headers.0)
            .with_body(body.as_bytes().to_vec());
        let step = self.machine.detached(py, |machine| machine.handle_request(&request, now.0));
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
    fn handle_malformed(&self, py: Python<'_>, now: Moment) -> PyResult<PyAnswer> {
        let answer = self.machine.lock(py).handle_malformed(now.0);
        PyAnswer::from_core(py, None, answer)
    }

    /// Takes what came of a page: a `ZyteApiPage`, or the name of a failure. Gives the answer if
    /// nothing holds it back.
    fn handle_fetched(
        &self,
        py: Python<'_>,
        ticket: u64,
        outcome: ZyteApiOutcome<'_>,
        now: Moment,
    ) -> PyResult<Option<PyAnswer>> {
        let (named, outcome) = (Ticket::from_number(ticket), outcome.into_core(py)?);
        let answer =
            self.machine.detached(py, |machine| machine.handle_fetched(named, outcome, now.0));
        answer.map(|answer| PyAnswer::from_core(py, Some(ticket), answer)).transpose()
    }

    /// The client of a request went away: nothing more is wanted for it.
    fn handle_closed(&self, py: Python<'_>, ticket: u64, now: Moment) {
        self.machine.lock(py).handle_closed(Ticket::from_number(ticket), now.0);
    }

    /// What is to be done next: an answer to send, the moment to come back, or nothing.
    fn poll(&self, py: Python<'_>, now: Moment) -> PyResult<Option<Output>> {
        let output = self.machine.lock(py).poll(now.0);
        Output::from_core(py, output)
    }

    /// The counts so far, as JSON.
    fn stats_json(&self, py: Python<'_>) -> String {
        self.machine.lock(py).stats().to_json()
    }
}
