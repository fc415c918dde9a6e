//! `silkline::extraction` for Python: queries, the requests that carry them, and their answers.

mod api;
mod query;
mod query_error;
mod result;
mod usage;

pub(crate) use api::PyExtractionApi;
pub(crate) use query::PyQuery;
pub(crate) use query_error::PyQueryError;
pub(crate) use result::PyQueryResult;
pub(crate) use usage::PyUsage;
