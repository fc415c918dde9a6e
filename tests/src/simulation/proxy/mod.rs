//! The proxy engine against the proxy service.

mod crawl;
mod driver;
mod small;
mod storm;
mod world;

pub use crawl::{Crawl, Faults, crawl};
pub use small::{run_small, run_small_restoring};
pub use storm::{storm, suspension};
