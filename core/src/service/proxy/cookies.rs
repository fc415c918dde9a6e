//! The cookies a service keeps for an outgoing address.

use alloc::{string::String, vec::Vec};
use core::time::Duration;

use url::Url;

use crate::{
    Timestamp,
    http::{Headers, parse_http_date},
};

/// More cookies than this are not kept; the oldest go.
const LIMIT: usize = 300;

#[derive(Clone, Debug)]
struct Cookie {
    name: String,
    value: String,
    domain: String,
    /// Whether only the very host that set it gets it back.
    host_only: bool,
    path: String,
    secure: bool,
    expires_at: Timestamp,
}

/// The cookies of one address (RFC 6265, without public suffixes), each kept for a limited time.
#[derive(Clone, Debug, Default)]
pub(super) struct Jar(Vec<Cookie>);

impl Jar {
    /// Takes in the `Set-Cookie` headers of an answer.
    pub(super) fn store(&mut self, url: &Url, headers: &Headers, life: Duration, now: Timestamp) {
        let date = headers.get("Date").and_then(parse_http_date);
        for line in headers.get_all("Set-Cookie") {
            let Some(cookie) = parse(line, url, life, now, date) else { continue };
            self.0.retain(|old| {
                old.expires_at > now
                    && (&old.name, &old.domain, &old.path)
                        != (&cookie.name, &cookie.domain, &cookie.path)
            });
            if cookie.expires_at > now {
                self.0.push(cookie);
            }
            if self.0.len() > LIMIT {
                self.0.remove(0);
            }
        }
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The cookies for a request, those of longer paths first.
    pub(super) fn matching(&self, url: &Url, now: Timestamp) -> Vec<(String, String)> {
        let host = url.host_str().unwrap_or_default();
        let mut found: Vec<&Cookie> = self
            .0
            .iter()
            .filter(|cookie| {
                let domain = if cookie.host_only {
                    host == cookie.domain
                } else {
                    belongs(host, &cookie.domain)
                };
                domain
                    && cookie.expires_at > now
                    && path_within(url.path(), &cookie.path)
                    && (!cookie.secure || url.scheme() == "https")
            })
            .collect();
        found.sort_by_key(|cookie| core::cmp::Reverse(cookie.path.len()));
        found.into_iter().map(|cookie| (cookie.name.clone(), cookie.value.clone())).collect()
    }
}

fn parse(
    header: &str,
    url: &Url,
    life: Duration,
    now: Timestamp,
    date: Option<i64>,
) -> Option<Cookie> {
    let mut parts = header.split(';');
    let (name, value) = parts.next()?.split_once('=')?;
    let host = url.host_str()?;
    let directory = url.path().rsplit_once('/').map_or("", |(start, _)| start);
    let mut cookie = Cookie {
        name: name.trim().into(),
        value: value.trim().into(),
        domain: host.into(),
        host_only: true,
        path: if directory.is_empty() { "/".into() } else { directory.into() },
        secure: false,
        expires_at: now + life,
    };
    let mut max_age = None;
    let mut expires = None;
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "domain" if !value.is_empty() => {
                let domain = value.trim_start_matches('.').to_ascii_lowercase();
                if !belongs(host, &domain) {
                    return None;
                }
                cookie.domain = domain;
                cookie.host_only = false;
            }
            "path" if value.starts_with('/') => cookie.path = value.into(),
            "secure" => cookie.secure = true,
            "max-age" => max_age = value.parse::<i64>().ok(),
            "expires" => expires = parse_http_date(value).zip(date).map(|(end, date)| end - date),
            _ => {}
        }
    }
    if let Some(seconds) = max_age.or(expires) {
        let wanted = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        cookie.expires_at = now + wanted.min(life);
    }
    (!cookie.name.is_empty()).then_some(cookie)
}

fn belongs(host: &str, domain: &str) -> bool {
    let address = host.contains(':') || host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    host == domain || (!address && crate::service::domains::is_within(host, domain))
}

fn path_within(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || prefix.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(900);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn jar(url: &str, lines: &[&str]) -> Jar {
        let mut jar = Jar::default();
        let mut headers = Headers::new();
        headers.push("Date", "Sun, 06 Nov 1994 08:49:37 GMT");
        for line in lines {
            headers.push("Set-Cookie", *line);
        }
        jar.store(&Url::parse(url).unwrap(), &headers, LIFE, at(0));
        jar
    }

    fn names(jar: &Jar, url: &str, seconds: u64) -> Vec<String> {
        let url = Url::parse(url).unwrap();
        jar.matching(&url, at(seconds)).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn a_cookie_goes_back_to_where_it_belongs() {
        let jar = jar(
            "http://www.a.com/shop/list",
            &[
                "here=1",
                "wide=2; Domain=.a.com; Path=/",
                "deep=3; Path=/shop/cart",
                "tls=4; Secure",
            ],
        );
        assert_eq!(names(&jar, "http://www.a.com/shop/cart/x", 1), ["deep", "here", "wide"]);
        assert_eq!(names(&jar, "http://www.a.com/", 1), ["wide"]);
        assert_eq!(names(&jar, "http://www.a.com/shopping", 1), ["wide"]);
        assert_eq!(names(&jar, "https://www.a.com/shop/", 1), ["here", "tls", "wide"]);
        assert_eq!(names(&jar, "http://b.a.com/shop/", 1), ["wide"]);
        assert_eq!(names(&jar, "http://ba.com/", 1), [""; 0]);
    }

    #[test]
    fn a_foreign_domain_sets_nothing() {
        assert!(jar("http://a.com/", &["x=1; Domain=b.com", "=1", "novalue"]).is_empty());
        assert!(jar("http://127.0.0.1/", &["x=1; Domain=0.0.1"]).is_empty());
    }

    #[test]
    fn cookies_end_and_are_replaced() {
        let mut jar = jar(
            "http://a.com/",
            &["short=1; Max-Age=10", "day=1; Expires=Sun, 06 Nov 1994 08:50:37 GMT", "long=1"],
        );
        assert_eq!(names(&jar, "http://a.com/", 9), ["short", "day", "long"]);
        assert_eq!(names(&jar, "http://a.com/", 10), ["day", "long"]);
        assert_eq!(names(&jar, "http://a.com/", 60), ["long"]);
        assert_eq!(names(&jar, "http://a.com/", 900), [""; 0]);
        let mut headers = Headers::new();
        headers.push("Set-Cookie", "long=2; Max-Age=0");
        jar.store(&Url::parse("http://a.com/").unwrap(), &headers, LIFE, at(1));
        assert_eq!(names(&jar, "http://a.com/", 2), ["short", "day"]);
    }
}
