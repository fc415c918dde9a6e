//! What snapshots of the engine hold of requests, errors and events.

use alloc::{
    boxed::Box,
    string::{String, ToString},
    vec::Vec,
};
use core::time::Duration;

use super::{
    super::{
        Cost, Failure,
        clock::micros,
        form::{saved_enum, saved_struct},
        snapshot::{InvalidSnapshot, SavedBytes, SavedResponse},
    },
    JobId, ProxyEvent, ProxyFetched, ProxyJobError, ProxyOutcome, RequestId, SessionLoss,
    job::Missing,
};
use crate::{
    http::{Headers, Method, Request},
    proxy::{
        InvalidProxiedRequest, InvalidProxyOptions, OutgoingAddress, ProxyErrorKind,
        ProxyServiceError, SessionId,
    },
    schedule::SavedSession,
};

/// A request in a snapshot, less what does not belong there.
#[derive(Default)]
pub(super) struct SavedRequest {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<SavedBytes>,
    pub(super) missing_headers: Vec<String>,
    pub(super) missing_body: bool,
    pub(super) missing_url: bool,
}
saved_struct!(SavedRequest {
    method, url; headers, body, missing_headers, missing_body, missing_url
});

#[derive(Default)]
pub(super) struct SavedServiceError {
    pub(super) code: String,
    pub(super) status: u16,
    pub(super) text: String,
    pub(super) detail: String,
    pub(super) retry_after_us: Option<u64>,
}
saved_struct!(SavedServiceError { code, status, text, detail; retry_after_us });

pub(super) enum SavedEvent {
    Finished(Box<SavedOutcome>),
    SessionLost(SavedLoss),
    Stopped(SavedServiceError),
}
saved_enum!(SavedEvent {;
    "finished" Finished, "session_lost" SessionLost, "stopped" Stopped,
});

impl Default for SavedEvent {
    fn default() -> Self {
        Self::Stopped(SavedServiceError::default())
    }
}

#[derive(Default)]
pub(super) struct SavedLoss {
    pub(super) name: Box<str>,
    pub(super) session: String,
    pub(super) cause: String,
}
saved_struct!(SavedLoss { name, session, cause; });

#[derive(Default)]
pub(super) struct SavedOutcome {
    pub(super) job: u64,
    pub(super) key: Option<Box<str>>,
    pub(super) request: SavedRequest,
    pub(super) outcome: SavedEnding,
    pub(super) attempts: u32,
    pub(super) billed: u32,
    pub(super) possibly_billed: u32,
    pub(super) elapsed_us: u64,
}
saved_struct!(SavedOutcome {
    job, request, outcome, attempts, billed, possibly_billed, elapsed_us; key
});

#[derive(Default)]
pub(super) enum SavedEnding {
    Banned(SavedResponse),
    #[default]
    Cancelled,
    Closed,
    Failed(String),
    Fetched(SavedFetched),
    HeadersTooLarge(usize),
    Interrupted,
    Option(String),
    Region,
    Scheme(String),
    Service(SavedServiceError),
    SessionLost(Box<str>),
    Url(String),
}
saved_enum!(SavedEnding {
    "cancelled" Cancelled, "closed" Closed, "interrupted" Interrupted, "region" Region;
    "banned" Banned, "failed" Failed, "fetched" Fetched, "headers_too_large" HeadersTooLarge,
    "option" Option, "scheme" Scheme, "service" Service, "session_lost" SessionLost, "url" Url,
});

#[derive(Default)]
pub(super) struct SavedFetched {
    request: u64,
    response: SavedResponse,
    session: Option<String>,
    outgoing: Option<String>,
}
saved_struct!(SavedFetched { request, response; session, outgoing });

saved_struct!(SavedSession { id, idle_us, steps, bans, timeouts; address, age_us, name, wait_us });

impl SavedRequest {
    pub(super) fn read(&mut self) -> Result<(Request, Option<Missing>), InvalidSnapshot> {
        let method = self.method.parse::<Method>();
        let method = method.map_err(|_| InvalidSnapshot::content("a method is none"))?;
        let headers = Headers::from_received(core::mem::take(&mut self.headers));
        let body = self.body.take().map(SavedBytes::into_bytes).transpose()?;
        let request = Request::new(method, core::mem::take(&mut self.url))
            .with_headers(headers)
            .with_body(body.unwrap_or_default());
        let missing = Missing {
            headers: core::mem::take(&mut self.missing_headers),
            body: self.missing_body,
            url: self.missing_url,
        };
        Ok((request, (missing != Missing::default()).then_some(missing)))
    }
}

impl SavedServiceError {
    pub(super) fn new(error: &ProxyServiceError) -> Self {
        Self {
            code: error.kind.code().into(),
            status: error.status,
            text: error.text.clone(),
            detail: error.detail.clone(),
            retry_after_us: error.retry_after.map(micros),
        }
    }

    pub(super) fn into_error(self) -> ProxyServiceError {
        ProxyServiceError {
            kind: ProxyErrorKind::from_code(&self.code),
            status: self.status,
            text: self.text,
            detail: self.detail,
            retry_after: self.retry_after_us.map(Duration::from_micros),
        }
    }
}

impl SavedEvent {
    pub(super) fn into_event(self) -> Result<ProxyEvent, InvalidSnapshot> {
        Ok(match self {
            Self::Finished(outcome) => ProxyEvent::Finished(Box::new(outcome.into_outcome()?)),
            Self::SessionLost(SavedLoss { name, session, cause }) => {
                let none = |_| InvalidSnapshot::content("a session id is none");
                let session = SessionId::new(session).map_err(none)?;
                let cause = SessionLoss::from_name(&cause).unwrap_or(SessionLoss::Gone);
                ProxyEvent::SessionLost { name, session, cause }
            }
            Self::Stopped(error) => ProxyEvent::Stopped(error.into_error()),
        })
    }
}

impl SavedEnding {
    pub(super) fn new(outcome: &Result<ProxyFetched, ProxyJobError>) -> Self {
        match outcome {
            Ok(fetched) => Self::Fetched(SavedFetched {
                request: fetched.request.as_u64(),
                response: SavedResponse::new(&fetched.response),
                session: fetched.session.as_ref().map(|id| id.as_str().into()),
                outgoing: fetched.outgoing.as_ref().map(|address| address.as_str().into()),
            }),
            Err(ProxyJobError::Banned(response)) => Self::Banned(SavedResponse::new(response)),
            Err(ProxyJobError::Cancelled) => Self::Cancelled,
            Err(ProxyJobError::Closed) => Self::Closed,
            Err(ProxyJobError::Failed(failure)) => Self::Failed(failure.as_str().into()),
            Err(ProxyJobError::Interrupted) => Self::Interrupted,
            Err(ProxyJobError::Request(error)) => match error {
                InvalidProxiedRequest::Header(error) => Self::Option(error.to_string()),
                InvalidProxiedRequest::HeadersTooLarge { size } => Self::HeadersTooLarge(*size),
                InvalidProxiedRequest::Options(InvalidProxyOptions::SessionWithRegion) => {
                    Self::Region
                }
                InvalidProxiedRequest::Options(InvalidProxyOptions::Contradiction { header }) => {
                    Self::Option(header.clone())
                }
                InvalidProxiedRequest::Options(error) => Self::Option(error.to_string()),
                InvalidProxiedRequest::Scheme { url } => Self::Scheme(url.clone()),
                InvalidProxiedRequest::Url { url } => Self::Url(url.clone()),
            },
            Err(ProxyJobError::Service(error)) => Self::Service(SavedServiceError::new(error)),
            Err(ProxyJobError::SessionLost { name }) => Self::SessionLost(name.clone()),
        }
    }

    pub(super) fn into_outcome(
        self,
    ) -> Result<Result<ProxyFetched, ProxyJobError>, InvalidSnapshot> {
        let invalid = |error| ProxyJobError::Request(error);
        Ok(Err(match self {
            Self::Fetched(SavedFetched { request, response, session, outgoing }) => {
                return Ok(Ok(ProxyFetched {
                    request: RequestId(request),
                    response: response.into_response()?,
                    session: session.and_then(|id| SessionId::new(id).ok()),
                    outgoing: outgoing.and_then(|address| OutgoingAddress::new(&address)),
                }));
            }
            Self::Banned(response) => ProxyJobError::Banned(Box::new(response.into_response()?)),
            Self::Cancelled => ProxyJobError::Cancelled,
            Self::Closed => ProxyJobError::Closed,
            Self::Failed(name) => {
                ProxyJobError::Failed(Failure::from_name(&name).unwrap_or(Failure::Network))
            }
            Self::Interrupted => ProxyJobError::Interrupted,
            Self::HeadersTooLarge(size) => invalid(InvalidProxiedRequest::HeadersTooLarge { size }),
            Self::Option(header) => invalid(InvalidProxyOptions::Contradiction { header }.into()),
            Self::Region => invalid(InvalidProxyOptions::SessionWithRegion.into()),
            Self::Scheme(url) => invalid(InvalidProxiedRequest::Scheme { url }),
            Self::Service(error) => ProxyJobError::Service(error.into_error()),
            Self::SessionLost(name) => ProxyJobError::SessionLost { name },
            Self::Url(url) => invalid(InvalidProxiedRequest::Url { url }),
        }))
    }
}

impl SavedOutcome {
    pub(super) fn into_outcome(mut self) -> Result<ProxyOutcome, InvalidSnapshot> {
        let (request, _) = self.request.read()?;
        Ok(ProxyOutcome {
            job: JobId(self.job),
            key: self.key,
            request,
            outcome: self.outcome.into_outcome()?,
            attempts: self.attempts,
            cost: Cost { billed: self.billed, possibly_billed: self.possibly_billed },
            elapsed: Duration::from_micros(self.elapsed_us),
        })
    }
}

/// Headers as they are written.
pub(super) fn pairs(headers: &Headers) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.into(), value.into())).collect()
}
