//! What comes from clients: tunnels and requests.

use alloc::{format, string::String};
use core::time::Duration;

use url::Url;

use super::{
    Connect, ProxyService, Step, Ticket, Tunnel,
    errors::{Fault, service_headers},
    exchange::{Exchange, Twist},
    faults::{FaultAction, dropped},
    request::{SessionWish, Wishes},
};
use crate::{
    Timestamp,
    http::{Headers, Request, starts_with_ignoring_case},
    service::{
        domains::{host_of, is_within},
        faults::Subject,
        keys::Access,
    },
};

/// How a request ends early: with an error and what the error is about.
pub(super) type Refusal = (Fault, Option<String>);

impl ProxyService {
    /// Takes a CONNECT; `request.url` is host and port.
    ///
    /// A session created here is named in the answer and counts for the whole tunnel.
    pub fn handle_connect(&mut self, request: &Request, now: Timestamp) -> Connect {
        let now = self.advance(now);
        self.open_tunnel(request, now).unwrap_or_else(|(fault, detail)| {
            self.count_error(fault.name());
            Connect::Answer(fault.answer(detail.as_deref(), None))
        })
    }

    fn open_tunnel(&mut self, request: &Request, now: Timestamp) -> Result<Connect, Refusal> {
        let authorization = request.headers.get("Proxy-Authorization");
        let key = self.authorize(authorization)?;
        if request.headers.wire_size() > self.config.max_header_bytes {
            return Err((Fault::HeadersTooLarge, None));
        }
        let url = Url::parse(&format!("https://{}/", request.url));
        let authority = url.ok().filter(|url| url.host_str().is_some() && url.path() == "/");
        let port = request.url.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        let authority = authority.filter(|_| port.is_some_and(|port| port > 0));
        if authority.is_none() || request.url.contains(['/', '?', '#', '@']) {
            return Err((Fault::BadUri, None));
        }
        let wishes = self.read_wishes(&request.headers)?;
        let mut answer_headers = service_headers();
        let mut headers = Headers::new();
        for (name, value) in request.headers.iter() {
            if starts_with_ignoring_case(name, "x-crawlera-") {
                headers.push(name, value);
            }
        }
        let session = match wishes.session {
            SessionWish::None => None,
            SessionWish::Create => Some(self.create_session(&key, now)?),
            SessionWish::Id(id) if self.sessions.owned_by(&key, &id) => Some(id),
            SessionWish::Id(_) => return Err((Fault::BadSessionId, None)),
        };
        if let Some(id) = session {
            answer_headers.push("X-Crawlera-Session", id.as_str());
            headers.remove("X-Crawlera-Session");
            headers.push("X-Crawlera-Session", id);
        }
        self.stats.tunnels += 1;
        Ok(Connect::Tunnel(Tunnel {
            authority: request.url.clone(),
            answer_headers,
            authorization: authorization.unwrap_or_default().into(),
            headers,
        }))
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
        let authorization = join_tunnel(&mut request, tunnel);
        self.take_in(request, authorization.as_deref(), now).unwrap_or_else(|(fault, detail)| {
            self.count_error(fault.name());
            Step::Answer(fault.answer(detail.as_deref(), None))
        })
    }

    fn take_in(
        &mut self,
        request: Request,
        authorization: Option<&str>,
        now: Timestamp,
    ) -> Result<Step, Refusal> {
        let key = self.authorize(authorization)?;
        if request.headers.wire_size() > self.config.max_header_bytes {
            return Err((Fault::HeadersTooLarge, None));
        }
        let url = Url::parse(&request.url).map_err(|_| (Fault::BadUri, None))?;
        let host = host_of(&url).filter(|_| matches!(url.scheme(), "http" | "https"));
        let host = host.ok_or((Fault::BadUri, None))?;
        let wishes = self.read_wishes(&request.headers)?;
        let open = self.open.get(&key).copied().unwrap_or(0);
        if self.config.max_connections.is_some_and(|limit| open >= limit) {
            return Err((Fault::TooManyConns, None));
        }
        if self.config.max_outstanding.is_some_and(|limit| self.exchanges.len() >= limit) {
            return Err((Fault::Serverbusy, None));
        }
        if self.config.forbidden_domains.iter().any(|domain| is_within(&host, domain)) {
            return Err((Fault::DomainForbidden, None));
        }
        let mut twist = Twist::None;
        let mut extra_delay = Duration::ZERO;
        let subject = Subject { url: url.as_str(), host: &host, page_type: "" };
        match self.script.choose(self.stats.requests, &[subject], &mut self.rng, |_| true).cloned()
        {
            None => {}
            Some(FaultAction::Answer(scripted)) => {
                self.count_error(&scripted.name());
                return Ok(Step::Answer(scripted.answer()));
            }
            Some(FaultAction::Drop(_)) => {
                self.count_error("dropped");
                return Ok(Step::Answer(dropped()));
            }
            Some(FaultAction::Truncate(length)) => twist = Twist::Truncate(length),
            Some(FaultAction::Ban(_)) => twist = Twist::Ban,
            Some(FaultAction::Fail(failure)) => twist = Twist::Fail(failure),
            Some(FaultAction::Delay(delay)) => extra_delay = delay.0.unwrap_or_default(),
            Some(FaultAction::EndSession(_)) => {
                if let SessionWish::Id(id) = &wishes.session {
                    self.sessions.remove(id);
                }
            }
        }
        let (session, creates) = match &wishes.session {
            SessionWish::None => (None, false),
            SessionWish::Create => (Some(self.create_session(&key, now)?), true),
            SessionWish::Id(id) if self.sessions.owned_by(&key, id) => (Some(id.clone()), false),
            SessionWish::Id(_) => return Err((Fault::BadSessionId, None)),
        };
        // "When using sessions, retries are automatically disabled … this behaviour can be
        // overridden through the X-Crawlera-Max-Retries header."
        let own_retries = if session.is_some() { 0 } else { self.config.retries };
        let exchange = Exchange {
            retries_left: wishes.max_retries.unwrap_or(own_retries),
            request: Request::new(request.method, request.url).with_headers(request.headers),
            address: None,
            arrived_at: now,
            held_until: None,
            key,
            url,
            host,
            wishes,
            session,
            creates,
            twist,
            extra_delay,
        };
        *self.open.entry(exchange.key.clone()).or_default() += 1;
        self.tickets += 1;
        Ok(self.attempt(Ticket(self.tickets), exchange, true, now))
    }

    fn authorize(&self, authorization: Option<&str>) -> Result<String, Refusal> {
        match self.config.keys.access(authorization) {
            Access::Missing | Access::Unknown => Err((Fault::BadProxyAuth, None)),
            Access::Disabled => Err((Fault::UserSuspended, None)),
            Access::Granted(key) => Ok(key),
        }
    }

    fn read_wishes(&self, headers: &Headers) -> Result<Wishes, Refusal> {
        if let Some(name) = self.config.withheld_headers.iter().find(|name| headers.contains(name))
        {
            return Err((Fault::HeaderAuth, Some(name.clone())));
        }
        Wishes::read(headers).map_err(|(fault, detail)| (fault, Some(detail)))
    }
}

/// Gives a request what its tunnel said, unless it says it itself, and gives the authorization that
/// counts for it.
pub(in crate::service) fn join_tunnel(
    request: &mut Request,
    tunnel: Option<&Tunnel>,
) -> Option<String> {
    let Some(tunnel) = tunnel else {
        replace_host(request);
        return request.headers.get("Proxy-Authorization").map(String::from);
    };
    for (name, value) in tunnel.headers.iter() {
        if !request.headers.contains(name) {
            request.headers.push(name, value);
        }
    }
    Some(tunnel.authorization.clone())
}

/// A proxy goes by the URL that it is asked for, whatever `Host` says (RFC 9112, section 3.2.2).
fn replace_host(request: &mut Request) {
    let Ok(url) = Url::parse(&request.url) else { return };
    let Some(host) = url.host_str() else { return };
    let host = url.port().map_or_else(|| host.into(), |port| format!("{host}:{port}"));
    let Some(said) = request.headers.get("Host") else { return };
    let without_default = said.strip_suffix(":80").unwrap_or(said);
    if !said.eq_ignore_ascii_case(&host) && !without_default.eq_ignore_ascii_case(&host) {
        request.headers.remove("Host");
        request.headers.push("Host", host);
    }
}
