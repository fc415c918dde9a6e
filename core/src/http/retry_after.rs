//! How long a server asks to be left alone.

use core::time::Duration;

use super::{Headers, parse_http_date};

/// The delay that `Retry-After` asks for.
///
/// Seconds are read as they are (a fraction is rounded up to the microsecond). A date becomes a
/// delay through the answer's own `Date`, because the core has no wall clock; without a readable
/// `Date`, or with an unreadable value, the delay is unknown. A date in the past means no delay.
pub fn retry_after(headers: &Headers) -> Option<Duration> {
    let value = headers.get("Retry-After")?.trim();
    if let Some(delay) = parse_seconds(value) {
        return Some(delay);
    }
    let until = parse_http_date(value)?;
    let date = parse_http_date(headers.get("Date")?.trim())?;
    Some(Duration::from_secs(u64::try_from(until - date).unwrap_or(0)))
}

/// Seconds as decimal digits with an optional fraction, by integer arithmetic; values past the
/// range of the clock are the end of the range.
pub(crate) fn parse_seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let seconds = whole.parse::<u64>().unwrap_or(u64::MAX / 1_000_000).min(u64::MAX / 1_000_000);
    let mut micros = 0;
    let mut scale = 1_000_000;
    for digit in fraction.bytes().take(6) {
        scale /= 10;
        micros += u64::from(digit - b'0') * scale;
    }
    if fraction.bytes().skip(6).any(|digit| digit != b'0') {
        micros += 1;
    }
    Some(Duration::from_secs(seconds) + Duration::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delay(pairs: &[(&str, &str)]) -> Option<Duration> {
        let mut headers = Headers::new();
        for (name, value) in pairs {
            headers.append(*name, *value).unwrap();
        }
        retry_after(&headers)
    }

    #[test]
    fn seconds() {
        assert_eq!(delay(&[("retry-after", " 120 ")]), Some(Duration::from_secs(120)));
        assert_eq!(delay(&[("Retry-After", "0")]), Some(Duration::ZERO));
        assert_eq!(delay(&[("Retry-After", "1.5")]), Some(Duration::from_millis(1500)));
        assert_eq!(delay(&[("Retry-After", "0.0000001")]), Some(Duration::from_micros(1)));
        assert!(delay(&[("Retry-After", "99999999999999999999999")]).is_some());
    }

    #[test]
    fn a_date_counts_from_the_answers_own_date() {
        let until = ("Retry-After", "Sun, 06 Nov 1994 08:50:37 GMT");
        let date = ("Date", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(delay(&[until, date]), Some(Duration::from_secs(60)));
        assert_eq!(delay(&[until]), None);
        let past = ("Retry-After", "Sun, 06 Nov 1994 08:40:00 GMT");
        assert_eq!(delay(&[past, date]), Some(Duration::ZERO));
    }

    #[test]
    fn anything_else_is_unknown() {
        for value in ["", "-1", "soon", "1e3", "1.", ".5", "0x10"] {
            let expected = (value == "1.").then_some(Duration::from_secs(1));
            assert_eq!(delay(&[("Retry-After", value)]), expected, "{value}");
        }
        assert_eq!(delay(&[]), None);
    }
}
