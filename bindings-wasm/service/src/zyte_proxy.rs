//! `silkline::service::zyte_api::proxy`.

use silkline::service::zyte_api::proxy::{ZyteProxyConfig, ZyteProxyService as Machine};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{
    exchange::proxy_methods,
    settings::{Settings, set},
};

/// Zyte API's proxy mode.
#[wasm_bindgen]
pub struct ZyteProxyService(Machine);

proxy_methods!(ZyteProxyService);

fn config(settings: &Settings) -> ZyteProxyConfig {
    let mut config = ZyteProxyConfig::default()
        .with_system_pace(settings.pace_a_minute("systemRate"))
        .with_domain_pace(settings.pace_a_minute("domainRate"));
    if let Some(pace) = settings.pace_a_minute("rate") {
        config = config.with_pace(pace);
    }
    config.keys = settings.keys();
    set(&mut config.outgoing, settings.addresses("outgoing"));
    set(&mut config.sessions_per_address, settings.size("sessionsPerAddress"));
    set(&mut config.max_sessions, settings.size("maxSessions"));
    set(&mut config.session_life, settings.delay("sessionLife"));
    set(&mut config.session_idle, settings.delay("sessionIdle"));
    set(&mut config.session_bans, settings.count("sessionBans"));
    set(&mut config.retries, settings.count("retries"));
    set(&mut config.max_redirects, settings.count("maxRedirects"));
    set(&mut config.timeout, settings.delay("timeout"));
    set(&mut config.max_header_bytes, settings.size("maxHeaderBytes"));
    set(&mut config.max_body_bytes, settings.number("maxBodyBytes"));
    config.bans = settings.bans("bans");
    config.forbidden_domains = settings.texts("forbiddenDomains").unwrap_or_default();
    config
}
