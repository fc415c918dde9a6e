//! What the engine tells its driver to do.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::fmt;

use super::{
    super::{IdleReason, JobId, RequestId, WaitReason},
    ProxyEvent,
};
use crate::{
    Timestamp,
    http::Request,
    proxy::{ProxyWarning, SessionId},
};

/// What a request is for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ProxySendKind {
    /// `POST /sessions`.
    CreateSession,
    /// `DELETE /sessions/<id>`.
    DeleteSession,
    /// A job's request, through the proxy.
    Fetch,
    /// `GET /sessions`.
    ListSessions,
}

impl ProxySendKind {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreateSession => "create_session",
            Self::DeleteSession => "delete_session",
            Self::Fetch => "fetch",
            Self::ListSessions => "list_sessions",
        }
    }
}

/// The proxy that a request goes through.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub struct ProxyEndpoint {
    /// Its URL, without key.
    pub url: Arc<str>,
    /// The value of `Proxy-Authorization`. A secret; the request to a plain target, or its CONNECT,
    /// has it already.
    pub authorization: Arc<str>,
}

impl fmt::Debug for ProxyEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyEndpoint")
            .field("url", &self.url)
            .field("authorization", &"[redacted]")
            .finish()
    }
}

/// A request to send.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ProxySend {
    /// By which to speak of it.
    pub id: RequestId,
    /// What it is for.
    pub kind: ProxySendKind,
    /// The proxy to use; `None` for calls of the sessions API, which go to the service itself.
    pub proxy: Option<ProxyEndpoint>,
    /// What opens the tunnel, for an https target.
    pub connect: Option<Request>,
    /// The request itself.
    pub request: Request,
    /// What is allowed but hardly meant.
    pub warnings: Vec<ProxyWarning>,
    /// When the machine gives it up.
    pub deadline: Timestamp,
    /// The job that it is for.
    pub job: Option<JobId>,
    /// The session in use, or the one to delete; `None` outside sessions or if it makes one.
    pub session: Option<SessionId>,
    /// The name of the sequence of requests that the job belongs to.
    pub session_name: Option<String>,
}

/// What to do next.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "most outputs are sends")]
pub enum ProxyOutput {
    /// Send a request, and report its answer or failure.
    Send(ProxySend),
    /// Give a request up: nobody waits for its answer.
    Abort(RequestId),
    /// Tell the application.
    Event(ProxyEvent),
    /// Nothing before this moment, unless a command or an input comes.
    WaitUntil {
        /// The moment; never later than the first deadline.
        at: Timestamp,
        /// Why nothing can be sent now.
        reason: WaitReason,
    },
    /// Nothing before the next command.
    Idle(IdleReason),
}

impl ProxyOutput {
    /// Whether there is nothing more to do at this moment.
    pub const fn is_rest(&self) -> bool {
        matches!(self, Self::WaitUntil { .. } | Self::Idle(_))
    }
}
