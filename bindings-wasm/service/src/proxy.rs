//! `silkline::service::proxy`.

use core::net::IpAddr;

use serde_json::Value;
use silkline::service::{
    Answer,
    proxy::{
        BanRule, Connect, Fetch, FetchFailure, FetchOutcome, ProxyConfig, ProxyOutput,
        ProxyService as Machine, Relay, Step, Ticket, Tunnel,
    },
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::{
    Thrown, answer,
    convert::{self, float, header_lines, millis, moment, received_headers, tell},
    number, request,
    settings::{Settings, texts},
};

/// Whether a text is an IP address.
#[wasm_bindgen(js_name = isAddress)]
pub fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

/// An open tunnel.
#[wasm_bindgen]
pub struct ProxyTunnel(Tunnel);

#[wasm_bindgen]
impl ProxyTunnel {
    /// Host and port of the target.
    pub fn authority(&self) -> String {
        self.0.authority.clone()
    }

    /// The headers of the answer to the CONNECT, as lines.
    pub fn headers(&self) -> String {
        header_lines(&self.0.answer_headers)
    }
}

/// The proxy service of Smart Proxy Manager.
#[wasm_bindgen]
pub struct ProxyService(Machine);

#[wasm_bindgen]
impl ProxyService {
    /// A service that has seen nothing.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &str, seed: u64) -> Result<Self, Thrown> {
        let settings = Settings::new(settings);
        let mut service = Machine::new(config(&settings), seed);
        if let Some(script) = settings.text("faults") {
            service = service.with_faults(script)?;
        }
        Ok(Self(service))
    }

    /// Takes a CONNECT to host and port: the tunnel, or the answer that refuses it.
    #[wasm_bindgen(js_name = handleConnect)]
    pub fn handle_connect(
        &mut self,
        authority: &str,
        headers: &str,
        now: f64,
    ) -> Result<Vec<JsValue>, Thrown> {
        let request = request("CONNECT", authority, headers)?;
        Ok(match self.0.handle_connect(&request, moment(now)) {
            Connect::Answer(given) => answer(None, &given),
            Connect::Tunnel(tunnel) => vec!["tunnel".into(), ProxyTunnel(tunnel).into()],
        })
    }

    /// Takes a request outside of any tunnel.
    #[wasm_bindgen(js_name = handleRequest)]
    pub fn handle_request(
        &mut self,
        method: &str,
        url: &str,
        headers: &str,
        now: f64,
    ) -> Result<Vec<JsValue>, Thrown> {
        let request = request(method, url, headers)?;
        Ok(step(self.0.handle_request(request, None, moment(now))))
    }

    /// Takes a request that came through a tunnel.
    #[wasm_bindgen(js_name = handleTunnelled)]
    pub fn handle_tunnelled(
        &mut self,
        tunnel: &ProxyTunnel,
        method: &str,
        url: &str,
        headers: &str,
        now: f64,
    ) -> Result<Vec<JsValue>, Thrown> {
        let request = request(method, url, headers)?;
        Ok(step(self.0.handle_request(request, Some(&tunnel.0), moment(now))))
    }

    /// Takes a target's answer.
    #[wasm_bindgen(js_name = handleResponded)]
    pub fn handle_responded(
        &mut self,
        ticket: f64,
        status: u16,
        headers: &str,
        body_start: Vec<u8>,
        now: f64,
    ) -> Vec<JsValue> {
        let headers = received_headers(headers);
        let outcome = FetchOutcome::Responded { status, headers, body_start };
        step(self.0.handle_fetched(ticket_of(ticket), outcome, moment(now)))
    }

    /// Takes a failure, by a name that the other side knows.
    #[wasm_bindgen(js_name = handleFailed)]
    pub fn handle_failed(&mut self, ticket: f64, failure: &str, now: f64) -> Vec<JsValue> {
        let failure = FetchFailure::from_name(failure).unwrap_or(FetchFailure::InternalError);
        let outcome = FetchOutcome::Failed(failure);
        step(self.0.handle_fetched(ticket_of(ticket), outcome, moment(now)))
    }

    /// Takes note that an answer was passed on.
    #[wasm_bindgen(js_name = handleFinished)]
    pub fn handle_finished(&mut self, ticket: f64, bytes: f64, now: f64) {
        self.0.handle_finished(ticket_of(ticket), convert::number(bytes), moment(now));
    }

    /// The client of a request went away.
    #[wasm_bindgen(js_name = handleClosed)]
    pub fn handle_closed(&mut self, ticket: f64, now: f64) {
        self.0.handle_closed(ticket_of(ticket), moment(now));
    }

    /// Answers a call to `/sessions`.
    #[wasm_bindgen(js_name = handleApi)]
    pub fn handle_api(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        now: f64,
    ) -> Result<Vec<JsValue>, Thrown> {
        let request = request(method, path, headers)?;
        Ok(whole(&self.0.handle_api(&request, moment(now))))
    }

    /// Answers what is no request.
    #[wasm_bindgen(js_name = handleUnreadable)]
    pub fn handle_unreadable(&mut self, too_large: bool, now: f64) -> Vec<JsValue> {
        whole(&self.0.handle_unreadable(too_large, moment(now)))
    }

    /// What is to be done next.
    pub fn poll(&mut self, now: f64) -> Vec<JsValue> {
        match self.0.poll(moment(now)) {
            ProxyOutput::Fetch(fetch) => pack_fetch(&fetch),
            ProxyOutput::WaitUntil(at) => vec!["waitUntil".into(), tell(at).into()],
            ProxyOutput::Idle => vec!["idle".into()],
        }
    }

    /// The counts so far, as JSON.
    pub fn stats(&self) -> String {
        self.0.stats().to_json()
    }
}

fn whole(given: &Answer) -> Vec<JsValue> {
    answer(None, given)
}

fn step(step: Step) -> Vec<JsValue> {
    match step {
        Step::Answer(given) => whole(&given),
        Step::Fetch(fetch) => pack_fetch(&fetch),
        Step::Relay(relay) => pack_relay(&relay),
        Step::Wait(ticket) => vec!["wait".into(), number(ticket.0)],
    }
}

fn pack_fetch(fetch: &Fetch) -> Vec<JsValue> {
    vec![
        "fetch".into(),
        number(fetch.ticket.0),
        fetch.outgoing.to_string().into(),
        fetch.request.method.as_str().into(),
        fetch.request.url.as_str().into(),
        header_lines(&fetch.request.headers).into(),
        millis(fetch.timeout).into(),
        fetch.inspect_body.into(),
    ]
}

fn pack_relay(relay: &Relay) -> Vec<JsValue> {
    vec![
        "relay".into(),
        number(relay.ticket.0),
        relay.status.into(),
        header_lines(&relay.headers).into(),
        relay.truncate.map_or(JsValue::NULL, |length| float(length).into()),
        number(relay.max_body_bytes),
    ]
}

fn config(settings: &Settings) -> ProxyConfig {
    fn set<T>(field: &mut T, value: Option<T>) {
        if let Some(value) = value {
            *field = value;
        }
    }
    let mut config = ProxyConfig::default();
    config.keys = settings.keys();
    if let Some(outgoing) = settings.texts("outgoing") {
        config.outgoing = outgoing.iter().filter_map(|text| text.parse().ok()).collect();
    }
    set(&mut config.sessions_per_address, settings.size("sessionsPerAddress"));
    set(&mut config.max_sessions, settings.size("maxSessions"));
    set(&mut config.session_idle, settings.delay("sessionIdle"));
    set(&mut config.delay, settings.delay("delay"));
    config.domain_delays.extend(settings.delays("domainDelays"));
    set(&mut config.delay_growth_percent, settings.count("delayGrowthPercent"));
    set(&mut config.retries, settings.count("retries"));
    set(&mut config.timeout, settings.delay("timeout"));
    config.max_connections = settings.size("maxConnections");
    config.max_outstanding = settings.size("maxOutstanding");
    set(&mut config.max_header_bytes, settings.size("maxHeaderBytes"));
    set(&mut config.max_body_bytes, settings.number("maxBodyBytes"));
    let bans = settings.get("bans").and_then(Value::as_array).into_iter().flatten();
    config.bans = bans.map(ban).collect();
    config.forbidden_domains = settings.texts("forbiddenDomains").unwrap_or_default();
    config.withheld_headers = settings.texts("withheldHeaders").unwrap_or_default();
    config
}

fn ban(rule: &Value) -> BanRule {
    let domain = rule.get("domain").and_then(Value::as_str).map(String::from);
    let statuses = rule.get("statuses").and_then(Value::as_array).into_iter().flatten();
    let statuses = statuses.filter_map(Value::as_u64).filter_map(|one| one.try_into().ok());
    BanRule::new(domain, statuses.collect(), rule.get("texts").map(texts).unwrap_or_default())
}

fn ticket_of(number: f64) -> Ticket {
    Ticket(convert::number(number))
}
