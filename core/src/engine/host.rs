//! The domain that a URL belongs to.

use alloc::string::String;

use url::Url;

/// A name as domains are compared: lower case, without a dot at the end.
pub(crate) fn domain_key(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// The host of a URL, as domains are compared; empty if it has none.
///
/// Plain URLs are cut; only those with something that a URL parser would change go through one.
pub(crate) fn host(url: &str) -> String {
    if let Some(host) = plain_host(url) {
        return domain_key(host);
    }
    let parsed = Url::parse(url).ok();
    parsed.and_then(|url| url.host_str().map(domain_key)).unwrap_or_default()
}

fn plain_host(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    if !matches!(scheme, "http" | "https") {
        return None;
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest.get(..end)?;
    let host = authority.split_once(':').map_or(authority, |(host, _)| host);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let port =
        authority.get(host.len()..)?.bytes().all(|byte| byte == b':' || byte.is_ascii_digit());
    // What ends in a digit may be an address that is spelt unusually.
    let name = host.bytes().last().is_some_and(|last| last.is_ascii_alphabetic());
    (name && port && host.bytes().all(plain)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_those_of_the_url_parser() {
        for (url, expected) in [
            ("http://a.com/b", "a.com"),
            ("https://WWW.A.com:8443?x#y", "www.a.com"),
            ("http://a.com./", "a.com"),
            ("http://user:pass@a.com/", "a.com"),
            ("HTTP://A.com\\b", "a.com"),
            ("http://bücher.de/", "xn--bcher-kva.de"),
            ("http://0x7f.1/", "127.0.0.1"),
            ("http://127.0.0.1:80/", "127.0.0.1"),
            ("http://[::1]:80/", "[::1]"),
            ("http://a%2ecom/", "a.com"),
            ("https://a.com:x/", ""),
            ("nothing", ""),
        ] {
            assert_eq!(host(url), expected, "{url}");
        }
    }
}
