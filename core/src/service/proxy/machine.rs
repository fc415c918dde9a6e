//! The machine: its state, its clock, and the attempts of a request.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    string::{String, ToString},
};
use core::time::Duration;

use super::{
    Fetch, ProxyConfig, ProxyOutput, ProxyStats, SessionStats, Step, Ticket,
    errors::Fault,
    exchange::Exchange,
    faults::FaultAction,
    intake::Refusal,
    pace::Admission,
    request::{Cookies, add_cookies, outgoing_headers},
    sessions::{AddressId, Sessions},
};
use crate::{
    Rng, Timestamp,
    http::Request,
    service::{InvalidFaults, faults::Script},
};

/// The proxy service of Smart Proxy Manager, without its sockets.
///
/// Time is an argument and never goes back; the same configuration, seed and calls give the same
/// answers.
#[derive(Clone, Debug)]
pub struct ProxyService {
    pub(super) config: ProxyConfig,
    pub(super) sessions: Sessions,
    pub(super) rng: Rng,
    pub(super) stats: ProxyStats,
    pub(super) script: Script<FaultAction>,
    pub(super) exchanges: BTreeMap<Ticket, Exchange>,
    held: BTreeSet<(Timestamp, Ticket)>,
    pub(super) open: BTreeMap<String, usize>,
    pub(super) tickets: u64,
    now: Timestamp,
}

impl ProxyService {
    /// A service without sessions.
    pub fn new(config: ProxyConfig, seed: u64) -> Self {
        let sessions = Sessions::new(&config.outgoing);
        let stats = ProxyStats { addresses: config.outgoing.len(), ..ProxyStats::default() };
        Self {
            config,
            sessions,
            rng: Rng::new(seed),
            stats,
            script: Script::default(),
            exchanges: BTreeMap::new(),
            held: BTreeSet::new(),
            open: BTreeMap::new(),
            tickets: 0,
            now: Timestamp::ZERO,
        }
    }

    /// The same with a list of faults, in JSON.
    pub fn with_faults(self, json: &str) -> Result<Self, InvalidFaults> {
        let script = Script::from_json(json, |action| match action {
            FaultAction::Answer(answer) => answer.check(),
            _ => Ok(()),
        })?;
        Ok(Self { script, ..self })
    }

    /// What was counted.
    pub fn stats(&self) -> ProxyStats {
        let sessions = self.sessions.usage().map(|(id, ip, requests, living)| {
            (id.to_string(), SessionStats { address: ip.to_string(), requests, living })
        });
        ProxyStats {
            sessions_living: self.sessions.len(),
            sessions: sessions.collect(),
            ..self.stats.clone()
        }
    }

    /// Takes note that an answer was passed on, with how many bytes of body.
    pub fn handle_finished(&mut self, ticket: Ticket, bytes: u64, now: Timestamp) {
        self.advance(now);
        if let Some(exchange) = self.exchanges.remove(&ticket) {
            self.stats.relayed_bytes += bytes;
            self.close(&exchange);
        }
    }

    /// Takes note that the client of a request went away. A session made for it ends, since
    /// nobody knows of it.
    pub fn handle_closed(&mut self, ticket: Ticket, now: Timestamp) {
        self.advance(now);
        let Some(exchange) = self.exchanges.remove(&ticket) else { return };
        self.stats.clients_gone += 1;
        if let Some(at) = exchange.held_until {
            self.held.remove(&(at, ticket));
        }
        self.end_unknown_session(&exchange);
        self.close(&exchange);
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
        // An address was chosen when it was held back.
        let address = exchange.address.unwrap_or_default();
        ProxyOutput::Fetch(self.fetch(ticket, exchange, address, now))
    }

    /// Admits a request to its session's address or to any, now or later.
    pub(super) fn attempt(
        &mut self,
        ticket: Ticket,
        mut exchange: Exchange,
        first: bool,
        now: Timestamp,
    ) -> Step {
        let spacing = self.config.delay_of(&exchange.host);
        let admitted = match &exchange.session {
            Some(id) => self
                .sessions
                .admit(id, spacing, first, &self.config, now)
                .ok_or(Fault::BadSessionId),
            None => self.sessions.admit_anywhere(spacing, &self.config, now),
        };
        let admitted = match admitted {
            Ok(admitted) => admitted,
            Err(fault) => return self.refuse(exchange, fault, None, now),
        };
        exchange.address = Some(admitted.address);
        self.stats.early_requests += u64::from(admitted.early);
        let at = match admitted.admission {
            Admission::At(at) => at + core::mem::take(&mut exchange.extra_delay),
            // "hard limit: at 1000 s, 503 with Retry-After"
            Admission::Refused(delay) => {
                return self.refuse(exchange, Fault::Serverbusy, Some(delay), now);
            }
        };
        if at <= now {
            return Step::Fetch(self.fetch(ticket, exchange, admitted.address, now));
        }
        self.stats.delayed_requests += 1;
        exchange.held_until = Some(at);
        self.held.insert((at, ticket));
        self.exchanges.insert(ticket, exchange);
        Step::Wait(ticket)
    }

    fn fetch(
        &mut self,
        ticket: Ticket,
        exchange: Exchange,
        address: AddressId,
        now: Timestamp,
    ) -> Box<Fetch> {
        self.stats.fetches += 1;
        let mut headers = outgoing_headers(&exchange.request.headers, &exchange.wishes);
        if exchange.wishes.cookies == Cookies::Enable
            && let Some(jar) = self.sessions.jar(address).filter(|jar| !jar.is_empty())
        {
            add_cookies(&mut headers, &jar.matching(&exchange.url, now));
        }
        let request = Request::new(exchange.request.method.clone(), exchange.request.url.clone());
        let fetch = Fetch {
            ticket,
            outgoing: self.sessions.ip(address).unwrap_or(core::net::Ipv4Addr::LOCALHOST.into()),
            request: request.with_headers(headers),
            timeout: exchange.wishes.timeout.unwrap_or(self.config.timeout),
            inspect_body: !exchange.wishes.no_bancheck
                && self.config.bans_of(&exchange.host).any(|rule| !rule.texts.is_empty()),
        };
        self.exchanges.insert(ticket, exchange);
        Box::new(fetch)
    }

    pub(super) fn retry_or(
        &mut self,
        ticket: Ticket,
        mut exchange: Exchange,
        fault: Fault,
        now: Timestamp,
    ) -> Step {
        let hopeless = matches!(fault, Fault::DomainForbidden | Fault::Nxdomain);
        if exchange.retries_left == 0 || hopeless {
            return self.refuse(exchange, fault, None, now);
        }
        exchange.retries_left -= 1;
        self.stats.retries += 1;
        self.attempt(ticket, exchange, false, now)
    }

    /// Answers a request with an error. "An error answered to `create` carries no session."
    pub(super) fn refuse(
        &mut self,
        mut exchange: Exchange,
        fault: Fault,
        retry_after: Option<Duration>,
        now: Timestamp,
    ) -> Step {
        self.end_unknown_session(&exchange);
        if exchange.creates || fault == Fault::BadSessionId {
            exchange.session = None;
        }
        self.close(&exchange);
        self.count_error(fault.name());
        let mut answer = fault.answer(None, retry_after);
        self.add_facts(&mut answer.response.headers, &exchange, now);
        Step::Answer(answer)
    }

    fn end_unknown_session(&mut self, exchange: &Exchange) {
        if let Some(id) = exchange.session.as_deref().filter(|_| exchange.creates) {
            self.sessions.remove(id);
        }
    }

    fn close(&mut self, exchange: &Exchange) {
        if let Some(open) = self.open.get_mut(&exchange.key) {
            *open = open.saturating_sub(1);
            if *open == 0 {
                self.open.remove(&exchange.key);
            }
        }
    }

    pub(super) fn create_session(&mut self, key: &str, now: Timestamp) -> Result<String, Refusal> {
        let id = self.sessions.create(key, &self.config, &mut self.rng, now);
        let id = id.map_err(|fault| (fault, None))?;
        self.stats.sessions_created += 1;
        Ok(id)
    }

    pub(super) fn count_error(&mut self, name: &str) {
        *self.stats.errors.entry(name.into()).or_default() += 1;
    }

    /// Moves the clock on, never back, and ends the sessions whose time is over.
    pub(super) fn advance(&mut self, now: Timestamp) -> Timestamp {
        self.now = self.now.max(now);
        let ended = self.sessions.expire(self.now);
        self.stats.sessions_expired += u64::try_from(ended).unwrap_or(u64::MAX);
        self.now
    }
}
