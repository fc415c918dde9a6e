//! How requests and CONNECTs are taken in.

use alloc::{
    format,
    string::{String, ToString},
};
use core::net::IpAddr;

use url::Url;

use super::{
    super::{
        problems::{
            ACCOUNT_SUSPENDED, DOMAIN_FORBIDDEN, HEADER_SIZE, INVALID, KEY_NOT_FOUND,
            OVER_USER_LIMIT, PROXY_AUTH_NOT_VALID, SERVER_INTERNAL, SESSION_EXPIRED, UNPROCESSABLE,
            detailed, named,
        },
        stats::add,
    },
    ZyteProxyService,
    faults::Fault,
    machine::Exchange,
    refusal::{Refusal, name_old_error},
    sessions::SessionId,
    wishes::{SessionWish, Wishes, is_old, is_ours, uuid4},
};
use crate::{
    Timestamp,
    http::{Headers, Request, Response},
    service::{
        Answer, Delivery,
        domains::{domain_of, host_of},
        extraction::refusal::Refused,
        faults::Subject,
        keys::Access,
        proxy::{Connect, Step, Ticket, Tunnel, intake::join_tunnel},
    },
};

impl ZyteProxyService {
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
        let authorization = join_tunnel(&mut request, tunnel);
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

    fn authorize(&self, authorization: Option<&str>) -> Result<String, Refused> {
        match self.config.keys.access(authorization) {
            Access::Missing => Err(named(PROXY_AUTH_NOT_VALID)),
            Access::Unknown => Err(named(KEY_NOT_FOUND)),
            Access::Disabled => Err(named(ACCOUNT_SUSPENDED)),
            Access::Granted(key) => Ok(key),
        }
    }
}
