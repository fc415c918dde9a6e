//! How Python spells plain values: text with lone surrogates, headers, bodies, JSON, seconds.

use core::{convert::Infallible, time::Duration};

#[cfg(feature = "stubs")]
use pyo3::inspect::PyStaticExpr;
use pyo3::{
    Borrowed,
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
    sync::PyOnceLock,
    types::{
        PyBytes, PyDict, PyIterator, PyList, PyMapping, PyMemoryView, PySlice, PyString, PyTuple,
    },
};
use silkline::{Timestamp, extraction::lone_surrogate_position, http::Headers, json::Span};

use crate::errors;
#[cfg(feature = "stubs")]
use crate::hints;

/// What `__reduce__` gives: a callable, and its arguments.
pub(crate) type Rebuild<'py, A> = (Bound<'py, PyAny>, A);

/// Text from Python, whose strings may hold lone surrogates, which no Rust string can. Each becomes
/// U+FFFD here, and the place of the first is kept, counted in characters.
pub(crate) struct Text {
    pub(crate) value: String,
    pub(crate) lone_surrogate: Option<usize>,
}

impl FromPyObject<'_, '_> for Text {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: PyStaticExpr = <String as FromPyObject<'_, '_>>::INPUT_TYPE;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let string = object.cast::<PyString>()?;
        if let Ok(value) = string.to_str() {
            return Ok(Self { value: value.into(), lone_surrogate: None });
        }
        let bytes = string.call_method1("encode", ("utf-16-le", "surrogatepass"))?;
        let (units, _) = bytes.cast::<PyBytes>()?.as_bytes().as_chunks();
        let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
        let value = char::decode_utf16(units.clone())
            .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        Ok(Self { value, lone_surrogate: lone_surrogate_position(units) })
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

/// The bytes of a body: `bytes` as they are, anything else with a buffer as a copy.
pub(crate) struct Body(pub(crate) Py<PyBytes>);

impl FromPyObject<'_, '_> for Body {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: PyStaticExpr = hints::BODY;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Self(bytes.to_owned().unbind()));
        }
        let copy = PyMemoryView::from(&object)?.call_method0("tobytes")?;
        Ok(Self(copy.cast_into::<PyBytes>()?.unbind()))
    }
}

/// A part of a body, without a copy.
pub(crate) fn memory<'py>(
    body: &Bound<'py, PyBytes>,
    span: Span,
) -> PyResult<Bound<'py, PyMemoryView>> {
    let whole = PyMemoryView::from(body)?;
    let part = PySlice::new(body.py(), to_isize(span.start), to_isize(span.end), 1);
    Ok(whole.get_item(part)?.cast_into()?)
}

fn to_isize(offset: usize) -> isize {
    isize::try_from(offset).unwrap_or(isize::MAX)
}

/// A JSON object as Python has it: a dict by name. Any mapping is taken.
pub(crate) struct Members<'py>(pub(crate) Bound<'py, PyDict>);

impl<'py> FromPyObject<'_, 'py> for Members<'py> {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: PyStaticExpr = hints::MEMBERS;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(members) = object.cast::<PyDict>() {
            return Ok(Self(members.to_owned()));
        }
        let mapping = object.cast::<PyMapping>()?;
        let members = PyDict::new(object.py());
        members.update(&mapping)?;
        Ok(Self(members))
    }
}

impl<'py> IntoPyObject<'py> for Members<'py> {
    type Target = PyDict;
    type Output = Bound<'py, PyDict>;
    type Error = Infallible;

    #[cfg(feature = "stubs")]
    const OUTPUT_TYPE: PyStaticExpr = hints::DICT;

    fn into_pyobject(self, _: Python<'py>) -> Result<Self::Output, Infallible> {
        Ok(self.0)
    }
}

/// The members of a JSON object, each decoded.
pub(crate) fn members<'py, 'a>(
    py: Python<'py>,
    members: impl IntoIterator<Item = (impl AsRef<str>, &'a [u8])>,
) -> PyResult<Members<'py>> {
    let dict = PyDict::new(py);
    for (name, json) in members {
        dict.set_item(name.as_ref(), from_json(py, json)?)?;
    }
    Ok(Members(dict))
}

/// Decodes JSON as Python does: whole numbers of any size, and lone surrogates as they are.
pub(crate) fn from_json<'py>(py: Python<'py>, json: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let text = PyString::from_bytes(py, json)?;
    py.import("json")?.call_method1("loads", (text,))
}

/// Encodes a value as JSON, compactly. What JSON cannot hold is `json`'s own error.
pub(crate) fn to_json(value: &Bound<'_, PyAny>) -> PyResult<String> {
    static ENCODE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = value.py();
    let make = || {
        let options = PyDict::new(py);
        options.set_item("ensure_ascii", false)?;
        options.set_item("separators", (",", ":"))?;
        let encoder = py.import("json")?.getattr("JSONEncoder")?.call((), Some(&options))?;
        encoder.getattr("encode").map(Bound::unbind)
    };
    let text = ENCODE.get_or_try_init(py, make)?.bind(py).call1((value,))?;
    json_text(text.cast::<PyString>()?)
}

/// A JSON text, in which lone surrogates become escapes: the core judges them in that form.
pub(crate) fn json_text(text: &Bound<'_, PyString>) -> PyResult<String> {
    if let Ok(text) = text.to_str() {
        return Ok(text.into());
    }
    let escaped = text.call_method1("encode", ("utf-8", "backslashreplace"))?;
    Ok(String::from_utf8_lossy(escaped.cast::<PyBytes>()?.as_bytes()).into_owned())
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

/// A delay as Python has it: seconds in a float.
pub(crate) fn seconds(delay: Duration) -> f64 {
    delay.as_secs_f64()
}

/// A moment on the driver's clock, which Python tells in seconds.
#[derive(Clone, Copy)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl FromPyObject<'_, '_> for Moment {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: PyStaticExpr = <f64 as FromPyObject<'_, '_>>::INPUT_TYPE;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        moment(object.extract()?).map(Self)
    }
}

/// The same of a number, such as a default.
pub(crate) fn moment(seconds: f64) -> PyResult<Timestamp> {
    Ok(Timestamp::ZERO + delay("now", seconds)?)
}

/// A moment on the driver's clock as Python has it.
pub(crate) fn told(moment: Timestamp) -> f64 {
    moment.since(Timestamp::ZERO).as_secs_f64()
}

/// Seconds from Python, to the nearest microsecond; `name` is that of the argument.
pub(crate) fn delay(name: &str, seconds: f64) -> PyResult<Duration> {
    let exact = Duration::try_from_secs_f64(seconds).map_err(|_| {
        PyValueError::new_err(format!("{name} must be a number of seconds from 0 on"))
    })?;
    let rounded = exact.saturating_add(Duration::from_nanos(500));
    Ok(rounded.saturating_sub(Duration::from_nanos(u64::from(rounded.subsec_nanos() % 1_000))))
}

/// The same of an argument that may be left out.
pub(crate) fn maybe_delay(name: &str, seconds: Option<f64>) -> PyResult<Option<Duration>> {
    seconds.map(|seconds| delay(name, seconds)).transpose()
}

/// The seed that was given, or one of the operating system's.
pub(crate) fn seed_or_random(py: Python<'_>, seed: Option<u64>) -> PyResult<u64> {
    match seed {
        Some(seed) => Ok(seed),
        None => py.import("secrets")?.call_method1("randbits", (64,))?.extract(),
    }
}

/// A part of a `repr`: the text as Python would write it.
pub(crate) fn shown(py: Python<'_>, text: &str) -> PyResult<String> {
    Ok(PyString::new(py, text).repr()?.to_string())
}
