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
