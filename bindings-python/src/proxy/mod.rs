//! `silkline::proxy` for Python: options, proxied requests, their answers, and the sessions calls.

mod answer;
mod api;
mod options;

pub(crate) use answer::{PyProxyAnswer, PySessionList};
pub(crate) use api::{PyProxiedRequest, PyProxyApi, connect_status, read_connect_failure};
pub(crate) use options::PyProxyOptions;
