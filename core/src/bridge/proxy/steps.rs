//! What passes between the bridge and its host, and what is counted.

use alloc::{boxed::Box, collections::BTreeMap, string::String};

use serde::Serialize;

use crate::{
    http::{Headers, Response},
    proxy::ProxiedRequest,
};

/// An open tunnel: what its CONNECT said counts for each request inside.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BridgeTunnel {
    /// Host and port of the target.
    pub authority: String,
    /// The headers of the answer to the CONNECT.
    pub answer_headers: Headers,
    pub(super) authorization: String,
    pub(super) options: Headers,
}

/// What becomes of a CONNECT.
#[derive(Clone, Debug)]
pub enum BridgeConnect {
    /// It is refused.
    Answer(Response),
    /// The host answers 200 with these headers and opens TLS towards the program.
    Tunnel(Box<BridgeTunnel>),
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum BridgeStep {
    /// It is answered with this; nothing else follows.
    Answer(Response),
    /// The host sends this through Zyte API's proxy, and tells what came of it.
    Send(Box<BridgeSend>),
}

/// A request for the proxy behind.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BridgeSend {
    /// By which to speak of it.
    pub ticket: u64,
    /// The request as it goes out; its body stays with the host.
    pub proxied: ProxiedRequest,
}

/// What an answer becomes.
#[derive(Clone, Debug)]
pub enum BridgeRelay {
    /// An error of the service, in the older words: nothing of the body is passed on.
    Answer(Response),
    /// The target's own: the head to pass on before the body.
    Pass {
        /// The status.
        status: u16,
        /// The headers.
        headers: Headers,
    },
}

/// What a bridge counted.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ProxyBridgeStats {
    /// Requests for a target.
    pub requests: u64,
    /// Answers of targets passed on.
    pub relayed: u64,
    /// Requests whose program went away before there was an answer.
    pub abandoned: u64,
    /// Errors answered, by code, those to CONNECTs and to calls of the sessions API too.
    pub errors: BTreeMap<String, u64>,
    /// Sessions made.
    pub sessions_created: u64,
    /// Sessions deleted by their owner.
    pub sessions_deleted: u64,
    /// Sessions that ended by time or that Zyte API ended.
    pub sessions_ended: u64,
    /// Sessions that live.
    pub sessions_living: usize,
    /// Options that were not passed on, by what is said of them.
    pub unmapped: BTreeMap<String, u64>,
}
