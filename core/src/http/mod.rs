//! The HTTP that all protocols share: requests, responses, ordered headers, Basic authorization,
//! `Retry-After`. Plain data; sending is the driver's part.

mod auth;
mod date;
mod endpoint;
mod headers;
#[cfg(feature = "service")]
mod hops;
mod message;
mod retry_after;

pub use auth::{ApiKey, InvalidApiKey, basic_credentials};
pub use date::parse_http_date;
pub use endpoint::{Endpoint, InvalidEndpoint};
pub use headers::{Headers, InvalidHeader};
#[cfg(feature = "service")]
pub(crate) use hops::starts_with_ignoring_case;
pub use message::{InvalidMethod, Method, Request, Response};
pub(crate) use retry_after::parse_seconds;
pub use retry_after::retry_after;

#[cfg(feature = "http")]
mod convert;
