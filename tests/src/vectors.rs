//! The operations that vectors name, by domain.

use serde_json::Value;

use crate::{bridge, engine, extraction, http, plan, problem, proxy, schedule, service, zyte_api};

/// Runs an operation and gives its outcome as plain JSON; `None` if there is none of that name.
pub fn run(op: &str, given: &Value) -> Option<Value> {
    http::run(op, given)
        .or_else(|| problem::run(op, given))
        .or_else(|| extraction::run(op, given))
        .or_else(|| proxy::run(op, given))
        .or_else(|| schedule::run(op, given))
        .or_else(|| engine::run(op, given))
        .or_else(|| zyte_api::run(op, given))
        .or_else(|| plan::run(op, given))
        .or_else(|| service::run(op, given))
        .or_else(|| bridge::run(op, given))
}
