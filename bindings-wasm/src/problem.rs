//! `silkline::problem`.

use silkline::problem::Problem;
#[cfg(feature = "parts")]
use wasm_bindgen::prelude::wasm_bindgen;

use crate::convert::Object;
#[cfg(feature = "parts")]
use crate::errors::Thrown;

#[cfg(feature = "parts")]
/// Reads a problem document; what it says comes as JSON.
#[wasm_bindgen(js_name = readProblem)]
pub fn read(body: &[u8]) -> Result<String, Thrown> {
    Ok(to_json(&Problem::read(body)?))
}

#[cfg(feature = "parts")]
/// Builds a problem document. `parts` are `[type, title, status, detail, instance]`, `members`
/// names and JSON texts in turn.
#[wasm_bindgen(js_name = buildProblem)]
#[expect(clippy::needless_pass_by_value, reason = "vectors cross by value")]
pub fn build(
    problem_type: Option<String>,
    title: Option<String>,
    status: Option<u16>,
    detail: Option<String>,
    instance: Option<String>,
    members: Vec<String>,
) -> Result<String, Thrown> {
    let mut problem = problem_type.map_or_else(Problem::default, Problem::new);
    if let Some(title) = title {
        problem = problem.with_title(title);
    }
    if let Some(status) = status {
        problem = problem.with_status(status);
    }
    if let Some(detail) = detail {
        problem = problem.with_detail(detail);
    }
    if let Some(instance) = instance {
        problem = problem.with_instance(instance);
    }
    for member in members.chunks_exact(2) {
        if let [name, json] = member {
            problem = problem.with_member(name, json)?;
        }
    }
    Ok(problem.to_json())
}

/// What a document says, as a JSON object. Its other members stand in it as they were written.
pub(crate) fn to_json(problem: &Problem) -> String {
    let members = problem.members().fold(Object::new(), |all, (name, json)| all.json(name, json));
    Object::new()
        .maybe_text("type", problem.problem_type())
        .maybe_text("kind", problem.kind())
        .maybe_text("title", problem.title())
        .maybe_number("status", problem.status())
        .maybe_text("detail", problem.detail())
        .maybe_text("instance", problem.instance())
        .millis("retryDelay", problem.retry_delay())
        .json("members", &members.end())
        .end()
}
