//! Queries.

#[cfg(feature = "stubs")]
use pyo3::inspect::PyStaticExpr;
use pyo3::{
    Borrowed,
    exceptions::PyTypeError,
    prelude::*,
    types::{PyDict, PyIterator, PyString, PyType},
};
use silkline::{
    extraction::{Dialect, InvalidQuery, Query},
    zyte_api,
};

use super::api::ExtractionDialectName;
use crate::{
    convert::{self, Members, Rebuild, Text},
    errors,
    names::match_args,
};

match_args!(QueryArgs: "url", "page_type");

/// A page to extract, and how.
///
/// A query is checked when it is made, so one that exists can be sent. `extra` holds members that
/// the service's documentation does not name; their values are anything that JSON can hold. The
/// successor's ``dialect`` has room for longer URLs.
///
/// >>> from silkline import Query
/// >>> query = Query("https://example.com/", "article", meta="first", extra={"tag": [1]})
/// >>> query
/// Query('https://example.com/', 'article', meta='first', extra={'tag': [1]})
/// >>> query.to_json()
/// '{"url":"https://example.com/","pageType":"article","meta":"first","tag":[1]}'
/// >>> Query("example.com", "article")
/// Traceback (most recent call last):
/// ...
/// silkline.exceptions.InvalidQuery: query url `example.com` (11 characters) is not an absolute http(s) url with a host
#[pyclass(name = "Query", module = "silkline", frozen, eq, hash)]
#[derive(Clone, Eq, Hash, PartialEq)]
pub(crate) struct PyQuery(pub(crate) Query);

/// The text of a member, which must be Unicode.
fn unicode(field: &str, text: Text) -> Result<String, InvalidQuery> {
    match text.lone_surrogate {
        None => Ok(text.value),
        Some(position) => Err(InvalidQuery::lone_surrogate(field, position)),
    }
}

struct Options<'py> {
    meta: Option<Text>,
    article_body_raw: Option<bool>,
    full_html: Option<bool>,
    custom_html: Option<Text>,
    extra: Option<Bound<'py, PyDict>>,
    dialect: Dialect,
}

/// The dialect that takes the longest URLs: where a query comes to a service, that one judges.
const LONGEST: Dialect = zyte_api::EXTRACTION;

fn build(
    url: Text,
    page_type: Text,
    options: Options<'_>,
) -> PyResult<Result<Query, InvalidQuery>> {
    let mut extra = Vec::new();
    for (name, value) in options.extra.iter().flatten() {
        extra.push((name.extract::<Text>()?, convert::to_json(&value)?));
    }
    let make = || {
        let page_type = unicode("pageType", page_type)?.parse()?;
        let mut query = Query::new_in(options.dialect, unicode("url", url)?, page_type)?;
        if let Some(meta) = options.meta {
            query = query.with_meta(unicode("meta", meta)?)?;
        }
        if let Some(wanted) = options.article_body_raw {
            query = query.with_article_body_raw(wanted);
        }
        if let Some(wanted) = options.full_html {
            query = query.with_full_html(wanted);
        }
        if let Some(html) = options.custom_html {
            query = query.with_custom_html(unicode("customHtml", html)?)?;
        }
        for (name, value) in extra {
            let shown = name.value.clone();
            query = query.with_extra(&unicode(&shown, name)?, &value)?;
        }
        Ok(query)
    };
    Ok(make())
}

#[pymethods]
impl PyQuery {
    #[classattr]
    fn __match_args__() -> QueryArgs {
        QueryArgs
    }

    #[new]
    #[pyo3(signature = (
        url, page_type, *, meta = None, article_body_raw = None, full_html = None,
        custom_html = None, extra = None,
        dialect = ExtractionDialectName("automatic_extraction")
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn new(
        py: Python<'_>,
        url: Text,
        page_type: Text,
        meta: Option<Text>,
        article_body_raw: Option<bool>,
        full_html: Option<bool>,
        custom_html: Option<Text>,
        extra: Option<Members<'_>>,
        dialect: ExtractionDialectName,
    ) -> PyResult<Self> {
        let dialect = dialect.into_core()?;
        let extra = extra.map(|members| members.0);
        let options = Options { meta, article_body_raw, full_html, custom_html, extra, dialect };
        build(url, page_type, options)?.map(Self).map_err(|error| errors::query(py, &error))
    }

    /// Reads a query from JSON text in the service's own spelling.
    ///
    /// >>> from silkline import Query
    /// >>> Query.from_json('{"url": "https://example.com/", "pageType": "product"}')
    /// Query('https://example.com/', 'product')
    #[classmethod]
    #[pyo3(signature = (json, *, dialect = ExtractionDialectName("automatic_extraction")))]
    fn from_json(
        cls: &Bound<'_, PyType>,
        json: &Bound<'_, PyString>,
        dialect: ExtractionDialectName,
    ) -> PyResult<Self> {
        let (json, dialect) = (convert::json_text(json)?, dialect.into_core()?);
        Query::from_json_in(dialect, &json)
            .map(Self)
            .map_err(|error| errors::query(cls.py(), &error))
    }

    /// The query as compact JSON, as it is sent.
    ///
    /// >>> from silkline import Query
    /// >>> Query("https://example.com/", "product", full_html=True).to_json()
    /// '{"url":"https://example.com/","pageType":"product","fullHtml":true}'
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    /// The URL as given.
    #[getter]
    fn url(&self) -> &str {
        self.0.url()
    }

    /// The page type, one of `PAGE_TYPES`.
    #[getter]
    fn page_type(&self) -> &'static str {
        self.0.page_type().as_str()
    }

    /// The text that comes back with the result.
    #[getter]
    fn meta(&self) -> Option<&str> {
        self.0.meta()
    }

    /// Whether the article's HTML is wanted; `None` leaves it to the service.
    #[getter]
    fn article_body_raw(&self) -> Option<bool> {
        self.0.article_body_raw()
    }

    /// Whether the whole page's HTML is wanted; `None` leaves it to the service.
    #[getter]
    fn full_html(&self) -> Option<bool> {
        self.0.full_html()
    }

    /// The HTML to extract from.
    #[getter]
    fn custom_html(&self) -> Option<&str> {
        self.0.custom_html()
    }

    /// The members that the documentation does not name; a new dict each time.
    #[getter]
    fn extra<'py>(&self, py: Python<'py>) -> PyResult<Members<'py>> {
        convert::members(py, self.0.extra().map(|(name, json)| (name, json.as_bytes())))
    }

    pub(crate) fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let text =
            |text: &str| -> PyResult<String> { Ok(PyString::new(py, text).repr()?.to_string()) };
        let flag = |wanted| if wanted { "True" } else { "False" };
        let mut parts = vec![text(self.url())?, text(self.page_type())?];
        if let Some(meta) = self.meta() {
            parts.push(format!("meta={}", text(meta)?));
        }
        if let Some(wanted) = self.article_body_raw() {
            parts.push(format!("article_body_raw={}", flag(wanted)));
        }
        if let Some(wanted) = self.full_html() {
            parts.push(format!("full_html={}", flag(wanted)));
        }
        if let Some(html) = self.custom_html() {
            parts.push(format!("custom_html=<{} characters>", html.chars().count()));
        }
        let extra = self.extra(py)?.0;
        if !extra.is_empty() {
            parts.push(format!("extra={}", extra.repr()?));
        }
        Ok(format!("Query({})", parts.join(", ")))
    }

    /// What pickling made text of.
    #[classmethod]
    fn _rebuild(cls: &Bound<'_, PyType>, json: &str) -> PyResult<Self> {
        let query = Query::from_json_in(LONGEST, json);
        query.map(Self).map_err(|error| errors::query(cls.py(), &error))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Rebuild<'py, (String,)>> {
        let rebuild = py.get_type::<Self>().getattr("_rebuild")?;
        Ok((rebuild, (self.to_json(),)))
    }
}

/// Queries as a program has them: `Query` objects, or mappings in the service's own spelling.
pub(super) struct Queries {
    pub(super) objects: Vec<Py<PyQuery>>,
    pub(super) queries: Vec<Query>,
}

impl FromPyObject<'_, '_> for Queries {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: PyStaticExpr = crate::hints::QUERIES;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let mut list = Self { objects: Vec::new(), queries: Vec::new() };
        for element in object.try_iter()? {
            let object = query(element?)?;
            list.queries.push(object.get().0.clone());
            list.objects.push(object.unbind());
        }
        Ok(list)
    }
}

/// Queries one after the other, none before it is asked for.
pub(crate) struct QueryIter<'py>(pub(crate) Bound<'py, PyIterator>);

impl<'py> FromPyObject<'_, 'py> for QueryIter<'py> {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: PyStaticExpr = crate::hints::QUERIES;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        object.try_iter().map(Self)
    }
}

/// One query, of either form.
pub(crate) struct OneQuery(pub(crate) Query);

impl FromPyObject<'_, '_> for OneQuery {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: PyStaticExpr = crate::hints::QUERY;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        Ok(Self(query(object.to_owned())?.get().0.clone()))
    }
}

fn query(object: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyQuery>> {
    let py = object.py();
    let object = match object.cast_into::<PyQuery>() {
        Ok(query) => return Ok(query),
        Err(error) => error.into_inner(),
    };
    let Ok(members) = object.extract::<Members<'_>>() else {
        let found = object.get_type().name()?;
        return Err(PyTypeError::new_err(format!("a query is a Query or a mapping, not {found}")));
    };
    let query = Query::from_json_in(LONGEST, &convert::to_json(&members.0)?);
    Bound::new(py, PyQuery(query.map_err(|error| errors::query(py, &error))?))
}
