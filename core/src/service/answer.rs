//! What the host puts on the wire.

use crate::http::Response;

/// How an answer is to reach the client. All but [`Delivery::Whole`] come from a fault script.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Delivery {
    /// As HTTP wants it.
    #[default]
    Whole,
    /// Not at all: the host closes the connection without a byte.
    Dropped,
    /// In part: the host announces the full length, sends this many bytes of the body and closes.
    Truncated(usize),
}

/// A response and the way it is delivered.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// The response.
    pub response: Response,
    /// How it reaches the client.
    pub delivery: Delivery,
}

impl Answer {
    /// A response delivered whole.
    pub(super) fn whole(response: Response) -> Self {
        Self { response, delivery: Delivery::Whole }
    }
}
