//! The services' side of the protocols: machines for sandboxes, tests and simulations.
//!
//! A machine here answers as the service would, from the bytes of the requests alone: it opens no
//! socket, fetches no page and reads no clock. It judges pace with arithmetic of its own and
//! shares no rule with the side that sends, so that one mistake cannot hide on both.

mod answer;
mod domains;
pub mod extraction;
mod faults;
mod keys;
mod pace;
pub mod proxy;
pub mod zyte_api;

pub use answer::{Answer, Delivery};
pub use faults::InvalidFaults;
#[cfg(feature = "bridge")]
pub(crate) use keys::Access;
pub use keys::Keys;
pub use pace::Pace;
