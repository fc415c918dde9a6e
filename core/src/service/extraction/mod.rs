//! The Automatic Extraction API as its clients see it.

mod config;
mod intake;
mod job;
mod limits;
mod machine;
mod outcome;
mod query;
mod refusal;
mod result;
mod script;
mod stats;

pub use config::ExtractionConfig;
pub use machine::{ExtractionService, ServiceOutput, Step, Ticket};
pub use outcome::{FetchFailure, FetchOutcome, FetchQuery};
pub use stats::ExtractionStats;
