//! The problems of Zyte API and its proxy mode (Zyte API docs, Error handling; Proxy mode, Errors).

use alloc::{borrow::ToOwned, format};

use crate::{problem::Problem, service::extraction::refusal::Refused};

pub(super) const KEY_NOT_FOUND: &str = "/auth/key-not-found";
pub(super) const NOT_VALID: &str = "/auth/not-valid";
pub(super) const PROXY_AUTH_NOT_VALID: &str = "/auth/proxy-auth-not-valid";
pub(super) const ACCOUNT_SUSPENDED: &str = "/auth/account-suspended";
pub(super) const INVALID: &str = "/request/invalid";
pub(super) const INVALID_JSON: &str = "/request/invalid-json";
pub(super) const HEADER_SIZE: &str = "/request/header-size";
pub(super) const UNPROCESSABLE: &str = "/request/unprocessable";
pub(super) const SESSION_EXPIRED: &str = "/problem/session-expired";
pub(super) const OVER_SESSION_LIMIT: &str = "/problem/over-session-limit";
pub(super) const SESSION_CREATION: &str = "/problem/session-creation-error";
pub(super) const UNREACHABLE: &str = "/website/domain-unreachable";
pub(super) const OVER_USER_LIMIT: &str = "/limits/over-user-limit";
pub(super) const OVER_DOMAIN_LIMIT: &str = "/limits/over-domain-limit";
pub(super) const OVER_ORG_DOMAIN_LIMIT: &str = "/limits/over-org-domain-limit";
pub(super) const OVER_GLOBAL_LIMIT: &str = "/limits/over-global-limit";
pub(super) const DOMAIN_FORBIDDEN: &str = "/download/domain-forbidden";
pub(super) const TEMPORARY: &str = "/download/temporary-error";
pub(super) const DOWNLOAD_INTERNAL: &str = "/download/internal-error";
pub(super) const SERVER_INTERNAL: &str = "/server/internal";
pub(super) const TIMED_OUT: &str = "/server/timed-out";

const TABLE: [(&str, u16, &str); 21] = [
    (KEY_NOT_FOUND, 401, "Authentication Key Not Found"),
    (NOT_VALID, 401, "Authentication Not Valid"),
    (PROXY_AUTH_NOT_VALID, 407, "Proxy Authentication Not Valid"),
    (ACCOUNT_SUSPENDED, 403, "Account Suspended"),
    (INVALID, 400, "Invalid Request"),
    (INVALID_JSON, 400, "Invalid JSON"),
    (HEADER_SIZE, 431, "Request Header Fields Too Large"),
    (UNPROCESSABLE, 422, "Unprocessable Request"),
    (SESSION_EXPIRED, 422, "Session Expired"),
    (OVER_SESSION_LIMIT, 422, "Over Session Limit"),
    (SESSION_CREATION, 503, "Session Creation Error"),
    (UNREACHABLE, 421, "Domain Unreachable"),
    (OVER_USER_LIMIT, 429, "Over User Limit"),
    (OVER_DOMAIN_LIMIT, 429, "Over Domain Limit"),
    (OVER_ORG_DOMAIN_LIMIT, 429, "Over Organization Domain Limit"),
    (OVER_GLOBAL_LIMIT, 503, "Over Global Limit"),
    (DOMAIN_FORBIDDEN, 451, "Domain Forbidden"),
    (TEMPORARY, 520, "Website Ban"),
    (DOWNLOAD_INTERNAL, 521, "Internal Downloader Error"),
    (SERVER_INTERNAL, 500, "Internal Server Error"),
    (TIMED_OUT, 500, "Server Timed Out"),
];

/// The problem of a type, known or not. The last segment of a known type names it too.
pub(super) fn named(kind: &str) -> Refused {
    let known = TABLE.iter().find(|(known, _, _)| {
        *known == kind || known.rsplit('/').next().is_some_and(|segment| segment == kind)
    });
    let (kind, status, title) = known.copied().unwrap_or((kind, 400, kind));
    // "type" is a relative reference.
    let document = Problem::new(kind).with_title(title).with_status(status);
    Refused::new(kind.to_owned(), status, document)
}

/// The same with words of its own.
pub(super) fn detailed(kind: &str, detail: impl core::fmt::Display) -> Refused {
    named(kind).with_detail(format!("{detail}"))
}
