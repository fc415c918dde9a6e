//! Machines against services in virtual time: no sockets, no clock, no threads.
//!
//! A world holds an engine, the service that it talks to, and a network with delays and faults
//! between them. Whatever happens is drawn from one seed, so each run can be repeated. After every
//! step the world checks what has to hold; what does not is a [`Broken`] promise, told with the
//! seed that shows it.

pub mod allocator;
mod calendar;
mod checks;
pub mod extraction;
mod life;
mod network;
pub mod proxy;
pub mod queues;
mod random;
pub mod reference;
pub mod report;
mod stopwatch;

pub use checks::{Broken, Checked, Trace};

/// What a small world came to.
#[derive(Clone, Debug)]
pub struct Run {
    /// The promise that it broke.
    pub broken: Option<Broken>,
    /// Tells its sends from those of other runs.
    pub trace: Trace,
    /// Requests sent.
    pub sends: u64,
    /// What happened, if that was asked for.
    pub told: String,
}
