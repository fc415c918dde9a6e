//! The Automatic Extraction protocol: queries, the requests that carry them, and their answers.

mod api;
mod invalid;
mod page_type;
mod query;
mod query_json;
mod url_check;

pub use api::{DEFAULT_ENDPOINT, ExtractionApi, InvalidBatch, MAX_QUERIES};
pub use invalid::{InvalidQuery, lone_surrogate_position};
pub use page_type::PageType;
pub use query::{MAX_CUSTOM_HTML, MAX_META, MAX_URL, Query};
