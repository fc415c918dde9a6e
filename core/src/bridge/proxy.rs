//! Smart Proxy Manager towards programs, the proxy mode of Zyte API behind.

use alloc::{
    boxed::Box,
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::time::Duration;

use serde::Serialize;

use crate::{
    Rng, Timestamp, VERSION,
    http::{Headers, Request, Response},
    proxy::{
        InvalidProxiedRequest, InvalidProxyOptions, ProxiedRequest, ProxyApi, ProxyDialect,
        ProxyErrorKind, ProxyOptions, ProxyServiceError, Session, SessionId,
    },
    service::{Access, Keys, proxy::FetchFailure},
    zyte_api::session_id,
};

/// How long a session of Zyte API lives (Zyte API docs, Sessions).
const LIFE: Duration = Duration::from_secs(15 * 60);
/// How long it lives unused.
const IDLE: Duration = Duration::from_secs(2 * 60);
/// How many sessions an account may have at once (Smart Proxy Manager docs, Sessions).
const MAX_SESSIONS: usize = 5_000;

/// An open tunnel: what its CONNECT said counts for each request inside.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BridgeTunnel {
    /// Host and port of the target.
    pub authority: String,
    /// The headers of the answer to the CONNECT.
    pub answer_headers: Headers,
    authorization: String,
    options: Headers,
}

/// What becomes of a CONNECT.
#[derive(Clone, Debug)]
pub enum BridgeConnect {
    /// It is refused.
    Answer(Response),
    /// The host answers 200 with these headers and opens TLS towards the program.
    Tunnel(Box<BridgeTunnel>),
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum BridgeStep {
    /// It is answered with this; nothing else follows.
    Answer(Response),
    /// The host sends this through Zyte API's proxy, and tells what came of it.
    Send(Box<BridgeSend>),
}

/// A request for the proxy behind.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BridgeSend {
    /// By which to speak of it.
    pub ticket: u64,
    /// The request as it goes out; its body stays with the host.
    pub proxied: ProxiedRequest,
}

/// What an answer becomes.
#[derive(Clone, Debug)]
pub enum BridgeRelay {
    /// An error of the service, in the older words: nothing of the body is passed on.
    Answer(Response),
    /// The target's own: the head to pass on before the body.
    Pass {
        /// The status.
        status: u16,
        /// The headers.
        headers: Headers,
    },
}

/// What a bridge counted.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ProxyBridgeStats {
    /// Requests for a target.
    pub requests: u64,
    /// Answers of targets passed on.
    pub relayed: u64,
    /// Requests whose program went away before there was an answer.
    pub abandoned: u64,
    /// Errors answered, by code, those to CONNECTs and to calls of the sessions API too.
    pub errors: BTreeMap<String, u64>,
    /// Sessions made.
    pub sessions_created: u64,
    /// Sessions deleted by their owner.
    pub sessions_deleted: u64,
    /// Sessions that ended by time or that Zyte API ended.
    pub sessions_ended: u64,
    /// Sessions that live.
    pub sessions_living: usize,
    /// Options that were not passed on, by what is said of them.
    pub unmapped: BTreeMap<String, u64>,
}

#[derive(Clone, Debug)]
struct Living {
    key: String,
    made: Timestamp,
    used: Timestamp,
}

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
        let own: Headers = without_connection(&request.headers, is_option);
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

    /// Forgets a session that nobody will hear of: it never was.
    fn without(&mut self, session: Option<&str>, creates: bool, refusal: Refusal) -> Refusal {
        if let Some(id) = session.filter(|_| creates) {
            self.sessions.remove(id);
            self.stats.sessions_created -= 1;
        }
        refusal
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
        let mut passed = without_connection(headers, is_zyte);
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

    /// Answers a call of the sessions API; `request.url` is its path (Smart Proxy Manager docs,
    /// Sessions API).
    pub fn handle_api(&mut self, request: &Request, now: Timestamp) -> Response {
        self.advance(now);
        let authorization = request.headers.get("Authorization");
        let authorization = authorization.or_else(|| request.headers.get("Proxy-Authorization"));
        let outcome = self
            .authorize(authorization.unwrap_or_default())
            .and_then(|key| self.call(&key, request));
        outcome.unwrap_or_else(|(kind, about)| self.refuse(kind, &about, None))
    }

    fn call(&mut self, key: &str, request: &Request) -> Result<Response, Refusal> {
        let path = request.url.split(['?', '#']).next().unwrap_or_default();
        let path = path.trim_end_matches('/');
        let answer = |status, content_type: &str, body: String| {
            let mut headers = own_headers();
            if !body.is_empty() {
                headers.push("Content-Type", content_type);
            }
            Ok(Response::new(status, headers, body))
        };
        match (request.method.as_str(), path.strip_prefix("/sessions")) {
            ("POST", Some("")) => {
                let id = self.create(key)?;
                answer(200, "text/plain; charset=utf-8", id)
            }
            ("GET", Some("")) => {
                let mine = self.sessions.iter().filter(|(_, living)| living.key == key);
                // The addresses behind are not told.
                let list: BTreeMap<&str, Option<&str>> =
                    mine.map(|(id, _)| (id.as_str(), None)).collect();
                answer(200, "application/json", serde_json::to_string(&list).unwrap_or_default())
            }
            ("DELETE", Some(rest)) if rest.starts_with('/') => {
                let id = rest.trim_start_matches('/');
                if self.sessions.get(id).is_none_or(|living| living.key != key) {
                    return Err((ProxyErrorKind::BadSessionId, String::new()));
                }
                self.sessions.remove(id);
                self.stats.sessions_deleted += 1;
                answer(204, "", String::new())
            }
            _ => Err((ProxyErrorKind::BadEndpoint, String::new())),
        }
    }

    /// The session that a request wants, and whether it was made for it.
    fn session(
        &mut self,
        options: &ProxyOptions,
        key: &str,
    ) -> Result<(Option<String>, bool), Refusal> {
        match options.session() {
            None => Ok((None, false)),
            Some(Session::Create) => Ok((Some(self.create(key)?), true)),
            Some(Session::Id(id)) => {
                let now = self.now;
                let known = self.sessions.get_mut(id.as_str()).filter(|living| living.key == key);
                let known = known.ok_or((ProxyErrorKind::BadSessionId, String::new()))?;
                known.used = now;
                Ok((Some(id.as_str().into()), false))
            }
        }
    }

    fn create(&mut self, key: &str) -> Result<String, Refusal> {
        let mine = self.sessions.values().filter(|living| living.key == key).count();
        if mine >= MAX_SESSIONS {
            return Err((ProxyErrorKind::UserSessionLimit, String::new()));
        }
        let id = session_id(&mut self.rng).as_str().to_string();
        let living = Living { key: key.into(), made: self.now, used: self.now };
        self.sessions.insert(id.clone(), living);
        self.stats.sessions_created += 1;
        Ok(id)
    }

    fn authorize(&self, authorization: &str) -> Result<String, Refusal> {
        match self.keys.access(Some(authorization)) {
            Access::Missing | Access::Unknown => Err((ProxyErrorKind::BadProxyAuth, String::new())),
            Access::Disabled => Err((ProxyErrorKind::UserSuspended, String::new())),
            Access::Granted(key) => Ok(key),
        }
    }

    /// The request of a ticket ends without a page.
    fn lose(&mut self, ticket: u64, session_is_over: bool) {
        let Some(flight) = self.flights.remove(&ticket) else { return };
        if let Some(id) = flight.session.filter(|_| flight.creates || session_is_over)
            && self.sessions.remove(&id).is_some()
        {
            self.stats.sessions_ended += 1;
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

    /// Moves the clock on, never back, and forgets the sessions whose time is over.
    fn advance(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        let (now, before) = (self.now, self.sessions.len());
        let busy: Vec<&str> =
            self.flights.values().filter_map(|flight| flight.session.as_deref()).collect();
        self.sessions.retain(|id, living| {
            let over = now.since(living.made) >= LIFE || now.since(living.used) >= IDLE;
            !over || busy.contains(&id.as_str())
        });
        let ended = before - self.sessions.len();
        self.stats.sessions_ended += u64::try_from(ended).unwrap_or(u64::MAX);
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

fn starts_with_ignoring_case(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn is_option(name: &str) -> bool {
    starts_with_ignoring_case(name, "x-crawlera-")
}

fn is_zyte(name: &str) -> bool {
    starts_with_ignoring_case(name, "zyte-")
}

/// Headers that are about one connection only (RFC 9110, section 7.6.1), and those for a proxy.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

fn without_connection(headers: &Headers, also: fn(&str) -> bool) -> Headers {
    let named: Vec<&str> =
        headers.get_all("Connection").flat_map(|value| value.split(',')).map(str::trim).collect();
    let stays = |name: &str| {
        HOP_BY_HOP.iter().chain(&named).any(|known| known.eq_ignore_ascii_case(name)) || also(name)
    };
    let mut passed = Headers::new();
    for (name, value) in headers.iter().filter(|(name, _)| !stays(name)) {
        passed.push(name, value);
    }
    passed
}
