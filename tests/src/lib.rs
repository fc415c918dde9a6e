//! What the conformance tests share.

mod engine;
mod extraction;
pub mod given;
mod http;
pub mod json_reader;
mod problem;
mod proxy;
mod schedule;
pub mod vectors;
