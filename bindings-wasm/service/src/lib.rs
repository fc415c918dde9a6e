//! The WebAssembly half of the services' side: `ExtractionService` and `ProxyService`.
//!
//! A crate of its own, because its machines read JSON of any shape (settings, fault scripts), which
//! no other module of the package does. `npm/lib/service.cjs` has the classes that users see.

// What crosses is written as in the other modules.
#[path = "../../src/convert.rs"]
#[expect(dead_code, reason = "for the other modules")]
mod convert;
pub mod extraction;
pub mod proxy;
mod settings;

use silkline::{
    http::{InvalidMethod, Request},
    service::{Answer, Delivery, InvalidFaults},
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::convert::{Object, copy_bytes, float, header_lines, received_headers};

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

/// The names of all failures of fetching, as JSON: of a page, and through the proxy.
#[wasm_bindgen]
pub fn failures() -> String {
    use silkline::service::{extraction::FetchFailure as Page, proxy::FetchFailure as Target};
    let quoted = |name| convert::quoted(name);
    Object::new()
        .json("page", &convert::array(Page::all().map(|failure| quoted(failure.name()))))
        .json("target", &convert::array(Target::all().map(|failure| quoted(failure.name()))))
        .end()
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
    vec![
        "answer".into(),
        ticket.map_or(JsValue::NULL, number),
        answer.response.status.into(),
        header_lines(&answer.response.headers).into(),
        copy_bytes(&answer.response.body),
        dropped.into(),
        truncated.map_or(JsValue::NULL, |length| float(length).into()),
    ]
}

/// A ticket or a count, all of which are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "tickets and counts stay below 2^53")]
fn number(number: u64) -> JsValue {
    (number as f64).into()
}
