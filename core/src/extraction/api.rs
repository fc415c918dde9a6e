//! The requests that carry queries.

use alloc::{string::String, sync::Arc, vec::Vec};

use super::{Dialect, InvalidQuery, Query, QueryResult, ResultEntry, ServiceError, ServiceFault};
use crate::{
    VERSION,
    http::{ApiKey, Endpoint, Headers, InvalidApiKey, InvalidEndpoint, Method, Request, Response},
};

/// Where the service lives (Automatic Extraction API docs, How the API works).
pub const DEFAULT_ENDPOINT: &str = "https://autoextract.scrapinghub.com/v1/extract";
/// The most queries that one request may carry (the docs, Restrictions and Failure Modes).
pub const MAX_QUERIES: usize = 100;

/// A list of queries that no request can carry.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidBatch {
    /// There is no query.
    #[error("a request carries 1 to {MAX_QUERIES} queries, not 0")]
    Empty,
    /// The service cannot do what one of the queries asks for.
    #[error(transparent)]
    Query(#[from] InvalidQuery),
    /// There are too many queries.
    #[error("a request carries {}, not {count}", carried(*limit))]
    TooMany {
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
}

fn carried(limit: usize) -> String {
    if limit == 1 { "1 query".into() } else { alloc::format!("1 to {limit} queries") }
}

impl InvalidBatch {
    /// The codes of this error, beside those of the one it passes on.
    pub const CODES: &'static [&'static str] = &["batch_empty", "batch_too_large"];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "batch_empty",
            Self::Query(error) => error.code(),
            Self::TooMany { .. } => "batch_too_large",
        }
    }
}

/// The client's side of the protocol: queries to a request, and its answer to results.
///
/// ```
/// use silkline::extraction::{ExtractionApi, PageType, Query};
///
/// let api = ExtractionApi::new("my-key")?;
/// let query = Query::new("https://example.com/a", PageType::Article)?;
/// let request = api.request(&[query])?;
/// assert_eq!(request.method.as_str(), "POST");
/// assert_eq!(request.headers.get("Content-Type"), Some("application/json"));
/// # Ok::<(), silkline::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExtractionApi {
    api_key: ApiKey,
    endpoint: Option<Endpoint>,
    dialect: Dialect,
}

impl ExtractionApi {
    /// A client for the service's own address.
    pub fn new(api_key: impl Into<String>) -> Result<Self, InvalidApiKey> {
        ApiKey::new(api_key).map(Self::from)
    }

    /// The same for another service. Defaults to [`Dialect::AUTOMATIC_EXTRACTION`].
    #[must_use]
    pub fn with_dialect(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }

    /// The service that is spoken to.
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The same for a service at another address. Defaults to the service's own, which is
    /// [`DEFAULT_ENDPOINT`] for the Automatic Extraction API.
    pub fn with_endpoint(self, endpoint: impl Into<String>) -> Result<Self, InvalidEndpoint> {
        Ok(Self { endpoint: Some(Endpoint::new(endpoint)?), ..self })
    }

    /// The address that requests go to.
    pub fn endpoint(&self) -> &str {
        self.endpoint.as_ref().map_or(self.dialect.default_endpoint(), Endpoint::as_str)
    }

    /// The request that carries the queries (the docs, Requests; Batching Queries).
    pub fn request(&self, queries: &[Query]) -> Result<Request, InvalidBatch> {
        let (count, limit) = (queries.len(), self.dialect.max_queries());
        if count == 0 {
            return Err(InvalidBatch::Empty);
        }
        if count > limit {
            return Err(InvalidBatch::TooMany { count, limit });
        }
        queries.iter().try_for_each(|query| self.dialect.check(query))?;
        let mut headers = Headers::new();
        headers.push("Authorization", self.api_key.basic());
        headers.push("Content-Type", "application/json");
        headers.push("Accept", "application/json");
        headers.push("Accept-Encoding", "gzip");
        headers.push("User-Agent", alloc::format!("silkline/{VERSION}"));
        let mut body = String::new();
        self.dialect.wire().write(queries, &mut body);
        Ok(Request::new(Method::POST, self.endpoint()).with_headers(headers).with_body(body))
    }

    /// Reads the answer to a request of these queries: one result for each, in their order, then
    /// the results that belong to none of them, in the order of the answer.
    ///
    /// A query without a result has the error `missing_result`. A result that fits a query which
    /// has one already is `surplus_result`, one that fits none is `foreign_result`, and one that
    /// fits several different ones is `ambiguous_result`.
    pub fn results(
        &self,
        queries: &[Query],
        response: Response,
    ) -> Result<Vec<QueryResult>, ServiceError> {
        match self.read(queries, response.status, &response.headers, &response.body) {
            Ok(entries) => {
                let body = Arc::new(response.body);
                let result = |entry| QueryResult::new(entry, Arc::clone(&body));
                Ok(entries.into_iter().map(result).collect())
            }
            Err(fault) => Err(ServiceError::new(fault, response)),
        }
    }

    /// The same as [`results`](Self::results) over an answer that the caller keeps: the entries
    /// hold offsets into the body.
    pub fn read(
        &self,
        queries: &[Query],
        status: u16,
        headers: &Headers,
        body: &[u8],
    ) -> Result<Vec<ResultEntry>, ServiceFault> {
        self.dialect.wire().read(queries, status, headers, body)
    }
}

impl From<ApiKey> for ExtractionApi {
    fn from(api_key: ApiKey) -> Self {
        Self { api_key, endpoint: None, dialect: Dialect::default() }
    }
}
