//! The only place that makes JavaScript errors.
//!
//! Each error of the core becomes an instance of a class of its own in `npm/errors.cjs`, made by a
//! factory there so that `instanceof` and stack traces are those of ordinary errors.

use core::fmt::Display;

#[cfg(feature = "proxy-engine")]
use silkline::engine::ProxyJobError;
#[cfg(any(feature = "extraction-engine", feature = "protocol"))]
use silkline::extraction::{ServiceFault, Usage};
use silkline::{
    engine::{InvalidSetting, InvalidSnapshot, NotSubmitted, UnknownRequest},
    extraction::{InvalidBatch, InvalidQuery},
    http::{InvalidApiKey, InvalidEndpoint, InvalidHeader, InvalidMethod},
    problem::InvalidProblem,
    proxy::{
        InvalidProxiedRequest, InvalidProxyOptions, InvalidSessionId, ProxyServiceError,
        SessionCallFailed,
    },
    schedule::{InvalidPool, InvalidRate},
    zyte_api::items::InvalidItem,
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::convert::{self, Object, quoted};
#[cfg(any(feature = "extraction-engine", feature = "protocol"))]
use crate::{extraction, problem};

#[wasm_bindgen(raw_module = "border")]
extern "C" {
    /// Makes an error of the class; `fields` is a JSON object, with names as JavaScript has them.
    #[wasm_bindgen(js_name = createError)]
    fn create_error(class: &str, code: &str, message: &str, fields: &str) -> JsValue;

    /// The same for a `ServiceError`, which keeps the answer.
    #[wasm_bindgen(js_name = createServiceError)]
    fn create_service_error(code: &str, message: &str, fields: &str, body: JsValue) -> JsValue;
}

/// A JavaScript error on its way out.
pub struct Thrown {
    class: &'static str,
    code: &'static str,
    message: String,
    fields: String,
    /// The body of the answer that a `ServiceError` keeps.
    body: Option<JsValue>,
}

impl Thrown {
    /// An error of the core, by the name of its class, with its data.
    pub(crate) fn new(
        class: &'static str,
        code: &'static str,
        error: &dyn Display,
        fields: Object,
    ) -> Self {
        Self { class, code, message: error.to_string(), fields: fields.end(), body: None }
    }

    /// Class, code, message and data, from which the other side makes it.
    pub(crate) fn to_json(&self) -> String {
        convert::array([self.class, self.code, &self.message, &self.fields].map(quoted))
    }
}

impl From<Thrown> for JsValue {
    fn from(Thrown { class, code, message, fields, body }: Thrown) -> Self {
        match body {
            None => create_error(class, code, &message, &fields),
            Some(body) => create_service_error(code, &message, &fields, body),
        }
    }
}

impl From<InvalidApiKey> for Thrown {
    fn from(error: InvalidApiKey) -> Self {
        let fields = match error {
            InvalidApiKey::Character { position, length } => {
                Object::new().number("position", position).number("length", length)
            }
            _ => Object::new(),
        };
        Self::new("InvalidApiKey", error.code(), &error, fields)
    }
}

impl From<InvalidBatch> for Thrown {
    fn from(error: InvalidBatch) -> Self {
        let fields = match error {
            InvalidBatch::Query(error) => return error.into(),
            InvalidBatch::TooMany { count, limit } => {
                Object::new().number("count", count).number("limit", limit)
            }
            _ => Object::new(),
        };
        Self::new("InvalidBatch", error.code(), &error, fields)
    }
}

impl From<InvalidEndpoint> for Thrown {
    fn from(error: InvalidEndpoint) -> Self {
        let fields = match &error {
            InvalidEndpoint::NotOrigin { endpoint } | InvalidEndpoint::Url { endpoint } => {
                Object::new().text("endpoint", endpoint)
            }
            _ => Object::new(),
        };
        Self::new("InvalidEndpoint", error.code(), &error, fields)
    }
}

impl From<InvalidHeader> for Thrown {
    fn from(error: InvalidHeader) -> Self {
        // The `name` of a JavaScript error is that of its class.
        let fields = match &error {
            InvalidHeader::Name { name } => Object::new().text("header", name),
            InvalidHeader::Value { name, position } => {
                Object::new().text("header", name).number("position", *position)
            }
            _ => Object::new(),
        };
        Self::new("InvalidHeader", error.code(), &error, fields)
    }
}

impl From<InvalidItem> for Thrown {
    fn from(error: InvalidItem) -> Self {
        let fields = match error {
            InvalidItem::NoCounterpart { page_type } => {
                Object::new().text("pageType", page_type.as_str())
            }
            InvalidItem::NotObject { kind } => Object::new().text("found", kind.as_str()),
            InvalidItem::Syntax { error } => Object::new().number("position", error.position()),
            _ => Object::new(),
        };
        Self::new("InvalidItem", error.code(), &error.to_string(), fields)
    }
}

impl From<InvalidMethod> for Thrown {
    fn from(error: InvalidMethod) -> Self {
        let fields = Object::new().text("method", &error.method);
        Self::new("InvalidMethod", error.code(), &error, fields)
    }
}

impl From<InvalidQuery> for Thrown {
    fn from(error: InvalidQuery) -> Self {
        use InvalidQuery as E;
        let mut fields = Object::new();
        if let Some(field) = error.field() {
            fields = fields.text("field", field);
        }
        if let Some(limit) = error.limit() {
            fields = fields.number("limit", limit);
        }
        fields = match &error {
            E::CustomHtmlTooLong { length }
            | E::MetaTooLong { length }
            | E::UrlTooLong { length, .. } => fields.number("length", *length),
            E::ExtraJson { length, position, .. } | E::Json { length, position } => {
                fields.number("length", *length).number("position", *position)
            }
            E::FieldType { expected, found, .. } => {
                fields.text("expected", expected).text("found", found)
            }
            E::LoneSurrogate { position, .. } => fields.number("position", *position),
            E::NotObject { found } => fields.text("found", found),
            E::PageType { page_type } => fields.text("pageType", page_type),
            E::Unsupported { value, dialect, reason, .. } => {
                fields.text("value", value).text("dialect", dialect).text("reason", reason)
            }
            E::Url { url } | E::UrlScheme { url } => fields.text("url", url),
            _ => fields,
        };
        Self::new("InvalidQuery", error.code(), &error, fields)
    }
}

impl From<InvalidProblem> for Thrown {
    fn from(error: InvalidProblem) -> Self {
        let fields = match &error {
            InvalidProblem::Json(reason) => Object::new().number("position", reason.position()),
            InvalidProblem::Member { name, reason } => {
                Object::new().text("member", name).number("position", reason.position())
            }
            InvalidProblem::NotObject { found } => Object::new().text("found", found),
            InvalidProblem::Reserved { name } => Object::new().text("member", name),
            InvalidProblem::TooLarge { length } => Object::new().number("length", *length),
            _ => Object::new(),
        };
        Self::new("InvalidProblem", error.code(), &error, fields)
    }
}

impl From<InvalidSessionId> for Thrown {
    fn from(error: InvalidSessionId) -> Self {
        let fields = Object::new().text("id", &error.id).text("reason", error.reason);
        Self::new("InvalidSessionId", error.code(), &error, fields)
    }
}

impl From<InvalidProxyOptions> for Thrown {
    fn from(error: InvalidProxyOptions) -> Self {
        use InvalidProxyOptions as E;
        let fields = match &error {
            E::Contradiction { header } | E::Repeated { header } | E::UnknownOption { header } => {
                Object::new().text("header", header)
            }
            E::ControlCharacter { header, position } => {
                Object::new().text("header", header).number("position", *position)
            }
            E::MaxRetries { value } => Object::new().number("value", *value),
            E::SessionId(error) => return error.clone().into(),
            E::Timeout { millis } => Object::new().number("timeout", *millis),
            E::Unsupported { header, value, reason } => {
                Object::new().text("header", header).text("value", value).text("reason", reason)
            }
            E::Value { header, value, expected } => {
                Object::new().text("header", header).text("value", value).text("expected", expected)
            }
            _ => Object::new(),
        };
        Self::new("InvalidProxyOptions", error.code(), &error, fields)
    }
}

impl From<InvalidProxiedRequest> for Thrown {
    fn from(error: InvalidProxiedRequest) -> Self {
        use InvalidProxiedRequest as E;
        let fields = match &error {
            E::Header(error) => return error.clone().into(),
            E::HeadersTooLarge { size } => Object::new().number("size", *size),
            E::Options(error) => return error.clone().into(),
            E::Scheme { url } | E::Url { url } => Object::new().text("url", url),
            _ => Object::new(),
        };
        Self::new("InvalidProxiedRequest", error.code(), &error, fields)
    }
}

impl From<ProxyServiceError> for Thrown {
    fn from(error: ProxyServiceError) -> Self {
        let fields = Object::new()
            .number("status", error.status)
            .text("text", &error.text)
            .text("detail", &error.detail)
            .text("action", error.action().as_str())
            .millis("retryAfter", error.retry_after)
            .flag("isBan", error.is_ban())
            .flag("billed", error.billed());
        Self::new("ProxyServiceError", error.code(), &error, fields)
    }
}

impl From<SessionCallFailed> for Thrown {
    fn from(error: SessionCallFailed) -> Self {
        let fields = match &error {
            SessionCallFailed::Answer { reason } => Object::new().text("reason", reason),
            SessionCallFailed::Service(error) => return error.clone().into(),
            _ => Object::new(),
        };
        Self::new("SessionCallFailed", error.code(), &error, fields)
    }
}

#[cfg(any(feature = "extraction-engine", feature = "protocol"))]
impl Thrown {
    /// A failed request of so many queries, without the body of its answer.
    pub(crate) fn service(error: &ServiceFault, queries: usize) -> Self {
        let fields = Object::new()
            .number("status", error.status())
            .text("retry", error.retry().as_str())
            .millis("retryAfter", error.retry_after())
            .flag("billed", error.billed())
            .flag("billingKnown", error.billing_known())
            .json("usage", &extraction::usage_json(&Usage::of_fault(error, queries)))
            .json("problem", &error.problem().map_or("null".into(), problem::to_json));
        Self::new("ServiceError", error.code(), error, fields)
    }

    /// The same with the bytes of the answer as the caller gave them.
    pub(crate) fn with_body(self, body: JsValue) -> Self {
        Self { body: Some(body), ..self }
    }
}

impl From<InvalidRate> for Thrown {
    fn from(error: InvalidRate) -> Self {
        Self::new("InvalidRate", error.code(), &error, Object::new())
    }
}

impl From<InvalidPool> for Thrown {
    fn from(error: InvalidPool) -> Self {
        let fields = match error {
            InvalidPool::Anonymous { percent } => Object::new().number("percent", percent),
            InvalidPool::Size { size } => Object::new().number("size", size),
            _ => Object::new(),
        };
        Self::new("InvalidPool", error.code(), &error, fields)
    }
}

impl From<InvalidSetting> for Thrown {
    fn from(error: InvalidSetting) -> Self {
        let fields = Object::new()
            .text("setting", error.setting)
            .number("value", error.value)
            .number("least", error.least)
            .number("most", error.most);
        Self::new("InvalidSetting", error.code(), &error, fields)
    }
}

impl From<InvalidSnapshot> for Thrown {
    fn from(error: InvalidSnapshot) -> Self {
        let fields = match &error {
            InvalidSnapshot::Content { reason } => Object::new().text("reason", reason),
            InvalidSnapshot::Machine { found, expected } => {
                Object::new().text("found", found).text("expected", expected)
            }
            InvalidSnapshot::Version { found, known } => {
                Object::new().number("found", *found).number("known", *known)
            }
            _ => Object::new(),
        };
        Self::new("InvalidSnapshot", error.code(), &error, fields)
    }
}

impl From<NotSubmitted> for Thrown {
    fn from(error: NotSubmitted) -> Self {
        let fields = match &error {
            NotSubmitted::QueueFull { limit } => Object::new().number("limit", *limit),
            NotSubmitted::Query(error) => return error.clone().into(),
            NotSubmitted::Request(error) => return error.clone().into(),
            _ => Object::new(),
        };
        Self::new("NotSubmitted", error.code(), &error, fields)
    }
}

impl From<UnknownRequest> for Thrown {
    fn from(error: UnknownRequest) -> Self {
        let fields = Object::new().number("id", error.id.as_u64());
        Self::new("UnknownRequest", error.code(), &error, fields)
    }
}

#[cfg(feature = "proxy-engine")]
impl From<&ProxyJobError> for Thrown {
    fn from(error: &ProxyJobError) -> Self {
        match error {
            ProxyJobError::Request(error) => error.clone().into(),
            ProxyJobError::Service(error) => error.clone().into(),
            _ => Self::new("ProxyJobError", error.code(), error, Object::new()),
        }
    }
}
