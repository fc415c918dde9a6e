//! The operations that vectors name, by domain.

use serde_json::Value;

use crate::proxy;

/// Runs an operation and gives its outcome as plain JSON; `None` if there is none of that name.
pub fn run(op: &str, given: &Value) -> Option<Value> {
    proxy::run(op, given)
}
