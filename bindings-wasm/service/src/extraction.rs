//! `silkline::service::extraction`.

use silkline::{
    bridge::BridgedQuery,
    service::extraction::{
        ExtractionConfig, ExtractionService as Machine, FetchFailure, FetchOutcome, FetchQuery,
        ServiceOutput, Step, Ticket,
    },
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::{
    Thrown, answer,
    convert::{self, Object, array, delay, millis, moment, quoted, tell},
    number, request,
    settings::Settings,
};

/// The names of all failures of a page, as JSON.
#[wasm_bindgen(js_name = pageFailures)]
pub fn page_failures() -> String {
    array(FetchFailure::all().map(|failure| quoted(failure.name())))
}

/// What an item of Zyte API is to programs of the older service, with the page's HTML.
#[wasm_bindgen(js_name = bridgedItem)]
pub fn bridged_item(item: &[u8], html: Option<String>) -> Vec<JsValue> {
    bridged(BridgedQuery::of_item(item, html))
}

/// The same for the error of a query.
#[wasm_bindgen(js_name = bridgedQueryError)]
pub fn bridged_query_error(code: &str, text: &str, billed: bool) -> Vec<JsValue> {
    bridged(BridgedQuery::of_query_error(code, text, billed))
}

/// The same for an error that no result explains.
#[wasm_bindgen(js_name = bridgedError)]
pub fn bridged_error(code: &str, message: &str, retry_after: Option<f64>) -> Vec<JsValue> {
    bridged(BridgedQuery::of_error(code, message, retry_after.map(delay)))
}

/// What came of a query: the function that takes it, and its arguments there.
fn bridged(query: BridgedQuery) -> Vec<JsValue> {
    match query.into() {
        FetchOutcome::Page { item, web_page, html } => {
            let html = html.map_or(JsValue::UNDEFINED, JsValue::from);
            vec!["handlePage".into(), item.into(), web_page.into(), html]
        }
        FetchOutcome::Refused { problem, retry_after } => {
            let retry_after = retry_after.map_or(JsValue::UNDEFINED, |delay| millis(delay).into());
            vec!["handleRefused".into(), problem.into(), retry_after]
        }
        FetchOutcome::Error { text, billed } => {
            vec!["handleError".into(), text.into(), billed.into()]
        }
        _ => vec![],
    }
}

/// The service behind `POST /v1/extract`.
#[wasm_bindgen]
pub struct ExtractionService(Machine);

#[wasm_bindgen]
impl ExtractionService {
    /// A service that has seen nothing.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &str, seed: u64) -> Result<Self, Thrown> {
        Ok(Self(Machine::new(config(&Settings::new(settings))?, seed)))
    }

    /// How many bytes a request's body may have.
    #[wasm_bindgen(js_name = maxPayload)]
    pub fn max_payload(&self) -> usize {
        self.0.config().max_payload()
    }

    /// Takes a request: its answer, or the pages that it needs.
    #[wasm_bindgen(js_name = handleRequest)]
    pub fn handle_request(
        &mut self,
        method: &str,
        url: &str,
        headers: &str,
        body: Vec<u8>,
        now: f64,
    ) -> Result<Vec<JsValue>, Thrown> {
        let request = request(method, url, headers)?.with_body(body);
        Ok(match self.0.handle_request(&request, moment(now)) {
            Step::Answer(given) => answer(None, &given),
            Step::Fetch { ticket, queries } => {
                let queries = array(queries.iter().map(query_json));
                vec!["fetch".into(), number(ticket.number()), queries.into()]
            }
        })
    }

    /// Answers what the host could not read.
    #[wasm_bindgen(js_name = handleMalformed)]
    pub fn handle_malformed(&mut self, now: f64) -> Vec<JsValue> {
        answer(None, &self.0.handle_malformed(moment(now)))
    }

    /// Takes a page: item, what is known of the page and maybe its HTML.
    #[wasm_bindgen(js_name = handlePage)]
    pub fn handle_page(
        &mut self,
        ticket: f64,
        index: usize,
        item: String,
        web_page: String,
        html: Option<String>,
        now: f64,
    ) -> Option<Vec<JsValue>> {
        self.fetched(ticket, index, &FetchOutcome::Page { item, web_page, html }, now)
    }

    /// Takes the status of a target, if it was none of success.
    #[wasm_bindgen(js_name = handleStatus)]
    pub fn handle_status(
        &mut self,
        ticket: f64,
        index: usize,
        status: u16,
        now: f64,
    ) -> Option<Vec<JsValue>> {
        self.fetched(ticket, index, &FetchOutcome::Status(status), now)
    }

    /// Takes a failure, by a name that the other side knows.
    #[wasm_bindgen(js_name = handleFailed)]
    pub fn handle_failed(
        &mut self,
        ticket: f64,
        index: usize,
        failure: &str,
        now: f64,
    ) -> Option<Vec<JsValue>> {
        let failure = FetchFailure::from_name(failure).unwrap_or(FetchFailure::Internal);
        self.fetched(ticket, index, &FetchOutcome::Failed(failure), now)
    }

    /// Takes an error as the service words it.
    #[wasm_bindgen(js_name = handleError)]
    pub fn handle_error(
        &mut self,
        ticket: f64,
        index: usize,
        text: String,
        billed: bool,
        now: f64,
    ) -> Option<Vec<JsValue>> {
        self.fetched(ticket, index, &FetchOutcome::Error { text, billed }, now)
    }

    /// Takes a problem with which the whole request is refused.
    #[wasm_bindgen(js_name = handleRefused)]
    pub fn handle_refused(
        &mut self,
        ticket: f64,
        index: usize,
        problem: String,
        retry_after: Option<f64>,
        now: f64,
    ) -> Option<Vec<JsValue>> {
        let retry_after = retry_after.map(delay);
        self.fetched(ticket, index, &FetchOutcome::Refused { problem, retry_after }, now)
    }

    fn fetched(
        &mut self,
        ticket: f64,
        index: usize,
        outcome: &FetchOutcome,
        now: f64,
    ) -> Option<Vec<JsValue>> {
        let ticket = ticket_of(ticket);
        let given = self.0.handle_fetched(ticket, index, outcome, moment(now))?;
        Some(answer(Some(ticket.number()), &given))
    }

    /// The client of a request went away.
    #[wasm_bindgen(js_name = handleClosed)]
    pub fn handle_closed(&mut self, ticket: f64, now: f64) {
        self.0.handle_closed(ticket_of(ticket), moment(now));
    }

    /// What is to be done next.
    pub fn poll(&mut self, now: f64) -> Vec<JsValue> {
        match self.0.poll(moment(now)) {
            ServiceOutput::Answer { ticket, answer: given } => {
                answer(Some(ticket.number()), &given)
            }
            ServiceOutput::WaitUntil(at) => vec!["waitUntil".into(), tell(at).into()],
            ServiceOutput::Idle => vec!["idle".into()],
        }
    }

    /// The counts so far, as JSON.
    pub fn stats(&self) -> String {
        self.0.stats().to_json()
    }
}

fn config(settings: &Settings) -> Result<ExtractionConfig, Thrown> {
    let mut config = ExtractionConfig::default()
        .with_keys(settings.keys())
        .with_system_pace(settings.pace("systemRate"))
        .with_domain_pace(settings.pace("domainRate"))
        .with_domain_concurrency(settings.count("domainConcurrency"))
        .with_blacklist(settings.texts("blacklist").unwrap_or_default())
        .with_occupied(settings.delays("occupied"))
        .with_shuffled_results(settings.flag("shuffle"));
    if let Some(pace) = settings.pace("rate") {
        config = config.with_pace(pace);
    }
    if let Some(burst) = settings.count("burst") {
        let pace = config.pace().with_burst(burst);
        config = config.with_pace(pace);
    }
    if let Some(count) = settings.size("maxQueries") {
        config = config.with_max_queries(count);
    }
    if let Some(bytes) = settings.size("maxPayload") {
        config = config.with_max_payload(bytes);
    }
    if let Some(timeout) = settings.delay("queryTimeout") {
        config = config.with_query_timeout(timeout);
    }
    if let Some(wait) = settings.delay("domainWait") {
        config = config.with_domain_wait(wait);
    }
    if let Some(script) = settings.text("faults") {
        config = config.with_faults(script)?;
    }
    if let Some(epoch) = settings.number("epoch") {
        config = config.with_epoch_ms(epoch);
    }
    if let Some(version) = settings.text("algorithmVersion") {
        config = config.with_algorithm_version(version);
    }
    Ok(config)
}

fn query_json(query: &FetchQuery) -> String {
    Object::new()
        .number("index", query.index)
        .text("url", &query.url)
        .text("pageType", &query.page_type)
        .flag("articleBodyRaw", query.article_body_raw)
        .flag("fullHtml", query.full_html)
        .maybe_text("customHtml", query.custom_html.as_deref())
        .end()
}

fn ticket_of(number: f64) -> Ticket {
    Ticket::from_number(convert::number(number))
}
