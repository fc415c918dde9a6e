//! What the conformance tests share.

mod bridge;
mod engine;
mod engine_proxy;
mod extraction;
pub mod given;
mod http;
pub mod item_converter;
pub mod json_reader;
mod plan;
mod problem;
mod proxy;
mod schedule;
mod service;
pub mod simulation;
pub mod vectors;
mod zyte_api;

/// The readme's example, run as documentation tests are.
#[doc = include_str!("../../README.md")]
#[cfg(doctest)]
pub struct Readme;
