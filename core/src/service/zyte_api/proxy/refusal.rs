//! Requests that end with a problem.

use core::time::Duration;

use super::{
    super::{
        problems::{
            ACCOUNT_SUSPENDED, DOMAIN_FORBIDDEN, INVALID, KEY_NOT_FOUND, PROXY_AUTH_NOT_VALID,
            SESSION_EXPIRED, TEMPORARY, UNREACHABLE, named,
        },
        stats::add,
    },
    ZyteProxyService,
    faults::into_response,
    machine::Exchange,
};
use crate::{
    http::Headers,
    service::{Answer, extraction::refusal::Refused, proxy::Step},
};

/// How a request ends early: with a problem, and whether the client speaks the older protocol.
pub(super) struct Refusal {
    pub(super) refused: Refused,
    pub(super) is_old: bool,
    pub(super) wait: Option<Duration>,
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Self { refused, is_old: false, wait: None }
    }
}

impl ZyteProxyService {
    /// Answers a request that has been taken in with a problem.
    pub(super) fn refuse(&mut self, exchange: &Exchange, kind: &'static str) -> Step {
        add(&mut self.stats.problems, kind);
        let mut response = into_response(named(kind));
        name_old_error(&mut response.headers, kind, exchange.wishes.is_old);
        add_facts(&mut response.headers, exchange);
        Step::Answer(Answer::whole(response))
    }

    /// Answers a request that is not taken in.
    pub(super) fn refuse_new(&mut self, refusal: Refusal) -> Answer {
        let Refusal { mut refused, is_old, wait } = refusal;
        let kind = refused.kind.clone();
        add(&mut self.stats.problems, &kind);
        if let Some(wait) = wait {
            refused = refused.with_retry_after(wait);
        }
        if kind == PROXY_AUTH_NOT_VALID || kind == KEY_NOT_FOUND {
            refused = refused.with_header("Proxy-Authenticate", r#"Basic realm="Zyte API""#);
        }
        let mut response = into_response(refused);
        name_old_error(&mut response.headers, &kind, is_old);
        response.headers.push("Zyte-Request-ID", self.request_id());
        Answer::whole(response)
    }
}

/// Clients of old read `X-Crawlera-Error`.
pub(super) fn name_old_error(headers: &mut Headers, kind: &str, is_old: bool) {
    let code = match kind {
        _ if !is_old => return,
        SESSION_EXPIRED => "bad_session_id",
        TEMPORARY => "banned",
        UNREACHABLE => "nxdomain",
        DOMAIN_FORBIDDEN => "domain_forbidden",
        INVALID => "bad_header",
        ACCOUNT_SUSPENDED => "user_suspended",
        _ => return,
    };
    headers.push("X-Crawlera-Error", code);
}

/// The headers by which the service tells of a request; the older ones too, if they were used.
pub(super) fn add_facts(headers: &mut Headers, exchange: &Exchange) {
    headers.push("Zyte-Request-ID", exchange.request_id.as_str());
    if let Some((_, id)) = exchange.session.as_ref().filter(|_| exchange.wishes.is_old) {
        headers.push("X-Crawlera-Session", id.as_str());
    }
}
