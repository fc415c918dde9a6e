//! What the conformance tests share.

mod extraction;
pub mod given;
mod http;
mod problem;
mod proxy;
pub mod vectors;
