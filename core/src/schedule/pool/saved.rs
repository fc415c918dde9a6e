//! A pool's sessions in a snapshot: ages and waits, since moments mean nothing to the next process.

use alloc::{boxed::Box, vec::Vec};
use core::time::Duration;

use super::{SessionKey, SessionPool};
use crate::{Timestamp, schedule::Pace};

/// A session as it is kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct SavedSession {
    pub(crate) id: Box<str>,
    pub(crate) address: Option<Box<str>>,
    pub(crate) name: Option<Box<str>>,
    /// Since the last request was sent.
    pub(crate) idle_us: u64,
    /// Since it was made, if that is longer.
    pub(crate) age_us: Option<u64>,
    /// Until the pace lets the next one through, if it can be told.
    pub(crate) wait_us: Option<u64>,
    pub(crate) steps: u32,
    pub(crate) bans: u32,
    pub(crate) timeouts: u32,
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl SessionPool {
    /// All sessions with ages instead of moments.
    pub(crate) fn save(&self, now: Timestamp) -> Vec<SavedSession> {
        let sessions = self.sessions.iter().filter_map(|(_, session)| {
            let group = self.groups.get(session.group)?;
            let ready = group.pace.ready_at();
            Some(SavedSession {
                id: session.id.clone(),
                address: group.address.clone(),
                name: session.name.clone(),
                idle_us: micros(now.since(session.sent)),
                age_us: self.config.lifetime.map(|_| micros(now.since(session.born))),
                wait_us: (ready < Timestamp::MAX).then(|| micros(ready.since(now))),
                steps: group.pace.steps(),
                bans: session.bans,
                timeouts: session.timeouts,
            })
        });
        sessions.collect()
    }

    /// The places of lost creations: how long they are kept, and whether they are for names. A
    /// creation under way may be lost with the process.
    pub(crate) fn save_lost(&self, now: Timestamp) -> Vec<(u64, bool)> {
        self.lost.iter().map(|(until, named)| (micros(until.since(now)), *named)).collect()
    }

    /// Keeps a place for a creation that an earlier process lost.
    pub(crate) fn take_back_lost(&mut self, wait: Duration, named: bool, now: Timestamp) {
        let at = now + wait;
        let index = self.lost.partition_point(|(until, _)| *until <= at);
        self.lost.insert(index, (at, named));
        self.named += u32::from(named);
    }

    /// Takes back a saved session, `elapsed` after it was saved; one whose wait nobody can tell
    /// waits for `delay`. Known ids and names are left alone.
    pub(crate) fn take_back(
        &mut self,
        saved: &SavedSession,
        elapsed: Duration,
        delay: Duration,
        now: Timestamp,
    ) -> Option<SessionKey> {
        if self.find(&saved.id).is_some() {
            return None;
        }
        let wait = saved.wait_us.map_or(delay, Duration::from_micros).saturating_sub(elapsed);
        let sent = now - Duration::from_micros(saved.idle_us) - elapsed;
        let mut pace = Pace::new(self.config.margin, now + wait);
        pace.set_steps(saved.steps);
        let key = self.insert(&saved.id, pace, sent);
        if let Some(session) = self.sessions.get_mut(key.index) {
            if let Some(age) = saved.age_us {
                session.born = now - Duration::from_micros(age) - elapsed;
            }
            (session.bans, session.timeouts) = (saved.bans, saved.timeouts);
        }
        if let Some(address) = &saved.address {
            self.join(key.index, address);
        }
        if let Some(name) = &saved.name {
            self.set_name(key, name);
        }
        self.free(key.index);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{PoolConfig, Unavailable};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn sessions_come_back_with_ages() {
        let at = |seconds: u64| Timestamp::ZERO + SECOND * u32::try_from(seconds).unwrap();
        let mut pool = SessionPool::new(PoolConfig::default());
        pool.adopt("a", Some("1.1.1.1"), SECOND * 12, at(100));
        pool.adopt("b", None, SECOND * 12, at(100));
        let named = pool.adopt("n", None, SECOND * 12, at(100));
        assert!(pool.set_name(named, "login"));
        let saved = pool.save(at(104));
        let mut restored = SessionPool::new(PoolConfig::default());
        for session in &saved {
            assert!(restored.take_back(session, SECOND * 3, SECOND * 12, at(7)).is_some());
            assert!(restored.take_back(session, SECOND * 3, SECOND * 12, at(7)).is_none());
        }
        assert_eq!(restored.ready_at(at(7)), Err(Unavailable::Until(at(12))));
        assert_eq!(restored.address(restored.find("a").unwrap()), Some("1.1.1.1"));
        assert_eq!(restored.named("login"), restored.find("n"));
        assert_eq!(restored.stats().named, 1);
    }
}
