//! The machine of proxy mode.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    format,
    string::{String, ToString},
};
use core::{net::IpAddr, time::Duration};

use url::Url;

use super::{
    super::{
        limits::Limits,
        problems::{
            ACCOUNT_SUSPENDED, DOMAIN_FORBIDDEN, DOWNLOAD_INTERNAL, HEADER_SIZE, INVALID,
            KEY_NOT_FOUND, OVER_USER_LIMIT, PROXY_AUTH_NOT_VALID, SERVER_INTERNAL, SESSION_EXPIRED,
            TEMPORARY, UNPROCESSABLE, UNREACHABLE, detailed, named,
        },
        stats::add,
    },
    ZyteProxyConfig, ZyteProxyStats,
    faults::{Fault, into_response},
    sessions::{SessionId, Sessions},
    wishes::{SessionWish, Wishes, is_old, is_ours, uuid4},
};
use crate::{
    Rng, Timestamp,
    http::{Headers, Method, Request, Response},
    service::{
        Answer, Delivery, InvalidFaults,
        domains::{domain_of, host_of},
        extraction::refusal::Refused,
        faults::{Script, Subject},
        keys::Access,
        proxy::{
            Connect, Fetch, FetchFailure, FetchOutcome, ProxyOutput, Relay, SessionStats, Step,
            Ticket, Tunnel,
            intake::replace_host,
            request::{browser_headers, relayed_headers},
        },
    },
};

const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];

/// A request that the service works on.
#[derive(Clone, Debug)]
struct Exchange {
    request: Request,
    url: Url,
    host: String,
    wishes: Wishes,
    session: Option<SessionId>,
    address: IpAddr,
    retries_left: u32,
    redirects_left: u32,
    fault: Option<Fault>,
    request_id: String,
    held_until: Option<Timestamp>,
}

/// Zyte API's proxy mode, without its sockets.
///
/// Time is an argument and never goes back; the same configuration, seed and calls give the same
/// answers.
#[derive(Clone, Debug)]
pub struct ZyteProxyService {
    config: ZyteProxyConfig,
    sessions: Sessions,
    limits: Limits,
    rng: Rng,
    stats: ZyteProxyStats,
    script: Script<Fault>,
    exchanges: BTreeMap<Ticket, Exchange>,
    held: BTreeSet<(Timestamp, Ticket)>,
    tickets: u64,
    now: Timestamp,
}

/// How a request ends early: with a problem, and whether the client speaks the older protocol.
struct Refusal {
    refused: Refused,
    is_old: bool,
    wait: Option<Duration>,
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Self { refused, is_old: false, wait: None }
    }
}

impl ZyteProxyService {
    /// A service without sessions.
    pub fn new(config: ZyteProxyConfig, seed: u64) -> Self {
        let sessions = Sessions::new(&config.outgoing);
        let stats =
            ZyteProxyStats { addresses: config.outgoing.len(), ..ZyteProxyStats::default() };
        Self {
            config,
            sessions,
            limits: Limits::default(),
            rng: Rng::new(seed),
            stats,
            script: Script::default(),
            exchanges: BTreeMap::new(),
            held: BTreeSet::new(),
            tickets: 0,
            now: Timestamp::ZERO,
        }
    }

    /// The same with a list of faults, in JSON. `then` of a rule holds `problem` (a type, or its
    /// last segment) or `status`, with `headers`, `body`, `retry_after` (seconds); or `drop`,
    /// `truncate` (bytes), `delay` (seconds), `ban`, `fail` (a failure's name), `end_session`.
    pub fn with_faults(self, json: &str) -> Result<Self, InvalidFaults> {
        Ok(Self { script: Script::from_json(json, Fault::check)?, ..self })
    }

    /// What was counted.
    pub fn stats(&self) -> ZyteProxyStats {
        let sessions = self.sessions.usage().map(|(id, ip, requests, living)| {
            (id, SessionStats { address: ip.to_string(), requests, living })
        });
        ZyteProxyStats {
            sessions_living: self.sessions.len(),
            sessions: sessions.collect(),
            ..self.stats.clone()
        }
    }

    /// Takes a CONNECT; `request.url` is host and port.
    pub fn handle_connect(&mut self, request: &Request, now: Timestamp) -> Connect {
        self.advance(now);
        match self.open_tunnel(request) {
            Ok(tunnel) => {
                self.stats.tunnels += 1;
                Connect::Tunnel(tunnel)
            }
            Err(refused) => Connect::Answer(self.refuse_new(refused.into())),
        }
    }

    fn open_tunnel(&mut self, request: &Request) -> Result<Tunnel, Refused> {
        let authorization = request.headers.get("Proxy-Authorization");
        self.authorize(authorization)?;
        let url = Url::parse(&format!("https://{}/", request.url)).ok();
        let port = request.url.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        let is_authority = url.is_some_and(|url| url.host_str().is_some() && url.path() == "/")
            && port.is_some_and(|port| port > 0)
            && !request.url.contains(['/', '?', '#', '@']);
        if !is_authority {
            return Err(detailed(UNPROCESSABLE, "not a host and a port"));
        }
        let mut headers = Headers::new();
        for (name, value) in request.headers.iter().filter(|(name, _)| is_ours(name)) {
            headers.push(name, value);
        }
        let mut answer_headers = Headers::new();
        answer_headers.push("Zyte-Request-ID", self.request_id());
        Ok(Tunnel {
            authority: request.url.clone(),
            answer_headers,
            authorization: authorization.unwrap_or_default().into(),
            headers,
        })
    }

    /// Takes a request whose URL is absolute, from a tunnel if it came through one. The body
    /// stays with the host.
    pub fn handle_request(
        &mut self,
        mut request: Request,
        tunnel: Option<&Tunnel>,
        now: Timestamp,
    ) -> Step {
        let now = self.advance(now);
        self.stats.requests += 1;
        let authorization = if let Some(tunnel) = tunnel {
            for (name, value) in tunnel.headers.iter() {
                if !request.headers.contains(name) {
                    request.headers.push(name, value);
                }
            }
            Some(tunnel.authorization.clone())
        } else {
            replace_host(&mut request);
            request.headers.get("Proxy-Authorization").map(String::from)
        };
        let taken = self.take_in(request, authorization.as_deref(), now);
        taken.unwrap_or_else(|refusal| Step::Answer(self.refuse_new(refusal)))
    }

    fn take_in(
        &mut self,
        request: Request,
        authorization: Option<&str>,
        now: Timestamp,
    ) -> Result<Step, Refusal> {
        let key = self.authorize(authorization)?;
        if request.headers.wire_size() > self.config.max_header_bytes {
            return Err(named(HEADER_SIZE).into());
        }
        let is_old = is_old(&request.headers);
        self.stats.old_headers += u64::from(is_old);
        let refuse = |refused: Refused| Refusal { refused, is_old, wait: None };
        let wishes =
            Wishes::read(&request.headers).map_err(|why| refuse(detailed(INVALID, why)))?;
        let url = Url::parse(&request.url).ok();
        let target = url.and_then(|url| host_of(&url).map(|host| (url, host)));
        let (url, host) = target
            .filter(|(url, _)| matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| refuse(detailed(UNPROCESSABLE, "not an absolute http(s) URL")))?;
        if self.config.is_forbidden(&host) {
            return Err(refuse(named(DOMAIN_FORBIDDEN)));
        }
        let admitted = self.limits.admit(&self.config.paces, &key, &host, domain_of(&host), now);
        if let Err((limit, wait)) = admitted {
            self.stats.rate_violations += u64::from(limit == OVER_USER_LIMIT);
            return Err(Refusal { refused: named(limit), is_old, wait: Some(wait) });
        }
        let subject = Subject { url: url.as_str(), host: &host, page_type: "" };
        let number = self.stats.requests;
        let fault = self.script.choose(number, &[subject], &mut self.rng, |_| true).cloned();
        if let Some(answer) = fault.as_ref().and_then(|fault| self.scripted(fault, is_old)) {
            return Ok(Step::Answer(answer));
        }
        let (session, address) = self.enter(&key, &wishes, fault.as_ref(), now).map_err(refuse)?;
        let held = fault.as_ref().and_then(|fault| fault.delay);
        let exchange = Exchange {
            request: Request::new(request.method, request.url).with_headers(request.headers),
            url,
            host,
            // In a session there is one address, from which a retry would not help.
            retries_left: if session.is_some() { 0 } else { self.config.retries },
            redirects_left: self.config.max_redirects,
            wishes,
            session,
            address,
            fault,
            request_id: self.request_id(),
            held_until: held.map(|delay| now + delay),
        };
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        if let Some(at) = exchange.held_until {
            self.held.insert((at, ticket));
            self.exchanges.insert(ticket, exchange);
            return Ok(Step::Wait(ticket));
        }
        Ok(Step::Fetch(self.fetch(ticket, exchange)))
    }

    /// What a script answers instead of a fetch.
    fn scripted(&mut self, fault: &Fault, is_old: bool) -> Option<Answer> {
        if fault.drop {
            add(&mut self.stats.problems, "dropped");
            let mut answer = Answer::whole(Response::new(502, Headers::new(), ""));
            answer.delivery = Delivery::Dropped;
            return Some(answer);
        }
        let (kind, mut response) = fault.answer()?;
        add(&mut self.stats.problems, &kind);
        name_old_error(&mut response.headers, &kind, is_old);
        response.headers.push("Zyte-Request-ID", self.request_id());
        Some(Answer::whole(response))
    }

    /// The session of a request and the address it leaves from.
    fn enter(
        &mut self,
        key: &str,
        wishes: &Wishes,
        fault: Option<&Fault>,
        now: Timestamp,
    ) -> Result<(Option<SessionId>, IpAddr), Refused> {
        let id = match &wishes.session {
            SessionWish::None => {
                let address = self.sessions.any().ok_or_else(|| named(SERVER_INTERNAL))?;
                return Ok((None, address));
            }
            SessionWish::Create => uuid4(self.rng.next_u64(), self.rng.next_u64()),
            SessionWish::Id(id) => id.clone(),
        };
        let id = (key.to_string(), id);
        // A client of old takes its ids from here, so one that nobody knows is of a session that
        // ended long ago.
        let is_stale = wishes.is_old
            && matches!(wishes.session, SessionWish::Id(_))
            && !self.sessions.knows(&id);
        if is_stale && !super::wishes::is_uuid4(&id.1) {
            return Err(named(SESSION_EXPIRED));
        }
        if fault.is_some_and(|fault| fault.end_session) {
            self.sessions.end(&id);
        }
        let (address, began) = self.sessions.enter(&id, &self.config, now).map_err(named)?;
        self.stats.sessions_created += u64::from(began);
        Ok((Some(id), address))
    }

    fn fetch(&mut self, ticket: Ticket, exchange: Exchange) -> Box<Fetch> {
        self.stats.fetches += 1;
        let mut own = Headers::new();
        for (name, value) in exchange.request.headers.iter().filter(|(name, _)| !is_ours(name)) {
            own.push(name, value);
        }
        let wishes = &exchange.wishes;
        let headers =
            browser_headers(&own, wishes.mobile, &wishes.override_headers, wishes.discard_cookies);
        let request = Request::new(exchange.request.method.clone(), exchange.request.url.clone());
        let fetch = Fetch {
            ticket,
            outgoing: exchange.address,
            request: request.with_headers(headers),
            timeout: self.config.timeout,
            inspect_body: self.config.bans_of(&exchange.host).any(|rule| !rule.texts.is_empty()),
        };
        self.exchanges.insert(ticket, exchange);
        Box::new(fetch)
    }

    /// Takes the outcome of a fetch.
    pub fn handle_fetched(
        &mut self,
        ticket: Ticket,
        outcome: FetchOutcome,
        now: Timestamp,
    ) -> Step {
        let now = self.advance(now);
        let Some(mut exchange) = self.exchanges.remove(&ticket) else {
            return Step::Answer(self.refuse_new(detailed(INVALID, "nobody waits").into()));
        };
        if let Some(id) = &exchange.session {
            self.sessions.touch(id, &self.config, now);
        }
        let fault = exchange.fault.as_ref();
        let failure = fault.and_then(|fault| fault.fail);
        let (status, headers, body_start) = match (failure, outcome) {
            (Some(failure), _) | (None, FetchOutcome::Failed(failure)) => {
                return self.retry_or(ticket, exchange, problem_of(failure), false);
            }
            (None, FetchOutcome::Responded { status, headers, body_start }) => {
                (status, headers, body_start)
            }
        };
        let banned = fault.is_some_and(|fault| fault.ban)
            || self.config.bans_of(&exchange.host).any(|rule| rule.fits(status, &body_start));
        if banned {
            self.stats.bans += 1;
            return self.retry_or(ticket, exchange, TEMPORARY, true);
        }
        if let Some(id) = &exchange.session {
            self.sessions.judge(id, false, &self.config);
        }
        let length = headers.get("Content-Length").and_then(|value| value.trim().parse().ok());
        if length.is_some_and(|length: u64| length > self.config.max_body_bytes) {
            return self.refuse(&exchange, DOWNLOAD_INTERNAL);
        }
        if exchange.wishes.follow_redirects
            && REDIRECTS.contains(&status)
            && let Some(url) = headers.get("Location").and_then(|to| exchange.url.join(to).ok())
        {
            return self.redirect(ticket, exchange, status, url);
        }
        let mut relayed = relayed_headers(&headers, exchange.wishes.discard_cookies);
        add_facts(&mut relayed, &exchange);
        let relay = Relay {
            ticket,
            status,
            headers: relayed,
            truncate: exchange.fault.as_ref().and_then(|fault| fault.truncate),
            max_body_bytes: self.config.max_body_bytes,
        };
        self.stats.relayed += 1;
        exchange.fault = None;
        self.exchanges.insert(ticket, exchange);
        Step::Relay(relay)
    }

    /// Follows a redirect as browsers do (RFC 9110, section 15.4): what was not asked for by GET
    /// or HEAD is after a 303, and POST is after a 301 or 302.
    fn redirect(&mut self, ticket: Ticket, mut exchange: Exchange, status: u16, url: Url) -> Step {
        let host = host_of(&url).filter(|_| matches!(url.scheme(), "http" | "https"));
        let Some(host) = host.filter(|_| exchange.redirects_left > 0) else {
            return self.refuse(&exchange, DOWNLOAD_INTERNAL);
        };
        if self.config.is_forbidden(&host) {
            return self.refuse(&exchange, DOMAIN_FORBIDDEN);
        }
        exchange.redirects_left -= 1;
        self.stats.redirects += 1;
        let method = exchange.request.method.clone();
        let by_get = match status {
            303 => method.as_str() != "HEAD",
            301 | 302 => method == Method::POST,
            _ => false,
        };
        let mut headers = exchange.request.headers.clone();
        headers.remove("Host");
        if by_get {
            for name in ["Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding"]
            {
                headers.remove(name);
            }
        }
        if url.origin() != exchange.url.origin() {
            headers.remove("Authorization");
            headers.remove("Cookie");
        }
        let method = if by_get { Method::GET } else { method };
        exchange.request = Request::new(method, url.as_str()).with_headers(headers);
        exchange.url = url;
        exchange.host = host;
        Step::Fetch(self.fetch(ticket, exchange))
    }

    fn retry_or(
        &mut self,
        ticket: Ticket,
        mut exchange: Exchange,
        problem: &'static str,
        banned: bool,
    ) -> Step {
        if let Some(id) = &exchange.session
            && banned
            && self.sessions.judge(id, true, &self.config)
        {
            self.stats.sessions_banned += 1;
        }
        if exchange.retries_left == 0 || problem != TEMPORARY {
            return self.refuse(&exchange, problem);
        }
        exchange.retries_left -= 1;
        self.stats.retries += 1;
        exchange.address = self.sessions.any().unwrap_or(exchange.address);
        Step::Fetch(self.fetch(ticket, exchange))
    }

    /// Answers a request that has been taken in with a problem.
    fn refuse(&mut self, exchange: &Exchange, kind: &'static str) -> Step {
        add(&mut self.stats.problems, kind);
        let mut response = into_response(named(kind));
        name_old_error(&mut response.headers, kind, exchange.wishes.is_old);
        add_facts(&mut response.headers, exchange);
        Step::Answer(Answer::whole(response))
    }

    /// Answers a request that is not taken in.
    fn refuse_new(&mut self, refusal: Refusal) -> Answer {
        let Refusal { mut refused, is_old, wait } = refusal;
        let kind = refused.kind.clone();
        add(&mut self.stats.problems, &kind);
        if let Some(wait) = wait {
            refused = refused.with_retry_after(wait);
        }
        if kind == PROXY_AUTH_NOT_VALID || kind == KEY_NOT_FOUND {
            refused = refused.with_header("Proxy-Authenticate", r#"Basic realm="Zyte API""#);
        }
        let mut response = into_response(refused);
        name_old_error(&mut response.headers, &kind, is_old);
        response.headers.push("Zyte-Request-ID", self.request_id());
        Answer::whole(response)
    }

    /// Takes note that an answer was passed on, with how many bytes of body.
    pub fn handle_finished(&mut self, ticket: Ticket, bytes: u64, now: Timestamp) {
        let now = self.advance(now);
        if let Some(exchange) = self.exchanges.remove(&ticket) {
            self.stats.relayed_bytes += bytes;
            if let Some(id) = &exchange.session {
                self.sessions.touch(id, &self.config, now);
            }
        }
    }

    /// Takes note that the client of a request went away.
    pub fn handle_closed(&mut self, ticket: Ticket, now: Timestamp) {
        self.advance(now);
        let Some(exchange) = self.exchanges.remove(&ticket) else { return };
        self.stats.clients_gone += 1;
        if let Some(at) = exchange.held_until {
            self.held.remove(&(at, ticket));
        }
    }

    /// Answers a request that is for the service itself: there is nothing here to ask for.
    pub fn handle_api(&mut self, _request: &Request, now: Timestamp) -> Answer {
        self.advance(now);
        self.refuse_new(detailed(INVALID, "this is a proxy").into())
    }

    /// Answers bytes that are no request, or one whose head is `too_large` to be read.
    pub fn handle_unreadable(&mut self, too_large: bool, now: Timestamp) -> Answer {
        self.advance(now);
        self.refuse_new(named(if too_large { HEADER_SIZE } else { INVALID }).into())
    }

    /// What there is to do. Early calls are harmless, late ones only delay.
    pub fn poll(&mut self, now: Timestamp) -> ProxyOutput {
        let now = self.advance(now);
        let Some(&(at, ticket)) = self.held.first() else { return ProxyOutput::Idle };
        if at > now {
            return ProxyOutput::WaitUntil(at);
        }
        self.held.remove(&(at, ticket));
        let Some(mut exchange) = self.exchanges.remove(&ticket) else {
            return ProxyOutput::WaitUntil(now);
        };
        exchange.held_until = None;
        ProxyOutput::Fetch(self.fetch(ticket, exchange))
    }

    fn authorize(&self, authorization: Option<&str>) -> Result<String, Refused> {
        match self.config.keys.access(authorization) {
            Access::Missing => Err(named(PROXY_AUTH_NOT_VALID)),
            Access::Unknown => Err(named(KEY_NOT_FOUND)),
            Access::Disabled => Err(named(ACCOUNT_SUSPENDED)),
            Access::Granted(key) => Ok(key),
        }
    }

    fn request_id(&mut self) -> String {
        format!("{:016x}{:016x}", self.rng.next_u64(), self.rng.next_u64())
    }

    fn advance(&mut self, now: Timestamp) -> Timestamp {
        self.now = self.now.max(now);
        self.stats.sessions_expired += self.sessions.expire(self.now);
        self.now
    }
}

/// Clients of old read `X-Crawlera-Error`.
fn name_old_error(headers: &mut Headers, kind: &str, is_old: bool) {
    let code = match kind {
        _ if !is_old => return,
        SESSION_EXPIRED => "bad_session_id",
        TEMPORARY => "banned",
        UNREACHABLE => "nxdomain",
        DOMAIN_FORBIDDEN => "domain_forbidden",
        INVALID => "bad_header",
        ACCOUNT_SUSPENDED => "user_suspended",
        _ => return,
    };
    headers.push("X-Crawlera-Error", code);
}

/// The headers by which the service tells of a request; the older ones too, if they were used.
fn add_facts(headers: &mut Headers, exchange: &Exchange) {
    headers.push("Zyte-Request-ID", exchange.request_id.as_str());
    if let Some((_, id)) = exchange.session.as_ref().filter(|_| exchange.wishes.is_old) {
        headers.push("X-Crawlera-Session", id.as_str());
    }
}

const fn problem_of(failure: FetchFailure) -> &'static str {
    match failure {
        FetchFailure::Nxdomain => UNREACHABLE,
        FetchFailure::DomainForbidden => DOMAIN_FORBIDDEN,
        FetchFailure::InternalError => SERVER_INTERNAL,
        FetchFailure::ConnectTimeout
        | FetchFailure::Econnrefused
        | FetchFailure::Econnreset
        | FetchFailure::Ehostunreach
        | FetchFailure::Msgtimeout
        | FetchFailure::SendFailed
        | FetchFailure::SocketClosedRemotely
        | FetchFailure::SslTunnelError
        | FetchFailure::Timeout => TEMPORARY,
    }
}
