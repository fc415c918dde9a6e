//! Between programs that speak the two older protocols and the service that takes their place.
//!
//! Unchanged programs talk to a local bridge as to the Automatic Extraction API and to Smart Proxy
//! Manager; it does what they ask for through Zyte API, and answers in the words that they know.
//! Here is what it needs to know; sockets are its host's.

mod extraction;
mod proxy;

pub use extraction::BridgedQuery;
pub use proxy::{
    BridgeConnect, BridgeRelay, BridgeSend, BridgeStep, BridgeTunnel, ProxyBridge, ProxyBridgeStats,
};
