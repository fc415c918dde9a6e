//! The service's table of errors.

/// What the documentation advises after an error.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum ProxyAction {
    /// Wait, then go on: the service has no room.
    BackOff,
    /// The same, for requests to the domain alone.
    BackOffDomain,
    /// Forget the session and retry on a new one, without using up a retry.
    DropSession,
    /// Give up: the same request would fail again.
    Final,
    /// Give up, and so with every request to the domain.
    FinalForDomain,
    /// Free a session first, and create none for a while.
    FreeSession,
    /// Nothing: the client itself went away.
    Ignore,
    /// Use fewer connections, and wait.
    LowerConcurrency,
    /// Retry.
    Retry,
    /// Retry on another session, not before `Retry-After`.
    RetryElsewhere,
    /// Retry once, then give up.
    RetryOnce,
    /// Stop everything: the account cannot be used.
    StopAll,
    /// Retry a few times with growing waits (restarts of the service cause storms of it), then stop
    /// everything.
    StopAllAfterRetries,
}

impl ProxyAction {
    /// The stable name of this action.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BackOff => "back_off",
            Self::BackOffDomain => "back_off_domain",
            Self::DropSession => "drop_session",
            Self::Final => "final",
            Self::FinalForDomain => "final_for_domain",
            Self::FreeSession => "free_session",
            Self::Ignore => "ignore",
            Self::LowerConcurrency => "lower_concurrency",
            Self::Retry => "retry",
            Self::RetryElsewhere => "retry_elsewhere",
            Self::RetryOnce => "retry_once",
            Self::StopAll => "stop_all",
            Self::StopAllAfterRetries => "stop_all_after_retries",
        }
    }
}

macro_rules! error_kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:expr, $action:ident;)*) => {
        /// An error of the service: the rows of its table.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum ProxyErrorKind {
            $($(#[$doc])* $name,)*
            /// A code that is not in the table, or an error that came without one.
            Unknown,
        }

        impl ProxyErrorKind {
            /// Every row of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)* Self::Unknown];

            /// The code of this error, as the service spells it in `X-Crawlera-Error`.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                    Self::Unknown => "unknown_proxy_error",
                }
            }

            /// The status that the service sends it with; `None` where that is unpublished.
            pub const fn status(self) -> Option<u16> {
                match self {
                    $(Self::$name => $status,)*
                    Self::Unknown => None,
                }
            }

            /// What to do after it; `None` where only the status can tell.
            pub(super) const fn known_action(self) -> Option<ProxyAction> {
                match self {
                    $(Self::$name => Some(ProxyAction::$action),)*
                    Self::Unknown => None,
                }
            }
        }
    };
}

error_kinds! {
    /// Every attempt was banned. The only 503 that is a ban.
    Banned = "banned", Some(503), RetryElsewhere;
    /// The service does not serve this endpoint.
    BadEndpoint = "bad_endpoint", Some(542), Final;
    /// The value of a header is not one that the service takes.
    BadHeader = "bad_header", Some(540), Final;
    /// The key is wrong, or the service restarts.
    BadProxyAuth = "bad_proxy_auth", Some(407), StopAllAfterRetries;
    /// The session is unknown or has expired.
    BadSessionId = "bad_session_id", Some(400), DropSession;
    /// The target's URL is bad.
    BadUri = "bad_uri", Some(401), Final;
    /// The client closed its connection.
    ClientConnClosed = "client_conn_closed", Some(503), Ignore;
    /// No connection to the target in time.
    ConnectTimeout = "connect_timeout", Some(504), Retry;
    /// The answer is more than 500 MB.
    DataError = "data_error", Some(541), Final;
    /// The domain may not be fetched.
    DomainForbidden = "domain_forbidden", Some(523), FinalForDomain;
    /// The target refused the connection.
    Econnrefused = "econnrefused", Some(502), Retry;
    /// The target reset the connection.
    Econnreset = "econnreset", Some(502), Retry;
    /// There is no way to the target.
    Ehostunreach = "ehostunreach", Some(502), Retry;
    /// A header that the plan does not include.
    HeaderAuth = "header_auth", Some(470), Final;
    /// The request headers are more than 100 KiB. The service sends no code with it.
    HeadersTooLarge = "headers_too_large", Some(413), Final;
    /// An unexpected error. The service sends an empty code with it, or this one.
    InternalError = "internal_error", Some(500), Retry;
    /// The request is not one that the service takes.
    InvalidRequest = "invalid_request", Some(400), Final;
    /// The message could not be processed in time.
    Msgtimeout = "msgtimeout", Some(504), Retry;
    /// No proxy is available.
    Noslaves = "noslaves", Some(503), BackOff;
    /// The target's host is unknown.
    Nxdomain = "nxdomain", Some(502), RetryOnce;
    /// Too many requests to the domain. Of the successor.
    OverDomainLimit = "over_domain_limit", Some(429), BackOffDomain;
    /// The request could not be sent to the target.
    SendFailed = "send_failed", Some(502), Retry;
    /// Too many requests are waiting in the service.
    Serverbusy = "serverbusy", Some(503), BackOff;
    /// The session of that id could not be made. Of the successor.
    SessionCreationError = "session_creation_error", Some(503), DropSession;
    /// The target closed the connection.
    SocketClosedRemotely = "socket_closed_remotely", Some(502), Retry;
    /// No TLS connection to the target.
    SslTunnelError = "ssl_tunnel_error", Some(502), Retry;
    /// The target did not answer in time.
    Timeout = "timeout", Some(504), Retry;
    /// More connections than the plan includes.
    TooManyConns = "too_many_conns", Some(429), LowerConcurrency;
    /// The account has as many sessions as it may.
    UserSessionLimit = "user_session_limit", Some(400), FreeSession;
    /// The account is suspended.
    UserSuspended = "user_suspended", None, StopAll;
}

impl ProxyErrorKind {
    /// Finds the row of a code, in any case and with its older spellings.
    pub fn from_code(code: &str) -> Self {
        const OLD: [(&str, ProxyErrorKind); 3] = [
            ("slavebanned", ProxyErrorKind::Banned),
            ("no_proxies", ProxyErrorKind::Noslaves),
            ("bad_auth", ProxyErrorKind::BadProxyAuth),
        ];
        let code = code.trim();
        let old = OLD.iter().find(|(old, _)| old.eq_ignore_ascii_case(code)).map(|(_, kind)| *kind);
        let known =
            || Self::ALL.iter().find(|kind| kind.code().eq_ignore_ascii_case(code)).copied();
        old.or_else(known).unwrap_or(Self::Unknown)
    }
}

/// What to do after an error that only its status tells of.
pub(super) const fn action_by_status(status: u16) -> ProxyAction {
    match status {
        407 => ProxyAction::StopAllAfterRetries,
        429 => ProxyAction::LowerConcurrency,
        503 => ProxyAction::BackOff,
        523 => ProxyAction::FinalForDomain,
        540..=542 => ProxyAction::Final,
        408 | 500..=599 => ProxyAction::Retry,
        _ => ProxyAction::Final,
    }
}
