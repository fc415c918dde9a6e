//! What a run needs of an engine and its service, whichever they are.

use alloc::{string::String, vec::Vec};

use super::InvalidPlan;
use crate::{
    Timestamp,
    engine::{Failure, IdleReason, RequestId, WaitReason},
    http::{Request, Response},
    service::Answer,
};

/// An engine with the service that it talks to.
pub(super) trait Side: Send + Sync {
    /// How many more pages the engine takes.
    fn room(&self) -> u32;
    fn submit(&mut self, url: String, now: Timestamp) -> Result<(), InvalidPlan>;
    fn poll(&mut self, now: Timestamp) -> Turn;
    fn answered(&mut self, id: RequestId, response: Response, now: Timestamp);
    fn failed(&mut self, id: RequestId, failure: Failure, now: Timestamp);
    fn start_month(&mut self, now: Timestamp);
    /// Sessions alive.
    fn sessions(&self) -> u32;

    /// A request reaches the service.
    fn arrive(&mut self, request: Request, call: bool, now: Timestamp) -> Effect;
    /// A part of what the service fetches for a ticket is there.
    fn fetched(&mut self, ticket: u64, part: usize, now: Timestamp) -> Option<Effect>;
    fn hung_up(&mut self, ticket: u64, now: Timestamp);
    fn poll_service(&mut self, now: Timestamp) -> ServiceTurn;

    fn numbers(&self) -> Numbers;
}

/// What the engine has to say.
pub(super) enum Turn {
    Send {
        id: RequestId,
        request: Request,
        pages: u32,
        call: bool,
    },
    Abort(RequestId),
    /// A page is done, or failed with a code.
    Finished(Option<&'static str>),
    Stopped(String),
    /// Something of no concern to a plan.
    Other,
    WaitUntil(Timestamp, WaitReason),
    Idle(IdleReason),
}

/// What becomes of a request at the service.
pub(super) enum Effect {
    Answer(Answer),
    Fetch { ticket: u64, parts: Vec<usize> },
    Wait(u64),
}

/// What the service does by itself.
pub(super) enum ServiceTurn {
    Answer(u64, Answer),
    Fetch(u64),
    WaitUntil(Timestamp),
    Idle,
}

/// What engine and service counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Numbers {
    pub(super) requests: u64,
    pub(super) retries: u64,
    pub(super) billed: u64,
    pub(super) possibly_billed: u64,
    /// Answers by which the service asked to slow down.
    pub(super) throttled: u64,
    /// Requests that came earlier than the service allows.
    pub(super) early: u64,
}
