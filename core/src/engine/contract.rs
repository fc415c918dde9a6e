//! What both engines say to their driver, and it to them.

use alloc::vec::Vec;

use super::RequestId;
use crate::{extraction::InvalidQuery, proxy::InvalidProxiedRequest};

/// Why a request has no answer.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Failure {
    /// The connection broke or could not be used.
    Network,
    /// The request never left: it gives session, pace and cost back.
    NotSent,
    /// The driver's own time limit passed.
    Timeout,
}

impl Failure {
    /// All failures, in the order of their names.
    pub const ALL: [Self; 3] = [Self::Network, Self::NotSent, Self::Timeout];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::NotSent => "not_sent",
            Self::Timeout => "timeout",
        }
    }

    /// The failure of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|failure| failure.as_str() == name)
    }

    /// The code of a job's error for whose last request it stands.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Network => "network_failure",
            Self::NotSent => "request_not_sent",
            Self::Timeout => "request_timed_out",
        }
    }

    /// What it means for a job whose last request it ended.
    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::Network => "the connection failed",
            Self::NotSent => "the request could not be sent",
            Self::Timeout => "no answer came in time",
        }
    }
}

/// Whether an answer was still waited for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Receipt {
    /// It was.
    Accepted,
    /// The machine had given the request up. What the answer says of costs and sessions counts.
    Late,
}

impl Receipt {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Late => "late",
        }
    }
}

/// Why nothing can be sent before a moment.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum WaitReason {
    /// Nothing is left to send; answers are under way.
    Answers,
    /// Jobs, or the whole machine, wait before another try.
    BackOff,
    /// Queries under way may use up what is left of the cycle's cap.
    Budget,
    /// The domains of all jobs are occupied.
    DomainOccupied,
    /// The rate limit.
    Rate,
    /// All sessions are cooling.
    SessionCooling,
    /// As many requests as allowed are under way.
    SlotsBusy,
}

impl WaitReason {
    /// All reasons, in the order of their names.
    pub const ALL: [Self; 7] = [
        Self::Answers,
        Self::BackOff,
        Self::Budget,
        Self::DomainOccupied,
        Self::Rate,
        Self::SessionCooling,
        Self::SlotsBusy,
    ];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answers => "answers",
            Self::BackOff => "back_off",
            Self::Budget => "budget",
            Self::DomainOccupied => "domain_occupied",
            Self::Rate => "rate",
            Self::SessionCooling => "session_cooling",
            Self::SlotsBusy => "slots_busy",
        }
    }
}

/// Why nothing will happen before the next command.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum IdleReason {
    /// The machine was closed, and all is done.
    Closed,
    /// There is no job.
    Empty,
    /// All jobs need what the snapshot that they come from did not keep.
    Incomplete,
    /// The cycle's cap leaves no room for a query.
    OutOfBudget,
    /// The account is refused; the queue is kept until `resume` or `close`.
    Stopped,
}

impl IdleReason {
    /// All reasons, in the order of their names.
    pub const ALL: [Self; 5] =
        [Self::Closed, Self::Empty, Self::Incomplete, Self::OutOfBudget, Self::Stopped];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Empty => "empty",
            Self::Incomplete => "incomplete",
            Self::OutOfBudget => "out_of_budget",
            Self::Stopped => "stopped",
        }
    }
}

/// What a job, or a whole machine, cost so far.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Cost {
    /// Attempts known to be billed.
    pub billed: u32,
    /// Attempts of which nobody knows, because their answer was lost.
    pub possibly_billed: u32,
}

/// An id that no request has that was handed out and not answered.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("request {id} is not under way")]
pub struct UnknownRequest {
    /// The id as given.
    pub id: RequestId,
}

impl UnknownRequest {
    /// The codes of this error.
    pub const CODES: &'static [&'static str] = &["unknown_request"];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        "unknown_request"
    }
}

/// A job that is not taken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NotSubmitted {
    /// The machine was closed.
    #[error("the machine is closed")]
    Closed,
    /// The job is for a named session, and the pool is for anonymous ones alone.
    #[error("no session of the pool may have a name")]
    NamesExcluded,
    /// The service cannot do what the job's query asks for.
    #[error(transparent)]
    Query(#[from] InvalidQuery),
    /// As many jobs as configured are unfinished.
    #[error("the queue is full: {limit} jobs are unfinished")]
    QueueFull {
        /// The configured limit.
        limit: u32,
    },
    /// The job's request could not be sent.
    #[error(transparent)]
    Request(#[from] InvalidProxiedRequest),
}

impl NotSubmitted {
    /// The codes of this error, beside those of the ones it passes on.
    pub const CODES: &'static [&'static str] =
        &["engine_closed", "named_sessions_excluded", "queue_full"];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Closed => "engine_closed",
            Self::NamesExcluded => "named_sessions_excluded",
            Self::Query(error) => error.code(),
            Self::QueueFull { .. } => "queue_full",
            Self::Request(error) => error.code(),
        }
    }
}

/// A setting that no engine can work with.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("setting `{setting}` is {value}, it must be in {least}..={most}")]
pub struct InvalidSetting {
    /// The setting's name.
    pub setting: &'static str,
    /// As given.
    pub value: u64,
    /// The least value.
    pub least: u64,
    /// The greatest value.
    pub most: u64,
}

impl InvalidSetting {
    /// The codes of this error.
    pub const CODES: &'static [&'static str] = &["setting_invalid"];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        "setting_invalid"
    }

    pub(crate) fn check(
        setting: &'static str,
        value: u32,
        least: u32,
        most: u32,
    ) -> Result<u32, Self> {
        if (least..=most).contains(&value) {
            return Ok(value);
        }
        let (value, least, most) = (value.into(), least.into(), most.into());
        Err(Self { setting, value, least, most })
    }
}

/// What to do next, up to `most` things at once, or to the one after which there is nothing more to
/// do at this moment.
pub(super) fn batch<O>(
    most: usize,
    mut next: impl FnMut() -> O,
    is_rest: impl Fn(&O) -> bool,
) -> Vec<O> {
    let mut outputs = Vec::new();
    while outputs.len() < most {
        let output = next();
        let rest = is_rest(&output);
        outputs.push(output);
        if rest {
            break;
        }
    }
    outputs
}
