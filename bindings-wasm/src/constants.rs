//! What never changes while a program runs.

use silkline::{
    engine::{Failure, IdleReason, WaitReason},
    extraction::{DEFAULT_ENDPOINT, MAX_CUSTOM_HTML, MAX_META, MAX_QUERIES, MAX_URL, PageType},
    proxy::{self as core_proxy, ProxyDialect, ProxyOptions},
    schedule::FailureClass,
    zyte_api::EXTRACTION_DIALECTS,
};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::convert::{Object, array, quoted};

/// What never changes while the program runs, as JSON. The build writes it into the package, so
/// that it is there before any module is.
#[wasm_bindgen]
pub fn constants() -> String {
    Object::new()
        .text("version", silkline::VERSION)
        .json("errorCodes", &array(silkline::codes::ALL.iter().map(|code| quoted(code))))
        .text("defaultEndpoint", DEFAULT_ENDPOINT)
        .text("defaultProxyEndpoint", core_proxy::DEFAULT_ENDPOINT)
        .json("proxyDialects", &array(ProxyDialect::ALL.map(|dialect| quoted(dialect.as_str()))))
        .number("maxHeadersSize", core_proxy::MAX_HEADERS_SIZE)
        .number("maxQueries", MAX_QUERIES)
        .number("maxUrl", MAX_URL)
        .number("maxMeta", MAX_META)
        .number("maxCustomHtml", MAX_CUSTOM_HTML)
        .number("maxRetries", ProxyOptions::MAX_RETRIES)
        .number("minTimeout", ProxyOptions::MIN_TIMEOUT.as_millis())
        .number("maxTimeout", ProxyOptions::MAX_TIMEOUT.as_millis())
        .json(
            "extractionDialects",
            &array(EXTRACTION_DIALECTS.map(|dialect| quoted(dialect.name()))),
        )
        .json("pageTypes", &array(PageType::ALL.map(|page_type| quoted(page_type.as_str()))))
        .json("failures", &array(Failure::ALL.map(|failure| quoted(failure.as_str()))))
        .json("failureClasses", &array(FailureClass::ALL.map(|class| quoted(class.as_str()))))
        .json("waitReasons", &array(WaitReason::ALL.map(|reason| quoted(reason.as_str()))))
        .json("idleReasons", &array(IdleReason::ALL.map(|reason| quoted(reason.as_str()))))
        .end()
}
