//! The sessions of a bridge, and the calls for them.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};
use core::time::Duration;

use super::{ProxyBridge, Refusal, own_headers};
use crate::{
    Timestamp,
    http::{Request, Response},
    proxy::{ProxyErrorKind, ProxyOptions, Session},
    zyte_api::session_id,
};

/// How long a session of Zyte API lives (Zyte API docs, Sessions).
const LIFE: Duration = Duration::from_secs(15 * 60);
/// How long it lives unused.
const IDLE: Duration = Duration::from_secs(2 * 60);
/// How many sessions an account may have at once (Smart Proxy Manager docs, Sessions).
const MAX_SESSIONS: usize = 5_000;

#[derive(Clone, Debug)]
pub(super) struct Living {
    pub(super) key: String,
    pub(super) made: Timestamp,
    pub(super) used: Timestamp,
}

impl ProxyBridge {
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
    pub(super) fn session(
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

    pub(super) fn create(&mut self, key: &str) -> Result<String, Refusal> {
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

    /// Forgets a session that nobody will hear of: it never was.
    pub(super) fn without(
        &mut self,
        session: Option<&str>,
        creates: bool,
        refusal: Refusal,
    ) -> Refusal {
        if let Some(id) = session.filter(|_| creates) {
            self.sessions.remove(id);
            self.stats.sessions_created -= 1;
        }
        refusal
    }

    /// The request of a ticket ends without a page.
    pub(super) fn lose(&mut self, ticket: u64, session_is_over: bool) {
        let Some(flight) = self.flights.remove(&ticket) else { return };
        if let Some(id) = flight.session.filter(|_| flight.creates || session_is_over)
            && self.sessions.remove(&id).is_some()
        {
            self.stats.sessions_ended += 1;
        }
    }

    /// Moves the clock on, never back, and forgets the sessions whose time is over.
    pub(super) fn advance(&mut self, now: Timestamp) {
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
