//! Zyte API, the successor of both services.
//!
//! Programs that were written against Automatic Extraction and Smart Proxy Manager keep what they
//! send and what they read; here is what lies between the two.

pub mod items;
