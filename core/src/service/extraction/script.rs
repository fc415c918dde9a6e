//! What a fault script can ask for.

use alloc::{collections::BTreeMap, string::String, string::ToString, vec::Vec};
use core::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::{Answer, Delivery, faults::seconds};
use super::refusal::Refused;
use crate::{
    Rng,
    http::{Headers, Response},
};

/// One rule's action. Either for a query (`error`, `slow`) or for a whole request (the others).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::service) struct Action {
    pub(in crate::service) error: Option<String>,
    #[serde(deserialize_with = "seconds")]
    pub(in crate::service) slow: Option<Duration>,

    problem: Option<String>,
    status: Option<u16>,
    title: Option<String>,
    members: Map<String, Value>,
    body: Option<Value>,
    content_type: Option<String>,
    headers: BTreeMap<String, String>,
    retry_after: Option<Value>,
    #[serde(deserialize_with = "seconds")]
    pub(in crate::service) delay: Option<Duration>,
    pub(in crate::service) drop: bool,
    pub(in crate::service) truncate: Option<usize>,
    garbage: Option<usize>,
    pub(in crate::service) echo: Map<String, Value>,
    pub(in crate::service) results: Vec<Disorder>,
}

/// Something wrong with the list of results.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(in crate::service) enum Disorder {
    /// The last one is left out.
    Missing,
    /// The first one comes twice.
    Surplus,
    /// One of a query that nobody sent comes first.
    Foreign,
    /// They come in the opposite order.
    Reversed,
    /// They come in a random order.
    Shuffled,
    /// The first one comes alone, outside any list.
    Object,
}

impl Action {
    pub(in crate::service) fn is_for_query(&self) -> bool {
        self.error.is_some() || self.slow.is_some()
    }

    pub(in crate::service) fn is_for_request(&self) -> bool {
        self.replaces_answer()
            || self.edits_answer()
            || self.delay.is_some()
            || self.drop
            || self.truncate.is_some()
            || !self.echo.is_empty()
            || !self.results.is_empty()
    }

    /// Whether the request is answered without being processed.
    pub(in crate::service) fn replaces_answer(&self) -> bool {
        self.problem.is_some() || self.status.is_some()
    }

    fn edits_answer(&self) -> bool {
        self.body.is_some()
            || self.content_type.is_some()
            || !self.headers.is_empty()
            || self.retry_after.is_some()
            || self.garbage.is_some()
    }

    /// The kind of the problem that is the answer, if one is.
    pub(in crate::service) fn problem_kind(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Whether a script makes sense.
    pub(in crate::service) fn check(&self, named: fn(&str) -> Refused) -> Result<(), &'static str> {
        if self.is_for_query() == self.is_for_request() {
            return Err("`then` has to ask for something of a query (`error`, `slow`) or of a \
                        request (anything else), not both");
        }
        if self.status.is_some_and(|status| !(200..=599).contains(&status)) {
            return Err("`status` has to be from 200 to 599");
        }
        if self.problem.is_none() && (self.title.is_some() || !self.members.is_empty()) {
            return Err("`title` and `members` belong to a `problem`");
        }
        if self.problem.is_some() && self.refused(named).is_none() {
            return Err("`members` cannot hold a problem's own type, title, status or the like");
        }
        let mut headers = Headers::new();
        let retry_after = self.retry_after_value().map(|value| ("Retry-After".into(), value));
        let content_type = self.content_type.clone().map(|value| ("Content-Type".into(), value));
        let given = self.headers.clone().into_iter().chain(retry_after).chain(content_type);
        for (name, value) in given {
            if headers.append(name, value).is_err() {
                return Err("`headers`, `content_type` and `retry_after` have to be valid in HTTP");
            }
        }
        Ok(())
    }

    /// The problem that is the answer, if one is and its members can stand in it.
    fn refused(&self, named: fn(&str) -> Refused) -> Option<Refused> {
        let mut refused = named(self.problem.as_ref()?);
        refused.status = self.status.unwrap_or(refused.status);
        if let Some(title) = &self.title {
            refused = refused.with_title(title.clone());
        }
        for (name, value) in &self.members {
            let document = core::mem::take(&mut *refused.document);
            *refused.document = document.with_member(name, &value.to_string()).ok()?;
        }
        Some(refused)
    }

    fn retry_after_value(&self) -> Option<String> {
        Some(match self.retry_after.as_ref()? {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        })
    }

    /// The answer instead of the processing, where it [replaces](Self::replaces_answer) that.
    pub(in crate::service) fn answer(&self, named: fn(&str) -> Refused) -> Response {
        if let Some(refused) = self.refused(named) {
            return refused.into_response();
        }
        Response::new(self.status.unwrap_or(500), Headers::new(), Vec::new())
    }

    /// The answer as the script wants it, and the way it is delivered.
    pub(in crate::service) fn finish(&self, mut response: Response, rng: &mut Rng) -> Answer {
        self.edit(&mut response, rng);
        let delivery = match self.truncate {
            _ if self.drop => Delivery::Dropped,
            Some(length) => Delivery::Truncated(length),
            None => Delivery::Whole,
        };
        Answer { response, delivery }
    }

    /// Changes an answer as the script wants.
    fn edit(&self, response: &mut Response, rng: &mut Rng) {
        match &self.body {
            Some(Value::String(text)) => response.body = text.clone().into_bytes(),
            Some(value) => response.body = value.to_string().into_bytes(),
            None => {}
        }
        if let Some(length) = self.garbage {
            response.body = core::iter::repeat_with(|| rng.next_u64().to_le_bytes())
                .flatten()
                .take(length)
                .collect();
        }
        if let Some(content_type) = &self.content_type {
            response.headers.remove("Content-Type");
            if !content_type.is_empty() {
                response.headers.push("Content-Type", content_type.clone());
            }
        }
        let retry_after = self.retry_after_value().map(|value| ("Retry-After".into(), value));
        for (name, value) in self.headers.clone().into_iter().chain(retry_after) {
            response.headers.remove(&name);
            response.headers.push(&name, value);
        }
    }
}
