//! Hosts, the domains they belong to, and patterns.

use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
};

use url::{Host, Url};

/// Second-level labels under which two-letter countries register names.
const SHARED_LABELS: [&str; 8] = ["ac", "co", "com", "edu", "gov", "net", "or", "org"];

/// The host of a URL as the service names it: lower-case, IPv6 without brackets.
pub(super) fn host_of(url: &Url) -> Option<String> {
    Some(match url.host()? {
        Host::Domain(name) => name.trim_end_matches('.').to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    })
}

/// The domain that a host belongs to, for `query.domain` and for what is limited per domain: the
/// last two labels, three below shared second levels like `co.uk`; an address is its own domain.
///
/// A list of public suffixes would be more exact and a thousand times larger; the service itself
/// "is not always" exact here.
pub(super) fn domain_of(host: &str) -> &str {
    let address = host.contains(':') || host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if address {
        return host;
    }
    let mut starts = host.rmatch_indices('.').map(|(dot, _)| dot + 1);
    let (top, second, third) = (starts.next(), starts.next(), starts.next());
    let label = |start: Option<usize>, end: Option<usize>| {
        let end = end.map_or(host.len(), |end| end - 1);
        host.get(start.unwrap_or(0)..end).unwrap_or_default()
    };
    let shared = label(top, None).len() == 2 && SHARED_LABELS.contains(&label(second, top));
    let start = if shared && top.is_some() { third } else { second };
    host.get(start.unwrap_or(0)..).unwrap_or(host)
}

/// Whether a host is a domain or lies below it.
pub(super) fn is_within(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether a text fits a pattern in which `*` stands for any run of characters.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        let Some((_, after)) = text.split_once(part) else {
            return false;
        };
        text = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_belongs_to_a_domain() {
        for (host, domain) in [
            ("blog.scrapinghub.com", "scrapinghub.com"),
            ("www.example.com", "example.com"),
            ("example.com", "example.com"),
            ("a.b.example.co.uk", "example.co.uk"),
            ("example.co.uk", "example.co.uk"),
            ("co.uk", "co.uk"),
            ("localhost", "localhost"),
            ("shop.localhost", "shop.localhost"),
            ("a.shop.localhost", "shop.localhost"),
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "::1"),
        ] {
            assert_eq!(domain_of(host), domain, "{host}");
        }
    }

    #[test]
    fn a_host_lies_within_its_domain_only() {
        assert!(is_within("example.com", "example.com"));
        assert!(is_within("a.b.example.com", "example.com"));
        assert!(!is_within("badexample.com", "example.com"));
        assert!(!is_within("example.com", "a.example.com"));
    }

    #[test]
    fn a_star_stands_for_any_run() {
        for (pattern, text, expected) in [
            ("http://a/", "http://a/", true),
            ("http://a/", "http://a/b", false),
            ("http://a/*", "http://a/b", true),
            ("*", "", true),
            ("*/b/*c", "http://a/b/d/c", true),
            ("*/b/*c", "http://a/b/d", false),
            ("a*a", "a", false),
            ("a*b*c", "abbc", true),
            ("a**c", "ac", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn the_host_is_named_plainly() {
        let host = |text: &str| host_of(&Url::parse(text).unwrap());
        assert_eq!(host("http://EXAMPLE.com.:80/x").as_deref(), Some("example.com"));
        assert_eq!(host("http://[::1]:80/").as_deref(), Some("::1"));
        assert_eq!(host("http://0x7f.1/").as_deref(), Some("127.0.0.1"));
    }
}
