//! The errors a proxy service answers with, and their statuses.

use alloc::{format, string::String};
use core::time::Duration;

use crate::{
    VERSION,
    http::{Headers, Response},
    service::{Answer, pace::whole_seconds},
};

/// An error of the service: what `X-Crawlera-Error` names.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Fault {
    BadEndpoint,
    BadHeader,
    BadProxyAuth,
    BadSessionId,
    BadUri,
    Banned,
    ClientGone,
    ConnectTimeout,
    DataError,
    DomainForbidden,
    Econnrefused,
    Econnreset,
    Ehostunreach,
    HeaderAuth,
    HeadersTooLarge,
    InternalError,
    InvalidRequest,
    Msgtimeout,
    Noslaves,
    Nxdomain,
    SendFailed,
    Serverbusy,
    SocketClosedRemotely,
    SslTunnelError,
    Timeout,
    TooManyConns,
    UserSessionLimit,
    UserSuspended,
}

impl Fault {
    /// The code, the status and the text of the body.
    pub(super) const fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::BadEndpoint => ("bad_endpoint", 542, "Unknown endpoint"),
            Self::BadHeader => ("bad_header", 540, "Bad header value"),
            Self::BadProxyAuth => ("bad_proxy_auth", 407, ""),
            Self::BadSessionId => ("bad_session_id", 400, "Incorrect session ID"),
            Self::BadUri => ("bad_uri", 401, "Bad URI"),
            Self::Banned => ("banned", 503, "The website has banned every attempt"),
            Self::ClientGone => ("client_conn_closed", 503, "Client closed the connection"),
            Self::ConnectTimeout => ("connect_timeout", 504, "Timed out while connecting"),
            Self::DataError => ("data_error", 541, "Response is too large"),
            Self::DomainForbidden => ("domain_forbidden", 523, "Domain is not allowed"),
            Self::Econnrefused => ("econnrefused", 502, "Connection refused by the website"),
            Self::Econnreset => ("econnreset", 502, "Connection reset by the website"),
            Self::Ehostunreach => ("ehostunreach", 502, "Website cannot be reached"),
            Self::HeaderAuth => ("header_auth", 470, "Header is not part of the plan"),
            // The table has a status and no code for it.
            Self::HeadersTooLarge => ("", 413, "Request headers are too large"),
            Self::InternalError => ("internal_error", 500, "Internal error"),
            Self::InvalidRequest => ("invalid_request", 400, "Invalid request"),
            Self::Msgtimeout => ("msgtimeout", 504, "Timed out within the service"),
            Self::Noslaves => ("noslaves", 503, "No proxy is available"),
            Self::Nxdomain => ("nxdomain", 502, "Unknown host"),
            Self::SendFailed => ("send_failed", 502, "Request could not be sent"),
            Self::Serverbusy => ("serverbusy", 503, "Too many outstanding requests"),
            Self::SocketClosedRemotely => {
                ("socket_closed_remotely", 502, "Website closed the connection")
            }
            Self::SslTunnelError => ("ssl_tunnel_error", 502, "TLS with the website failed"),
            Self::Timeout => ("timeout", 504, "Website did not answer in time"),
            Self::TooManyConns => ("too_many_conns", 429, "Too many concurrent requests"),
            Self::UserSessionLimit => ("user_session_limit", 400, "Too many sessions"),
            // The status of this one is unpublished.
            Self::UserSuspended => ("user_suspended", 403, "Account is suspended"),
        }
    }

    /// What the counts call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::HeadersTooLarge => "headers_too_large",
            _ => self.row().0,
        }
    }

    /// The answer that tells the client.
    pub(super) fn answer(self, detail: Option<&str>, retry_after: Option<Duration>) -> Answer {
        let (code, status, text) = self.row();
        let mut headers = service_headers();
        if !code.is_empty() {
            headers.push("X-Crawlera-Error", code);
        }
        if self == Self::BadProxyAuth {
            headers.push("Proxy-Authenticate", "Basic realm=\"Crawlera\"");
            headers.push("Connection", "close");
        }
        if let Some(delay) = retry_after {
            headers.push("Retry-After", format!("{}", whole_seconds(delay)));
        }
        let body = match detail {
            Some(detail) => format!("{text}: {detail}"),
            None => String::from(text),
        };
        if !body.is_empty() {
            headers.push("Content-Type", "text/plain; charset=utf-8");
        }
        Answer::whole(Response::new(status, headers, body))
    }
}

/// The headers by which an answer is known to come from the service.
pub(super) fn service_headers() -> Headers {
    let mut headers = Headers::new();
    headers.push("X-Crawlera-Version", format!("silkline/{VERSION}"));
    headers
}
