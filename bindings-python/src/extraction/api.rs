//! Queries to a request, and its answer to results.

use pyo3::prelude::*;
use silkline::{
    extraction::{self, DEFAULT_ENDPOINT, Dialect},
    http::InvalidEndpoint,
    zyte_api,
};

use super::{query::Queries, result::PyQueryResult};
use crate::{
    convert::{Body, ReceivedHeaders, Text, seconds},
    errors,
    http::PyRequest,
    names::{self, literal},
};

literal! {
    /// The service that queries go to.
    ExtractionDialectName { "automatic_extraction", "zyte_api" }
}

impl ExtractionDialectName {
    pub(super) fn into_core(self) -> PyResult<Dialect> {
        names::known(zyte_api::extraction_dialect(self.0), self.0)
    }
}

/// Bodies from this size on are read with the interpreter released, so that other threads run.
pub(crate) const BIG: usize = 64 * 1024;

/// The client's side of the protocol: queries to a request, and its answer to results.
///
/// It sends nothing: `request` gives what to send with any HTTP client, `results` reads what came
/// back. The key shows in the request only.
///
/// >>> from silkline import ExtractionApi, Query
/// >>> api = ExtractionApi("KEY")
/// >>> queries = [Query("https://example.com/", "article")]
/// >>> request = api.request(queries)
/// >>> request.method, request.url
/// ('POST', 'https://autoextract.scrapinghub.com/v1/extract')
/// >>> body = b'''[{"query": {"userQuery": {"url": "https://example.com/", "pageType": "article"}},
/// ...               "article": {"headline": "Example"}}]'''
/// >>> [result] = api.results(queries, 200, {"Content-Type": "application/json"}, body)
/// >>> result.item
/// {'headline': 'Example'}
///
/// With ``dialect="zyte_api"`` the same queries go to the successor, and its answers are read as if
/// they were the older service's.
///
/// >>> api = ExtractionApi("KEY", dialect="zyte_api")
/// >>> request = api.request(queries)
/// >>> request.url, request.body
/// ('https://api.zyte.com/v1/extract', b'{"url":"https://example.com/","article":true}')
#[pyclass(name = "ExtractionApi", module = "silkline", frozen)]
pub(crate) struct PyExtractionApi(pub(crate) extraction::ExtractionApi);

#[pymethods]
impl PyExtractionApi {
    /// The address of the service, unless another is given.
    #[classattr]
    const DEFAULT_ENDPOINT: &'static str = DEFAULT_ENDPOINT;

    #[new]
    #[pyo3(signature = (
        api_key, endpoint = None, dialect = ExtractionDialectName("automatic_extraction")
    ))]
    fn new(
        py: Python<'_>,
        api_key: Text,
        endpoint: Option<Text>,
        dialect: ExtractionDialectName,
    ) -> PyResult<Self> {
        let mut api = extraction::ExtractionApi::new(api_key.value)
            .map_err(|error| errors::api_key(py, &error))?
            .with_dialect(dialect.into_core()?);
        if let Some(endpoint) = endpoint {
            api = match endpoint.lone_surrogate {
                None => api.with_endpoint(endpoint.value),
                Some(_) => Err(InvalidEndpoint::Url { endpoint: endpoint.value }),
            }
            .map_err(|error| errors::endpoint(py, &error))?;
        }
        Ok(Self(api))
    }

    /// The address that requests go to.
    #[getter]
    fn endpoint(&self) -> &str {
        self.0.endpoint()
    }

    /// The service that is spoken to.
    #[getter]
    fn dialect(&self) -> ExtractionDialectName {
        ExtractionDialectName(self.0.dialect().name())
    }

    /// The most queries that one request may carry.
    #[getter]
    fn max_queries(&self) -> usize {
        self.0.dialect().max_queries()
    }

    /// How many seconds an answer may take before a client should give up.
    #[getter]
    fn deadline(&self) -> f64 {
        seconds(self.0.dialect().deadline())
    }

    /// The request that carries the queries: `Query` objects, or mappings in the service's own
    /// spelling.
    ///
    /// >>> from silkline import ExtractionApi
    /// >>> api = ExtractionApi("KEY", endpoint="http://localhost:8010/v1/extract")
    /// >>> request = api.request([{"url": "https://example.com/", "pageType": "product"}])
    /// >>> request.body
    /// b'[{"url":"https://example.com/","pageType":"product"}]'
    /// >>> request.headers["Content-Type"]
    /// 'application/json'
    fn request(&self, py: Python<'_>, queries: Queries) -> PyResult<PyRequest> {
        let request = self.0.request(&queries.queries);
        PyRequest::from_core(py, request.map_err(|error| errors::batch(py, &error))?)
    }

    /// Reads the answer to a request of these queries: one result for each, in their order, then
    /// the results that belong to none of them.
    ///
    /// The body has any content coding undone; `bytes` are kept, not copied. Raises `ServiceError`
    /// if there are no results at all; an error of one query is `Result.error`.
    ///
    /// >>> from silkline import ExtractionApi, Query
    /// >>> api = ExtractionApi("KEY")
    /// >>> queries = [Query("https://example.com/", "article")]
    /// >>> [result] = api.results(queries, 200, [], b"[]")
    /// >>> result.ok, result.error.code
    /// (False, 'missing_result')
    fn results(
        &self,
        py: Python<'_>,
        queries: Queries,
        status: u16,
        headers: ReceivedHeaders,
        body: Body,
    ) -> PyResult<Vec<PyQueryResult>> {
        let (bytes, list) = (body.0.as_bytes(py), &queries.queries);
        let entries = if bytes.len() < BIG {
            self.0.read(list, status, &headers.0, bytes)
        } else {
            py.detach(|| self.0.read(list, status, &headers.0, bytes))
        };
        let entries = entries.map_err(|fault| {
            errors::service(py, &fault, list.len(), headers.0, body.0.clone_ref(py))
        })?;
        let result = |entry| PyQueryResult::new(py, entry, &queries.objects, &body.0);
        entries.into_iter().map(result).collect()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let endpoint = self.endpoint().into_pyobject(py)?.repr()?.to_string();
        let dialect = self.0.dialect();
        Ok(if dialect == Dialect::AUTOMATIC_EXTRACTION {
            format!("ExtractionApi(endpoint={endpoint})")
        } else {
            format!("ExtractionApi(endpoint={endpoint}, dialect='{}')", dialect.name())
        })
    }
}
