//! What a client's `X-Crawlera-*` headers ask for.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::time::Duration;

use super::errors::Fault;
use crate::http::{Headers, starts_with_ignoring_case};

/// Which session a request wants.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum SessionWish {
    None,
    Create,
    Id(String),
}

/// Who keeps the cookies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cookies {
    /// The service's jar; the client's are dropped.
    Enable,
    /// The client's; the jar is left alone.
    Disable,
    /// Nobody.
    Discard,
}

/// Whose browser headers reach the target.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Profile {
    Pass,
    Desktop,
    Mobile,
}

/// All that the headers ask for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Wishes {
    pub(super) session: SessionWish,
    pub(super) max_retries: Option<u32>,
    pub(super) timeout: Option<Duration>,
    pub(super) cookies: Cookies,
    pub(super) profile: Profile,
    /// Headers whose values of the client win over the profile's, in lower case.
    pub(super) profile_pass: Vec<String>,
    pub(super) no_bancheck: bool,
    pub(super) debug_request_time: bool,
    pub(super) debug_ua: bool,
}

/// The limits of `X-Crawlera-Timeout`, in milliseconds.
const TIMEOUT: (u64, u64) = (30_000, 180_000);

impl Wishes {
    /// Reads the headers of a request (the request headers' table of the documentation). An error
    /// comes with the header it is about.
    pub(super) fn read(headers: &Headers) -> Result<Self, (Fault, String)> {
        let bad = |name: &str| Err((Fault::BadHeader, name.to_string()));
        let get = |name: &str| headers.get(name).map(str::trim);
        let session = match get("X-Crawlera-Session") {
            None | Some("") => SessionWish::None,
            Some("create") => SessionWish::Create,
            Some(id) => SessionWish::Id(id.into()),
        };
        if session != SessionWish::None && get("X-Crawlera-Region").is_some() {
            return bad("X-Crawlera-Region is not possible with X-Crawlera-Session");
        }
        if let Some(region) = get("X-Crawlera-Region")
            && !(region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_alphabetic()))
        {
            return bad("X-Crawlera-Region");
        }
        let max_retries = match get("X-Crawlera-Max-Retries").map(str::parse::<u32>) {
            None => None,
            Some(Ok(number)) if number <= 5 => Some(number),
            Some(_) => return bad("X-Crawlera-Max-Retries"),
        };
        let timeout = match get("X-Crawlera-Timeout").map(str::parse::<u64>) {
            None => None,
            Some(Ok(millis)) => Some(Duration::from_millis(millis.clamp(TIMEOUT.0, TIMEOUT.1))),
            Some(Err(_)) => return bad("X-Crawlera-Timeout"),
        };
        let cookies = match get("X-Crawlera-Cookies") {
            None | Some("enable") => Cookies::Enable,
            Some("disable") => Cookies::Disable,
            Some("discard") => Cookies::Discard,
            Some(_) => return bad("X-Crawlera-Cookies"),
        };
        let profile = match (get("X-Crawlera-Profile"), get("X-Crawlera-UA")) {
            // Which profile a plan starts with differs; without one, headers pass as they are.
            (None, None) => Profile::Pass,
            (Some(name), _) => match profile(name) {
                Some(profile) => profile,
                None => return bad("X-Crawlera-Profile"),
            },
            (None, Some(name)) => match profile(name) {
                Some(profile) => profile,
                None => return bad("X-Crawlera-UA"),
            },
        };
        let list = |name: &str| -> Vec<String> {
            headers
                .get_all(name)
                .flat_map(|value| value.split(','))
                .map(|part| part.trim().to_ascii_lowercase())
                .filter(|part| !part.is_empty())
                .collect()
        };
        let debug = list("X-Crawlera-Debug");
        Ok(Self {
            session,
            max_retries,
            timeout,
            cookies,
            profile,
            profile_pass: list("X-Crawlera-Profile-Pass"),
            no_bancheck: headers.contains("X-Crawlera-No-Bancheck"),
            debug_request_time: debug.iter().any(|part| part == "request-time"),
            debug_ua: debug.iter().any(|part| part == "ua"),
        })
    }
}

fn profile(name: &str) -> Option<Profile> {
    match name {
        "pass" => Some(Profile::Pass),
        "desktop" => Some(Profile::Desktop),
        "mobile" => Some(Profile::Mobile),
        _ => None,
    }
}

const DESKTOP: [(&str, &str); 3] = [
    (
        "User-Agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
         Chrome/124.0.0.0 Safari/537.36",
    ),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("Accept-Language", "en-US,en;q=0.9"),
];
const MOBILE: [(&str, &str); 3] = [
    (
        "User-Agent",
        "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) \
         Chrome/124.0.0.0 Mobile Safari/537.36",
    ),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("Accept-Language", "en-US,en;q=0.9"),
];

/// Whether a header is for the service alone.
fn is_ours(name: &str) -> bool {
    starts_with_ignoring_case(name, "x-crawlera-")
}

/// The headers that reach the target, but for the jar's cookies.
pub(super) fn outgoing_headers(headers: &Headers, wishes: &Wishes) -> Headers {
    let replaced: &[(&str, &str)] = match wishes.profile {
        Profile::Pass => &[],
        Profile::Desktop => &DESKTOP,
        Profile::Mobile => &MOBILE,
    };
    let wins = |name: &str| {
        wishes.profile_pass.iter().any(|known| name.eq_ignore_ascii_case(known))
            && headers.contains(name)
    };
    let mut outgoing = Headers::new();
    for (name, value) in replaced.iter().filter(|(name, _)| !wins(name)) {
        outgoing.push(name, *value);
    }
    for (name, value) in headers.end_to_end() {
        let cookie = name.eq_ignore_ascii_case("cookie") && wishes.cookies != Cookies::Disable;
        let profiled =
            replaced.iter().any(|(known, _)| name.eq_ignore_ascii_case(known)) && !wins(name);
        if !is_ours(name) && !cookie && !profiled {
            outgoing.push(name, value);
        }
    }
    outgoing
}

/// The headers that reach the target with those of a browser in place of the client's, but for the
/// ones named in `pass`.
pub(in crate::service) fn browser_headers(
    headers: &Headers,
    mobile: bool,
    pass: &[String],
    discard_cookies: bool,
) -> Headers {
    let wishes = Wishes {
        session: SessionWish::None,
        max_retries: None,
        timeout: None,
        cookies: if discard_cookies { Cookies::Discard } else { Cookies::Disable },
        profile: if mobile { Profile::Mobile } else { Profile::Desktop },
        profile_pass: pass.to_vec(),
        no_bancheck: false,
        debug_request_time: false,
        debug_ua: false,
    };
    outgoing_headers(headers, &wishes)
}

/// The headers of a target's answer that reach the client.
pub(in crate::service) fn relayed_headers(headers: &Headers, discard_cookies: bool) -> Headers {
    let mut relayed = Headers::new();
    for (name, value) in headers.end_to_end() {
        let cookie = discard_cookies && name.eq_ignore_ascii_case("set-cookie");
        if !is_ours(name) && !cookie {
            relayed.push(name, value);
        }
    }
    relayed
}

/// Adds the cookies of a jar to a request.
pub(super) fn add_cookies(headers: &mut Headers, cookies: &[(String, String)]) {
    if cookies.is_empty() {
        return;
    }
    let pairs: Vec<String> =
        cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    headers.push("Cookie", pairs.join("; "));
}
