//! The target of a proxied request, as it goes on the wire.

use alloc::{format, string::String, vec::Vec};

use base64::{Engine, engine::general_purpose::STANDARD};
use url::Url;

use super::InvalidProxiedRequest;

/// A target's URL in the parts that a proxied request needs.
pub(super) struct Target {
    /// Absolute, without fragment, user and password.
    pub(super) url: String,
    /// `host:port` for CONNECT; `None` for a plain target.
    pub(super) tunnel: Option<String>,
    /// `Authorization` made of the URL's user and password.
    pub(super) authorization: Option<String>,
}

impl Target {
    pub(super) fn parse(text: &str) -> Result<Self, InvalidProxiedRequest> {
        let cut = |text: &str| text.chars().take(200).collect();
        let Ok(url) = Url::parse(text) else {
            return Err(InvalidProxiedRequest::Url { url: cut(&without_user(text)) });
        };
        let (secure, host) = match (url.scheme(), url.host_str()) {
            ("http", Some(host)) => (false, host),
            ("https", Some(host)) => (true, host),
            _ => return Err(InvalidProxiedRequest::Scheme { url: cut(&without_user(text)) }),
        };
        let port = url.port_or_known_default().unwrap_or(if secure { 443 } else { 80 });
        let authority = url.port().map_or_else(|| host.into(), |port| format!("{host}:{port}"));
        Ok(Self {
            url: format!("{}://{authority}{}", url.scheme(), path_and_query(text, &url)),
            tunnel: secure.then(|| format!("{host}:{port}")),
            authorization: authorization(&url),
        })
    }
}

/// Path and query as the caller wrote them where that can be sent, since a target may have signed
/// them; else as the URL standard spells them.
fn path_and_query(text: &str, url: &Url) -> String {
    let given = text.trim_matches(|c: char| c <= ' ');
    let raw = given.split_once("://").and_then(|(_, rest)| {
        let start = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let tail = rest.get(start..)?;
        let tail = tail.split_once('#').map_or(tail, |(before, _)| before);
        let plain = tail.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        (start > 0 && plain && given.bytes().all(|byte| byte.is_ascii_graphic())).then_some(tail)
    });
    let tail = raw.map_or_else(
        || {
            let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
            format!("{}{query}", url.path())
        },
        String::from,
    );
    if tail.starts_with('/') { tail } else { format!("/{tail}") }
}

fn authorization(url: &Url) -> Option<String> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut pair = percent_decode(url.username());
    pair.push(b':');
    pair.extend(percent_decode(url.password().unwrap_or_default()));
    Some(format!("Basic {}", STANDARD.encode(pair)))
}

pub(super) fn percent_decode(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let mut digit = || char::from(ahead.next()?).to_digit(16);
        let escaped = (byte == b'%').then(|| Some(digit()? * 16 + digit()?)).flatten();
        match escaped.and_then(|value| u8::try_from(value).ok()) {
            Some(value) => {
                decoded.push(value);
                bytes = ahead;
            }
            None => decoded.push(byte),
        }
    }
    decoded
}

/// Escapes all but the characters that mean nothing in any part of a URL (RFC 3986, 2.3).
pub(super) fn percent_encode(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let hex = |digit: u8| HEX.get(usize::from(digit)).copied().map_or('0', char::from);
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(hex(byte >> 4));
            encoded.push(hex(byte & 15));
        }
    }
    encoded
}

/// What may be user and password of a text that looks like a URL is not for error messages.
fn without_user(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("//") else {
        return text
            .rsplit_once('@')
            .map_or_else(|| text.into(), |(_, after)| format!("…@{after}"));
    };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    match rest.get(..end).and_then(|authority| authority.rfind('@')) {
        Some(at) => format!("{scheme}//…{}", rest.get(at..).unwrap_or_default()),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_codes_go_there_and_back() {
        let text = "a b/é%..";
        assert_eq!(percent_encode(text), "a%20b%2F%C3%A9%25..");
        assert_eq!(percent_decode(&percent_encode(text)), text.as_bytes());
        assert_eq!(percent_decode("%"), b"%");
        assert_eq!(percent_decode("%4"), b"%4");
        assert_eq!(percent_decode("%zz%41"), b"%zzA");
    }

    #[test]
    fn messages_hide_user_and_password() {
        assert_eq!(without_user("ftp://me:pw@host/a@b"), "ftp://…@host/a@b");
        assert_eq!(without_user("me:pw@host"), "…@host");
        assert_eq!(without_user("https://host/a@b"), "https://host/a@b");
    }
}
