//! The vectors of `zyte_api`.

use serde_json::{Value, json};
use silkline::{
    Error,
    extraction::PageType,
    zyte_api::items::{Converted, InvalidItem, from_zyte_api, to_zyte_api},
};

use crate::given::{body, check_keys, outcome, parsed, text};

/// Runs an operation of `zyte_api`; `None` if there is none of that name.
pub(crate) fn run(op: &str, given: &Value) -> Option<Value> {
    let shown: fn(&str) -> Value = if op.ends_with("_text") { |json| json!(json) } else { parsed };
    match op {
        "zyte_api.from_zyte_api" | "zyte_api.from_zyte_api_text" => {
            Some(convert(from_zyte_api, given, shown))
        }
        "zyte_api.to_zyte_api" | "zyte_api.to_zyte_api_text" => {
            Some(convert(to_zyte_api, given, shown))
        }
        _ => None,
    }
}

fn convert(
    convert: fn(PageType, &[u8]) -> Result<Converted, InvalidItem>,
    given: &Value,
    shown: fn(&str) -> Value,
) -> Value {
    check_keys(given, &["page_type", "item"]);
    let run = || {
        let converted = convert(text(&given["page_type"]).parse()?, &body(&given["item"]))?;
        let part =
            |part: &silkline::zyte_api::items::Unmapped| json!([part.path, shown(&part.value)]);
        let unmapped: Vec<Value> = converted.unmapped.iter().map(part).collect();
        Ok::<_, Error>(json!({"item": shown(&converted.item), "unmapped": unmapped}))
    };
    outcome(run())
}
