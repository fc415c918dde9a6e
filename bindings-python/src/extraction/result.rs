//! What the service found out about one query.

use std::{borrow::Cow, collections::BTreeMap};

use pyo3::{
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyMemoryView},
};
use silkline::{
    extraction::{Envelope, PageType, ResultEntry, ResultView},
    json::Span,
};

use super::{PyQuery, PyQueryError, api::ExtractionDialectName};
use crate::convert::{self, Members};

/// Place and JSON text of each part of an item that was lost in conversion.
type Unmapped = Vec<(String, String)>;

/// What the service found out about one query.
///
/// It keeps the bytes of its answer, and decodes a part when it is first asked for.
///
/// >>> from silkline import ExtractionApi, Query
/// >>> api = ExtractionApi("KEY")
/// >>> queries = [Query("https://example.com/", "product", meta="7")]
/// >>> body = b'''[{
/// ...     "query": {"id": "1-a", "domain": "example.com", "userQuery": {
/// ...         "url": "https://example.com/", "pageType": "product", "meta": "7"}},
/// ...     "product": {"name": "Lamp"}, "webPage": {}, "algorithmVersion": "1.2", "more": [1]}]'''
/// >>> [result] = api.results(queries, 200, [], body)
/// >>> result.ok, result.item, bytes(result.item_bytes)
/// (True, {'name': 'Lamp'}, b'{"name": "Lamp"}')
/// >>> result.query is queries[0], result.id, result.domain, result.meta
/// (True, '1-a', 'example.com', '7')
/// >>> result.unknown
/// {'more': [1]}
#[pyclass(name = "Result", module = "silkline", frozen)]
pub(crate) struct PyQueryResult {
    entry: ResultEntry,
    body: Py<PyBytes>,
    /// The query that it belongs to; `None` for a result that belongs to none.
    #[pyo3(get)]
    query: Option<Py<PyQuery>>,
    /// Why there is no item; `None` if there is one.
    #[pyo3(get)]
    error: Option<Py<PyQueryError>>,
    item: PyOnceLock<Py<PyAny>>,
    item_native: PyOnceLock<Py<PyAny>>,
    /// The item in another schema than the service's, and what was lost; if there is such.
    converted: PyOnceLock<Option<(Py<PyBytes>, Unmapped)>>,
    web_page: PyOnceLock<Py<PyAny>>,
}

impl PyQueryResult {
    /// A result among those of an answer to these queries.
    pub(super) fn new(
        py: Python<'_>,
        entry: ResultEntry,
        queries: &[Py<PyQuery>],
        body: &Py<PyBytes>,
    ) -> PyResult<Self> {
        let query = entry.query_index.and_then(|index| queries.get(index));
        let query = query.map(|query| query.clone_ref(py));
        Self::of(py, entry, query, body.clone_ref(py))
    }

    /// A result of this query in these bytes.
    pub(crate) fn of(
        py: Python<'_>,
        entry: ResultEntry,
        query: Option<Py<PyQuery>>,
        body: Py<PyBytes>,
    ) -> PyResult<Self> {
        let error = entry.error.as_ref().map(|error| Py::new(py, PyQueryError::from(error)));
        Ok(Self {
            query,
            error: error.transpose()?,
            entry,
            body,
            item: PyOnceLock::new(),
            item_native: PyOnceLock::new(),
            converted: PyOnceLock::new(),
            web_page: PyOnceLock::new(),
        })
    }

    pub(super) fn entry(&self) -> &ResultEntry {
        &self.entry
    }

    pub(crate) fn error_object(&self) -> Option<&Py<PyQueryError>> {
        self.error.as_ref()
    }

    pub(crate) fn view<'a>(&'a self, py: Python<'a>) -> ResultView<'a> {
        ResultView::new(&self.entry, self.body.as_bytes(py))
    }

    fn converted(&self, py: Python<'_>) -> Option<&(Py<PyBytes>, Unmapped)> {
        let convert = || {
            let converted = self.view(py).converted()?;
            Some((PyBytes::new(py, converted.item.as_bytes()).unbind(), converted.unmapped))
        };
        self.converted.get_or_init(py, convert).as_ref()
    }

    fn memory<'py>(
        &self,
        py: Python<'py>,
        part: impl Fn(&Envelope) -> Option<Span>,
    ) -> PyResult<Option<Bound<'py, PyMemoryView>>> {
        let span = self.entry.envelope.as_ref().and_then(part);
        span.map(|span| convert::memory(self.body.bind(py), span)).transpose()
    }
}

#[pymethods]
impl PyQueryResult {
    /// Whether there is an item.
    #[getter]
    fn ok(&self) -> bool {
        self.entry.error.is_none()
    }

    /// The index of the query that it belongs to.
    #[getter]
    fn query_index(&self) -> Option<usize> {
        self.entry.query_index
    }

    /// The page type that was asked for; for a result that belongs to no query, the one it tells.
    #[getter]
    fn page_type(&self) -> Option<&'static str> {
        self.entry.page_type.map(PageType::as_str)
    }

    /// The item, decoded by `json.loads` when it is first asked for; then the same object.
    #[getter]
    fn item<'py>(&self, py: Python<'py>) -> PyResult<Option<Members<'py>>> {
        let Some(bytes) = self.view(py).item_native().filter(|_| self.ok()) else {
            return Ok(None);
        };
        let bytes = self.converted(py).map_or(bytes, |(item, _)| item.as_bytes(py));
        let decode = || convert::from_json(py, bytes).map(Bound::unbind);
        let item = self.item.get_or_try_init(py, decode)?.bind(py);
        Ok(Some(Members(item.cast()?.clone())))
    }

    /// The item's JSON text, as a view of the answer's bytes, or of those it was converted to.
    #[getter]
    fn item_bytes<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyMemoryView>>> {
        if !self.ok() {
            return Ok(None);
        }
        match self.converted(py) {
            None => self.item_native_bytes(py),
            Some((item, _)) => {
                let span = Span { start: 0, end: item.as_bytes(py).len() };
                convert::memory(item.bind(py), span).map(Some)
            }
        }
    }

    /// The item as the service sent it; also one that came with an error. The same as `item` in
    /// the dialect whose schema that is.
    ///
    /// >>> from silkline import ExtractionApi
    /// >>> api = ExtractionApi("KEY", dialect="zyte_api")
    /// >>> queries = [{"url": "https://example.com/", "pageType": "product"}]
    /// >>> body = b'{"product": {"brand": {"name": "B"}, "metadata": {"probability": 0.5}}}'
    /// >>> [result] = api.results(queries, 200, [], body)
    /// >>> result.item_native
    /// {'brand': {'name': 'B'}, 'metadata': {'probability': 0.5}}
    /// >>> result.item["brand"], result.item["probability"]
    /// ('B', 0.5)
    #[getter]
    fn item_native<'py>(&self, py: Python<'py>) -> PyResult<Option<Members<'py>>> {
        if self.converted(py).is_none() && self.ok() {
            return self.item(py);
        }
        let Some(bytes) = self.view(py).item_native() else { return Ok(None) };
        let decode = || convert::from_json(py, bytes).map(Bound::unbind);
        let item = self.item_native.get_or_try_init(py, decode)?.bind(py);
        Ok(Some(Members(item.cast()?.clone())))
    }

    /// The JSON text of the item as the service sent it, as a view of the answer's bytes.
    #[getter]
    fn item_native_bytes<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<Option<Bound<'py, PyMemoryView>>> {
        self.memory(py, |envelope| envelope.item)
    }

    /// What `item` has no room for: each such part of `item_native`, by its place there (a JSON
    /// pointer); a new dict each time.
    #[getter]
    fn unmapped<'py>(&self, py: Python<'py>) -> PyResult<Members<'py>> {
        let parts = self.converted(py).map_or(&[][..], |(_, unmapped)| unmapped);
        let parts = parts.iter().map(|(path, json)| (path.as_str(), json.as_bytes()));
        convert::members(py, parts)
    }

    /// The service that answered.
    #[getter]
    fn dialect(&self) -> ExtractionDialectName {
        ExtractionDialectName(self.entry.dialect.name())
    }

    /// The result as the Automatic Extraction API would have written it, whatever the service.
    fn to_json(&self, py: Python<'_>) -> String {
        self.view(py).to_json(self.query.as_ref().map(|query| &query.get().0))
    }

    /// The service's id of the query.
    #[getter]
    fn id<'a>(&'a self, py: Python<'a>) -> Option<Cow<'a, str>> {
        self.view(py).id()
    }

    /// The domain that the service counts the query to.
    #[getter]
    fn domain<'a>(&'a self, py: Python<'a>) -> Option<Cow<'a, str>> {
        self.view(py).domain()
    }

    /// The URL that the result repeats.
    #[getter]
    fn url<'a>(&'a self, py: Python<'a>) -> Option<Cow<'a, str>> {
        self.view(py).url()
    }

    /// The meta that the result repeats.
    #[getter]
    fn meta<'a>(&'a self, py: Python<'a>) -> Option<Cow<'a, str>> {
        self.view(py).meta()
    }

    /// The JSON text of what the result says of its query, as a view of the answer's bytes.
    #[getter]
    fn query_bytes<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyMemoryView>>> {
        self.memory(py, |envelope| envelope.query)
    }

    /// What the service knows of the page, such as its languages; decoded when first asked for.
    #[getter]
    fn web_page<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(bytes) = self.view(py).web_page() else { return Ok(None) };
        let decode = || convert::from_json(py, bytes).map(Bound::unbind);
        Ok(Some(self.web_page.get_or_try_init(py, decode)?.bind(py).clone()))
    }

    /// The JSON text of `web_page`, as a view of the answer's bytes.
    #[getter]
    fn web_page_bytes<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyMemoryView>>> {
        self.memory(py, |envelope| envelope.web_page)
    }

    /// The HTML of the whole page, if it was asked for; decoded each time.
    #[getter]
    fn html<'a>(&'a self, py: Python<'a>) -> Option<Cow<'a, str>> {
        self.view(py).html()
    }

    /// The version of the service's algorithm.
    #[getter]
    fn algorithm_version<'a>(&'a self, py: Python<'a>) -> Option<Cow<'a, str>> {
        self.view(py).algorithm_version()
    }

    /// Each member that none of the above gives; looked for and decoded each time.
    #[getter]
    fn unknown<'py>(&self, py: Python<'py>) -> PyResult<Members<'py>> {
        convert::members(py, self.view(py).unknown())
    }

    /// The JSON text of each of the unknown members, as views of the answer's bytes.
    #[getter]
    fn unknown_bytes<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<BTreeMap<String, Bound<'py, PyMemoryView>>> {
        let body = self.body.bind(py);
        let begin = body.as_bytes().as_ptr().addr();
        let part = |json: &[u8]| {
            let start = json.as_ptr().addr() - begin;
            convert::memory(body, Span { start, end: start + json.len() })
        };
        let members = self.view(py).unknown().into_iter();
        members.map(|(name, json)| Ok((name.into_owned(), part(json)?))).collect()
    }

    /// The JSON text of the whole result, as a view of the answer's bytes; `None` if the answer has
    /// no result for the query.
    #[getter]
    fn raw<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyMemoryView>>> {
        self.memory(py, |envelope| Some(envelope.result))
    }

    pub(crate) fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let outcome = match &self.error {
            None => "ok".into(),
            Some(error) => error.get().__repr__(py)?,
        };
        let query = match &self.query {
            None => "None".into(),
            Some(query) => query.get().__repr__(py)?,
        };
        Ok(format!("<Result {outcome} of {query}>"))
    }
}
