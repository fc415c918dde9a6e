//! Slow and obvious schedulers, to compare the quick ones with on random sequences of operations.

mod domains;
mod sessions;

pub use domains::compare as compare_queues;
pub use sessions::compare as compare_pool;
