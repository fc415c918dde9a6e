//! The machines that tie it together: jobs in, requests and events out.
//!
//! Both engines keep one contract:
//!
//! 1. Commands (`submit`, `cancel`, `resume`, `close`) and inputs (`handle_sent`,
//!    `handle_response`, `handle_failure`) come in any number and order between polls. Events come
//!    out before sends.
//! 2. `poll` early is harmless, late only delays. `WaitUntil` carries the moment and the reason;
//!    with anything in flight there is always one. `Idle` says why.
//! 3. A `Send` carries an id and a deadline. Past the deadline, or when its jobs are cancelled, the
//!    machine gives an `Abort` and goes on; a late answer still counts for costs and sessions; an
//!    unknown id is an error value.
//! 4. A job ends exactly once, in one event. After an account error the machine is stopped with
//!    its queue kept, until `resume` or `close`.
//! 5. Time never goes back: an earlier `now` counts as the latest seen. The same configuration,
//!    seed and calls give the same outputs.
//! 6. Memory is bounded by a configured queue size; a full queue is an error value.
//! 7. A snapshot holds ages instead of moments; each job unfinished in it ends exactly once after
//!    `restore`.

mod classify;
mod clock;
mod contract;
mod extraction;
mod flights;
mod form;
mod gate;
mod host;
mod ids;
mod jobs;
mod proxy;
mod snapshot;

pub use contract::{
    Cost, Failure, IdleReason, InvalidSetting, NotSubmitted, Receipt, UnknownRequest, WaitReason,
};
pub use extraction::{
    ExtractionConfig, ExtractionEngine, ExtractionEvent, ExtractionJob, ExtractionJobError,
    ExtractionOutcome, ExtractionOutput, ExtractionSend, ExtractionStats, UnmatchedResult,
};
pub use ids::{JobId, RequestId};
pub use proxy::{
    IncompleteJob, JobSession, ProxyConfig, ProxyEndpoint, ProxyEngine, ProxyEvent, ProxyFetched,
    ProxyJob, ProxyJobError, ProxyOutcome, ProxyOutput, ProxyReply, ProxySend, ProxySendKind,
    ProxyStats, SessionCreation, SessionLoss,
};
pub use snapshot::InvalidSnapshot;
