//! Jobs as they go in, and what comes of them.

use alloc::{
    boxed::Box,
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, time::Duration};

use super::super::{Cost, Failure, JobId, RequestId};
use crate::{
    http::{Method, Request, Response},
    proxy::{InvalidProxiedRequest, OutgoingAddress, ProxyOptions, ProxyServiceError, SessionId},
};

/// Which session a job's request goes through.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub enum JobSession {
    /// The one of this name: jobs of one name go one after the other, in the order of their
    /// submission, through one session, until
    /// [`end_session`](super::ProxyEngine::end_session).
    Named {
        /// The name.
        name: Box<str>,
        /// Whether the job may go through a new session if that one is lost, or be its first.
        replace: bool,
    },
    /// None: the service chooses an address each time, and retries by itself.
    Outside,
    /// Any of the pool.
    #[default]
    Pool,
    /// The one of the pool that has this id, as long as it is there, else any: for what belongs to
    /// an earlier request without a name, as its redirect does.
    Stay {
        /// The id.
        session: SessionId,
    },
}

/// A request to be fetched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProxyJob {
    pub(super) request: Request,
    pub(super) options: ProxyOptions,
    pub(super) session: JobSession,
    pub(super) priority: i32,
    pub(super) key: Option<Box<str>>,
}

impl ProxyJob {
    /// A job of priority 0 without options or key, for any session of the pool.
    pub fn new(request: Request) -> Self {
        let (options, session) = (ProxyOptions::new(), JobSession::Pool);
        Self { request, options, session, priority: 0, key: None }
    }

    /// The same with options; they win over those of the configuration.
    #[must_use]
    pub fn with_options(self, options: ProxyOptions) -> Self {
        Self { options, ..self }
    }

    /// The same through another session. Defaults to any of the pool.
    #[must_use]
    pub fn with_session(self, session: JobSession) -> Self {
        Self { session, ..self }
    }

    /// The same as a part of a named sequence, which ends if its session is lost.
    #[must_use]
    pub fn in_session(self, name: impl Into<Box<str>>) -> Self {
        self.with_session(JobSession::Named { name: name.into(), replace: false })
    }

    /// The same outside sessions.
    #[must_use]
    pub fn outside_sessions(self) -> Self {
        self.with_session(JobSession::Outside)
    }

    /// The same through the session that an earlier answer came through, while it is there.
    #[must_use]
    pub fn staying_in(self, session: SessionId) -> Self {
        self.with_session(JobSession::Stay { session })
    }

    /// The same with a priority: higher ones go first, always. Defaults to 0.
    #[must_use]
    pub fn with_priority(self, priority: i32) -> Self {
        Self { priority, ..self }
    }

    /// The same with a text that comes back with the event, over snapshots too.
    #[must_use]
    pub fn with_key(self, key: impl Into<Box<str>>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    /// The same with a key that may be missing.
    #[must_use]
    pub fn with_key_option(self, key: Option<String>) -> Self {
        Self { key: key.map(String::into_boxed_str), ..self }
    }
}

impl From<Request> for ProxyJob {
    fn from(request: Request) -> Self {
        Self::new(request)
    }
}

/// The answer to a request, when its body has been read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProxyReply {
    pub(super) response: Response,
    pub(super) banned: bool,
    pub(super) connect: bool,
}

impl ProxyReply {
    /// An answer; of a target's body the beginning is enough, as much as the application wants in
    /// the event.
    pub const fn new(response: Response) -> Self {
        Self { response, banned: false, connect: false }
    }

    /// The same with the application's verdict: whether the answer is a ban in disguise.
    #[must_use]
    pub fn with_banned(self, banned: bool) -> Self {
        Self { banned, ..self }
    }

    /// The same as the answer to the CONNECT: no target can have given it.
    #[must_use]
    pub fn to_connect(self, connect: bool) -> Self {
        Self { connect, ..self }
    }
}

impl From<Response> for ProxyReply {
    fn from(response: Response) -> Self {
        Self::new(response)
    }
}

/// How a session was lost.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum SessionLoss {
    /// Its address was banned.
    Banned,
    /// Nothing was sent through it for too long.
    Expired,
    /// The service does not know it any more.
    Gone,
    /// Too many of its requests in a row had no answer.
    TimedOut,
}

impl SessionLoss {
    /// Every cause.
    pub const ALL: [Self; 4] = [Self::Banned, Self::Expired, Self::Gone, Self::TimedOut];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Banned => "banned",
            Self::Expired => "expired",
            Self::Gone => "gone",
            Self::TimedOut => "timed_out",
        }
    }

    /// The cause of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == name)
    }
}

/// Why a job has no response.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyJobError {
    /// The application called its last answer a ban.
    #[error("the target banned the request, in an answer with status {}", .0.status)]
    Banned(Box<Response>),
    /// It was cancelled.
    #[error("the job was cancelled")]
    Cancelled,
    /// The machine was closed before it was done.
    #[error("the machine was closed")]
    Closed,
    /// Its last request had no answer.
    #[error("{}", .0.message())]
    Failed(Failure),
    /// It was under way when the process ended, and is not to be tried again.
    #[error("the job was under way when the process ended")]
    Interrupted,
    /// Its request cannot be sent.
    #[error(transparent)]
    Request(InvalidProxiedRequest),
    /// The service answered with an error.
    #[error(transparent)]
    Service(ProxyServiceError),
    /// The session of its name was lost, and it is not to go through another one.
    #[error("session `{}` was lost", name.escape_debug())]
    SessionLost {
        /// The name.
        name: Box<str>,
    },
}

impl ProxyJobError {
    /// The codes of this error, beside those of the errors it passes on and of
    /// [`ExtractionJobError`](super::super::ExtractionJobError).
    pub const CODES: &'static [&'static str] = &["job_banned", "session_lost"];

    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Banned(_) => "job_banned",
            Self::Cancelled => "job_cancelled",
            Self::Closed => "job_closed",
            Self::Failed(failure) => failure.code(),
            Self::Interrupted => "job_interrupted",
            Self::Request(error) => error.code(),
            Self::Service(error) => error.code(),
            Self::SessionLost { .. } => "session_lost",
        }
    }
}

/// The answer of a target.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ProxyFetched {
    /// The request that it answers: the driver may have more of the body.
    pub request: RequestId,
    /// Status, headers and what the driver gave of the body.
    pub response: Response,
    /// The session that it came through.
    pub session: Option<SessionId>,
    /// The address that the request left from, if the service told.
    pub outgoing: Option<OutgoingAddress>,
}

/// The end of a job.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ProxyOutcome {
    /// The job.
    pub job: JobId,
    /// Its key.
    pub key: Option<Box<str>>,
    /// Its request.
    pub request: Request,
    /// The answer, or why there is none.
    pub outcome: Result<ProxyFetched, ProxyJobError>,
    /// How often it was sent.
    pub attempts: u32,
    /// What that cost.
    pub cost: Cost,
    /// How long it took since it was submitted.
    pub elapsed: Duration,
}

impl ProxyOutcome {
    /// The code of the error, if there is one.
    pub fn error_code(&self) -> Option<&'static str> {
        self.outcome.as_ref().err().map(ProxyJobError::code)
    }
}

/// A job that came out of a snapshot without its secrets. It waits until
/// [`supply`](super::ProxyEngine::supply) or `cancel`.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct IncompleteJob {
    /// The job.
    pub job: JobId,
    /// Its key.
    pub key: Option<Box<str>>,
    /// Its request, less what is missing.
    pub request: Request,
    /// The names of the headers that are missing.
    pub headers: Vec<String>,
    /// Whether the body is missing.
    pub body: bool,
    /// Whether the URL is missing: it held the key.
    pub url: bool,
}

/// What a snapshot did not keep of a request.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Missing {
    pub(super) headers: Vec<String>,
    pub(super) body: bool,
    pub(super) url: bool,
}

/// Something for the application.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ProxyEvent {
    /// A job ended.
    Finished(Box<ProxyOutcome>),
    /// A job needs what the snapshot did not keep.
    Incomplete(Box<IncompleteJob>),
    /// A named session was lost.
    SessionLost {
        /// The name.
        name: Box<str>,
        /// The session.
        session: SessionId,
        /// How it was lost.
        cause: SessionLoss,
    },
    /// The account is refused: the machine is stopped, its queue kept, until `resume` or `close`.
    Stopped(ProxyServiceError),
}

impl ProxyEvent {
    /// The stable name of the kind of event.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Finished(_) => "finished",
            Self::Incomplete(_) => "incomplete",
            Self::SessionLost { .. } => "session_lost",
            Self::Stopped(_) => "stopped",
        }
    }
}

/// A job's request as it waits: most are a URL and nothing else.
#[derive(Clone, Debug)]
pub(super) struct Target {
    url: Box<str>,
    more: Option<Box<More>>,
}

#[derive(Clone)]
struct More {
    method: Method,
    headers: Packed,
    body: Box<[u8]>,
    options: Option<Box<ProxyOptions>>,
}

impl Target {
    pub(super) fn new(request: Request, options: ProxyOptions) -> Self {
        let plain = request.method == Method::GET
            && request.headers.is_empty()
            && request.body.is_empty()
            && options == ProxyOptions::new();
        let more = (!plain).then(|| {
            Box::new(More {
                method: request.method,
                headers: Packed::new(&request.headers),
                body: request.body.into_boxed_slice(),
                options: (options != ProxyOptions::new()).then(|| Box::new(options)),
            })
        });
        Self { url: request.url.into_boxed_str(), more }
    }

    pub(super) fn options(&self) -> Option<&ProxyOptions> {
        self.more.as_ref()?.options.as_deref()
    }

    pub(super) fn request(&self) -> Request {
        match &self.more {
            None => Request::new(Method::GET, self.url.to_string()),
            Some(more) => Request::new(more.method.clone(), self.url.to_string())
                .with_headers(more.headers.headers())
                .with_body(more.body.to_vec()),
        }
    }

    /// Takes another request with the same options.
    pub(super) fn replace(&mut self, request: Request) {
        let options = self.options().cloned().unwrap_or_default();
        *self = Self::new(request, options);
    }
}

impl fmt::Debug for More {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("More")
            .field("method", &self.method.as_str())
            .field("headers", &self.headers.headers())
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("options", &self.options)
            .finish()
    }
}

/// Headers in one piece of memory: there may be a million lists of them.
#[derive(Clone)]
struct Packed(Box<[u8]>);

impl Packed {
    fn new(headers: &crate::http::Headers) -> Self {
        let mut bytes = Vec::with_capacity(headers.wire_size() + 4 * headers.len());
        for text in headers.iter().flat_map(|(name, value)| [name, value]) {
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        Self(bytes.into_boxed_slice())
    }

    fn headers(&self) -> crate::http::Headers {
        let mut rest = &*self.0;
        let mut text = || {
            let (length, after) = rest.split_first_chunk()?;
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            let (text, after) = after.split_at_checked(length)?;
            rest = after;
            Some(String::from_utf8_lossy(text).into_owned())
        };
        let pairs = core::iter::from_fn(|| Some((text()?, text()?)));
        crate::http::Headers::from_received(pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Headers;

    #[test]
    fn a_request_comes_back_as_it_was() {
        let mut headers = Headers::new();
        for (name, value) in [("Accept", "a, b"), ("X-Empty", ""), ("accept", "ü")] {
            headers.append(name, value).unwrap();
        }
        for request in [
            Request::new(Method::GET, "http://a/"),
            Request::new(Method::POST, "http://a/").with_headers(headers).with_body(*b"x\0"),
        ] {
            let target = Target::new(request.clone(), ProxyOptions::new());
            assert_eq!(target.request(), request);
            assert_eq!(target.options(), None);
        }
        let options = ProxyOptions::new().with_use_https(true);
        let mut target = Target::new(Request::new(Method::GET, "http://a/"), options.clone());
        target.replace(Request::new(Method::POST, "http://b/"));
        assert_eq!(target.options(), Some(&options));
        assert_eq!(target.request().url, "http://b/");
    }
}
