//! The service's side of Zyte API: `POST /v1/extract`, and proxy mode in [`proxy`].
//!
//! ```text
//! handle_request ──► ZyteApiStep::Answer                  an error, or a script's answer
//!                └─► ZyteApiStep::Fetch ──► handle_fetched ──► the answer
//!                                       └─► poll ────────────► the answer, once it is due
//! ```

mod config;
mod limits;
mod machine;
mod outcome;
mod problems;
pub mod proxy;
mod request;
mod stats;

pub use config::ZyteApiConfig;
pub use machine::{ZyteApiService, ZyteApiStep};
pub use outcome::{PageFailure, PageOutcome, PageWish};
pub use stats::ZyteApiStats;
