//! The answers to the `/sessions` calls.

use alloc::{format, string::String, vec::Vec};
use core::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};

use super::{
    InvalidSessionId, OutgoingAddress, ProxyServiceError, SessionId,
    answer::{by_status, message},
};
use crate::http::{Headers, retry_after};

/// A call of the sessions API that failed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionCallFailed {
    /// The call succeeded, but its answer is not what the service gives.
    #[error("answer of the sessions call {reason}")]
    Answer {
        /// What is wrong with it.
        reason: String,
    },
    /// The answer holds an id that no service can have made.
    #[error(transparent)]
    SessionId(#[from] InvalidSessionId),
    /// The service answered with an error.
    #[error(transparent)]
    Service(#[from] ProxyServiceError),
}

impl SessionCallFailed {
    /// The codes of this error, less those of the errors it passes on.
    pub const CODES: &'static [&'static str] = &["session_answer_malformed"];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Answer { .. } => "session_answer_malformed",
            Self::SessionId(error) => error.code(),
            Self::Service(error) => error.code(),
        }
    }

    fn answer(reason: impl Into<String>) -> Self {
        Self::Answer { reason: reason.into() }
    }
}

/// The sessions of an account.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct ProxySessionList {
    /// Each session with its outgoing address (`None`: it has none yet), in the answer's order.
    pub sessions: Vec<(SessionId, Option<OutgoingAddress>)>,
    /// The sessions that the answer names more than once; the last address counts.
    pub duplicates: Vec<SessionId>,
}

/// An answer without success is the service's: these calls go to no target.
fn succeeded(status: u16, headers: &Headers, body: &[u8]) -> Result<(), SessionCallFailed> {
    let answer = super::answer::read(status, headers, body);
    if let Some(error) = answer.error {
        return Err(error.into());
    }
    if (200..300).contains(&status) {
        return Ok(());
    }
    Err(SessionCallFailed::Service(ProxyServiceError {
        kind: by_status(status),
        status,
        text: String::new(),
        message: message(body),
        retry_after: retry_after(headers),
    }))
}

pub(super) fn read_created(
    status: u16,
    headers: &Headers,
    body: &[u8],
) -> Result<SessionId, SessionCallFailed> {
    succeeded(status, headers, body)?;
    let text = core::str::from_utf8(body)
        .map_err(|_| SessionCallFailed::answer("is not text but should be a session id"))?
        .trim();
    if text.is_empty() {
        return Err(SessionCallFailed::answer("is empty but should be a session id"));
    }
    if text.starts_with(['<', '{', '[']) {
        return Err(SessionCallFailed::answer(
            "is a document but should be a session id as plain text",
        ));
    }
    Ok(SessionId::new(text)?)
}

pub(super) fn read_deleted(
    status: u16,
    headers: &Headers,
    body: &[u8],
) -> Result<(), SessionCallFailed> {
    succeeded(status, headers, body)
}

pub(super) fn read_list(
    status: u16,
    headers: &Headers,
    body: &[u8],
) -> Result<ProxySessionList, SessionCallFailed> {
    succeeded(status, headers, body)?;
    let mut reader = serde_json::Deserializer::from_slice(body);
    let list = reader.deserialize_map(ListVisitor).and_then(|list| reader.end().map(|()| list));
    let entries = list.map_err(|error| {
        SessionCallFailed::answer(format!("is not a json object of ids and addresses: {error}"))
    })?;
    let mut list = ProxySessionList::default();
    let mut places = alloc::collections::BTreeMap::new();
    for (id, address) in entries {
        let id = SessionId::new(id)?;
        let address = address.as_deref().and_then(OutgoingAddress::new);
        let place = places.get(&id).copied();
        if let Some((_, known)) = place.and_then(|place: usize| list.sessions.get_mut(place)) {
            *known = address;
            if !list.duplicates.contains(&id) {
                list.duplicates.push(id);
            }
        } else {
            places.insert(id.clone(), list.sessions.len());
            list.sessions.push((id, address));
        }
    }
    Ok(list)
}

/// Keeps order and duplicates, which a map would lose.
struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = Vec<(String, Option<String>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of session ids and addresses or null")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}
