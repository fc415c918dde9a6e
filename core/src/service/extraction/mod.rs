//! The Automatic Extraction API as its clients see it.

mod config;
pub(super) mod intake;
mod job;
mod limits;
mod machine;
mod outcome;
mod query;
pub(super) mod refusal;
mod result;
pub(super) mod script;
mod stats;

pub use config::ExtractionConfig;
pub use machine::{ExtractionService, ServiceOutput, Step, Ticket};
pub use outcome::{FetchFailure, FetchOutcome, FetchQuery};
pub use stats::ExtractionStats;
