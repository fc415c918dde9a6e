//! What comes from targets: answers to pass on, bans, failures.

use alloc::{format, string::ToString};

use super::{
    FetchOutcome, ProxyService, Relay, Step, Ticket,
    errors::{Fault, service_headers},
    exchange::{Exchange, Twist},
    request::{self, Cookies, outgoing_headers},
};
use crate::{Timestamp, http::Headers, service::pace::whole_seconds};

impl ProxyService {
    /// Takes the outcome of a fetch.
    pub fn handle_fetched(
        &mut self,
        ticket: Ticket,
        outcome: FetchOutcome,
        now: Timestamp,
    ) -> Step {
        let now = self.advance(now);
        let Some(mut exchange) = self.exchanges.remove(&ticket) else {
            return Step::Answer(Fault::ClientGone.answer(None, None));
        };
        let (status, headers, body_start) = match outcome {
            FetchOutcome::Failed(failure) => {
                return self.retry_or(ticket, exchange, failure.fault(), now);
            }
            FetchOutcome::Responded { status, headers, body_start } => {
                (status, headers, body_start)
            }
        };
        match exchange.twist {
            Twist::Fail(failure) => return self.retry_or(ticket, exchange, failure.fault(), now),
            Twist::Ban => {
                self.stats.bans += 1;
                return self.retry_or(ticket, exchange, Fault::Banned, now);
            }
            Twist::None | Twist::Truncate(_) => {}
        }
        let banned = self.config.bans_of(&exchange.host).any(|rule| rule.fits(status, &body_start));
        if banned && !exchange.wishes.no_bancheck {
            self.stats.bans += 1;
            return self.retry_or(ticket, exchange, Fault::Banned, now);
        }
        let length = headers.get("Content-Length").and_then(|value| value.trim().parse().ok());
        if length.is_some_and(|length: u64| length > self.config.max_body_bytes) {
            return self.refuse(exchange, Fault::DataError, None, now);
        }
        if exchange.wishes.cookies == Cookies::Enable
            && headers.contains("Set-Cookie")
            && let Some(jar) = exchange.address.and_then(|address| self.sessions.jar(address))
        {
            jar.store(&exchange.url, &headers, self.config.cookie_life, now);
        }
        let truncate = match exchange.twist {
            Twist::Truncate(length) => Some(length),
            _ => None,
        };
        let relay = Relay {
            ticket,
            status,
            headers: self.relayed_headers(&headers, &exchange, now),
            truncate,
            max_body_bytes: self.config.max_body_bytes,
        };
        self.stats.relayed += 1;
        // From here on the client knows its session.
        exchange.creates = false;
        self.exchanges.insert(ticket, exchange);
        Step::Relay(relay)
    }

    fn relayed_headers(&self, headers: &Headers, exchange: &Exchange, now: Timestamp) -> Headers {
        let discard = exchange.wishes.cookies == Cookies::Discard;
        let mut relayed = request::relayed_headers(headers, discard);
        self.add_facts(&mut relayed, exchange, now);
        if exchange.wishes.debug_request_time {
            let time = now.since(exchange.arrived_at);
            let text = format!("{}.{:03}", time.as_secs(), time.subsec_millis());
            relayed.push("X-Crawlera-Debug-Request-Time", text);
        }
        if exchange.wishes.debug_ua {
            let sent = outgoing_headers(&exchange.request.headers, &exchange.wishes);
            relayed.push("X-Crawlera-Debug-UA", sent.get("User-Agent").unwrap_or_default());
        }
        relayed
    }

    /// The headers by which the service tells of itself, the session, the address and the pace.
    pub(super) fn add_facts(&self, headers: &mut Headers, exchange: &Exchange, now: Timestamp) {
        for (name, value) in service_headers() {
            if !headers.contains(&name) {
                headers.push(&name, value);
            }
        }
        if let Some(id) = &exchange.session {
            headers.push("X-Crawlera-Session", id.as_str());
        }
        let Some(address) = exchange.address else { return };
        if let Some(ip) = self.sessions.ip(address) {
            headers.push("X-Crawlera-Slave", core::net::SocketAddr::new(ip, 3128).to_string());
        }
        let delay = self.sessions.pace(address).delay(now);
        if exchange.session.is_some() && delay >= self.config.soft_limit && !delay.is_zero() {
            headers.push("X-Crawlera-Next-Request-In", whole_seconds(delay).to_string());
        }
    }
}
