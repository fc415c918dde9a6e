//! What the conformance tests share.

mod extraction;
pub mod given;
mod http;
pub mod json_reader;
mod problem;
mod proxy;
pub mod vectors;
