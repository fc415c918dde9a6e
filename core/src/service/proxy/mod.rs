//! The service's side of Smart Proxy Manager: sessions on outgoing addresses, pace, bans, errors.
//!
//! The host gives a [`ProxyService`] sockets: it hands each request over, fetches from the address
//! that a [`Fetch`] names, and reports what came of it.
//!
//! ```text
//! handle_connect ──► Connect::Tunnel ──► (TLS with the client, then requests inside)
//! handle_request ──► Step::Answer                          an error, or a script's answer
//!                ├─► Step::Fetch ──► handle_fetched ──► Step::Relay ──► handle_finished
//!                │                                  ├─► Step::Fetch      a retry elsewhere
//!                │                                  └─► Step::Answer     retries used up
//!                └─► Step::Wait ───► poll ──► ProxyOutput::Fetch         held back until on time
//! handle_closed: the client went away; handle_api: the /sessions calls
//! ```

mod api;
mod config;
mod cookies;
mod errors;
mod exchange;
mod faults;
pub(super) mod intake;
mod machine;
mod pace;
mod relay;
pub(super) mod request;
mod sessions;
mod stats;

pub use config::{BanRule, ProxyConfig};
pub use exchange::{
    Connect, Fetch, FetchFailure, FetchOutcome, ProxyOutput, Relay, Step, Ticket, Tunnel,
};
pub use machine::ProxyService;
pub use stats::{ProxyStats, SessionStats};
