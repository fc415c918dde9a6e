//! `silkline::service::zyte_api`.

use silkline::service::{
    extraction::{ServiceOutput, Ticket},
    zyte_api::{
        PageFailure, PageOutcome, PageWish, ZyteApiConfig, ZyteApiService as Machine, ZyteApiStep,
    },
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::{
    Thrown, answer,
    convert::{self, array, copy_bytes, header_lines, moment, quoted, received_headers, tell},
    number, request,
    settings::Settings,
};

/// The names of all failures of a page, as JSON.
#[wasm_bindgen(js_name = pageFailures)]
pub fn page_failures() -> String {
    array(PageFailure::all().map(|failure| quoted(failure.name())))
}

/// Zyte API's `POST /v1/extract`.
#[wasm_bindgen]
pub struct ZyteApiService {
    machine: Machine,
    max_payload: usize,
}

#[wasm_bindgen]
impl ZyteApiService {
    /// A service that has seen nothing.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &str, seed: u64) -> Result<Self, Thrown> {
        let config = config(&Settings::new(settings))?;
        let max_payload = config.max_payload();
        Ok(Self { machine: Machine::new(config, seed), max_payload })
    }

    /// How many bytes a request's body may have.
    #[wasm_bindgen(js_name = maxPayload)]
    pub fn max_payload(&self) -> usize {
        self.max_payload
    }

    /// Takes a request: its answer, or the page that it needs.
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
        Ok(match self.machine.handle_request(&request, moment(now)) {
            ZyteApiStep::Answer(given) => answer(None, &given),
            ZyteApiStep::Fetch { ticket, wish } => pack_fetch(ticket, wish.as_deref()),
        })
    }

    /// Answers what the host could not read.
    #[wasm_bindgen(js_name = handleMalformed)]
    pub fn handle_malformed(&mut self, now: f64) -> Vec<JsValue> {
        answer(None, &self.machine.handle_malformed(moment(now)))
    }

    /// Takes a page: what the target answered, and what was made of it.
    #[expect(clippy::too_many_arguments, reason = "the parts of an answer, which cross one by one")]
    #[wasm_bindgen(js_name = handlePage)]
    pub fn handle_page(
        &mut self,
        ticket: f64,
        url: String,
        status: u16,
        headers: &str,
        body: Vec<u8>,
        browser_html: Option<String>,
        item: Option<String>,
        now: f64,
    ) -> Option<Vec<JsValue>> {
        let headers = received_headers(headers);
        let page = PageOutcome::Page { url, status, headers, body, browser_html, item };
        self.fetched(ticket, page, now)
    }

    /// Takes a failure, by a name that the other side knows.
    #[wasm_bindgen(js_name = handleFailed)]
    pub fn handle_failed(&mut self, ticket: f64, failure: &str, now: f64) -> Option<Vec<JsValue>> {
        let failure = PageFailure::from_name(failure).unwrap_or(PageFailure::Internal);
        self.fetched(ticket, PageOutcome::Failed(failure), now)
    }

    fn fetched(&mut self, ticket: f64, outcome: PageOutcome, now: f64) -> Option<Vec<JsValue>> {
        let ticket = ticket_of(ticket);
        let given = self.machine.handle_fetched(ticket, outcome, moment(now))?;
        Some(answer(Some(ticket.number()), &given))
    }

    /// The client of a request went away.
    #[wasm_bindgen(js_name = handleClosed)]
    pub fn handle_closed(&mut self, ticket: f64, now: f64) {
        self.machine.handle_closed(ticket_of(ticket), moment(now));
    }

    /// What is to be done next.
    pub fn poll(&mut self, now: f64) -> Vec<JsValue> {
        match self.machine.poll(moment(now)) {
            ServiceOutput::Answer { ticket, answer: given } => {
                answer(Some(ticket.number()), &given)
            }
            ServiceOutput::WaitUntil(at) => vec!["waitUntil".into(), tell(at).into()],
            ServiceOutput::Idle => vec!["idle".into()],
        }
    }

    /// The counts so far, as JSON.
    pub fn stats(&self) -> String {
        self.machine.stats().to_json()
    }
}

/// A page to fetch; without one, a ticket alone.
fn pack_fetch(ticket: Ticket, wish: Option<&PageWish>) -> Vec<JsValue> {
    let mut parts = vec!["fetch".into(), number(ticket.number())];
    if let Some(wish) = wish {
        parts.extend([
            wish.url.as_str().into(),
            wish.method.as_str().into(),
            header_lines(&wish.headers).into(),
            copy_bytes(&wish.body),
            wish.follow_redirects.into(),
            wish.item.as_deref().map_or(JsValue::NULL, JsValue::from),
            wish.browser_html.into(),
        ]);
    }
    parts
}

fn config(settings: &Settings) -> Result<ZyteApiConfig, Thrown> {
    let mut config = ZyteApiConfig::default()
        .with_keys(settings.keys())
        .with_system_pace(settings.pace_a_minute("systemRate"))
        .with_domain_pace(settings.pace_a_minute("domainRate"))
        .with_occupied(settings.delays("occupied"))
        .with_forbidden(settings.texts("forbiddenDomains").unwrap_or_default())
        .with_bans(settings.bans("bans"));
    if let Some(pace) = settings.pace_a_minute("rate") {
        config = config.with_pace(pace);
    }
    if let Some(bytes) = settings.size("maxPayload") {
        config = config.with_max_payload(bytes);
    }
    if let Some(timeout) = settings.delay("timeout") {
        config = config.with_timeout(timeout);
    }
    if let Some(script) = settings.text("faults") {
        config = config.with_faults(script)?;
    }
    Ok(config)
}

fn ticket_of(number: f64) -> Ticket {
    Ticket::from_number(convert::number(number))
}
