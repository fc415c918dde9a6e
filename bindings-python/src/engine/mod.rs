//! `silkline::engine` for Python: the machines that tie it together.

mod bodies;
mod contract;
mod extraction;
mod machine;
mod proxy;

pub(crate) use contract::{PyAbort, PyIdle, PyWaitUntil};
pub(crate) use extraction::{
    PyExtractionEngine, PyExtractionFinished, PyExtractionSend, PyExtractionStats,
    PyExtractionStopped, PyExtractionUnmatched,
};
pub(crate) use proxy::{
    PyProxyEndpoint, PyProxyEngine, PyProxyFetched, PyProxyFinished, PyProxyIncomplete,
    PyProxySend, PyProxySessionLost, PyProxyStats, PyProxyStopped,
};
