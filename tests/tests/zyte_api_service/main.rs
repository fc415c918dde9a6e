//! Zyte API's side in virtual time, asked as its clients ask it.

mod extract;
mod proxy;

use core::time::Duration;

use serde_json::Value;
use silkline::{Timestamp, http::Response, service::Answer};

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::ZERO + Duration::from_secs(seconds)
}

pub(crate) fn text(response: &Response) -> String {
    String::from_utf8(response.body.clone()).unwrap()
}

pub(crate) fn body(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.response.body).unwrap()
}
