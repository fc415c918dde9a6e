//! What the engine tells its driver to do.

use super::{
    super::{IdleReason, RequestId, WaitReason},
    ExtractionEvent,
};
use crate::{Timestamp, http::Request};

/// A request to send.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ExtractionSend {
    /// By which to speak of it.
    pub id: RequestId,
    /// The request.
    pub request: Request,
    /// When the machine gives it up.
    pub deadline: Timestamp,
    /// How many queries it carries.
    pub queries: u32,
}

/// What to do next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ExtractionOutput {
    /// Send a request, and report its answer or failure.
    Send(ExtractionSend),
    /// Give a request up: nobody waits for its answer.
    Abort(RequestId),
    /// Tell the application.
    Event(ExtractionEvent),
    /// Nothing before this moment, unless a command or an input comes.
    WaitUntil {
        /// The moment; never later than the first deadline.
        at: Timestamp,
        /// Why nothing can be sent now.
        reason: WaitReason,
    },
    /// Nothing before the next command.
    Idle(IdleReason),
}

impl ExtractionOutput {
    /// Whether there is nothing more to do at this moment.
    pub const fn is_rest(&self) -> bool {
        matches!(self, Self::WaitUntil { .. } | Self::Idle(_))
    }
}
