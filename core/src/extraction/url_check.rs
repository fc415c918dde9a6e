//! Whether a text is an absolute http or https URL, in the judgement of the `url` crate.

use url::Url;

/// What a text is when seen as the URL of a page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// An absolute http or https URL with a host.
    Good,
    /// No absolute URL, or one without a usable host.
    Invalid,
    /// An absolute URL of another scheme.
    Scheme,
}

/// Judges a URL. Plain ones are told by a short scan; the `url` crate has the word on all others.
pub(super) fn judge(url: &str) -> Verdict {
    if is_plain(url) { Verdict::Good } else { judge_fully(url) }
}

fn judge_fully(url: &str) -> Verdict {
    match Url::parse(url) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => Verdict::Scheme,
        Ok(url) if url.has_host() => Verdict::Good,
        _ => Verdict::Invalid,
    }
}

/// Whether a URL is `http(s)://`, a host of plain ASCII labels whose last one starts with a letter
/// and none of which is Punycode, and then the end or a path, query or fragment. The `url` crate
/// accepts every such URL: only schemes, hosts and ports can make it refuse one.
fn is_plain(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else {
        return false;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, _) = rest.split_at(end);
    let mut last = "";
    for label in host.split('.') {
        let plain = !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
        if !plain {
            return false;
        }
        last = label;
    }
    last.starts_with(|c: char| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    #[test]
    fn tells_the_three_apart() {
        for url in
            ["http://a", "HTTPS://EXAMPLE.com:8080/ü?q#f", "http://[::1]/", "http:a", " http://a/ "]
        {
            assert_eq!(judge(url), Verdict::Good, "{url}");
        }
        for url in [
            "",
            "a",
            "/a",
            "//a/b",
            "http://",
            "http:///",
            "http://a b/",
            "http://a:99999/",
            "http://1.2.3.256/",
        ] {
            assert_eq!(judge(url), Verdict::Invalid, "{url}");
        }
        for url in
            ["ftp://a/", "file:///etc/passwd", "javascript:alert(1)", "data:,x", "mailto:a@b"]
        {
            assert_eq!(judge(url), Verdict::Scheme, "{url}");
        }
    }

    #[test]
    fn the_scan_never_accepts_what_the_crate_refuses() {
        const PIECES: [&str; 40] = [
            "http://", "https://", "a", "b.c", ".", "-", "--", "xn--", "XN--", "xn--a", "0", "0x",
            "1.2.3.4", "256", ":", ":80", ":99999", "/", "\\", "?", "#", "@", "%", "%41", "%2e",
            " ", "\t", "\n", "é", "\u{ad}", "\u{200d}", "ß", "[::1]", "a1", "1a", "A", "example",
            "_", "|", "\u{fffd}",
        ];
        let mut state = 7;
        let mut plain = 0;
        for round in 0..200_000 {
            let mut url = String::from(choice(&mut state, &PIECES[..2]));
            for _ in 0..round % 6 {
                url.push_str(choice(&mut state, &PIECES));
            }
            if is_plain(&url) {
                plain += 1;
                assert_eq!(judge_fully(&url), Verdict::Good, "{url:?}");
            }
        }
        assert!(plain > 5_000, "{plain}");
    }

    /// One of the items, by a small linear congruential generator.
    fn choice(state: &mut u64, items: &[&'static str]) -> &'static str {
        *state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items[usize::try_from(*state >> 33).unwrap() % items.len()]
    }
}
