//! `silkline::extraction` for Python: queries, the requests that carry them, and their answers.

use silkline::extraction::PageType;

mod api;
mod query;
mod query_error;
mod result;
mod usage;

pub(crate) use api::{BIG, PyExtractionApi};
pub(crate) use query::{OneQuery, PyQuery, QueryIter};
pub(crate) use query_error::PyQueryError;
pub(crate) use result::PyQueryResult;
pub(crate) use usage::PyUsage;

/// The name of every page type.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler only")]
pub(crate) const PAGE_TYPES: [&str; PageType::ALL.len()] = {
    let mut names = [""; PageType::ALL.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = PageType::ALL[index].as_str();
        index += 1;
    }
    names
};
