//! The answers to the `/sessions` calls.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

use super::{
    InvalidSessionId, OutgoingAddress, ProxyDialect, ProxyServiceError, SessionId,
    connect::read_connect,
};
use crate::{
    http::Headers,
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
            Self::Service(error) => error.code(),
        }
    }

    fn answer(reason: impl Into<String>) -> Self {
        Self::Answer { reason: reason.into() }
    }
}

impl From<InvalidJson> for SessionCallFailed {
    fn from(error: InvalidJson) -> Self {
        Self::answer(format!("is not a json object of session ids and addresses: {error}"))
    }
}

impl From<InvalidSessionId> for SessionCallFailed {
    fn from(error: InvalidSessionId) -> Self {
        Self::answer(format!("is wrong: {error}"))
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

fn succeeded(status: u16, headers: &Headers, body: &[u8]) -> Result<(), SessionCallFailed> {
    read_connect(ProxyDialect::default(), status, headers, body)
        .map_or(Ok(()), |error| Err(error.into()))
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
