//! The answers to the `/sessions` calls.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

use super::{
    InvalidSessionId, OutgoingAddress, ProxyServiceError, SessionId,
    answer::{by_status, message},
};
use crate::{
    http::{Headers, retry_after},
    json::{Cursor, InvalidJson, Kind},
};

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
    /// The answer is not JSON.
    #[error("answer of the sessions call: {0}")]
    Json(#[from] InvalidJson),
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
            Self::Json(error) => error.code(),
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
    let mut json = Cursor::new(body)?;
    if json.kind()? != Kind::Object {
        return Err(SessionCallFailed::answer("is not a json object of session ids and addresses"));
    }
    json.enter_object()?;
    let mut list = ProxySessionList::default();
    let mut places = BTreeMap::new();
    while let Some(id) = json.next_member()? {
        let id = SessionId::new(id.decode())?;
        let address = match json.kind()? {
            Kind::String => OutgoingAddress::new(&json.string()?.decode()),
            Kind::Null => json.skip().map(|_| None)?,
            _ => {
                let reason = format!("gives session `{id}` something else than an address or null");
                return Err(SessionCallFailed::answer(reason));
            }
        };
        if let Some((place, repeated)) = places.get_mut(&id) {
            if let Some((_, known)) = list.sessions.get_mut(*place) {
                *known = address;
            }
            if !core::mem::replace(repeated, true) {
                list.duplicates.push(id);
            }
        } else {
            places.insert(id.clone(), (list.sessions.len(), false));
            list.sessions.push((id, address));
        }
    }
    json.end()?;
    Ok(list)
}
