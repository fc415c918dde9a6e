//! The service's side of Zyte API's proxy mode: requests with `Zyte-*` headers, or with the older
//! `X-Crawlera-*` ones, in sessions whose ids the clients make.
//!
//! The host drives a [`ZyteProxyService`] as it drives a
//! [`ProxyService`](crate::service::proxy::ProxyService); the steps are the same types. Redirects
//! are followed here: a redirect that comes in is one more fetch.

mod config;
mod faults;
mod intake;
mod machine;
mod refusal;
mod relay;
mod sessions;
mod stats;
mod wishes;

pub use config::ZyteProxyConfig;
pub use machine::ZyteProxyService;
pub use stats::ZyteProxyStats;
