//! Jobs as they go in, and what comes of them.

use alloc::{boxed::Box, string::String};
use core::time::Duration;

use super::super::{Cost, Failure, JobId};
use crate::extraction::{Query, QueryResult, ServiceError};

/// A query to be answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExtractionJob {
    pub(super) query: Query,
    pub(super) priority: i32,
    pub(super) key: Option<Box<str>>,
}

impl ExtractionJob {
    /// A job of priority 0 without a key.
    pub const fn new(query: Query) -> Self {
        Self { query, priority: 0, key: None }
    }

    /// The same with a priority: higher ones go first, always. Defaults to 0.
    #[must_use]
    pub fn with_priority(self, priority: i32) -> Self {
        Self { priority, ..self }
    }

    /// The same with a text that comes back with the event, over snapshots too.
    #[must_use]
    pub fn with_key(self, key: impl Into<Box<str>>) -> Self {
        Self { key: Some(key.into()), ..self }
    }
}

/// Why a job has no item.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractionJobError {
    /// It was cancelled.
    #[error("the job was cancelled")]
    Cancelled,
    /// The machine was closed before it was done.
    #[error("the machine was closed")]
    Closed,
    /// It was under way when the process ended, and is not to be tried again.
    #[error("the job was under way when the process ended")]
    Interrupted,
    /// Its last request had no answer.
    #[error("{}", .0.message())]
    Failed(Failure),
    /// The service answered the query with an error, or not at all: `error()` of the result.
    #[error("{}", .0.error().map_or("", |error| &error.text))]
    Query(Box<QueryResult>),
    /// The service refused the request, or its answer cannot be read.
    #[error(transparent)]
    Service(ServiceError),
}

impl ExtractionJobError {
    /// The codes of this error, beside those of [`QueryError`](crate::extraction::QueryError) and
    /// [`ServiceError`].
    pub const CODES: &'static [&'static str] = &[
        "job_cancelled",
        "job_closed",
        "job_interrupted",
        "network_failure",
        "request_not_sent",
        "request_timed_out",
    ];

    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Cancelled => "job_cancelled",
            Self::Closed => "job_closed",
            Self::Interrupted => "job_interrupted",
            Self::Failed(failure) => failure.code(),
            Self::Query(result) => result.error().map_or("missing_result", |error| error.code),
            Self::Service(error) => error.code(),
        }
    }
}

/// The end of a job.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ExtractionOutcome {
    /// The job.
    pub job: JobId,
    /// Its key.
    pub key: Option<Box<str>>,
    /// Its query.
    pub query: Query,
    /// Its item, or why there is none.
    pub outcome: Result<QueryResult, ExtractionJobError>,
    /// How often it was sent.
    pub attempts: u32,
    /// What that cost.
    pub cost: Cost,
    /// How long it took since it was submitted.
    pub elapsed: Duration,
}

impl ExtractionOutcome {
    /// The code of the error, if there is one.
    pub fn error_code(&self) -> Option<&'static str> {
        self.outcome.as_ref().err().map(ExtractionJobError::code)
    }
}

/// A result that belongs to no query of its request.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct UnmatchedResult {
    /// The result; its error says why it is nobody's.
    pub result: QueryResult,
    /// The query whose second result it is.
    pub query: Option<Query>,
}

/// Something for the application.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ExtractionEvent {
    /// A job ended.
    Finished(Box<ExtractionOutcome>),
    /// The account is refused: the machine is stopped, its queue kept, until `resume` or `close`.
    Stopped(ServiceError),
    /// The service sent a result that no query of the request asked for.
    Unmatched(Box<UnmatchedResult>),
}

impl ExtractionEvent {
    /// The stable name of the kind of event.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Finished(_) => "finished",
            Self::Stopped(_) => "stopped",
            Self::Unmatched(_) => "unmatched",
        }
    }
}

impl From<Query> for ExtractionJob {
    fn from(query: Query) -> Self {
        Self::new(query)
    }
}

impl ExtractionJob {
    /// The same with a key that may be missing.
    #[must_use]
    pub fn with_key_option(self, key: Option<String>) -> Self {
        Self { key: key.map(String::into_boxed_str), ..self }
    }
}
