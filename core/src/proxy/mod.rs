//! Smart Proxy Manager: what goes into a proxied request, the `/sessions` calls, and what an answer
//! says.
//!
//! [`ProxyOptions`] are the `X-Crawlera-*` request headers as types, [`ProxyApi`] puts them on
//! requests and reads answers. Nothing here waits or retries: [`ProxyServiceError::action`] says
//! what the documentation advises, and the engine decides.

mod answer;
mod api;
mod connect;
mod error_kind;
mod invalid;
mod leak;
mod option_names;
mod option_values;
mod options;
mod parse;
mod region;
mod service_error;
mod session_calls;
mod session_id;
mod successor;
mod target;

pub use answer::{Origin, OutgoingAddress, ProxyAnswer};
pub use api::{DEFAULT_ENDPOINT, MAX_HEADERS_SIZE, OptionPlace, ProxiedRequest, ProxyApi};
pub use connect::{connect_status, read_connect_failure};
pub use error_kind::{ProxyAction, ProxyErrorKind};
pub use invalid::{InvalidProxiedRequest, InvalidProxyOptions};
pub use leak::{Leak, LeakKind, proxy_leaks, strip_proxy_leaks};
pub use option_values::{Cookies, DebugFields, Profile, ProxyWarning, Session};
pub use options::ProxyOptions;
pub use service_error::ProxyServiceError;
pub use session_calls::{ProxySessionList, SessionCallFailed};
pub use session_id::{InvalidSessionId, SessionId};
pub use successor::ProxyDialect;
