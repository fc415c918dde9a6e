//! Smart Proxy Manager towards programs, the proxy mode of Zyte API behind.

mod sessions;
mod steps;
#[cfg(test)]
mod tests;

use alloc::{
    boxed::Box,
    collections::BTreeMap,
    format,
    string::{String, ToString},
};
use core::time::Duration;

pub use steps::{
    BridgeConnect, BridgeRelay, BridgeSend, BridgeStep, BridgeTunnel, ProxyBridgeStats,
};

use self::sessions::Living;
use crate::{
    Rng, Timestamp, VERSION,
    http::{Headers, Request, Response, starts_with_ignoring_case},
    proxy::{
        InvalidProxiedRequest, InvalidProxyOptions, ProxyApi, ProxyDialect, ProxyErrorKind,
        ProxyOptions, ProxyServiceError, Session, SessionId,
    },
    service::{Access, Keys, proxy::FetchFailure},
};

#[derive(Clone, Debug)]
struct Flight {
    session: Option<String>,
    creates: bool,
}

/// Speaks Smart Proxy Manager with unchanged programs, for a host that sends through Zyte API.
///
/// Sessions are made here, as `create` or `POST /sessions` ask for them: Zyte API takes the ids of
/// its callers. They end with those of Zyte API, after 15 minutes or 2 minutes unused, which
/// programs hear as `bad_session_id`, as they would for any session that is over.
#[derive(Clone, Debug)]
pub struct ProxyBridge {
    api: ProxyApi,
    keys: Keys,
    rng: Rng,
    now: Timestamp,
    sessions: BTreeMap<String, Living>,
    flights: BTreeMap<u64, Flight>,
    tickets: u64,
    stats: ProxyBridgeStats,
}

/// An error with what it is about.
type Refusal = (ProxyErrorKind, String);

impl ProxyBridge {
    /// A bridge without sessions. The endpoint and the key of `api` are those of Zyte API; `keys`
    /// are those that programs may use here.
    pub fn new(api: ProxyApi, keys: Keys, seed: u64) -> Self {
        Self {
            api: api.with_dialect(ProxyDialect::ZyteApi),
            keys,
            rng: Rng::new(seed),
            now: Timestamp::ZERO,
            sessions: BTreeMap::new(),
            flights: BTreeMap::new(),
            tickets: 0,
            stats: ProxyBridgeStats::default(),
        }
    }

    /// What was counted.
    pub fn stats(&self) -> ProxyBridgeStats {
        ProxyBridgeStats { sessions_living: self.sessions.len(), ..self.stats.clone() }
    }

    /// The same as a JSON object.
    pub fn stats_json(&self) -> String {
        // Maps with texts as keys always become JSON.
        serde_json::to_string(&self.stats()).unwrap_or_default()
    }

    /// The proxy behind, without key.
    pub fn upstream(&self) -> &str {
        self.api.endpoint()
    }

    /// Takes a CONNECT; `request.url` is host and port. A session made here is named in the answer
    /// and counts for the whole tunnel.
    pub fn handle_connect(&mut self, request: &Request, now: Timestamp) -> BridgeConnect {
        self.advance(now);
        match self.open_tunnel(request) {
            Ok(tunnel) => BridgeConnect::Tunnel(Box::new(tunnel)),
            Err((kind, about)) => BridgeConnect::Answer(self.refuse(kind, &about, None)),
        }
    }

    fn open_tunnel(&mut self, request: &Request) -> Result<BridgeTunnel, Refusal> {
        let authorization = request.headers.get("Proxy-Authorization").unwrap_or_default();
        let key = self.authorize(authorization)?;
        let mut answer_headers = own_headers();
        let mut options = Headers::new();
        for (name, value) in request.headers.iter().filter(|(name, _)| is_option(name)) {
            options.push(name, value);
        }
        let wishes = ProxyOptions::from_headers(&options).map_err(|error| bad_option(&error))?;
        if let (Some(id), _) = self.session(&wishes, &key)? {
            answer_headers.push("X-Crawlera-Session", id.as_str());
            options.remove("X-Crawlera-Session");
            options.push("X-Crawlera-Session", id);
        }
        Ok(BridgeTunnel {
            authority: request.url.clone(),
            answer_headers,
            authorization: authorization.into(),
            options,
        })
    }

    /// Takes a request whose URL is absolute, from a tunnel if it came through one.
    pub fn handle_request(
        &mut self,
        mut request: Request,
        tunnel: Option<&BridgeTunnel>,
        now: Timestamp,
    ) -> BridgeStep {
        self.advance(now);
        self.stats.requests += 1;
        let mut authorization = request.headers.get("Proxy-Authorization").map(String::from);
        if let Some(tunnel) = tunnel {
            for (name, value) in tunnel.options.iter() {
                if !request.headers.contains(name) {
                    request.headers.push(name, value);
                }
            }
            authorization = Some(tunnel.authorization.clone());
        }
        match self.take_in(request, authorization.as_deref().unwrap_or_default()) {
            Ok(send) => BridgeStep::Send(Box::new(send)),
            Err((kind, about)) => BridgeStep::Answer(self.refuse(kind, &about, None)),
        }
    }

    fn take_in(&mut self, request: Request, authorization: &str) -> Result<BridgeSend, Refusal> {
        let key = self.authorize(authorization)?;
        let own = passing(&request.headers, is_option);
        let mut options =
            ProxyOptions::from_headers(&request.headers).map_err(|error| bad_option(&error))?;
        let (session, creates) = self.session(&options, &key)?;
        options = options.without_session();
        if let Some(id) = &session {
            let id = SessionId::new(id.as_str())
                .map_err(|error| (ProxyErrorKind::BadSessionId, error.to_string()))?;
            options = options
                .with_session(Session::Id(id))
                .map_err(|error| self.without(session.as_deref(), creates, bad_option(&error)))?;
        }
        let target = Request { headers: own, ..request };
        let proxied = match self.api.request(target, &options) {
            Ok(proxied) => proxied,
            Err(error) => {
                return Err(self.without(session.as_deref(), creates, bad_request(&error)));
            }
        };
        for warning in &proxied.warnings {
            *self.stats.unmapped.entry(warning.code().into()).or_default() += 1;
        }
        self.tickets += 1;
        self.flights.insert(self.tickets, Flight { session, creates });
        Ok(BridgeSend { ticket: self.tickets, proxied })
    }

    /// Takes the head of what Zyte API's proxy answered.
    pub fn handle_response(
        &mut self,
        ticket: u64,
        status: u16,
        headers: &Headers,
        body_start: &[u8],
        now: Timestamp,
    ) -> BridgeRelay {
        self.advance(now);
        let answer = self.api.read(status, headers, body_start);
        if let Some(error) = answer.error {
            return BridgeRelay::Answer(self.fail(ticket, &error));
        }
        let mut passed = passing(headers, is_zyte);
        for (name, value) in own_headers().iter() {
            passed.push(name, value);
        }
        if let Some(id) = self.flights.remove(&ticket).and_then(|flight| flight.session) {
            passed.push("X-Crawlera-Session", id);
        }
        self.stats.relayed += 1;
        BridgeRelay::Pass { status, headers: passed }
    }

    /// Takes what Zyte API's proxy answered to a CONNECT that it refused.
    pub fn handle_connect_refused(
        &mut self,
        ticket: u64,
        status: u16,
        headers: &Headers,
        body_start: &[u8],
        now: Timestamp,
    ) -> Response {
        self.advance(now);
        match self.api.read_connect(status, headers, body_start) {
            Some(error) => self.fail(ticket, &error),
            None => self.handle_failed(ticket, FetchFailure::SslTunnelError, now),
        }
    }

    /// Takes note that a request has no answer.
    pub fn handle_failed(
        &mut self,
        ticket: u64,
        failure: FetchFailure,
        now: Timestamp,
    ) -> Response {
        self.advance(now);
        self.lose(ticket, false);
        self.refuse(ProxyErrorKind::from_code(failure.name()), "", None)
    }

    /// Takes note that the program went away.
    pub fn handle_closed(&mut self, ticket: u64, now: Timestamp) {
        self.advance(now);
        self.stats.abandoned += u64::from(self.flights.contains_key(&ticket));
        self.lose(ticket, false);
    }

    /// Answers what the host could not read as a request, because its head is too large or for
    /// any other reason.
    pub fn handle_unreadable(&mut self, too_large: bool, now: Timestamp) -> Response {
        self.advance(now);
        let kind = if too_large {
            ProxyErrorKind::HeadersTooLarge
        } else {
            ProxyErrorKind::InvalidRequest
        };
        self.refuse(kind, "", None)
    }

    fn authorize(&self, authorization: &str) -> Result<String, Refusal> {
        match self.keys.access(Some(authorization)) {
            Access::Missing | Access::Unknown => Err((ProxyErrorKind::BadProxyAuth, String::new())),
            Access::Disabled => Err((ProxyErrorKind::UserSuspended, String::new())),
            Access::Granted(key) => Ok(key),
        }
    }

    /// An error of Zyte API, as the older one.
    fn fail(&mut self, ticket: u64, error: &ProxyServiceError) -> Response {
        let kind = match error.kind {
            ProxyErrorKind::OverDomainLimit => ProxyErrorKind::Serverbusy,
            ProxyErrorKind::SessionCreationError => ProxyErrorKind::Noslaves,
            ProxyErrorKind::Unknown => ProxyErrorKind::InternalError,
            kind => kind,
        };
        let over = matches!(
            error.kind,
            ProxyErrorKind::BadSessionId | ProxyErrorKind::SessionCreationError
        );
        self.lose(ticket, over);
        self.refuse(kind, &error.detail, error.retry_after)
    }

    /// "An error answered to `create` carries no session": nor does any other here.
    fn refuse(
        &mut self,
        kind: ProxyErrorKind,
        about: &str,
        retry_after: Option<Duration>,
    ) -> Response {
        *self.stats.errors.entry(kind.code().into()).or_default() += 1;
        let mut headers = own_headers();
        // The table has a status and no code for it.
        if kind != ProxyErrorKind::HeadersTooLarge {
            headers.push("X-Crawlera-Error", kind.code());
        }
        let mut body = about;
        if kind == ProxyErrorKind::BadProxyAuth {
            headers.push("Proxy-Authenticate", "Basic realm=\"Crawlera\"");
            headers.push("Connection", "close");
            body = "";
        } else if body.is_empty() {
            body = kind.code();
        }
        if let Some(delay) = retry_after {
            let whole = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
            headers.push("Retry-After", format!("{}", whole.max(1)));
        }
        if !body.is_empty() {
            headers.push("Content-Type", "text/plain; charset=utf-8");
        }
        // The status of a suspended account is unpublished.
        Response::new(kind.status().unwrap_or(403), headers, body)
    }
}

fn bad_option(error: &InvalidProxyOptions) -> Refusal {
    (ProxyErrorKind::BadHeader, error.to_string())
}

fn bad_request(error: &InvalidProxiedRequest) -> Refusal {
    let kind = match error.code() {
        "proxied_headers_too_large" => ProxyErrorKind::HeadersTooLarge,
        code if code.starts_with("proxy_") => ProxyErrorKind::BadHeader,
        code if code.contains("url") || code.contains("target") => ProxyErrorKind::BadUri,
        _ => ProxyErrorKind::InvalidRequest,
    };
    (kind, error.to_string())
}

/// The headers by which an answer is known to come from the service.
fn own_headers() -> Headers {
    let mut headers = Headers::new();
    headers.push("X-Crawlera-Version", format!("silkline/{VERSION}"));
    headers
}

fn is_option(name: &str) -> bool {
    starts_with_ignoring_case(name, "x-crawlera-")
}

fn is_zyte(name: &str) -> bool {
    starts_with_ignoring_case(name, "zyte-")
}

/// The headers of a message that pass the bridge, but for those that are meant for it.
fn passing(headers: &Headers, meant_for_it: fn(&str) -> bool) -> Headers {
    let mut passed = Headers::new();
    for (name, value) in headers.end_to_end().filter(|(name, _)| !meant_for_it(name)) {
        passed.push(name, value);
    }
    passed
}
