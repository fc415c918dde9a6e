//! How Python spells plain values: text with lone surrogates, lists of headers, seconds.

use core::{convert::Infallible, time::Duration};

#[cfg(feature = "stubs")]
use pyo3::inspect::PyStaticExpr;
use pyo3::{
    Borrowed,
    exceptions::PyTypeError,
    prelude::*,
    types::{PyBytes, PyIterator, PyList, PyString, PyTuple},
};
use silkline::http::Headers;

use crate::errors;

/// Text from Python, whose strings may hold lone surrogates, which no Rust string can. Each becomes
/// U+FFFD here; `exact` tells whether there was one.
pub(crate) struct Text {
    pub(crate) value: String,
    #[expect(dead_code, reason = "for the modules that refuse such text")]
    pub(crate) exact: bool,
}

impl FromPyObject<'_, '_> for Text {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: PyStaticExpr = <String as FromPyObject<'_, '_>>::INPUT_TYPE;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let string = object.cast::<PyString>()?;
        if let Ok(value) = string.to_str() {
            return Ok(Self { value: value.into(), exact: true });
        }
        let units = string.call_method1("encode", ("utf-16-le", "surrogatepass"))?;
        let units = units.cast::<PyBytes>()?.as_bytes().as_chunks::<2>().0;
        let mut exact = true;
        let value = char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit)))
            .map(|unit| {
                unit.unwrap_or_else(|_| {
                    exact = false;
                    char::REPLACEMENT_CHARACTER
                })
            })
            .collect();
        Ok(Self { value, exact })
    }
}

/// One name or value of a received header. Python's HTTP clients hand out `bytes`, or text that
/// was read as Latin-1, or UTF-8 whose undecodable bytes were kept as lone surrogates.
fn received_text(object: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(bytes) = object.cast::<PyBytes>() {
        return Ok(utf8_or_latin1(bytes.as_bytes()));
    }
    let string = object.cast::<PyString>()?;
    if let Ok(text) = string.to_str() {
        return Ok(text.into());
    }
    match string.call_method1("encode", ("utf-8", "surrogateescape")) {
        Ok(bytes) => Ok(utf8_or_latin1(bytes.cast::<PyBytes>()?.as_bytes())),
        Err(_) => Ok(string.extract::<Text>()?.value),
    }
}

fn utf8_or_latin1(bytes: &[u8]) -> String {
    core::str::from_utf8(bytes)
        .map_or_else(|_| bytes.iter().map(|&byte| char::from(byte)).collect(), String::from)
}

/// Calls `each` with the name and value of every header in what the program has: a mapping (the
/// values may be lists, as in Scrapy), or an iterable of pairs.
fn each_header<'py>(
    headers: &Bound<'py, PyAny>,
    mut each: impl FnMut(Bound<'py, PyAny>, Bound<'py, PyAny>) -> PyResult<()>,
) -> PyResult<()> {
    let pairs = match headers.getattr_opt("items")? {
        Some(items) => items.call0()?,
        None => headers.clone(),
    };
    if pairs.is_instance_of::<PyString>() || pairs.is_instance_of::<PyBytes>() {
        return Err(PyTypeError::new_err("headers must be a mapping or an iterable of pairs"));
    }
    for pair in pairs.try_iter()? {
        let (name, value) = pair?.extract::<(Bound<'py, PyAny>, Bound<'py, PyAny>)>()?;
        if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
            for value in value.try_iter()? {
                each(name.clone(), value?)?;
            }
        } else {
            each(name, value)?;
        }
    }
    Ok(())
}

/// Headers that came over the wire: taken as they are, never refused for what they say.
pub(crate) struct ReceivedHeaders(pub(crate) Headers);

impl FromPyObject<'_, '_> for ReceivedHeaders {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: PyStaticExpr = hints::RECEIVED_HEADERS;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let mut pairs = Vec::new();
        each_header(&object, |name, value| {
            pairs.push((received_text(&name)?, received_text(&value)?));
            Ok(())
        })?;
        Ok(Self(Headers::from_received(pairs)))
    }
}

/// Headers to be sent, which the core judges.
#[derive(Default)]
pub(crate) struct SentHeaders(pub(crate) Headers);

impl FromPyObject<'_, '_> for SentHeaders {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: PyStaticExpr = hints::SENT_HEADERS;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let mut headers = Headers::new();
        each_header(&object, |name, value| {
            let (name, value) = (name.extract::<Text>()?, value.extract::<Text>()?);
            headers
                .append(name.value, value.value)
                .map_err(|error| errors::header(object.py(), &error))
        })?;
        Ok(Self(headers))
    }
}

/// An iterator over pairs of texts.
pub(crate) struct Pairs<'py>(pub(crate) Bound<'py, PyIterator>);

impl<'py> IntoPyObject<'py> for Pairs<'py> {
    type Target = PyIterator;
    type Output = Bound<'py, PyIterator>;
    type Error = Infallible;

    #[cfg(feature = "stubs")]
    const OUTPUT_TYPE: PyStaticExpr = hints::PAIRS;

    fn into_pyobject(self, _: Python<'py>) -> Result<Self::Output, Infallible> {
        Ok(self.0)
    }
}

/// The types of arguments and results as the stub names them, where PyO3 cannot know.
#[cfg(feature = "stubs")]
mod hints {
    use pyo3::{
        PyTypeInfo,
        inspect::PyStaticExpr,
        type_hint_identifier as identifier, type_hint_subscript as subscript,
        types::{PyBytes, PyString},
    };

    const STR: PyStaticExpr = PyString::TYPE_HINT;
    const BYTES: PyStaticExpr = PyBytes::TYPE_HINT;
    const MAPPING: PyStaticExpr = identifier!("collections.abc", "Mapping");
    const ITERABLE: PyStaticExpr = identifier!("collections.abc", "Iterable");
    const STR_PAIR: PyStaticExpr = subscript!(identifier!("builtins", "tuple"), STR, STR);
    const BYTES_PAIR: PyStaticExpr = subscript!(identifier!("builtins", "tuple"), BYTES, BYTES);
    const BYTES_LIST: PyStaticExpr = subscript!(identifier!("builtins", "list"), BYTES);

    const fn either(left: &'static PyStaticExpr, right: &'static PyStaticExpr) -> PyStaticExpr {
        PyStaticExpr::BinOp { left, op: pyo3::inspect::PyStaticOperator::BitOr, right }
    }

    pub(super) const PAIRS: PyStaticExpr =
        subscript!(identifier!("collections.abc", "Iterator"), STR_PAIR);
    pub(super) const SENT_HEADERS: PyStaticExpr =
        either(&subscript!(MAPPING, STR, STR), &subscript!(ITERABLE, STR_PAIR));
    pub(super) const RECEIVED_HEADERS: PyStaticExpr = either(
        &SENT_HEADERS,
        &either(&subscript!(MAPPING, BYTES, BYTES_LIST), &subscript!(ITERABLE, BYTES_PAIR)),
    );
}

/// A delay as Python has it: seconds in a float.
pub(crate) fn seconds(delay: Duration) -> f64 {
    delay.as_secs_f64()
}
