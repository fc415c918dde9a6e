//! `silkline::zyte_api::items` for Python: items in the schema of the other service.

#[cfg(feature = "stubs")]
use pyo3::inspect::PyStaticExpr;
use pyo3::{
    Borrowed,
    prelude::*,
    sync::PyOnceLock,
    types::{PyMapping, PyString},
};
use silkline::{
    extraction::PageType,
    zyte_api::items::{self, Converted, InvalidItem, Unmapped},
};

#[cfg(feature = "stubs")]
use crate::hints;
use crate::{
    convert::{self, Body, Members, Text},
    errors,
    names::match_args,
};

match_args!(ConvertedArgs: "item", "unmapped");
match_args!(UnmappedArgs: "path", "value");

/// An item as a mapping, or as JSON text.
pub(crate) struct Item(Vec<u8>);

impl FromPyObject<'_, '_> for Item {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: PyStaticExpr = hints::ITEM;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if let Ok(text) = object.cast::<PyString>() {
            return Ok(Self(convert::json_text(&text.to_owned())?.into_bytes()));
        }
        if object.cast::<PyMapping>().is_ok() {
            let members = object.extract::<Members<'_>>()?;
            return Ok(Self(convert::to_json(members.0.as_any())?.into_bytes()));
        }
        Ok(Self(object.extract::<Body>()?.0.as_bytes(object.py()).to_vec()))
    }
}

/// An item in the schema of the other service.
///
/// >>> from silkline.zyte_api.items import from_zyte_api
/// >>> item = {"url": "https://example.com/", "videos": [{"url": "https://example.com/v"}]}
/// >>> from_zyte_api("article", item).item["videoUrls"]
/// ['https://example.com/v']
#[pyclass(name = "Converted", module = "silkline.zyte_api.items", frozen)]
pub(crate) struct PyConverted {
    converted: Converted,
    item: PyOnceLock<Py<PyAny>>,
}

#[pymethods]
impl PyConverted {
    #[classattr]
    fn __match_args__() -> ConvertedArgs {
        ConvertedArgs
    }

    /// The item, decoded by `json.loads` when it is first asked for; then the same object.
    #[getter]
    fn item<'py>(&self, py: Python<'py>) -> PyResult<Members<'py>> {
        let decode = || convert::from_json(py, self.converted.item.as_bytes()).map(Bound::unbind);
        let item = self.item.get_or_try_init(py, decode)?.bind(py);
        Ok(Members(item.cast()?.clone()))
    }

    /// The item's JSON text, in which what merely moved stands as it was written.
    #[getter]
    fn item_json(&self) -> &str {
        &self.converted.item
    }

    /// What of the original has no place in it, in the order of the original.
    #[getter]
    fn unmapped(&self) -> Vec<PyUnmapped> {
        self.converted.unmapped.iter().cloned().map(PyUnmapped).collect()
    }

    fn __repr__(&self) -> String {
        let Converted { item, unmapped, .. } = &self.converted;
        format!("<Converted {item}, {} unmapped>", unmapped.len())
    }
}

/// A part of an item that the other schema has no place for.
///
/// >>> from silkline.zyte_api.items import to_zyte_api
/// >>> item = {"url": "https://example.com/", "articleBodyRaw": "<div>…"}
/// >>> [part] = to_zyte_api("article", item).unmapped
/// >>> part.path, part.value
/// ('/articleBodyRaw', '<div>…')
#[pyclass(name = "Unmapped", module = "silkline.zyte_api.items", frozen, eq, hash)]
#[derive(Clone, Eq, Hash, PartialEq)]
pub(crate) struct PyUnmapped(Unmapped);

#[pymethods]
impl PyUnmapped {
    #[classattr]
    fn __match_args__() -> UnmappedArgs {
        UnmappedArgs
    }

    /// Where it stands in the original: a JSON pointer (RFC 6901).
    #[getter]
    fn path(&self) -> &str {
        &self.0.path
    }

    /// The value, decoded each time.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        convert::from_json(py, self.0.value.as_bytes())
    }

    /// The value's JSON text, as it was written.
    #[getter]
    fn value_json(&self) -> &str {
        &self.0.value
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (path, value) = (convert::shown(py, &self.0.path)?, self.value(py)?.repr()?);
        Ok(format!("Unmapped({path}, {value})"))
    }
}

/// An item of Zyte API in the schema of Automatic Extraction. `page_type` is the older name:
/// `forumPosts` reads a `forumThread`. The item is a mapping, or JSON text.
///
/// >>> from silkline.zyte_api.items import from_zyte_api
/// >>> found = from_zyte_api("product", {"brand": {"name": "Acme"}, "productId": "A1"})
/// >>> found.item
/// {'brand': 'Acme', 'probability': 1.0}
/// >>> found.unmapped
/// [Unmapped('/productId', 'A1')]
#[pyfunction]
pub(crate) fn from_zyte_api(py: Python<'_>, page_type: Text, item: Item) -> PyResult<PyConverted> {
    run(py, page_type, item, items::from_zyte_api)
}

/// An item of Automatic Extraction in the schema of Zyte API. The item is a mapping, or JSON text.
///
/// >>> from silkline.zyte_api.items import to_zyte_api
/// >>> to_zyte_api("jobPosting", {"title": "Cook", "probability": 0.9}).item
/// {'jobTitle': 'Cook', 'metadata': {'probability': 0.9}}
#[pyfunction]
pub(crate) fn to_zyte_api(py: Python<'_>, page_type: Text, item: Item) -> PyResult<PyConverted> {
    run(py, page_type, item, items::to_zyte_api)
}

fn run(
    py: Python<'_>,
    page_type: Text,
    item: Item,
    convert: fn(PageType, &[u8]) -> Result<Converted, InvalidItem>,
) -> PyResult<PyConverted> {
    let page_type = page_type.value.parse().map_err(|error| errors::query(py, &error))?;
    let converted = py.detach(|| convert(page_type, &item.0));
    let converted = converted.map_err(|error| errors::item(py, &error))?;
    Ok(PyConverted { converted, item: PyOnceLock::new() })
}
