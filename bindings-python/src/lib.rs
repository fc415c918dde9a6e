//! The Python binding of the core: one file here per module of the core, under the same name.
//!
//! The binding converts and names; it holds no rule, default or limit. `errors` is the only place
//! that makes exceptions, `convert` the only one that knows how Python spells plain values.

#![expect(
    clippy::doc_link_with_quotes,
    clippy::doc_markdown,
    clippy::needless_pass_by_value,
    reason = "documentation is written for Python, and PyO3 hands arguments over by value"
)]

mod bridge;
mod convert;
mod engine;
mod errors;
mod extraction;
#[cfg(feature = "stubs")]
mod hints;
mod http;
mod names;
mod plan;
mod problem;
mod proxy;
mod rng;
mod schedule;
mod service;
mod shared;
mod zyte_api;

/// The compiled part of the package `silkline`; use the names that `silkline` exports.
#[pyo3::pymodule]
mod _core {
    #[pymodule_export]
    use crate::{
        bridge::{PyBridgeRelay, PyBridgeSend, PyBridgeTunnel, PyBridgedQuery, PyProxyBridge},
        engine::{
            PyAbort, PyExtractionEngine, PyExtractionFinished, PyExtractionSend, PyExtractionStats,
            PyExtractionStopped, PyExtractionUnmatched, PyIdle, PyProxyEndpoint, PyProxyEngine,
            PyProxyFetched, PyProxyFinished, PyProxyIncomplete, PyProxySend, PyProxySessionLost,
            PyProxyStats, PyProxyStopped, PyWaitUntil,
        },
        extraction::{PyExtractionApi, PyQuery, PyQueryError, PyQueryResult, PyUsage},
        http::{
            PyHeaders, PyRequest, basic_authorization, basic_credentials, parse_http_date,
            retry_after,
        },
        plan::PyPlanRun,
        problem::PyProblem,
        proxy::{
            PyProxiedRequest, PyProxyAnswer, PyProxyApi, PyProxyOptions, PySessionList,
            connect_status, proxy_leaks, read_connect_failure, strip_proxy_leaks,
        },
        rng::PyRng,
        schedule::{
            PyBudget, PyPace, PyPlace, PyPoolStats, PyProgress, PyRate, PyRateLimiter,
            PyRetryPolicy, PyRule, PySessionKey, PySessionPool, PyTurn, PyUnavailable, PyUse,
            PyWait,
        },
        service::{
            PyAnswer, PyExtractionService, PyFetch, PyFetchQuery, PyFetchedPage, PyProxyFetch,
            PyProxyRelay, PyProxyService, PyProxyWait, PyTunnel, PyZyteApiFetch, PyZyteApiPage,
            PyZyteApiService, PyZyteProxyService,
        },
        zyte_api::items::{PyConverted, PyUnmapped, from_zyte_api, to_zyte_api},
    };

    /// The version of this library.
    #[pymodule_export]
    const VERSION: &str = silkline::VERSION;

    /// The code of every error, sorted.
    #[pymodule_export]
    const ERROR_CODES: &[&str] = silkline::codes::ALL;

    /// The name of every page type.
    #[pymodule_export]
    const PAGE_TYPES: &[&str] = &crate::extraction::PAGE_TYPES;
}
