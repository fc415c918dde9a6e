//! The vectors of `plan`.

use serde_json::{Map, Value};
use silkline::plan::{Plan, PlanSettings};

use crate::given::{check_keys, outcome};

/// Runs an operation of `plan`; `None` if there is none of that name.
pub(crate) fn run(op: &str, given: &Value) -> Option<Value> {
    Some(match op {
        "plan.report" => outcome(report(given)),
        _ => return None,
    })
}

/// The members of a report that a case asks for, by their paths.
fn report(given: &Value) -> Result<Value, silkline::Error> {
    check_keys(given, &["settings", "members"]);
    let mut plan = Plan::new(PlanSettings::from_json(&given["settings"].to_string())?)?;
    while !plan.advance(1_000) {}
    let report: Value = serde_json::from_str(&plan.report().to_json()).expect("a JSON object");
    let members = given["members"].as_array().expect("a list of members");
    let chosen = members.iter().map(|member| {
        let path = member.as_str().expect("a path");
        let pointer = format!("/{}", path.replace('.', "/"));
        (path.to_owned(), report.pointer(&pointer).expect("a member of the report").clone())
    });
    Ok(chosen.collect::<Map<_, _>>().into())
}
