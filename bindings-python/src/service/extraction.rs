//! `silkline::service::extraction` for Python.

use std::collections::BTreeMap;

use pyo3::{
    prelude::*,
    types::{PyBytes, PyString},
};
use silkline::{
    http::Request,
    service::extraction::{
        ExtractionConfig, ExtractionService, FetchFailure, FetchOutcome, FetchQuery, ServiceOutput,
        Step, Ticket,
    },
};

use super::{
    PyAnswer,
    settings::{self, pace_per_second, unknown_failure},
};
use crate::{
    bridge::PyBridgedQuery,
    convert::{Moment, ReceivedHeaders, Text, delay, seed_or_random, told},
    errors,
    http::MethodName,
    shared::Shared,
};

/// A page that the host is asked to fetch and extract.
///
/// >>> from silkline import basic_authorization
/// >>> from silkline.service import ExtractionService
/// >>> headers = {"Authorization": basic_authorization("KEY"), "Content-Type": "application/json"}
/// >>> body = b'[{"url": "https://example.com/", "pageType": "article"}]'
/// >>> step = ExtractionService().handle_request("POST", "/v1/extract", headers, body, 0.0)
/// >>> step.queries
/// [FetchQuery(0, 'https://example.com/', 'article')]
#[pyclass(name = "FetchQuery", module = "silkline.service", frozen, get_all)]
pub(crate) struct PyFetchQuery {
    /// Its place in the request, by which the outcome is told.
    index: usize,
    /// The page's URL: absolute, http or https, as it is to be fetched.
    url: String,
    /// The page type, which is also the item's name in the result.
    page_type: String,
    /// Whether an article is to hold its raw HTML.
    article_body_raw: bool,
    /// Whether the whole page is to be given.
    full_html: bool,
    /// The page itself: nothing is fetched then.
    custom_html: Option<String>,
}

impl From<FetchQuery> for PyFetchQuery {
    fn from(query: FetchQuery) -> Self {
        Self {
            index: query.index,
            url: query.url,
            page_type: query.page_type,
            article_body_raw: query.article_body_raw,
            full_html: query.full_html,
            custom_html: query.custom_html,
        }
    }
}

#[pymethods]
impl PyFetchQuery {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (url, page_type) = (PyString::new(py, &self.url), PyString::new(py, &self.page_type));
        Ok(format!("FetchQuery({}, {}, {})", self.index, url.repr()?, page_type.repr()?))
    }
}

/// The pages that a request needs.
///
/// >>> from silkline import basic_authorization
/// >>> from silkline.service import ExtractionService
/// >>> headers = {"Authorization": basic_authorization("KEY"), "Content-Type": "application/json"}
/// >>> body = b'[{"url": "https://example.com/", "pageType": "article"}]'
/// >>> ExtractionService().handle_request("POST", "/v1/extract", headers, body, 0.0)
/// ServiceFetch(1, <1 queries>)
#[pyclass(name = "ServiceFetch", module = "silkline.service", frozen, get_all)]
pub(crate) struct PyFetch {
    /// Names the request from here on.
    ticket: u64,
    /// The pages to fetch and extract; none if the answer is only held back.
    queries: Vec<Py<PyFetchQuery>>,
}

#[pymethods]
impl PyFetch {
    fn __repr__(&self) -> String {
        format!("ServiceFetch({}, <{} queries>)", self.ticket, self.queries.len())
    }
}

/// What was read from a page.
///
/// >>> from silkline.service import FetchedPage
/// >>> FetchedPage('{"headline": "Hello"}', '{"inLanguages": [{"code": "en"}]}')
/// FetchedPage(<21 bytes>)
#[pyclass(name = "FetchedPage", module = "silkline.service", frozen, get_all)]
pub(crate) struct PyFetchedPage {
    /// The item, as JSON.
    item: String,
    /// What is known of the page as such, as JSON.
    web_page: String,
    /// The page's HTML; wanted where the query asks for it.
    html: Option<String>,
}

#[pymethods]
impl PyFetchedPage {
    #[new]
    #[pyo3(signature = (item, web_page, html = None))]
    fn new(item: Text, web_page: Text, html: Option<Text>) -> Self {
        let html = html.map(|html| html.value);
        Self { item: item.value, web_page: web_page.value, html }
    }

    fn __repr__(&self) -> String {
        format!("FetchedPage(<{} bytes>)", self.item.len())
    }
}

/// What came of a page, as the host tells it.
#[derive(FromPyObject)]
pub(crate) enum Outcome<'py> {
    Page(Bound<'py, PyFetchedPage>),
    Bridged(Bound<'py, PyBridgedQuery>),
    Status(u16),
    Failure(String),
}

impl Outcome<'_> {
    fn into_core(self) -> PyResult<FetchOutcome> {
        Ok(match self {
            Self::Page(page) => {
                let page = page.get();
                FetchOutcome::Page {
                    item: page.item.clone(),
                    web_page: page.web_page.clone(),
                    html: page.html.clone(),
                }
            }
            Self::Bridged(query) => query.get().0.clone().into(),
            Self::Status(status) => FetchOutcome::Status(status),
            Self::Failure(name) => {
                FetchOutcome::Failed(FetchFailure::from_name(&name).ok_or_else(|| {
                    unknown_failure(&name, FetchFailure::all().map(FetchFailure::name))
                })?)
            }
        })
    }
}

/// An answer, the moment to come back, or nothing to do.
#[derive(IntoPyObject)]
pub(crate) enum Output {
    Answer(PyAnswer),
    WaitUntil(f64),
}

impl Output {
    pub(super) fn from_core(py: Python<'_>, output: ServiceOutput) -> PyResult<Option<Self>> {
        Ok(match output {
            ServiceOutput::Answer { ticket, answer } => {
                Some(Self::Answer(PyAnswer::from_core(py, Some(ticket.number()), answer)?))
            }
            ServiceOutput::WaitUntil(at) => Some(Self::WaitUntil(told(at))),
            ServiceOutput::Idle => None,
        })
    }
}

/// An answer, or pages to fetch first.
#[derive(IntoPyObject)]
pub(crate) enum FirstStep {
    Answer(PyAnswer),
    Fetch(PyFetch),
}

/// The service behind ``POST /v1/extract``, without sockets and clock.
///
/// The host passes every request in, fetches and extracts the pages that are wanted, and tells
/// what came of each; it calls `poll` after anything it passed in and at the moment that the last
/// call named. Moments are seconds on any clock that does not go back. The same arguments and calls
/// give the same answers.
///
/// Every argument that is left out keeps the documented default. ``keys`` are the good keys (left
/// out: any non-empty one), ``disabled_keys`` those of disabled accounts. ``rate`` is in queries a
/// second for each key (``math.inf`` for no limit) with a second's worth of them at once, or
/// ``burst``; ``system_rate`` is for all keys together and ``domain_rate`` for each domain, at most
/// ``domain_concurrency`` of whose queries are in progress, else it is occupied for ``domain_wait``
/// seconds. ``occupied`` maps domains to the seconds for which they are occupied from the first
/// query on, ``blacklist`` names those that are refused. ``faults`` is a fault script, as JSON.
/// ``epoch`` is the time at moment zero, in seconds since 1970, for the ids of queries.
///
/// >>> import json
/// >>> from silkline import basic_authorization
/// >>> from silkline.service import ExtractionService, FetchedPage
/// >>> service = ExtractionService(keys=["KEY"], rate=2, seed=1)
/// >>> headers = {"Authorization": basic_authorization("KEY"), "Content-Type": "application/json"}
/// >>> body = b'[{"url": "https://example.com/", "pageType": "article"}]'
/// >>> step = service.handle_request("POST", "/v1/extract", headers, body, 0.0)
/// >>> step.queries[0].url
/// 'https://example.com/'
/// >>> page = FetchedPage('{"headline": "Hello"}', '{"inLanguages": []}')
/// >>> answer = service.handle_fetched(step.ticket, 0, page, 0.5)
/// >>> answer.status, json.loads(answer.body)[0]["article"]
/// (200, {'headline': 'Hello'})
#[pyclass(name = "ExtractionService", module = "silkline.service", frozen)]
pub(crate) struct PyExtractionService {
    machine: Shared<ExtractionService>,
    max_payload: usize,
}

#[pymethods]
impl PyExtractionService {
    #[new]
    #[pyo3(signature = (*, keys = None, disabled_keys = None, rate = None, burst = None,
        system_rate = None, max_queries = None, max_payload = None, query_timeout = None,
        blacklist = None, occupied = None, domain_rate = None, domain_concurrency = None,
        domain_wait = None, shuffle = false, faults = None, seed = None, epoch = None,
        algorithm_version = None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments, each with a default")]
    fn new(
        py: Python<'_>,
        keys: Option<Vec<String>>,
        disabled_keys: Option<Vec<String>>,
        rate: Option<f64>,
        burst: Option<u32>,
        system_rate: Option<f64>,
        max_queries: Option<usize>,
        max_payload: Option<usize>,
        query_timeout: Option<f64>,
        blacklist: Option<Vec<String>>,
        occupied: Option<BTreeMap<String, f64>>,
        domain_rate: Option<f64>,
        domain_concurrency: Option<u32>,
        domain_wait: Option<f64>,
        shuffle: bool,
        faults: Option<String>,
        seed: Option<u64>,
        epoch: Option<f64>,
        algorithm_version: Option<String>,
    ) -> PyResult<Self> {
        let mut config = ExtractionConfig::default()
            .with_keys(settings::keys(keys, disabled_keys))
            .with_system_pace(pace_per_second("system_rate", system_rate)?)
            .with_domain_pace(pace_per_second("domain_rate", domain_rate)?)
            .with_occupied(settings::delays("occupied", occupied)?)
            .with_domain_concurrency(domain_concurrency)
            .with_blacklist(blacklist.unwrap_or_default())
            .with_shuffled_results(shuffle);
        if let Some(pace) = pace_per_second("rate", rate)? {
            config = config.with_pace(pace);
        }
        if let Some(burst) = burst {
            let pace = config.pace().with_burst(burst);
            config = config.with_pace(pace);
        }
        if let Some(count) = max_queries {
            config = config.with_max_queries(count);
        }
        if let Some(bytes) = max_payload {
            config = config.with_max_payload(bytes);
        }
        if let Some(timeout) = query_timeout {
            config = config.with_query_timeout(delay("query_timeout", timeout)?);
        }
        if let Some(wait) = domain_wait {
            config = config.with_domain_wait(delay("domain_wait", wait)?);
        }
        if let Some(script) = faults {
            config = config.with_faults(&script).map_err(|error| errors::faults(py, &error))?;
        }
        if let Some(epoch) = epoch {
            let millis = delay("epoch", epoch)?.as_millis();
            config = config.with_epoch_ms(u64::try_from(millis).unwrap_or(u64::MAX));
        }
        if let Some(version) = algorithm_version {
            config = config.with_algorithm_version(version);
        }
        let max_payload = config.max_payload();
        let seed = seed_or_random(py, seed)?;
        Ok(Self { machine: Shared::new(ExtractionService::new(config, seed)), max_payload })
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
    ) -> PyResult<FirstStep> {
        let request = Request::new(method.0, url.value)
            .with_headers(headers.0)
            .with_body(body.as_bytes().to_vec());
        // Reading a large body takes a while, and other threads may want to run.
        let step = self.machine.detached(py, |machine| machine.handle_request(&request, now.0));
        match step {
            Step::Answer(answer) => PyAnswer::from_core(py, None, answer).map(FirstStep::Answer),
            Step::Fetch { ticket, queries } => {
                let queries =
                    queries.into_iter().map(|query| Py::new(py, PyFetchQuery::from(query)));
                let queries = queries.collect::<PyResult<_>>()?;
                Ok(FirstStep::Fetch(PyFetch { ticket: ticket.number(), queries }))
            }
        }
    }

    /// Answers what the host could not read as an HTTP request.
    fn handle_malformed(&self, py: Python<'_>, now: Moment) -> PyResult<PyAnswer> {
        let answer = self.machine.lock(py).handle_malformed(now.0);
        PyAnswer::from_core(py, None, answer)
    }

    /// Takes what came of a page: a `FetchedPage`, the target's status if it was none of success,
    /// or the name of a failure. Gives the answer if that was all it lacked.
    fn handle_fetched(
        &self,
        py: Python<'_>,
        ticket: u64,
        index: usize,
        outcome: Outcome<'_>,
        now: Moment,
    ) -> PyResult<Option<PyAnswer>> {
        let (named, outcome) = (Ticket::from_number(ticket), outcome.into_core()?);
        let call =
            |machine: &mut ExtractionService| machine.handle_fetched(named, index, &outcome, now.0);
        let answer = self.machine.detached(py, call);
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
