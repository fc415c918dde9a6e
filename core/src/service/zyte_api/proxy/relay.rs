//! What comes from targets: answers to pass on, redirects, bans, failures.

use url::Url;

use super::{
    super::problems::{
        DOMAIN_FORBIDDEN, DOWNLOAD_INTERNAL, INVALID, SERVER_INTERNAL, TEMPORARY, UNREACHABLE,
        detailed,
    },
    ZyteProxyService,
    machine::Exchange,
    refusal::add_facts,
};
use crate::{
    Timestamp,
    http::{Method, Request},
    service::{
        domains::host_of,
        proxy::{FetchFailure, FetchOutcome, Relay, Step, Ticket, request::relayed_headers},
    },
};

const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];

impl ZyteProxyService {
    /// Takes the outcome of a fetch.
    pub fn handle_fetched(
        &mut self,
        ticket: Ticket,
        outcome: FetchOutcome,
        now: Timestamp,
    ) -> Step {
        let now = self.advance(now);
        let Some(mut exchange) = self.exchanges.remove(&ticket) else {
            return Step::Answer(self.refuse_new(detailed(INVALID, "nobody waits").into()));
        };
        if let Some(id) = &exchange.session {
            self.sessions.touch(id, &self.config, now);
        }
        let fault = exchange.fault.as_ref();
        let failure = fault.and_then(|fault| fault.fail);
        let (status, headers, body_start) = match (failure, outcome) {
            (Some(failure), _) | (None, FetchOutcome::Failed(failure)) => {
                return self.retry_or(ticket, exchange, problem_of(failure), false);
            }
            (None, FetchOutcome::Responded { status, headers, body_start }) => {
                (status, headers, body_start)
            }
        };
        let banned = fault.is_some_and(|fault| fault.ban)
            || self.config.bans_of(&exchange.host).any(|rule| rule.fits(status, &body_start));
        if banned {
            self.stats.bans += 1;
            return self.retry_or(ticket, exchange, TEMPORARY, true);
        }
        if let Some(id) = &exchange.session {
            self.sessions.judge(id, false, &self.config);
        }
        let length = headers.get("Content-Length").and_then(|value| value.trim().parse().ok());
        if length.is_some_and(|length: u64| length > self.config.max_body_bytes) {
            return self.refuse(&exchange, DOWNLOAD_INTERNAL);
        }
        if exchange.wishes.follow_redirects
            && REDIRECTS.contains(&status)
            && let Some(url) = headers.get("Location").and_then(|to| exchange.url.join(to).ok())
        {
            return self.redirect(ticket, exchange, status, url);
        }
        let mut relayed = relayed_headers(&headers, exchange.wishes.discard_cookies);
        add_facts(&mut relayed, &exchange);
        let relay = Relay {
            ticket,
            status,
            headers: relayed,
            truncate: exchange.fault.as_ref().and_then(|fault| fault.truncate),
            max_body_bytes: self.config.max_body_bytes,
        };
        self.stats.relayed += 1;
        exchange.fault = None;
        self.exchanges.insert(ticket, exchange);
        Step::Relay(relay)
    }

    /// Follows a redirect as browsers do (RFC 9110, section 15.4): what was not asked for by GET
    /// or HEAD is after a 303, and POST is after a 301 or 302.
    fn redirect(&mut self, ticket: Ticket, mut exchange: Exchange, status: u16, url: Url) -> Step {
        let host = host_of(&url).filter(|_| matches!(url.scheme(), "http" | "https"));
        let Some(host) = host.filter(|_| exchange.redirects_left > 0) else {
            return self.refuse(&exchange, DOWNLOAD_INTERNAL);
        };
        if self.config.is_forbidden(&host) {
            return self.refuse(&exchange, DOMAIN_FORBIDDEN);
        }
        exchange.redirects_left -= 1;
        self.stats.redirects += 1;
        let method = exchange.request.method.clone();
        let by_get = match status {
            303 => method.as_str() != "HEAD",
            301 | 302 => method == Method::POST,
            _ => false,
        };
        let mut headers = exchange.request.headers.clone();
        headers.remove("Host");
        if by_get {
            for name in ["Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding"]
            {
                headers.remove(name);
            }
        }
        if url.origin() != exchange.url.origin() {
            headers.remove("Authorization");
            headers.remove("Cookie");
        }
        let method = if by_get { Method::GET } else { method };
        exchange.request = Request::new(method, url.as_str()).with_headers(headers);
        exchange.url = url;
        exchange.host = host;
        Step::Fetch(self.fetch(ticket, exchange))
    }

    fn retry_or(
        &mut self,
        ticket: Ticket,
        mut exchange: Exchange,
        problem: &'static str,
        banned: bool,
    ) -> Step {
        if let Some(id) = &exchange.session
            && banned
            && self.sessions.judge(id, true, &self.config)
        {
            self.stats.sessions_banned += 1;
        }
        if exchange.retries_left == 0 || problem != TEMPORARY {
            return self.refuse(&exchange, problem);
        }
        exchange.retries_left -= 1;
        self.stats.retries += 1;
        exchange.address = self.sessions.any().unwrap_or(exchange.address);
        Step::Fetch(self.fetch(ticket, exchange))
    }
}

const fn problem_of(failure: FetchFailure) -> &'static str {
    match failure {
        FetchFailure::Nxdomain => UNREACHABLE,
        FetchFailure::DomainForbidden => DOMAIN_FORBIDDEN,
        FetchFailure::InternalError => SERVER_INTERNAL,
        FetchFailure::ConnectTimeout
        | FetchFailure::Econnrefused
        | FetchFailure::Econnreset
        | FetchFailure::Ehostunreach
        | FetchFailure::Msgtimeout
        | FetchFailure::SendFailed
        | FetchFailure::SocketClosedRemotely
        | FetchFailure::SslTunnelError
        | FetchFailure::Timeout => TEMPORARY,
    }
}
