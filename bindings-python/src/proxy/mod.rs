//! `silkline::proxy` for Python: options, proxied requests, their answers, and the sessions calls.

mod answer;
mod api;
mod options;

pub(crate) use answer::{PyProxyAnswer, PySessionList, ServiceErrorObject};
pub(crate) use api::{
    PyProxiedRequest, PyProxyApi, connect_status, proxy_leaks, read_connect_failure,
    strip_proxy_leaks,
};
pub(crate) use options::PyProxyOptions;
