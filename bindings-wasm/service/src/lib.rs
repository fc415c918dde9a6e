//! The WebAssembly half of the services' side: by its features, modules of the package that programs
//! load where they use them.
//!
//! A crate of its own, because its machines read JSON of any shape (settings, fault scripts), which
//! no other module of the package does. `npm/lib/service.cjs`, `npm/lib/zyte-api-service.cjs` and
//! `npm/lib/bridge.cjs` have the classes that users see.

#![cfg_attr(
    not(feature = "services"),
    expect(dead_code, reason = "the settings of the older services")
)]

#[cfg(feature = "bridge")]
pub mod bridge;
// What crosses is written as in the other modules.
#[path = "../../src/convert.rs"]
#[expect(dead_code, reason = "for the other modules")]
mod convert;
#[cfg(any(feature = "services", feature = "zyte-api"))]
pub mod exchange;
#[cfg(feature = "services")]
pub mod extraction;
#[cfg(feature = "services")]
pub mod proxy;
mod settings;
#[cfg(feature = "zyte-api")]
pub mod zyte_api;
#[cfg(feature = "zyte-api")]
pub mod zyte_proxy;

#[cfg(feature = "bridge")]
use silkline::http::{InvalidApiKey, InvalidEndpoint};
use silkline::{
    http::{InvalidMethod, Request, Response},
    service::{Answer, Delivery, InvalidFaults, proxy::FetchFailure},
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::convert::{Object, array, copy_bytes, float, header_lines, quoted, received_headers};

#[wasm_bindgen(raw_module = "border")]
extern "C" {
    /// Makes an error of the class; `fields` is a JSON object, with names as JavaScript has them.
    #[wasm_bindgen(js_name = createError)]
    fn create_error(class: &str, code: &str, message: &str, fields: &str) -> JsValue;
}

/// A JavaScript error on its way out.
pub struct Thrown(JsValue);

impl From<Thrown> for JsValue {
    fn from(thrown: Thrown) -> Self {
        thrown.0
    }
}

impl From<InvalidFaults> for Thrown {
    fn from(error: InvalidFaults) -> Self {
        let fields = Object::new().text("reason", &error.reason).end();
        Self(create_error("InvalidFaults", error.code(), &error.to_string(), &fields))
    }
}

impl From<InvalidMethod> for Thrown {
    fn from(error: InvalidMethod) -> Self {
        let fields = Object::new().text("method", &error.method).end();
        Self(create_error("InvalidMethod", error.code(), &error.to_string(), &fields))
    }
}

#[cfg(feature = "bridge")]
impl From<InvalidApiKey> for Thrown {
    fn from(error: InvalidApiKey) -> Self {
        let fields = match error {
            InvalidApiKey::Character { position, length } => {
                Object::new().number("position", position).number("length", length)
            }
            _ => Object::new(),
        };
        Self(create_error("InvalidApiKey", error.code(), &error.to_string(), &fields.end()))
    }
}

#[cfg(feature = "bridge")]
impl From<InvalidEndpoint> for Thrown {
    fn from(error: InvalidEndpoint) -> Self {
        let fields = match &error {
            InvalidEndpoint::NotOrigin { endpoint } | InvalidEndpoint::Url { endpoint } => {
                Object::new().text("endpoint", endpoint)
            }
            _ => Object::new(),
        };
        Self(create_error("InvalidEndpoint", error.code(), &error.to_string(), &fields.end()))
    }
}

/// The names of all failures of a target, as JSON.
#[wasm_bindgen(js_name = targetFailures)]
pub fn target_failures() -> String {
    array(FetchFailure::all().map(|failure| quoted(failure.name())))
}

pub(crate) fn failure_of(name: &str) -> FetchFailure {
    FetchFailure::from_name(name).unwrap_or(FetchFailure::InternalError)
}

/// A request whose headers come as a JSON array of names and values in turn.
fn request(method: &str, url: &str, headers: &str) -> Result<Request, Thrown> {
    Ok(Request::new(method.parse()?, url).with_headers(received_headers(headers)))
}

/// An answer: its kind, the request that it answers, status, headers, body, how it is delivered.
fn answer(ticket: Option<u64>, answer: &Answer) -> Vec<JsValue> {
    let (dropped, truncated) = match answer.delivery {
        Delivery::Dropped => (true, None),
        Delivery::Truncated(length) => (false, Some(length)),
        _ => (false, None),
    };
    let truncated = truncated.map_or(JsValue::NULL, |length| float(length).into());
    response(ticket, &answer.response, dropped, truncated)
}

fn response(
    ticket: Option<u64>,
    response: &Response,
    dropped: bool,
    truncated: JsValue,
) -> Vec<JsValue> {
    vec![
        "answer".into(),
        ticket.map_or(JsValue::NULL, number),
        response.status.into(),
        header_lines(&response.headers).into(),
        copy_bytes(&response.body),
        dropped.into(),
        truncated,
    ]
}

/// A ticket or a count, all of which are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "tickets and counts stay below 2^53")]
fn number(number: u64) -> JsValue {
    (number as f64).into()
}
