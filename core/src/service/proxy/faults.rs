//! Faults of the proxy that a script asks for.

use alloc::{collections::BTreeMap, string::String};
use core::time::Duration;

use serde::Deserialize;

use super::{FetchFailure, errors::service_headers};
use crate::{
    http::{Headers, Response},
    service::{Answer, Delivery, faults::seconds},
};

/// What a rule of the script does. Exactly one of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) enum FaultAction {
    /// Answers at once.
    Answer(Scripted),
    /// Closes the connection without a byte.
    Drop(Always),
    /// Passes the target's answer on up to this many bytes of its body.
    Truncate(usize),
    /// Ends the session of the request first.
    EndSession(Always),
    /// Takes every attempt of the request for a ban.
    Ban(Always),
    /// Lets every attempt of the request fail.
    Fail(FetchFailure),
    /// Holds the request back for so many seconds, on top of everything else.
    Delay(Seconds),
}

/// `true`, since a JSON object needs a value.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "bool")]
pub(super) struct Always;

impl TryFrom<bool> for Always {
    type Error = &'static str;

    fn try_from(value: bool) -> Result<Self, Self::Error> {
        if value { Ok(Self) } else { Err("the value of this action is always true") }
    }
}

/// A number of seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Seconds(#[serde(deserialize_with = "seconds")] pub(super) Option<Duration>);

/// An answer of the script's own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scripted {
    status: u16,
    /// `X-Crawlera-Error`
    error: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
    /// Whether the answer names its version, as the service's own do.
    #[serde(default = "yes")]
    version: bool,
}

const fn yes() -> bool {
    true
}

impl Scripted {
    /// The answer.
    pub(super) fn answer(&self) -> Answer {
        let mut headers = if self.version { service_headers() } else { Headers::new() };
        if let Some(error) = &self.error {
            headers.push("X-Crawlera-Error", error.as_str());
        }
        for (name, value) in &self.headers {
            headers.push(name, value.as_str());
        }
        Answer::whole(Response::new(self.status, headers, self.body.as_str()))
    }

    /// What the counts call it.
    pub(super) fn name(&self) -> String {
        self.error.clone().unwrap_or_else(|| alloc::format!("scripted_{}", self.status))
    }

    /// What is wrong with it, if anything.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        if !(200..=599).contains(&self.status) {
            return Err("a status is a number from 200 to 599");
        }
        let mut headers = Headers::new();
        let error = self.error.iter().map(|error| ("X-Crawlera-Error", error));
        for (name, value) in
            self.headers.iter().map(|(name, value)| (name.as_str(), value)).chain(error)
        {
            headers.append(name, value).map_err(|_| "a header cannot be sent")?;
        }
        Ok(())
    }
}

/// The answer of a dropped connection.
pub(super) fn dropped() -> Answer {
    let mut answer = Answer::whole(Response::new(502, Headers::new(), ""));
    answer.delivery = Delivery::Dropped;
    answer
}
