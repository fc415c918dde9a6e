//! The machine of proxy mode: its state, its clock, and its fetches.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    format,
    string::{String, ToString},
};
use core::net::IpAddr;

use url::Url;

use super::{
    super::{
        limits::Limits,
        problems::{HEADER_SIZE, INVALID, detailed, named},
    },
    ZyteProxyConfig, ZyteProxyStats,
    faults::Fault,
    sessions::{SessionId, Sessions},
    wishes::{Wishes, is_ours},
};
use crate::{
    Rng, Timestamp,
    http::{Headers, Request},
    service::{
        Answer, InvalidFaults,
        faults::Script,
        proxy::{Fetch, ProxyOutput, SessionStats, Ticket, request::browser_headers},
    },
};

/// A request that the service works on.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) request: Request,
    pub(super) url: Url,
    pub(super) host: String,
    pub(super) wishes: Wishes,
    pub(super) session: Option<SessionId>,
    pub(super) address: IpAddr,
    pub(super) retries_left: u32,
    pub(super) redirects_left: u32,
    pub(super) fault: Option<Fault>,
    pub(super) request_id: String,
    pub(super) held_until: Option<Timestamp>,
}

/// Zyte API's proxy mode, without its sockets.
///
/// Time is an argument and never goes back; the same configuration, seed and calls give the same
/// answers.
#[derive(Clone, Debug)]
pub struct ZyteProxyService {
    pub(super) config: ZyteProxyConfig,
    pub(super) sessions: Sessions,
    pub(super) limits: Limits,
    pub(super) rng: Rng,
    pub(super) stats: ZyteProxyStats,
    pub(super) script: Script<Fault>,
    pub(super) exchanges: BTreeMap<Ticket, Exchange>,
    pub(super) held: BTreeSet<(Timestamp, Ticket)>,
    pub(super) tickets: u64,
    pub(super) now: Timestamp,
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

    pub(super) fn fetch(&mut self, ticket: Ticket, exchange: Exchange) -> Box<Fetch> {
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

    pub(super) fn request_id(&mut self) -> String {
        format!("{:016x}{:016x}", self.rng.next_u64(), self.rng.next_u64())
    }

    pub(super) fn advance(&mut self, now: Timestamp) -> Timestamp {
        self.now = self.now.max(now);
        self.stats.sessions_expired += self.sessions.expire(self.now);
        self.now
    }
}
