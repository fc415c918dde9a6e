//! Everything that is checked before a query is looked at.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::super::keys::Access;
use super::{
    config::ExtractionConfig,
    limits::Limits,
    query::{Malformed, UserQuery, split},
    refusal::{
        ACCOUNT_DISABLED, EMPTY_REQUEST, INVALID_TOKEN, MALFORMED_JSON, METHOD_NOT_ALLOWED,
        NO_TOKEN, QUERIES_LIMIT_REACHED, Refused, UNKNOWN_URI, UNRECOGNIZED_CONTENT_TYPE,
        USER_RATE_LIMIT_EXCEEDED, payload_too_large,
    },
};
use crate::{
    Timestamp,
    http::{Headers, Method, Request, Response},
};

/// A request that is refused as a whole.
#[derive(Debug)]
pub(super) struct Rejected {
    /// What it is counted as.
    pub(super) kind: String,
    /// Whether its key was too fast.
    pub(super) too_fast: bool,
    pub(super) response: Response,
}

impl From<Refused> for Rejected {
    fn from(refused: Refused) -> Self {
        Self { kind: refused.kind.clone(), too_fast: false, response: refused.into_response() }
    }
}

/// The queries of a request, or why it is refused: in the order in which a server comes to know
/// what is wrong.
pub(super) fn read(
    config: &ExtractionConfig,
    limits: &mut Limits,
    request: &Request,
    now: Timestamp,
) -> Result<Vec<UserQuery>, Rejected> {
    if path(&request.url) != "/v1/extract" {
        return Err(Refused::from(UNKNOWN_URI).into());
    }
    if request.method != Method::POST {
        return Err(Refused::from(METHOD_NOT_ALLOWED).with_header("Allow", "POST").into());
    }
    let key = authorize(config, &request.headers)?;
    if !is_json(&request.headers) {
        return Err(Refused::from(UNRECOGNIZED_CONTENT_TYPE).into());
    }
    if request.body.len() > config.max_payload {
        let response = payload_too_large();
        return Err(Rejected { kind: response.status.to_string(), too_fast: false, response });
    }
    if request.body.trim_ascii().is_empty() {
        return Err(Refused::from(EMPTY_REQUEST).into());
    }
    let malformed = |fault: Malformed| Refused::from(MALFORMED_JSON).with_detail(fault.0);
    let texts = split(&request.body).map_err(malformed)?;
    let limit = config.max_queries;
    if texts.len() > limit {
        let title = format!("Limit of {limit} queries per request exceeded");
        return Err(Refused::from(QUERIES_LIMIT_REACHED).with_title(title).into());
    }
    let queries = texts.iter().enumerate().map(|(index, text)| UserQuery::read(text, index));
    let queries = queries.collect::<Result<Vec<_>, _>>().map_err(malformed)?;
    limits.admit(config, &key, queries.len(), now).map_err(|(limit, wait)| Rejected {
        too_fast: limit == USER_RATE_LIMIT_EXCEEDED,
        ..Refused::from(limit).with_retry_after(wait).into()
    })?;
    Ok(queries)
}

/// The key of a user who may ask.
fn authorize(config: &ExtractionConfig, headers: &Headers) -> Result<String, Rejected> {
    let refusal = match config.keys.access(headers.get("Authorization")) {
        Access::Granted(key) => return Ok(key),
        Access::Disabled => return Err(Refused::from(ACCOUNT_DISABLED).into()),
        Access::Missing => NO_TOKEN,
        Access::Unknown => INVALID_TOKEN,
    };
    let challenge = r#"Basic realm="extraction""#;
    Err(Refused::from(refusal).with_header("WWW-Authenticate", challenge).into())
}

/// The path of a URL that is absolute or begins with it.
pub(in crate::service) fn path(url: &str) -> &str {
    let rest = url
        .split_once("://")
        .map_or(url, |(_, rest)| rest.find('/').and_then(|start| rest.get(start..)).unwrap_or("/"));
    rest.split(['?', '#']).next().unwrap_or_default()
}

pub(in crate::service) fn is_json(headers: &Headers) -> bool {
    headers.get("Content-Type").is_some_and(|value| {
        let media_type = value.split(';').next().unwrap_or_default().trim();
        media_type.eq_ignore_ascii_case("application/json")
    })
}
