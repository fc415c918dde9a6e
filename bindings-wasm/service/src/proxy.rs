//! `silkline::service::proxy`.

use silkline::service::proxy::{ProxyConfig, ProxyService as Machine};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::{
    Thrown, answer,
    convert::{self, moment},
    exchange::{ProxyTunnel, connect, failed, output, responded, step, ticket_of},
    request,
    settings::{Settings, set},
};

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
        Ok(connect(self.0.handle_connect(&request, moment(now))))
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
        let outcome = responded(status, headers, body_start);
        step(self.0.handle_fetched(ticket_of(ticket), outcome, moment(now)))
    }

    /// Takes a failure, by a name that the other side knows.
    #[wasm_bindgen(js_name = handleFailed)]
    pub fn handle_failed(&mut self, ticket: f64, failure: &str, now: f64) -> Vec<JsValue> {
        step(self.0.handle_fetched(ticket_of(ticket), failed(failure), moment(now)))
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
        Ok(answer(None, &self.0.handle_api(&request, moment(now))))
    }

    /// Answers what is no request.
    #[wasm_bindgen(js_name = handleUnreadable)]
    pub fn handle_unreadable(&mut self, too_large: bool, now: f64) -> Vec<JsValue> {
        answer(None, &self.0.handle_unreadable(too_large, moment(now)))
    }

    /// What is to be done next.
    pub fn poll(&mut self, now: f64) -> Vec<JsValue> {
        output(self.0.poll(moment(now)))
    }

    /// The counts so far, as JSON.
    pub fn stats(&self) -> String {
        self.0.stats().to_json()
    }
}

fn config(settings: &Settings) -> ProxyConfig {
    let mut config = ProxyConfig::default();
    config.keys = settings.keys();
    set(&mut config.outgoing, settings.addresses("outgoing"));
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
    config.bans = settings.bans("bans");
    config.forbidden_domains = settings.texts("forbiddenDomains").unwrap_or_default();
    config.withheld_headers = settings.texts("withheldHeaders").unwrap_or_default();
    config
}
