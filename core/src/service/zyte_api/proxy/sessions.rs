//! Living sessions, the addresses they leave from, and those that ended.

use alloc::{
    borrow::ToOwned,
    collections::{BTreeMap, BTreeSet, VecDeque},
    string::String,
    vec,
    vec::Vec,
};
use core::net::IpAddr;

use super::{
    super::problems::{OVER_SESSION_LIMIT, SESSION_CREATION, SESSION_EXPIRED},
    ZyteProxyConfig,
};
use crate::Timestamp;

/// An account's session: ids are made by the clients, so two accounts may have the same.
pub(super) type SessionId = (String, String);

#[derive(Clone, Debug)]
struct Session {
    address: usize,
    made_at: Timestamp,
    expires_at: Timestamp,
    bans: u32,
    requests: u64,
}

/// How many ended sessions are remembered: an id that was forgotten begins anew.
const REMEMBERED: usize = 100_000;

/// All sessions and addresses.
#[derive(Clone, Debug, Default)]
pub(super) struct Sessions {
    addresses: Vec<IpAddr>,
    /// Addresses by the number of their sessions.
    order: BTreeSet<(usize, usize)>,
    counts: Vec<usize>,
    living: BTreeMap<SessionId, Session>,
    by_key: BTreeMap<String, usize>,
    expiries: BTreeSet<(Timestamp, SessionId)>,
    ended: BTreeMap<SessionId, (IpAddr, u64)>,
    ended_order: VecDeque<SessionId>,
    next: usize,
}

impl Sessions {
    pub(super) fn new(addresses: &[IpAddr]) -> Self {
        Self {
            addresses: addresses.to_vec(),
            order: (0..addresses.len()).map(|address| (0, address)).collect(),
            counts: vec![0; addresses.len()],
            ..Self::default()
        }
    }

    pub(super) fn len(&self) -> usize {
        self.living.len()
    }

    /// Ends the sessions whose time is over, and says how many there were.
    pub(super) fn expire(&mut self, now: Timestamp) -> u64 {
        let mut ended = 0;
        while self.expiries.first().is_some_and(|(at, _)| *at <= now)
            && let Some((_, id)) = self.expiries.pop_first()
        {
            self.end(&id);
            ended += 1;
        }
        ended
    }

    /// The address of a session, which begins with its first request. Says whether it began.
    pub(super) fn enter(
        &mut self,
        id: &SessionId,
        config: &ZyteProxyConfig,
        now: Timestamp,
    ) -> Result<(IpAddr, bool), &'static str> {
        if self.ended.contains_key(id) {
            return Err(SESSION_EXPIRED);
        }
        let began = !self.living.contains_key(id);
        if began {
            self.begin(id, config, now)?;
        }
        let session = self.living.get_mut(id).ok_or(SESSION_CREATION)?;
        session.requests += 1;
        let address = session.address;
        self.touch(id, config, now);
        let ip = self.addresses.get(address).copied().ok_or(SESSION_CREATION)?;
        Ok((ip, began))
    }

    fn begin(
        &mut self,
        id: &SessionId,
        config: &ZyteProxyConfig,
        now: Timestamp,
    ) -> Result<(), &'static str> {
        let count = self.by_key.entry(id.0.clone()).or_default();
        if *count >= config.max_sessions {
            return Err(OVER_SESSION_LIMIT);
        }
        let best = self.order.first().copied();
        let (sessions, address) = best
            .filter(|(sessions, _)| *sessions < config.sessions_per_address)
            .ok_or(SESSION_CREATION)?;
        *count += 1;
        self.order.remove(&(sessions, address));
        self.order.insert((sessions + 1, address));
        if let Some(count) = self.counts.get_mut(address) {
            *count = sessions + 1;
        }
        let expires_at = now + config.session_idle;
        let session = Session { address, made_at: now, expires_at, bans: 0, requests: 0 };
        self.living.insert(id.clone(), session);
        self.expiries.insert((expires_at, id.clone()));
        Ok(())
    }

    /// Notes that a session was just in use.
    pub(super) fn touch(&mut self, id: &SessionId, config: &ZyteProxyConfig, now: Timestamp) {
        let Some(session) = self.living.get_mut(id) else { return };
        let expires_at = (now + config.session_idle).min(session.made_at + config.session_life);
        self.expiries.remove(&(session.expires_at, id.clone()));
        session.expires_at = expires_at;
        self.expiries.insert((expires_at, id.clone()));
    }

    /// Notes whether an answer was a ban. Says whether that ended the session.
    pub(super) fn judge(&mut self, id: &SessionId, ban: bool, config: &ZyteProxyConfig) -> bool {
        let Some(session) = self.living.get_mut(id) else { return false };
        session.bans = if ban { session.bans + 1 } else { 0 };
        let over = session.bans >= config.session_bans.max(1);
        if over {
            self.end(id);
        }
        over
    }

    /// Ends a session; its id stays unusable.
    pub(super) fn end(&mut self, id: &SessionId) {
        let Some(session) = self.living.remove(id) else { return };
        self.expiries.remove(&(session.expires_at, id.clone()));
        if let Some(count) = self.by_key.get_mut(&id.0) {
            *count -= 1;
            if *count == 0 {
                self.by_key.remove(&id.0);
            }
        }
        if let Some(count) = self.counts.get_mut(session.address) {
            self.order.remove(&(*count, session.address));
            *count -= 1;
            self.order.insert((*count, session.address));
        }
        if let Some(ip) = self.addresses.get(session.address) {
            self.ended.insert(id.clone(), (*ip, session.requests));
            self.ended_order.push_back(id.clone());
        }
        if self.ended_order.len() > REMEMBERED
            && let Some(oldest) = self.ended_order.pop_front()
        {
            self.ended.remove(&oldest);
        }
    }

    /// Whether an account has or had that session.
    pub(super) fn knows(&self, id: &SessionId) -> bool {
        self.living.contains_key(id) || self.ended.contains_key(id)
    }

    /// The next address for a request outside sessions: one after the other.
    pub(super) fn any(&mut self) -> Option<IpAddr> {
        let address = self.addresses.get(self.next).or_else(|| self.addresses.first()).copied();
        self.next = (self.next + 1).checked_rem(self.addresses.len()).unwrap_or(0);
        address
    }

    /// The id, the address and the number of requests of each session, and whether it lives.
    pub(super) fn usage(&self) -> impl Iterator<Item = (String, IpAddr, u64, bool)> {
        let living = self.living.iter().filter_map(|((_, id), session)| {
            let ip = self.addresses.get(session.address)?;
            Some((id.to_owned(), *ip, session.requests, true))
        });
        let ended = self
            .ended
            .iter()
            .map(|((_, id), (ip, requests))| (id.to_owned(), *ip, *requests, false));
        living.chain(ended)
    }
}
