//! What goes back and forth between a proxy service and its host.

use core::net::IpAddr;

use silkline::service::proxy::{
    Connect, Fetch, FetchOutcome, ProxyOutput, Relay, Step, Ticket, Tunnel,
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::{
    answer,
    convert::{self, float, header_lines, millis, received_headers, tell},
    failure_of, number,
};

/// Whether a text is an IP address.
#[wasm_bindgen(js_name = isAddress)]
pub fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

/// An open tunnel.
#[wasm_bindgen]
pub struct ProxyTunnel(pub(crate) Tunnel);

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

/// A target's answer, with the start of its body if that is wanted.
pub(crate) fn responded(status: u16, headers: &str, body_start: Vec<u8>) -> FetchOutcome {
    FetchOutcome::Responded { status, headers: received_headers(headers), body_start }
}

/// A failure, by a name that the other side knows.
pub(crate) fn failed(failure: &str) -> FetchOutcome {
    FetchOutcome::Failed(failure_of(failure))
}

pub(crate) fn connect(connect: Connect) -> Vec<JsValue> {
    match connect {
        Connect::Answer(given) => answer(None, &given),
        Connect::Tunnel(tunnel) => vec!["tunnel".into(), ProxyTunnel(tunnel).into()],
    }
}

pub(crate) fn output(output: ProxyOutput) -> Vec<JsValue> {
    match output {
        ProxyOutput::Fetch(fetch) => pack_fetch(&fetch),
        ProxyOutput::WaitUntil(at) => vec!["waitUntil".into(), tell(at).into()],
        ProxyOutput::Idle => vec!["idle".into()],
    }
}

pub(crate) fn step(step: Step) -> Vec<JsValue> {
    match step {
        Step::Answer(given) => answer(None, &given),
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

pub(crate) fn ticket_of(number: f64) -> Ticket {
    Ticket(convert::number(number))
}

/// What the other side calls on a proxy, the same for each service: beside it stand the class, over
/// its `Machine`, and the `config` that it reads its settings with.
macro_rules! proxy_methods {
    ($class:ident) => {
        const _: () = {
            use wasm_bindgen::prelude::JsValue;
            use $crate::{
                Thrown, answer,
                convert::{self, moment},
                exchange::{ProxyTunnel, connect, failed, output, responded, step, ticket_of},
                request,
            };

            #[wasm_bindgen]
            impl $class {
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
                pub fn handle_failed(
                    &mut self,
                    ticket: f64,
                    failure: &str,
                    now: f64,
                ) -> Vec<JsValue> {
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

                /// Answers a request for the service itself.
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
        };
    };
}

pub(crate) use proxy_methods;
