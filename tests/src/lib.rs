//! What the conformance tests share.

pub mod given;
mod proxy;
pub mod vectors;
