//! What a client's `Zyte-*` headers ask for, or its older `X-Crawlera-*` ones (Zyte API docs,
//! Proxy mode; Migrating from Smart Proxy Manager).

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use crate::http::Headers;

/// Which session a request wants.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum SessionWish {
    None,
    /// `X-Crawlera-Session: create`: a client of old, whose id is made here.
    Create,
    Id(String),
}

/// All that the headers ask for.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "one for each header")]
pub(super) struct Wishes {
    pub(super) session: SessionWish,
    pub(super) follow_redirects: bool,
    pub(super) discard_cookies: bool,
    pub(super) mobile: bool,
    /// Headers whose values of the client reach the target, in lower case.
    pub(super) override_headers: Vec<String>,
    /// Whether the client speaks the older protocol.
    pub(super) is_old: bool,
}

const OVERRIDABLE: [&str; 3] = ["accept", "accept-encoding", "user-agent"];

impl Wishes {
    /// Reads the headers of a request; an error names the header that is wrong.
    pub(super) fn read(headers: &Headers) -> Result<Self, String> {
        let get = |name: &str| headers.get(name).map(str::trim).filter(|value| !value.is_empty());
        let bad = |name: &str, why: &str| Err(format!("{name}: {why}"));
        let is_old = is_old(headers);
        let session = match (get("Zyte-Session-ID"), get("X-Crawlera-Session")) {
            (Some(id), _) if is_uuid4(id) => SessionWish::Id(id.to_ascii_lowercase()),
            (Some(_), _) => return bad("Zyte-Session-ID", "not a UUID of version 4"),
            (None, Some("create")) => SessionWish::Create,
            (None, Some(id)) => SessionWish::Id(id.to_ascii_lowercase()),
            (None, None) => SessionWish::None,
        };
        let mobile = match (get("Zyte-Device"), get("X-Crawlera-Profile")) {
            (Some("mobile"), _) | (None, Some("mobile")) => true,
            // `pass` has no counterpart.
            (Some("desktop"), _) | (None, None | Some("desktop" | "pass")) => false,
            (Some(_), _) => return bad("Zyte-Device", "neither desktop nor mobile"),
            (None, Some(_)) => return bad("X-Crawlera-Profile", "no profile"),
        };
        for name in ["Zyte-Geolocation", "X-Crawlera-Region"] {
            let is_code =
                |code: &str| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic());
            if get(name).is_some_and(|code| !is_code(code)) {
                return bad(name, "not a country code");
            }
        }
        let discard_cookies = match (get("Zyte-Cookie-Management"), get("X-Crawlera-Cookies")) {
            (Some("discard"), _) | (None, Some("discard")) => true,
            // `enable` and `disable` have no counterpart.
            (None, None | Some("enable" | "disable")) => false,
            (Some(_), _) => return bad("Zyte-Cookie-Management", "not `discard`"),
            (None, Some(_)) => return bad("X-Crawlera-Cookies", "no cookie management"),
        };
        let follow_redirects = match get("Zyte-Disable-Follow-Redirect") {
            None => true,
            Some(value) if value.eq_ignore_ascii_case("false") => true,
            Some(value) if value.eq_ignore_ascii_case("true") => false,
            Some(_) => return bad("Zyte-Disable-Follow-Redirect", "neither true nor false"),
        };
        let list = |name: &str| -> Vec<String> {
            let parts = headers.get_all(name).flat_map(|value| value.split(','));
            let parts = parts.map(|part| part.trim().to_ascii_lowercase());
            parts.filter(|part| !part.is_empty()).collect()
        };
        let mut override_headers = list("Zyte-Override-Headers");
        if let Some(name) =
            override_headers.iter().find(|name| !OVERRIDABLE.contains(&name.as_str()))
        {
            let why = format!("{name} cannot be overridden");
            return bad("Zyte-Override-Headers", &why);
        }
        let passed = list("X-Crawlera-Profile-Pass");
        override_headers
            .extend(passed.into_iter().filter(|name| OVERRIDABLE.contains(&name.as_str())));
        Ok(Self { session, follow_redirects, discard_cookies, mobile, override_headers, is_old })
    }
}

/// Whether a client speaks the older protocol.
pub(super) fn is_old(headers: &Headers) -> bool {
    headers.iter().any(|(name, _)| has_prefix(name, "x-crawlera-"))
}

/// Whether a header is for the service and not for the target.
pub(super) fn is_ours(name: &str) -> bool {
    has_prefix(name, "zyte-") || has_prefix(name, "x-crawlera-")
}

fn has_prefix(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Whether a text is a UUID of version 4 (RFC 9562, section 5.4).
pub(super) fn is_uuid4(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            14 => byte == b'4',
            19 => matches!(byte.to_ascii_lowercase(), b'8' | b'9' | b'a' | b'b'),
            _ => byte.is_ascii_hexdigit(),
        })
}

/// A UUID of version 4 of 128 random bits.
pub(super) fn uuid4(high: u64, low: u64) -> String {
    let high = (high & !0xf000) | 0x4000;
    let low = (low & (u64::MAX >> 2)) | (1 << 63);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_id_is_one_that_is_taken() {
        for seed in [0, 1, u64::MAX, 0x1234_5678_9abc_def0] {
            assert!(is_uuid4(&uuid4(seed, !seed)), "{}", uuid4(seed, !seed));
        }
        assert!(is_uuid4("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"));
        for text in [
            "",
            "create",
            "a0eebc99-9c0b-1ef8-bb6d-6bb9bd380a11",
            "a0eebc99-9c0b-4ef8-cb6d-6bb9bd380a11",
            "a0eebc999c0b4ef8bb6d6bb9bd380a11",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g",
        ] {
            assert!(!is_uuid4(text), "{text}");
        }
    }
}
