//! `silkline::bridge`, towards programs that speak Smart Proxy Manager.

use silkline::{
    bridge::{BridgeConnect, BridgeRelay, BridgeSend, BridgeStep, ProxyBridge as Machine},
    http::{Request, Response},
    proxy::ProxyApi,
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::{
    Thrown,
    convert::{self, header_lines, moment, received_headers},
    failure_of, number, request, response,
    settings::Settings,
};

/// An open tunnel.
#[wasm_bindgen]
pub struct BridgeTunnel(silkline::bridge::BridgeTunnel);

#[wasm_bindgen]
impl BridgeTunnel {
    /// Host and port of the target.
    pub fn authority(&self) -> String {
        self.0.authority.clone()
    }

    /// The headers of the answer to the CONNECT, as lines.
    pub fn headers(&self) -> String {
        header_lines(&self.0.answer_headers)
    }
}

/// Between unchanged programs and the proxy mode of Zyte API.
#[wasm_bindgen]
pub struct ProxyBridge(Machine);

#[wasm_bindgen]
impl ProxyBridge {
    /// A bridge without sessions; `settings` holds the keys that programs may use.
    #[wasm_bindgen(constructor)]
    pub fn new(
        api_key: &str,
        endpoint: Option<String>,
        settings: &str,
        seed: u64,
    ) -> Result<Self, Thrown> {
        let mut api = ProxyApi::new(api_key)?;
        if let Some(endpoint) = endpoint {
            api = api.with_endpoint(&endpoint)?;
        }
        Ok(Self(Machine::new(api, Settings::new(settings).keys(), seed)))
    }

    /// The proxy behind, without key.
    pub fn upstream(&self) -> String {
        self.0.upstream().into()
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
            BridgeConnect::Answer(given) => answer(&given),
            BridgeConnect::Tunnel(tunnel) => vec!["tunnel".into(), BridgeTunnel(*tunnel).into()],
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
        Ok(self.take(request(method, url, headers)?, None, now))
    }

    /// Takes a request that came through a tunnel.
    #[wasm_bindgen(js_name = handleTunnelled)]
    pub fn handle_tunnelled(
        &mut self,
        tunnel: &BridgeTunnel,
        method: &str,
        url: &str,
        headers: &str,
        now: f64,
    ) -> Result<Vec<JsValue>, Thrown> {
        Ok(self.take(request(method, url, headers)?, Some(tunnel), now))
    }

    fn take(&mut self, request: Request, tunnel: Option<&BridgeTunnel>, now: f64) -> Vec<JsValue> {
        let tunnel = tunnel.map(|tunnel| &tunnel.0);
        match self.0.handle_request(request, tunnel, moment(now)) {
            BridgeStep::Answer(given) => answer(&given),
            BridgeStep::Send(send) => pack_send(&send),
        }
    }

    /// Takes what the proxy behind answered.
    #[wasm_bindgen(js_name = handleResponse)]
    pub fn handle_response(
        &mut self,
        ticket: f64,
        status: u16,
        headers: &str,
        body_start: &[u8],
        now: f64,
    ) -> Vec<JsValue> {
        let (ticket, headers) = (convert::number(ticket), received_headers(headers));
        match self.0.handle_response(ticket, status, &headers, body_start, moment(now)) {
            BridgeRelay::Answer(given) => answer(&given),
            BridgeRelay::Pass { status, headers } => {
                vec!["relay".into(), status.into(), header_lines(&headers).into()]
            }
        }
    }

    /// Takes what the proxy behind answered to a CONNECT that it refused.
    #[wasm_bindgen(js_name = handleConnectRefused)]
    pub fn handle_connect_refused(
        &mut self,
        ticket: f64,
        status: u16,
        headers: &str,
        body_start: &[u8],
        now: f64,
    ) -> Vec<JsValue> {
        let (ticket, headers) = (convert::number(ticket), received_headers(headers));
        answer(&self.0.handle_connect_refused(ticket, status, &headers, body_start, moment(now)))
    }

    /// Takes a failure, by a name that the other side knows.
    #[wasm_bindgen(js_name = handleFailed)]
    pub fn handle_failed(&mut self, ticket: f64, failure: &str, now: f64) -> Vec<JsValue> {
        let ticket = convert::number(ticket);
        answer(&self.0.handle_failed(ticket, failure_of(failure), moment(now)))
    }

    /// The program went away.
    #[wasm_bindgen(js_name = handleClosed)]
    pub fn handle_closed(&mut self, ticket: f64, now: f64) {
        self.0.handle_closed(convert::number(ticket), moment(now));
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
        Ok(answer(&self.0.handle_api(&request, moment(now))))
    }

    /// Answers what is no request.
    #[wasm_bindgen(js_name = handleUnreadable)]
    pub fn handle_unreadable(&mut self, too_large: bool, now: f64) -> Vec<JsValue> {
        answer(&self.0.handle_unreadable(too_large, moment(now)))
    }

    /// The counts so far, as JSON.
    pub fn stats(&self) -> String {
        self.0.stats_json()
    }
}

/// An answer, which is always delivered whole.
fn answer(given: &Response) -> Vec<JsValue> {
    response(None, given, false, JsValue::NULL)
}

/// A request for the proxy behind; of a plain target, without the headers of a CONNECT.
fn pack_send(send: &BridgeSend) -> Vec<JsValue> {
    let request = &send.proxied.request;
    let connect = send.proxied.connect.as_ref();
    vec![
        "send".into(),
        number(send.ticket),
        request.method.as_str().into(),
        request.url.as_str().into(),
        header_lines(&request.headers).into(),
        connect.map_or(JsValue::NULL, |connect| header_lines(&connect.headers).into()),
    ]
}
