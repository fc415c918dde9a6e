//! Faults that a script asks for.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::time::Duration;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use super::domains::{fits, is_within};
use crate::Rng;

/// A fault script that cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("fault script is not valid: {}", reason.escape_debug())]
pub struct InvalidFaults {
    /// What is wrong and where.
    pub reason: String,
}

impl InvalidFaults {
    /// The codes of this error.
    pub const CODES: &'static [&'static str] = &["invalid_faults"];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        "invalid_faults"
    }
}

/// What a rule looks at. Everything that is given has to fit.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct When {
    /// The URL, `*` standing for any run of characters.
    url: Option<String>,
    /// The host's domain or one above it.
    domain: Option<String>,
    /// The page type.
    page_type: Option<String>,
    /// The number of the request, from 1.
    request: Option<u64>,
    /// Every so many requests.
    every: Option<u64>,
    /// How likely the rule applies where all else fits, in parts of a million.
    #[serde(default, deserialize_with = "parts_of_a_million")]
    probability: Option<u64>,
}

/// What a rule may look at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    pub(super) url: &'a str,
    pub(super) host: &'a str,
    pub(super) page_type: &'a str,
}

impl When {
    fn names_request(&self, number: u64) -> bool {
        self.request.is_none_or(|wanted| wanted == number)
            && self.every.is_none_or(|every| number.is_multiple_of(every.max(1)))
    }

    fn names_subject(&self, subjects: &[Subject<'_>]) -> bool {
        let any = self.url.is_none() && self.domain.is_none() && self.page_type.is_none();
        any || subjects.iter().any(|subject| {
            self.url.as_deref().is_none_or(|pattern| fits(pattern, subject.url))
                && self.domain.as_deref().is_none_or(|domain| is_within(subject.host, domain))
                && self.page_type.as_deref().is_none_or(|wanted| wanted == subject.page_type)
        })
    }
}

/// A rule: where `when` fits, pass `skip` times, then do `then`, at most `times` times.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule<A> {
    #[serde(default)]
    when: When,
    #[serde(default)]
    skip: u64,
    times: Option<u64>,
    then: A,
}

/// A list of rules with the count of what each has done. The first rule that applies wins.
#[derive(Clone, Debug)]
pub(super) struct Script<A>(Vec<Rule<A>>);

impl<A> Default for Script<A> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<A: DeserializeOwned> Script<A> {
    /// Reads a list of rules; `check` says what is wrong with an action, if anything.
    pub(super) fn from_json(
        text: &str,
        check: impl Fn(&A) -> Result<(), &'static str>,
    ) -> Result<Self, InvalidFaults> {
        let rules: Vec<Rule<A>> = serde_json::from_str(text)
            .map_err(|error| InvalidFaults { reason: error.to_string() })?;
        for (index, rule) in rules.iter().enumerate() {
            check(&rule.then).map_err(|reason| InvalidFaults {
                reason: alloc::format!("rule {index}: {reason}"),
            })?;
        }
        Ok(Self(rules))
    }
}

impl<A> Script<A> {
    /// Whether there is no rule.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The action for one request, or for one subject of it, among the actions of one `kind`.
    pub(super) fn choose(
        &mut self,
        number: u64,
        subjects: &[Subject<'_>],
        rng: &mut Rng,
        kind: impl Fn(&A) -> bool,
    ) -> Option<&A> {
        self.0.iter_mut().find_map(|rule| {
            let fits = kind(&rule.then)
                && rule.times != Some(0)
                && rule.when.names_request(number)
                && rule.when.names_subject(subjects)
                && rule.when.probability.is_none_or(|parts| rng.up_to(999_999) < parts);
            if !fits {
                return None;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                return None;
            }
            rule.times = rule.times.map(|times| times - 1);
            Some(&rule.then)
        })
    }
}

/// Reads seconds, which may have a fraction.
pub(super) fn seconds<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Duration>, D::Error> {
    Option::<f64>::deserialize(input)?
        .map(|value| Duration::try_from_secs_f64(value).map_err(serde::de::Error::custom))
        .transpose()
}

fn parts_of_a_million<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u64>, D::Error> {
    let Some(share) = seconds(input)? else { return Ok(None) };
    if share > Duration::from_secs(1) {
        return Err(serde::de::Error::custom("a probability is a number from 0 to 1"));
    }
    Ok(u64::try_from(share.as_micros()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str) -> Script<u32> {
        Script::from_json(text, |_| Ok(())).unwrap()
    }

    fn run(script: &mut Script<u32>, requests: u64, url: &str) -> Vec<Option<u32>> {
        let mut rng = Rng::new(7);
        let subject = Subject { url, host: "a.example.com", page_type: "article" };
        (1..=requests)
            .map(|number| script.choose(number, &[subject], &mut rng, |_| true).copied())
            .collect()
    }

    #[test]
    fn rules_apply_in_order_with_counts() {
        let mut script = script(
            r#"[{"when": {"url": "*/x"}, "skip": 1, "times": 2, "then": 1},
                {"when": {"request": 4}, "then": 2},
                {"when": {"every": 3, "domain": "example.com"}, "then": 3}]"#,
        );
        let seen = run(&mut script, 6, "http://a.example.com/x");
        assert_eq!(seen, [None, Some(1), Some(1), Some(2), None, Some(3)]);
    }

    #[test]
    fn a_condition_that_does_not_fit_holds_a_rule_back() {
        for when in [
            r#"{"url": "http://b/*"}"#,
            r#"{"domain": "example.org"}"#,
            r#"{"page_type": "product"}"#,
            r#"{"probability": 0}"#,
            r#"{"request": 9}"#,
        ] {
            let mut script = script(&alloc::format!(r#"[{{"when": {when}, "then": 1}}]"#));
            assert_eq!(run(&mut script, 3, "http://a/"), [None; 3], "{when}");
        }
    }

    #[test]
    fn probability_is_a_share_of_the_requests() {
        let mut script = script(r#"[{"when": {"probability": 0.25}, "then": 1}]"#);
        let hits = run(&mut script, 4_000, "http://a/").iter().flatten().count();
        assert!((900..1_100).contains(&hits), "{hits}");
    }

    #[test]
    fn a_bad_script_is_refused_with_a_reason() {
        for (text, reason) in [
            ("{}", "sequence"),
            (r#"[{"when": {"urls": "x"}, "then": 1}]"#, "unknown field `urls`"),
            (r#"[{"when": {"probability": 2}, "then": 1}]"#, "from 0 to 1"),
            (r#"[{"when": {"probability": -1}, "then": 1}]"#, "negative"),
            (r#"[{"when": {}}]"#, "missing field `then`"),
        ] {
            let error = Script::<u32>::from_json(text, |_| Ok(())).unwrap_err();
            assert_eq!(error.code(), "invalid_faults");
            assert!(error.reason.contains(reason), "{text}: {error}");
        }
    }
}
