//! What the conformance tests share: how a vector's inputs are read, and what each of its
//! operations calls.

pub mod extraction;
pub mod given;
pub mod http;
pub mod problem;
