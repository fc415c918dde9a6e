//! The calls to `/sessions` (Smart Proxy Manager docs, Sessions API).

use alloc::{collections::BTreeMap, string::ToString};

use super::{
    ProxyService,
    errors::{Fault, service_headers},
};
use crate::{
    Timestamp,
    http::{Request, Response},
    service::{Answer, keys::Access},
};

impl ProxyService {
    /// Answers a request that is for the service itself; `request.url` is its path.
    pub fn handle_api(&mut self, request: &Request, now: Timestamp) -> Answer {
        let now = self.advance(now);
        let authorization = request.headers.get("Authorization");
        let authorization = authorization.or_else(|| request.headers.get("Proxy-Authorization"));
        let outcome = match self.config.keys.access(authorization) {
            Access::Missing | Access::Unknown => Err(Fault::BadProxyAuth),
            Access::Disabled => Err(Fault::UserSuspended),
            Access::Granted(key) => self.call(&key, request, now),
        };
        outcome.unwrap_or_else(|fault| {
            self.count_error(fault.name());
            fault.answer(None, None)
        })
    }

    /// Answers bytes that are no request, or one whose head is `too_large` to be read.
    pub fn handle_unreadable(&mut self, too_large: bool, now: Timestamp) -> Answer {
        self.advance(now);
        let fault = if too_large { Fault::HeadersTooLarge } else { Fault::InvalidRequest };
        self.count_error(fault.name());
        fault.answer(None, None)
    }

    fn call(&mut self, key: &str, request: &Request, now: Timestamp) -> Result<Answer, Fault> {
        let path = request.url.split(['?', '#']).next().unwrap_or_default();
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut headers = service_headers();
        if path == "/sessions" {
            return match request.method.as_str() {
                "POST" => {
                    let id = self.sessions.create(key, &self.config, &mut self.rng, now)?;
                    self.stats.sessions_created += 1;
                    headers.push("Content-Type", "text/plain; charset=utf-8");
                    Ok(Answer::whole(Response::new(200, headers, id)))
                }
                "GET" => {
                    let list: BTreeMap<&str, _> =
                        self.sessions.list(key).map(|(id, ip)| (id, ip.to_string())).collect();
                    headers.push("Content-Type", "application/json");
                    let body = serde_json::to_string(&list).map_err(|_| Fault::InternalError)?;
                    Ok(Answer::whole(Response::new(200, headers, body)))
                }
                _ => Err(Fault::InvalidRequest),
            };
        }
        match path.strip_prefix("/sessions/") {
            Some(id) if request.method.as_str() == "DELETE" => {
                self.sessions.delete(key, id)?;
                self.stats.sessions_deleted += 1;
                Ok(Answer::whole(Response::new(204, headers, "")))
            }
            Some(_) => Err(Fault::InvalidRequest),
            None => Err(Fault::BadEndpoint),
        }
    }
}
