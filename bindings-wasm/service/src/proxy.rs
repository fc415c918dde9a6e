//! `silkline::service::proxy`.

use silkline::service::proxy::{ProxyConfig, ProxyService as Machine};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{
    exchange::proxy_methods,
    settings::{Settings, set},
};

/// The proxy service of Smart Proxy Manager.
#[wasm_bindgen]
pub struct ProxyService(Machine);

proxy_methods!(ProxyService);

fn config(settings: &Settings) -> ProxyConfig {
    let mut config = ProxyConfig::default();
    config.keys = settings.keys();
    set(&mut config.outgoing, settings.addresses("outgoing"));
    set(&mut config.sessions_per_address, settings.size("sessionsPerAddress"));
    set(&mut config.max_sessions, settings.size("maxSessions"));
    set(&mut config.session_idle, settings.delay("sessionIdle"));
    set(&mut config.delay, settings.delay("delay"));
    config.domain_delays.extend(settings.delays("domainDelays"));
    set(&mut config.delay_growth_percent, settings.count("delayGrowthPercent"));
    set(&mut config.retries, settings.count("retries"));
    set(&mut config.timeout, settings.delay("timeout"));
    config.max_connections = settings.size("maxConnections");
    config.max_outstanding = settings.size("maxOutstanding");
    set(&mut config.max_header_bytes, settings.size("maxHeaderBytes"));
    set(&mut config.max_body_bytes, settings.number("maxBodyBytes"));
    config.bans = settings.bans("bans");
    config.forbidden_domains = settings.texts("forbiddenDomains").unwrap_or_default();
    config.withheld_headers = settings.texts("withheldHeaders").unwrap_or_default();
    config
}
