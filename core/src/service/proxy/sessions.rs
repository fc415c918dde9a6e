//! Living sessions and the addresses they leave from.

use alloc::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    string::{String, ToString},
    vec::Vec,
};
use core::{net::IpAddr, time::Duration};

use super::{
    ProxyConfig,
    cookies::Jar,
    errors::Fault,
    pace::{Admission, Pace},
};
use crate::{Rng, Timestamp};

/// The number of an address in the list of the configuration.
pub(super) type AddressId = usize;

/// An outgoing address.
#[derive(Clone, Debug)]
struct Address {
    ip: IpAddr,
    sessions: usize,
    pace: Pace,
    jar: Jar,
}

/// A living session.
#[derive(Clone, Debug)]
struct Session {
    key: String,
    address: AddressId,
    expires_at: Timestamp,
    /// Until then the address cools from somebody else's request, which this client cannot know.
    excused_until: Timestamp,
    requests: u64,
}

/// How a request was admitted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Admitted {
    pub(super) address: AddressId,
    pub(super) admission: Admission,
    /// Whether it came before the spacing allowed, and the client is to blame for that.
    pub(super) early: bool,
}

/// All sessions and addresses, each found in logarithmic time.
#[derive(Clone, Debug)]
pub(super) struct Sessions {
    addresses: Vec<Address>,
    /// The addresses by number of sessions, then by the moment they are on time: the best first.
    order: BTreeSet<(usize, Timestamp, AddressId)>,
    living: BTreeMap<String, Session>,
    by_key: BTreeMap<String, BTreeSet<String>>,
    expiries: BTreeSet<(Timestamp, String)>,
    /// The last sessions that ended, for the counts.
    ended: VecDeque<(String, IpAddr, u64)>,
}

/// How many ended sessions the counts remember.
const REMEMBERED: usize = 10_000;

impl Sessions {
    pub(super) fn new(outgoing: &[IpAddr]) -> Self {
        let addresses: Vec<Address> = outgoing
            .iter()
            .map(|&ip| Address { ip, sessions: 0, pace: Pace::default(), jar: Jar::default() })
            .collect();
        let order = (0..addresses.len()).map(|id| (0, Timestamp::ZERO, id)).collect();
        Self {
            addresses,
            order,
            living: BTreeMap::new(),
            by_key: BTreeMap::new(),
            expiries: BTreeSet::new(),
            ended: VecDeque::new(),
        }
    }

    /// How many sessions live.
    pub(super) fn len(&self) -> usize {
        self.living.len()
    }

    /// Ends the sessions whose time is over, and says how many there were.
    pub(super) fn expire(&mut self, now: Timestamp) -> usize {
        let mut ended = 0;
        while self.expiries.first().is_some_and(|(at, _)| *at <= now)
            && let Some((_, id)) = self.expiries.pop_first()
        {
            self.remove(&id);
            ended += 1;
        }
        ended
    }

    /// Makes a session on the address with the fewest sessions, of those the one that has been
    /// on time the longest.
    pub(super) fn create(
        &mut self,
        key: &str,
        config: &ProxyConfig,
        rng: &mut Rng,
        now: Timestamp,
    ) -> Result<String, Fault> {
        if self.by_key.get(key).is_some_and(|ids| ids.len() >= config.max_sessions) {
            return Err(Fault::UserSessionLimit);
        }
        let address = self.best(config.sessions_per_address, now).ok_or(Fault::Noslaves)?;
        let id = loop {
            let id = (1_000_000_000 + rng.up_to(8_999_999_999)).to_string();
            if !self.living.contains_key(&id) {
                break id;
            }
        };
        let excused_until = self.pace(address).free_at();
        let expires_at = now + config.session_idle;
        let session = Session { key: key.into(), address, expires_at, excused_until, requests: 0 };
        self.living.insert(id.clone(), session);
        self.by_key.entry(key.into()).or_default().insert(id.clone());
        self.expiries.insert((expires_at, id.clone()));
        self.change(address, |address| address.sessions += 1);
        Ok(id)
    }

    /// Ends a session of an account.
    pub(super) fn delete(&mut self, key: &str, id: &str) -> Result<(), Fault> {
        if !self.owned_by(key, id) {
            return Err(Fault::BadSessionId);
        }
        self.remove(id);
        Ok(())
    }

    /// Ends a session, whosever it is.
    pub(super) fn remove(&mut self, id: &str) {
        let Some(session) = self.living.remove(id) else { return };
        self.expiries.remove(&(session.expires_at, id.into()));
        if let Some(ids) = self.by_key.get_mut(&session.key) {
            ids.remove(id);
            if ids.is_empty() {
                self.by_key.remove(&session.key);
            }
        }
        self.change(session.address, |address| address.sessions -= 1);
        if let Some(ip) = self.ip(session.address) {
            self.ended.push_back((id.into(), ip, session.requests));
            if self.ended.len() > REMEMBERED {
                self.ended.pop_front();
            }
        }
    }

    /// Whether a session lives and is this account's.
    pub(super) fn owned_by(&self, key: &str, id: &str) -> bool {
        self.living.get(id).is_some_and(|session| session.key == key)
    }

    /// The sessions of an account with their addresses.
    pub(super) fn list<'a>(&'a self, key: &str) -> impl Iterator<Item = (&'a str, IpAddr)> {
        self.by_key.get(key).into_iter().flatten().filter_map(|id| {
            let address = self.addresses.get(self.living.get(id)?.address)?;
            Some((id.as_str(), address.ip))
        })
    }

    /// The address and the number of requests of each session, and whether it lives.
    pub(super) fn usage(&self) -> impl Iterator<Item = (&str, IpAddr, u64, bool)> {
        let living = self.living.iter().filter_map(|(id, session)| {
            Some((id.as_str(), self.ip(session.address)?, session.requests, true))
        });
        let ended =
            self.ended.iter().map(|(id, ip, requests)| (id.as_str(), *ip, *requests, false));
        living.chain(ended)
    }

    /// Admits a request into a session, or the session's retry.
    pub(super) fn admit(
        &mut self,
        id: &str,
        spacing: Duration,
        blame: bool,
        config: &ProxyConfig,
        now: Timestamp,
    ) -> Option<Admitted> {
        let session = self.living.get_mut(id)?;
        let (address, blame) = (session.address, blame && now >= session.excused_until);
        let early = blame && self.pace(address).free_at() > now;
        let admission = self.admit_address(address, spacing, blame, config, now);
        if let Admission::At(sent) = admission {
            let session = self.living.get_mut(id)?;
            session.requests += 1;
            // "Sessions expire 30 minutes after the last request sent through that session."
            self.expiries.remove(&(session.expires_at, id.into()));
            session.expires_at = session.expires_at.max(sent + config.session_idle);
            self.expiries.insert((session.expires_at, id.into()));
        }
        Some(Admitted { address, admission, early })
    }

    /// Admits a request outside sessions, on an address that no session has.
    pub(super) fn admit_anywhere(
        &mut self,
        spacing: Duration,
        config: &ProxyConfig,
        now: Timestamp,
    ) -> Result<Admitted, Fault> {
        let address = self.best(1, now).ok_or(Fault::Noslaves)?;
        if self.pace(address).delay(now) > config.max_delay {
            return Err(Fault::Noslaves);
        }
        let admission = self.admit_address(address, spacing, false, config, now);
        Ok(Admitted { address, admission, early: false })
    }

    fn admit_address(
        &mut self,
        id: AddressId,
        spacing: Duration,
        blame: bool,
        config: &ProxyConfig,
        now: Timestamp,
    ) -> Admission {
        let mut pace = self.pace(id);
        let admission = pace.admit(now, spacing, blame, config);
        self.change(id, |address| address.pace = pace);
        admission
    }

    /// The address that a number stands for.
    pub(super) fn ip(&self, id: AddressId) -> Option<IpAddr> {
        self.addresses.get(id).map(|address| address.ip)
    }

    /// The pace of an address.
    pub(super) fn pace(&self, id: AddressId) -> Pace {
        self.addresses.get(id).map(|address| address.pace).unwrap_or_default()
    }

    /// The cookies of an address.
    pub(super) fn jar(&mut self, id: AddressId) -> Option<&mut Jar> {
        self.addresses.get_mut(id).map(|address| &mut address.jar)
    }

    /// The best address among those with fewer sessions than `limit`: one that is on time rather
    /// than one that cools, with as few sessions as can be.
    fn best(&self, limit: usize, now: Timestamp) -> Option<AddressId> {
        let mut cooling = None;
        let mut sessions = 0;
        while sessions < limit {
            let from = (sessions, Timestamp::ZERO, 0);
            let &(count, free_at, id) = self.order.range(from..).next()?;
            if count >= limit {
                break;
            }
            if free_at <= now {
                return Some(id);
            }
            if cooling.is_none_or(|(earliest, _)| free_at < earliest) {
                cooling = Some((free_at, id));
            }
            sessions = count + 1;
        }
        cooling.map(|(_, id)| id)
    }

    fn change(&mut self, id: AddressId, change: impl FnOnce(&mut Address)) {
        let Some(address) = self.addresses.get_mut(id) else { return };
        self.order.remove(&(address.sessions, address.pace.free_at(), id));
        change(address);
        self.order.insert((address.sessions, address.pace.free_at(), id));
    }
}
