//! The Automatic Extraction protocol: queries, the requests that carry them, and their answers.
//!
//! ```
//! use silkline::{
//!     extraction::{ExtractionApi, PageType, Query},
//!     http::{Headers, Response},
//! };
//!
//! let api = ExtractionApi::new("my-key")?;
//! let queries = [Query::new("https://example.com/a", PageType::Article)?];
//! let request = api.request(&queries)?; // send it with any HTTP client
//! let body = r#"[{"query": {"userQuery": {"url": "https://example.com/a", "pageType": "article"}},
//!                 "article": {"headline": "A"}}]"#;
//! let results = api.results(&queries, Response::new(200, Headers::new(), body))?;
//! assert_eq!(results[0].item().unwrap().unwrap()["headline"], "A");
//! # Ok::<(), silkline::Error>(())
//! ```

mod answer;
mod api;
mod decode;
mod dialect;
mod envelope;
mod invalid;
mod legacy;
mod matching;
mod page_type;
mod query;
mod query_error;
mod query_json;
mod result;
mod service_error;
mod url_check;
mod usage;

pub use answer::{AnswerHead, ResultEntry};
pub use api::{DEFAULT_ENDPOINT, ExtractionApi, InvalidBatch, MAX_QUERIES};
pub use dialect::{ConvertedItem, Dialect};
pub use envelope::Envelope;
pub use invalid::{InvalidQuery, lone_surrogate_position};
pub use page_type::PageType;
pub use query::{MAX_CUSTOM_HTML, MAX_META, MAX_URL, Query};
pub use query_error::QueryError;
pub use result::{QueryResult, ResultView, unknown_members};
pub use service_error::{RetryClass, ServiceError, ServiceFault};
pub use usage::Usage;

pub(crate) use answer::check_content;
pub(crate) use dialect::{UrlUnit, Wire};
pub(crate) use query::write_name;
pub(crate) use service_error::Unreadable;
