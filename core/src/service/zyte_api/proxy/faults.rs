//! Faults of proxy mode that a script asks for.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
};
use core::time::Duration;

use serde::Deserialize;

use super::super::problems;
use crate::{
    http::{Headers, Response},
    problem::CONTENT_TYPE,
    service::{extraction::refusal::Refused, faults::seconds, proxy::FetchFailure},
};

/// What a rule of the script does: an answer, or something to the request on its way.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Fault {
    pub(super) problem: Option<String>,
    status: Option<u16>,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    retry_after: Option<u64>,
    pub(super) drop: bool,
    pub(super) truncate: Option<usize>,
    #[serde(deserialize_with = "seconds")]
    pub(super) delay: Option<Duration>,
    pub(super) ban: bool,
    pub(super) fail: Option<FetchFailure>,
    pub(super) end_session: bool,
}

impl Fault {
    /// Whether it makes sense.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let is_answer = self.problem.is_some() || self.status.is_some();
        let has_parts =
            self.body.is_some() || self.retry_after.is_some() || !self.headers.is_empty();
        if has_parts && !is_answer {
            return Err("`headers`, `body` and `retry_after` belong to a `problem` or a `status`");
        }
        let acts = self.drop || self.ban || self.end_session || self.fail.is_some();
        if !(is_answer || acts || self.truncate.is_some() || self.delay.is_some()) {
            return Err("`then` has to ask for something");
        }
        if self.status.is_some_and(|status| !(200..=599).contains(&status)) {
            return Err("`status` has to be from 200 to 599");
        }
        let mut headers = Headers::new();
        for (name, value) in &self.headers {
            headers.append(name, value).map_err(|_| "a header cannot be sent")?;
        }
        Ok(())
    }

    /// The answer instead of a fetch, if it is one, and what it is counted as.
    pub(super) fn answer(&self) -> Option<(String, Response)> {
        let (kind, mut response) = if let Some(problem) = &self.problem {
            let mut refused = problems::named(problem);
            refused.status = self.status.unwrap_or(refused.status);
            (refused.kind.clone(), into_response(refused))
        } else {
            let status = self.status?;
            (status.to_string(), Response::new(status, Headers::new(), ""))
        };
        if let Some(body) = &self.body {
            response.body = body.clone().into_bytes();
        }
        if let Some(wait) = self.retry_after {
            response.headers.push("Retry-After", wait.to_string());
        }
        for (name, value) in &self.headers {
            response.headers.remove(name);
            response.headers.push(name, value.as_str());
        }
        Some((kind, response))
    }
}

/// A problem as proxy mode tells it: in headers too.
pub(super) fn into_response(refused: Refused) -> Response {
    let kind = refused.kind.clone();
    let title = refused.document.title().unwrap_or_default().to_string();
    let mut response = refused.into_response();
    response.headers.push("Zyte-Error-Type", kind);
    response.headers.push("Zyte-Error-Title", title);
    debug_assert_eq!(response.headers.get("Content-Type"), Some(CONTENT_TYPE));
    response
}

#[cfg(test)]
mod tests {
    use super::super::{ZyteProxyConfig, ZyteProxyService};

    #[test]
    fn a_rule_that_would_do_nothing_is_refused() {
        for (then, reason) in [
            ("{}", "ask for something"),
            (r#"{"drop": false}"#, "ask for something"),
            (r#"{"retry_after": 3}"#, "belong to"),
            (r#"{"body": "x", "ban": true}"#, "belong to"),
            (r#"{"status": 199}"#, "from 200 to 599"),
            (r#"{"status": 200, "headers": {"a b": ""}}"#, "cannot be sent"),
        ] {
            let service = ZyteProxyService::new(ZyteProxyConfig::default(), 1);
            let error =
                service.with_faults(&alloc::format!(r#"[{{"then": {then}}}]"#)).unwrap_err();
            assert!(error.reason.contains(reason), "{then}: {}", error.reason);
        }
    }
}
