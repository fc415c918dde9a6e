//! The only place that makes JavaScript errors.
//!
//! Each error of the core becomes an instance of a class of its own in `npm/errors.cjs`, made by a
//! factory there so that `instanceof` and stack traces are those of ordinary errors.

use serde_json::{Value, json};
use silkline::{
    extraction::{InvalidBatch, InvalidQuery},
    http::{InvalidApiKey, InvalidEndpoint, InvalidHeader, InvalidMethod},
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

#[wasm_bindgen(raw_module = "../errors.cjs")]
extern "C" {
    /// Makes an error of the class; `fields` is a JSON object, with names as JavaScript has them.
    #[wasm_bindgen(js_name = createError)]
    fn create_error(class: &str, code: &str, message: &str, fields: &str) -> JsValue;
}

/// A JavaScript error on its way out.
pub struct Thrown(JsValue);

impl Thrown {
    /// An error of the core, by the name of its class, with its data.
    pub(crate) fn new(class: &str, code: &str, message: &str, fields: &Value) -> Self {
        Self(create_error(class, code, message, &fields.to_string()))
    }
}

impl From<Thrown> for JsValue {
    fn from(thrown: Thrown) -> Self {
        thrown.0
    }
}

impl From<InvalidApiKey> for Thrown {
    fn from(error: InvalidApiKey) -> Self {
        let fields = match error {
            InvalidApiKey::Character { position, length } => {
                json!({ "position": position, "length": length })
            }
            _ => json!({}),
        };
        Self::new("InvalidApiKey", error.code(), &error.to_string(), &fields)
    }
}

impl From<InvalidBatch> for Thrown {
    fn from(error: InvalidBatch) -> Self {
        let fields = match error {
            InvalidBatch::TooMany { count } => json!({ "count": count }),
            _ => json!({}),
        };
        Self::new("InvalidBatch", error.code(), &error.to_string(), &fields)
    }
}

impl From<InvalidEndpoint> for Thrown {
    fn from(error: InvalidEndpoint) -> Self {
        let fields = match &error {
            InvalidEndpoint::Url { endpoint } => json!({ "endpoint": endpoint }),
            _ => json!({}),
        };
        Self::new("InvalidEndpoint", error.code(), &error.to_string(), &fields)
    }
}

impl From<InvalidHeader> for Thrown {
    fn from(error: InvalidHeader) -> Self {
        // The `name` of a JavaScript error is that of its class.
        let fields = match &error {
            InvalidHeader::Name { name } => json!({ "header": name }),
            InvalidHeader::Value { name, position } => {
                json!({ "header": name, "position": position })
            }
            _ => json!({}),
        };
        Self::new("InvalidHeader", error.code(), &error.to_string(), &fields)
    }
}

impl From<InvalidMethod> for Thrown {
    fn from(error: InvalidMethod) -> Self {
        let fields = json!({ "method": error.method });
        Self::new("InvalidMethod", error.code(), &error.to_string(), &fields)
    }
}

impl From<InvalidQuery> for Thrown {
    fn from(error: InvalidQuery) -> Self {
        use InvalidQuery as E;
        let fields = match &error {
            E::CustomHtmlTooLong { length }
            | E::MetaTooLong { length }
            | E::UrlTooLong { length } => json!({ "length": length }),
            E::ExtraJson { field, length, position } => {
                json!({ "field": field, "length": length, "position": position })
            }
            E::ExtraReserved { field } | E::FieldDuplicate { field } => json!({ "field": field }),
            E::FieldMissing { field } => json!({ "field": field }),
            E::FieldType { field, expected, found } => {
                json!({ "field": field, "expected": expected, "found": found })
            }
            E::Json { length, position } => json!({ "length": length, "position": position }),
            E::LoneSurrogate { field, position } => {
                json!({ "field": field, "position": position })
            }
            E::NotObject { found } => json!({ "found": found }),
            E::PageType { page_type } => json!({ "pageType": page_type }),
            E::Url { url } | E::UrlScheme { url } => json!({ "url": url }),
            _ => json!({}),
        };
        Self::new("InvalidQuery", error.code(), &error.to_string(), &fields)
    }
}
