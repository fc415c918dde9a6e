//! What passes between the service and its host.

use alloc::{boxed::Box, string::String};
use core::{net::IpAddr, time::Duration};

use serde::Deserialize;
use url::Url;

use super::{errors::Fault, request::Wishes, sessions::AddressId};
use crate::{
    Timestamp,
    http::{Headers, Request},
    service::Answer,
};

/// The number of a request that the service works on.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ticket(pub u64);

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Step {
    /// It is answered with this; nothing else follows.
    Answer(Answer),
    /// The host fetches, then calls `handle_fetched`.
    Fetch(Box<Fetch>),
    /// The host passes the target's answer on, then calls `handle_finished`.
    Relay(Relay),
    /// It is held back; `poll` gives the fetch when its time has come.
    Wait(Ticket),
}

/// What becomes of a CONNECT.
#[derive(Clone, Debug)]
pub enum Connect {
    /// It is refused.
    Answer(Answer),
    /// The host answers 200 with these headers and opens TLS towards the client.
    Tunnel(Tunnel),
}

/// An open tunnel: what its CONNECT said counts for each request inside.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Tunnel {
    /// Host and port of the target.
    pub authority: String,
    /// The headers of the answer to the CONNECT.
    pub answer_headers: Headers,
    pub(in crate::service) authorization: String,
    pub(in crate::service) headers: Headers,
}

/// Something to fetch.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Fetch {
    /// Whose fetch it is.
    pub ticket: Ticket,
    /// The local address to leave from.
    pub outgoing: IpAddr,
    /// The method, URL and headers. The body stays with the host.
    pub request: Request,
    /// The time until the attempt fails with [`FetchFailure::Timeout`].
    pub timeout: Duration,
    /// Whether ban rules look into the body, so that the host has to read some of it first.
    pub inspect_body: bool,
}

/// What came of a fetch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FetchOutcome {
    /// No answer of the target.
    Failed(FetchFailure),
    /// The target answered.
    Responded {
        /// The status.
        status: u16,
        /// The headers.
        headers: Headers,
        /// The start of the body, if the fetch asked for it.
        body_start: alloc::vec::Vec<u8>,
    },
}

/// Why a fetch failed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FetchFailure {
    /// No connection within the time for it.
    ConnectTimeout,
    /// The host may not fetch from there.
    DomainForbidden,
    /// The target refused the connection.
    Econnrefused,
    /// The target reset the connection.
    Econnreset,
    /// No route to the target.
    Ehostunreach,
    /// The host failed.
    InternalError,
    /// Time ran out within the service.
    Msgtimeout,
    /// The target's name is unknown.
    Nxdomain,
    /// The request could not be sent.
    SendFailed,
    /// The target closed the connection before it answered.
    SocketClosedRemotely,
    /// TLS with the target failed.
    SslTunnelError,
    /// The target did not answer in time.
    Timeout,
}

impl FetchFailure {
    const ALL: [Self; 12] = [
        Self::ConnectTimeout,
        Self::DomainForbidden,
        Self::Econnrefused,
        Self::Econnreset,
        Self::Ehostunreach,
        Self::InternalError,
        Self::Msgtimeout,
        Self::Nxdomain,
        Self::SendFailed,
        Self::SocketClosedRemotely,
        Self::SslTunnelError,
        Self::Timeout,
    ];

    /// Every failure.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter()
    }

    /// Finds a failure by its name, which is the code that clients read.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|failure| failure.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.fault().name()
    }

    pub(super) const fn fault(self) -> Fault {
        match self {
            Self::ConnectTimeout => Fault::ConnectTimeout,
            Self::DomainForbidden => Fault::DomainForbidden,
            Self::Econnrefused => Fault::Econnrefused,
            Self::Econnreset => Fault::Econnreset,
            Self::Ehostunreach => Fault::Ehostunreach,
            Self::InternalError => Fault::InternalError,
            Self::Msgtimeout => Fault::Msgtimeout,
            Self::Nxdomain => Fault::Nxdomain,
            Self::SendFailed => Fault::SendFailed,
            Self::SocketClosedRemotely => Fault::SocketClosedRemotely,
            Self::SslTunnelError => Fault::SslTunnelError,
            Self::Timeout => Fault::Timeout,
        }
    }
}

/// The head of an answer to pass on; the body follows from the target.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Relay {
    /// Whose answer it is.
    pub ticket: Ticket,
    /// The status.
    pub status: u16,
    /// The headers: the target's without those of the connection, and the service's.
    pub headers: Headers,
    /// After this many bytes of the body the host closes the connection, as a script wants it.
    pub truncate: Option<usize>,
    /// After this many bytes the body is too large: the host closes the connection.
    pub max_body_bytes: u64,
}

/// What the host is to do.
#[derive(Clone, Debug)]
pub enum ProxyOutput {
    /// Fetch for a request that was held back.
    Fetch(Box<Fetch>),
    /// Nothing before this moment.
    WaitUntil(Timestamp),
    /// Nothing until the next request.
    Idle,
}

/// A script's wish for one request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Twist {
    None,
    Ban,
    Fail(FetchFailure),
    Truncate(usize),
}

/// A request that the service works on.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) key: String,
    pub(super) request: Request,
    pub(super) url: Url,
    pub(super) host: String,
    pub(super) wishes: Wishes,
    pub(super) session: Option<String>,
    /// Whether the session was made for this request, which then has to tell its id.
    pub(super) creates: bool,
    pub(super) address: Option<AddressId>,
    pub(super) retries_left: u32,
    pub(super) twist: Twist,
    pub(super) extra_delay: Duration,
    pub(super) arrived_at: Timestamp,
    /// The moment it is let through, while it is held back.
    pub(super) held_until: Option<Timestamp>,
}
