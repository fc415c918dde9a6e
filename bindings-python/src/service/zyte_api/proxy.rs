//! `silkline::service::zyte_api::proxy` for Python.

use pyo3::prelude::*;
use silkline::service::zyte_api::proxy::{ZyteProxyConfig, ZyteProxyService};

use super::super::{
    proxy::proxy_methods,
    settings::{self, Ban, pace_per_minute, set},
};
use crate::{
    convert::{maybe_delay, seed_or_random},
    errors,
    shared::Shared,
};

/// Zyte API's proxy mode, without sockets and clock. It is driven as `ProxyService` is.
///
/// Every argument that is left out keeps the documented default. ``outgoing`` are the addresses
/// that sessions leave from. Rates are in requests a minute: ``rate`` for each key, ``system_rate``
/// for all together, ``domain_rate`` for each website. Sessions live for ``session_life`` seconds in
/// all, for ``session_idle`` after a request, and until ``session_bans`` bans in a row. ``bans`` are
/// rules of a domain (``None`` for any), statuses and texts of a body; ``faults`` is a fault script,
/// as JSON.
///
/// >>> from silkline import basic_authorization
/// >>> from silkline.service import ZyteProxyService
/// >>> service = ZyteProxyService(outgoing=["127.0.0.2"], seed=1)
/// >>> headers = {
/// ...     "Proxy-Authorization": basic_authorization("KEY"),
/// ...     "Zyte-Session-ID": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
/// ... }
/// >>> step = service.handle_request("GET", "http://example.com/", headers, 0.0)
/// >>> step.outgoing
/// '127.0.0.2'
/// >>> service.handle_responded(step.ticket, 302, {"Location": "/b"}, b"", 0.5)
/// ProxyFetch(1, GET http://example.com/b)
#[pyclass(name = "ZyteProxyService", module = "silkline.service", frozen)]
pub(crate) struct PyZyteProxyService(Shared<ZyteProxyService>);

proxy_methods! {
    PyZyteProxyService,
    /// Answers a request for the service itself, which has nothing to be asked for.
    handle_api,
    settings {
        keys: Vec<String>,
        disabled_keys: Vec<String>,
        outgoing: Vec<String>,
        sessions_per_address: usize,
        max_sessions: usize,
        session_life: f64,
        session_idle: f64,
        session_bans: u32,
        rate: f64,
        system_rate: f64,
        domain_rate: f64,
        retries: u32,
        max_redirects: u32,
        timeout: f64,
        max_header_bytes: usize,
        max_body_bytes: u64,
        bans: Vec<Ban>,
        forbidden_domains: Vec<String>,
        faults: String,
        seed: u64,
    }
}

impl Settings {
    fn into_core(self, py: Python<'_>) -> PyResult<ZyteProxyService> {
        let mut config = ZyteProxyConfig::default()
            .with_system_pace(pace_per_minute("system_rate", self.system_rate)?)
            .with_domain_pace(pace_per_minute("domain_rate", self.domain_rate)?);
        if let Some(pace) = pace_per_minute("rate", self.rate)? {
            config = config.with_pace(pace);
        }
        config.keys = settings::keys(self.keys, self.disabled_keys);
        if let Some(outgoing) = self.outgoing {
            config.outgoing = settings::addresses(&outgoing)?;
        }
        set(&mut config.sessions_per_address, self.sessions_per_address);
        set(&mut config.max_sessions, self.max_sessions);
        set(&mut config.session_life, maybe_delay("session_life", self.session_life)?);
        set(&mut config.session_idle, maybe_delay("session_idle", self.session_idle)?);
        set(&mut config.session_bans, self.session_bans);
        set(&mut config.retries, self.retries);
        set(&mut config.max_redirects, self.max_redirects);
        set(&mut config.timeout, maybe_delay("timeout", self.timeout)?);
        set(&mut config.max_header_bytes, self.max_header_bytes);
        set(&mut config.max_body_bytes, self.max_body_bytes);
        config.bans = settings::bans(self.bans);
        config.forbidden_domains = self.forbidden_domains.unwrap_or_default();
        let service = ZyteProxyService::new(config, seed_or_random(py, self.seed)?);
        match self.faults {
            None => Ok(service),
            Some(script) => {
                service.with_faults(&script).map_err(|error| errors::faults(py, &error))
            }
        }
    }
}
