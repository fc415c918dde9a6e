//! `silkline::service::proxy` for Python.

mod methods;
mod steps;

use std::collections::BTreeMap;

use pyo3::{exceptions::PyValueError, prelude::*};
use silkline::service::proxy::{ProxyConfig, ProxyService};

pub(super) use self::methods::proxy_methods;
pub(crate) use self::steps::{
    ConnectStep, FailureName, PollStep, PyProxyFetch, PyProxyRelay, PyProxyWait, PyTunnel,
    RequestStep,
};
use super::settings::{self, Ban, set};
use crate::{
    convert::{maybe_delay, seed_or_random},
    errors,
    shared::Shared,
};

/// The proxy service of Smart Proxy Manager, without sockets and clock.
///
/// The host passes every request in, fetches from the address that a fetch names, tells what came
/// of it, and passes the target's answer on; it calls ``poll`` after anything it passed in and at
/// the moment that the last call named. Moments are seconds on any clock that does not go back.
///
/// Every argument that is left out keeps the documented default. ``outgoing`` are the addresses
/// that sessions leave from, ``delay`` the seconds between requests of one address and
/// ``domain_delays`` other values for some domains. Each request that comes too early adds
/// ``delay_growth`` of the domain's delay to the spacing, since the real growth is unpublished.
/// ``bans`` are rules of a domain (``None`` for any), statuses and texts of a body; ``faults`` is
/// a fault script, as JSON.
///
/// >>> from silkline import basic_authorization
/// >>> from silkline.service import ProxyService
/// >>> service = ProxyService(outgoing=["127.0.0.2"], seed=1)
/// >>> key = basic_authorization("KEY")
/// >>> answer = service.handle_api("POST", "/sessions", {"Authorization": key}, 0.0)
/// >>> session = answer.body.decode()
/// >>> headers = {"Proxy-Authorization": key, "X-Crawlera-Session": session}
/// >>> step = service.handle_request("GET", "http://example.com/", headers, 1.0)
/// >>> step.outgoing
/// '127.0.0.2'
/// >>> relay = service.handle_responded(step.ticket, 200, {}, b"", 1.5)
/// >>> relay.headers["X-Crawlera-Session"] == session
/// True
/// >>> service.handle_finished(step.ticket, 0, 1.6)
/// >>> service.handle_request("GET", "http://example.com/", headers, 2.0)
/// ProxyWait(2)
/// >>> service.poll(2.0)
/// 13.0
#[pyclass(name = "ProxyService", module = "silkline.service", frozen)]
pub(crate) struct PyProxyService(Shared<ProxyService>);

proxy_methods! {
    PyProxyService,
    /// Answers a request for the service itself: the calls to ``/sessions``.
    handle_api,
    settings {
        keys: Vec<String>,
        disabled_keys: Vec<String>,
        outgoing: Vec<String>,
        sessions_per_address: usize,
        max_sessions: usize,
        session_idle: f64,
        delay: f64,
        domain_delays: BTreeMap<String, f64>,
        delay_growth: f64,
        retries: u32,
        timeout: f64,
        max_connections: usize,
        max_outstanding: usize,
        max_header_bytes: usize,
        max_body_bytes: u64,
        bans: Vec<Ban>,
        forbidden_domains: Vec<String>,
        withheld_headers: Vec<String>,
        faults: String,
        seed: u64,
    }
}

impl Settings {
    fn into_core(self, py: Python<'_>) -> PyResult<ProxyService> {
        let mut config = ProxyConfig::default();
        config.keys = settings::keys(self.keys, self.disabled_keys);
        if let Some(outgoing) = self.outgoing {
            config.outgoing = settings::addresses(&outgoing)?;
        }
        set(&mut config.sessions_per_address, self.sessions_per_address);
        set(&mut config.max_sessions, self.max_sessions);
        set(&mut config.session_idle, maybe_delay("session_idle", self.session_idle)?);
        set(&mut config.delay, maybe_delay("delay", self.delay)?);
        config.domain_delays.extend(settings::delays("domain_delays", self.domain_delays)?);
        if let Some(growth) = self.delay_growth {
            config.delay_growth_percent = percent(growth)?;
        }
        set(&mut config.retries, self.retries);
        set(&mut config.timeout, maybe_delay("timeout", self.timeout)?);
        config.max_connections = self.max_connections;
        config.max_outstanding = self.max_outstanding;
        set(&mut config.max_header_bytes, self.max_header_bytes);
        set(&mut config.max_body_bytes, self.max_body_bytes);
        config.bans = settings::bans(self.bans);
        config.forbidden_domains = self.forbidden_domains.unwrap_or_default();
        config.withheld_headers = self.withheld_headers.unwrap_or_default();
        let service = ProxyService::new(config, seed_or_random(py, self.seed)?);
        match self.faults {
            None => Ok(service),
            Some(script) => {
                service.with_faults(&script).map_err(|error| errors::faults(py, &error))
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked first"
)]
fn percent(share: f64) -> PyResult<u32> {
    if !(0.0..=1_000.0).contains(&share) {
        return Err(PyValueError::new_err("delay_growth must be a number from 0 to 1000"));
    }
    Ok((share * 100.0).round() as u32)
}
