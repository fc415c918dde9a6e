//! A pool's named sessions: each serves one sequence of requests, and nobody else.

use super::{SessionKey, SessionPool};

impl SessionPool {
    /// Gives a session a name: from then on only [`try_acquire_session`](Self::try_acquire_session)
    /// hands it out. False if another session has the name, or if no further session may be named.
    pub fn set_name(&mut self, key: SessionKey, name: &str) -> bool {
        let Some(session) = self.session(key) else { return false };
        if self.names.contains_key(name)
            || !(session.for_name || self.named < self.config.named_limit(self.config.size))
        {
            return self.named(name) == Some(key);
        }
        self.unlist(key.index);
        self.count_named(key.index);
        if let Some(session) = self.sessions.get_mut(key.index)
            && let Some(old) = session.name.replace(name.into())
        {
            self.names.remove(&old);
        }
        self.names.insert(name.into(), key.index);
        true
    }

    /// Gives a session a name for a while, however many are named: what happens next has to happen
    /// there.
    pub(crate) fn set_aside(&mut self, key: SessionKey, name: &str) -> bool {
        if self.session(key).is_none_or(|session| session.for_name) {
            return false;
        }
        self.count_named(key.index);
        self.set_name(key, name)
    }

    /// Takes a name away; the session serves everybody again when it is free.
    pub fn end_name(&mut self, name: &str) -> Option<SessionKey> {
        let index = self.names.remove(name)?;
        let session = self.sessions.get_mut(index)?;
        session.name = None;
        session.for_name = false;
        self.named -= 1;
        let key = SessionKey { index, serial: session.serial };
        if !session.in_use {
            self.free(index);
        }
        Some(key)
    }

    /// The session of a name.
    pub fn named(&self, name: &str) -> Option<SessionKey> {
        let &index = self.names.get(name)?;
        self.sessions.get(index).map(|session| SessionKey { index, serial: session.serial })
    }

    /// The name of a session.
    pub fn name(&self, key: SessionKey) -> Option<&str> {
        self.session(key)?.name.as_deref()
    }

    /// Whether one more session may get a name.
    pub fn may_name(&self) -> bool {
        self.named < self.config.named_limit(self.config.size)
    }

    /// Whether sessions may have names at all.
    pub fn has_names(&self) -> bool {
        self.config.named_limit(self.config.size) > 0
    }

    pub(super) fn count_named(&mut self, index: u32) {
        if let Some(session) = self.sessions.get_mut(index)
            && !session.for_name
        {
            session.for_name = true;
            self.named += 1;
        }
    }
}
