//! The vectors of `problem`.

use serde_json::{Map, Value, json};
use silkline::{Error, problem::Problem};

use crate::given::{body, body_text, check_keys, in_micros, outcome, parsed, status, text, told};

/// Runs an operation of `problem`; `None` if there is none of that name.
pub(crate) fn run(op: &str, given: &Value) -> Option<Value> {
    Some(match op {
        "problem.build" => outcome(build(given).map(|problem| parsed(&problem.to_json()))),
        "problem.read" => {
            check_keys(given, &["body"]);
            let problem = Problem::read(&body(&given["body"]));
            outcome(problem.map(|problem| problem_json(&problem)).map_err(Error::from))
        }
        _ => return None,
    })
}

/// A problem as the vectors show it.
pub(crate) fn problem_json(problem: &Problem) -> Value {
    let members: Map<_, _> =
        problem.members().map(|(name, json)| (name.to_owned(), parsed(json))).collect();
    told([
        ("type", json!(problem.problem_type())),
        ("kind", json!(problem.kind())),
        ("title", json!(problem.title())),
        ("status", json!(problem.status())),
        ("detail", json!(problem.detail())),
        ("instance", json!(problem.instance())),
        ("members", if members.is_empty() { Value::Null } else { members.into() }),
        ("retry_delay_us", json!(problem.retry_delay().map(in_micros))),
    ])
}

/// `members` are pairs of a name and a JSON text.
fn build(given: &Value) -> Result<Problem, Error> {
    check_keys(given, &["type", "title", "status", "detail", "instance", "members"]);
    let mut problem = Problem::new(text(&given["type"]));
    if let Some(title) = given["title"].as_str() {
        problem = problem.with_title(title);
    }
    if given["status"].is_number() {
        problem = problem.with_status(status(&given["status"]));
    }
    if let Some(detail) = given["detail"].as_str() {
        problem = problem.with_detail(detail);
    }
    if let Some(instance) = given["instance"].as_str() {
        problem = problem.with_instance(instance);
    }
    for pair in given["members"].as_array().map(Vec::as_slice).unwrap_or_default() {
        problem = problem.with_member(text(&pair[0]), &body_text(&pair[1]))?;
    }
    Ok(problem)
}
