//! Problem details for HTTP APIs (RFC 7807): read what a service says is wrong, and build it.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::time::Duration;

use crate::{
    http::parse_seconds,
    json::{Cursor, InvalidJson, Kind, Span, Text, write_string},
};

/// The content type of a problem document.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// The longest body that is read as a problem. Real ones have some hundred bytes; reading one
/// copies its members.
pub const MAX_SIZE: usize = 1 << 20;

/// A body that is no problem document, or a member that cannot stand in one.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidProblem {
    /// The body is not JSON.
    #[error("problem document: {0}")]
    Json(InvalidJson),
    /// The value of a member is not JSON.
    #[error("problem member `{}`: {reason}", name.escape_debug())]
    Member {
        /// The member's name.
        name: String,
        /// What is wrong with its value.
        reason: InvalidJson,
    },
    /// The body is JSON, but no object.
    #[error("problem document is of type {found}, it must be an object")]
    NotObject {
        /// The type that was found.
        found: &'static str,
    },
    /// A member has the name of one that has its own setter.
    #[error("problem member `{name}` has its own setter")]
    Reserved {
        /// The member's name.
        name: String,
    },
    /// The body is longer than any problem document.
    #[error("problem document has {length} bytes, the limit is {MAX_SIZE}")]
    TooLarge {
        /// The size of the body.
        length: usize,
    },
}

impl InvalidProblem {
    /// The codes of this error.
    pub const CODES: &'static [&'static str] = &[
        "problem_json",
        "problem_member",
        "problem_not_object",
        "problem_reserved",
        "problem_too_large",
    ];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Json(_) => "problem_json",
            Self::Member { .. } => "problem_member",
            Self::NotObject { .. } => "problem_not_object",
            Self::Reserved { .. } => "problem_reserved",
            Self::TooLarge { .. } => "problem_too_large",
        }
    }
}

/// A problem document.
///
/// ```
/// use silkline::problem::Problem;
///
/// let body = br#"{"title": "Limit of 100 queries per request exceeded",
///                 "type": "http://errors.xod.scrapinghub.com/queries-limit-reached.html"}"#;
/// let problem = Problem::read(body)?;
/// assert_eq!(problem.kind(), Some("queries-limit-reached"));
/// # Ok::<(), silkline::problem::InvalidProblem>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Problem {
    uri: Option<String>,
    title: Option<String>,
    status: Option<u16>,
    detail: Option<String>,
    instance: Option<String>,
    members: Vec<(String, String)>,
}

impl Problem {
    /// A problem of a type, which is a URI.
    pub fn new(problem_type: impl Into<String>) -> Self {
        Self { uri: Some(problem_type.into()), ..Self::default() }
    }

    /// Reads a document. Members that are not of the documented JSON type are kept among the
    /// unknown ones, as RFC 7807 (section 3.1) wants them ignored.
    pub fn read(body: &[u8]) -> Result<Self, InvalidProblem> {
        if body.len() > MAX_SIZE {
            return Err(InvalidProblem::TooLarge { length: body.len() });
        }
        let mut problem = Self::default();
        match problem.read_members(body) {
            Ok(None) => Ok(problem),
            Ok(Some(kind)) => Err(InvalidProblem::NotObject { found: kind.as_str() }),
            Err(reason) => Err(InvalidProblem::Json(reason)),
        }
    }

    /// Reads all members; the kind of the document if it is no object.
    fn read_members(&mut self, body: &[u8]) -> Result<Option<Kind>, InvalidJson> {
        let mut cursor = Cursor::new(body)?;
        let kind = cursor.kind()?;
        if kind != Kind::Object {
            cursor.skip()?;
            cursor.end()?;
            return Ok(Some(kind));
        }
        cursor.enter_object()?;
        while let Some(name) = cursor.next_member()? {
            if cursor.kind()? == Kind::String {
                let text = cursor.string()?;
                self.take_text(&name, &text, body);
            } else {
                let span = cursor.skip()?;
                self.take_other(&name, span, body);
            }
        }
        cursor.end()?;
        Ok(None)
    }

    fn take_text(&mut self, name: &Text<'_>, text: &Text<'_>, body: &[u8]) {
        let place = match name.decode().as_ref() {
            "type" => &mut self.uri,
            "title" => &mut self.title,
            "detail" => &mut self.detail,
            "instance" => &mut self.instance,
            _ => return self.take_other(name, text.span(), body),
        };
        *place = Some(text.decode().into_owned());
    }

    fn take_other(&mut self, name: &Text<'_>, span: Span, body: &[u8]) {
        let raw = body.get(span.start..span.end).and_then(|raw| core::str::from_utf8(raw).ok());
        let raw = raw.unwrap_or_default();
        match raw.parse() {
            Ok(status) if name.equals("status") => self.status = Some(status),
            _ => self.members.push((name.decode().into_owned(), raw.into())),
        }
    }

    /// The same with a short summary of the problem type.
    #[must_use]
    pub fn with_title(self, title: impl Into<String>) -> Self {
        Self { title: Some(title.into()), ..self }
    }

    /// The same with the status of the response.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status: Some(status), ..self }
    }

    /// The same with an explanation of this occurrence.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// The same with a URI of this occurrence.
    #[must_use]
    pub fn with_instance(self, instance: impl Into<String>) -> Self {
        Self { instance: Some(instance.into()), ..self }
    }

    /// The same with a member of one's own, given as JSON text.
    pub fn with_member(mut self, name: &str, json: &str) -> Result<Self, InvalidProblem> {
        if matches!(name, "type" | "title" | "status" | "detail" | "instance") {
            return Err(InvalidProblem::Reserved { name: name.into() });
        }
        let checked = Cursor::new(json.as_bytes()).and_then(|mut cursor| {
            cursor.skip()?;
            cursor.end()
        });
        checked.map_err(|reason| InvalidProblem::Member { name: name.into(), reason })?;
        self.members.push((name.into(), json.trim_ascii().into()));
        Ok(self)
    }

    /// The document as JSON.
    pub fn to_json(&self) -> String {
        let mut out = String::from("{");
        let name = |out: &mut String, name: &str| {
            if out.len() > 1 {
                out.push(',');
            }
            write_string(out, name);
            out.push(':');
        };
        for (key, text) in [
            ("type", &self.uri),
            ("title", &self.title),
            ("detail", &self.detail),
            ("instance", &self.instance),
        ] {
            if let Some(text) = text {
                name(&mut out, key);
                write_string(&mut out, text);
            }
        }
        if let Some(status) = self.status {
            name(&mut out, "status");
            out.push_str(&status.to_string());
        }
        for (key, json) in &self.members {
            name(&mut out, key);
            out.push_str(json);
        }
        out.push('}');
        out
    }

    /// The URI of the problem's type, as it stands in the document.
    pub fn problem_type(&self) -> Option<&str> {
        self.uri.as_deref()
    }

    /// What tells the types apart: the last path segment of the type, without `.html`.
    ///
    /// The services' types are seen on several hosts, relative, and with and without the suffix.
    pub fn kind(&self) -> Option<&str> {
        let uri = self.uri.as_deref()?;
        let path = uri.trim().split(['?', '#']).next()?.trim_end_matches('/');
        let (_, segment) = path.rsplit_once('/').unwrap_or(("", path));
        let kind = match segment.split_at_checked(segment.len().saturating_sub(5)) {
            Some((kind, suffix)) if suffix.eq_ignore_ascii_case(".html") => kind,
            _ => segment,
        };
        (!kind.is_empty() && !kind.contains(':')).then_some(kind)
    }

    /// A short summary of the problem's type.
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The status of the response, as the document repeats it.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// An explanation of this occurrence.
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// A URI of this occurrence.
    pub fn instance(&self) -> Option<&str> {
        self.instance.as_deref()
    }

    /// Name and JSON text of each other member, in the order of the document.
    pub fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.members.iter().map(|(name, json)| (name.as_str(), json.as_str()))
    }

    /// How long to wait before the next attempt, if a member says so.
    ///
    /// The documentation promises "delay before retrying next time" without a name for it
    /// (Automatic Extraction API docs, Errors, Request-level), so the first numeric member whose
    /// name speaks of such a delay is taken, in seconds if the name has no other unit.
    pub fn retry_delay(&self) -> Option<Duration> {
        self.members().find_map(|(name, json)| {
            let unit = delay_unit(name)?;
            let seconds = json.strip_prefix('"').and_then(|json| json.strip_suffix('"'));
            scaled(seconds.unwrap_or(json), unit)
        })
    }
}

/// What one unit of a delay is in microseconds, if the name of a member speaks of a retry delay.
fn delay_unit(name: &str) -> Option<u32> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut lower = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() || (lower && c.is_ascii_uppercase()) {
            words.push(core::mem::take(&mut word));
        }
        if c.is_ascii_alphanumeric() {
            word.push(c.to_ascii_lowercase());
        }
        lower = c.is_ascii_lowercase();
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    if has(&["count", "counter", "max", "maximum", "min", "attempt", "attempts", "retries", "at"]) {
        return None; // a number of retries, a bound, or a moment
    }
    let seconds = ["s", "sec", "secs", "second", "seconds"];
    let millis = ["ms", "msec", "msecs", "millis", "millisecond", "milliseconds"];
    let minutes = ["minute", "minutes"];
    let has_unit = has(&seconds) || has(&millis) || has(&minutes);
    let speaks = has(&["delay", "wait", "backoff", "retryafter", "retryin", "retrydelay"])
        || (has(&["retry", "retrying"])
            && (words.len() == 1 || has_unit || has(&["after", "in", "interval"])))
        || (words.len() == 1 && has(&["seconds"]));
    if !speaks {
        return None;
    }
    Some(if has(&millis) {
        1_000
    } else if has(&minutes) {
        60_000_000
    } else {
        1_000_000
    })
}

/// So many units of so many microseconds, rounded up to whole ones; no delay is below zero.
fn scaled(number: &str, unit: u32) -> Option<Duration> {
    let count = match parse_seconds(number) {
        Some(count) => count,
        // With an exponent: rare enough to go through a float. Past the range is the end of it.
        None => match number.parse::<f64>() {
            Ok(count) if number.starts_with(|c: char| c.is_ascii_digit()) => {
                Duration::try_from_secs_f64(count).unwrap_or(Duration::from_micros(u64::MAX))
            }
            _ => return None,
        },
    };
    let micros = (count.as_nanos() * u128::from(unit)).div_ceil(1_000_000_000);
    Some(Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_built_reads_the_same() {
        let problem = Problem::new("https://a/b.html")
            .with_title("T \"quoted\"")
            .with_status(429)
            .with_detail("D\n")
            .with_instance("/i/1")
            .with_member("retryAfter", " 2.5 ")
            .unwrap();
        assert_eq!(Problem::read(problem.to_json().as_bytes()), Ok(problem));
        assert_eq!(Problem::default().to_json(), "{}");
    }

    #[test]
    fn only_sound_members_are_taken() {
        let problem = Problem::new("a");
        assert_eq!(
            problem.clone().with_member("title", "1").unwrap_err().code(),
            "problem_reserved"
        );
        assert_eq!(problem.clone().with_member("x", "1 2").unwrap_err().code(), "problem_member");
        assert_eq!(problem.with_member("x", "").unwrap_err().code(), "problem_member");
    }

    #[test]
    fn a_delay_is_told_from_other_numbers() {
        let micros = |name: &str, json: &str| {
            let problem = Problem::default().with_member(name, json).unwrap();
            problem.retry_delay().map(|delay| delay.as_micros())
        };
        for name in [
            "retry_after",
            "retryAfter",
            "retry-after",
            "retryafter",
            "Retry-After",
            "retry_in",
            "retryIn",
            "retry",
            "delay",
            "retry_delay",
            "delaySeconds",
            "retry_after_seconds",
            "seconds",
            "wait",
            "backoff",
            "delayBeforeRetrying",
            "retryAfterSecs",
        ] {
            assert_eq!(micros(name, "2.5"), Some(2_500_000), "{name}");
        }
        for name in [
            "retry_count",
            "maxRetries",
            "max_delay",
            "retryAt",
            "status2",
            "limit",
            "retries",
            "remaining_seconds",
        ] {
            assert_eq!(micros(name, "3"), None, "{name}");
        }
        assert_eq!(micros("retryAfterMs", "1500"), Some(1_500_000));
        assert_eq!(micros("retry_after_minutes", "2"), Some(120_000_000));
        assert_eq!(micros("delay", "\"7\""), Some(7_000_000));
        assert_eq!(micros("delay", "1e2"), Some(100_000_000));
        assert_eq!(micros("delay", "1e400"), Some(u128::from(u64::MAX)));
        for json in ["-1", "true", "null", "[1]", "\"soon\"", "\"\"", "\"inf\"", "\"nan\""] {
            assert_eq!(micros("delay", json), None, "{json}");
        }
    }
}
