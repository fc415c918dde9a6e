//! The types of arguments and results as the stub names them, where PyO3 cannot know.

use pyo3::{
    PyTypeInfo,
    inspect::{PyStaticConstant, PyStaticExpr},
    type_hint_identifier as identifier, type_hint_subscript as subscript,
    types::{PyBytes, PyString},
};

use crate::{
    extraction::{PyQuery, PyQueryError},
    http::PyRequest,
};

const STR: PyStaticExpr = PyString::TYPE_HINT;
const BYTES: PyStaticExpr = PyBytes::TYPE_HINT;
const MAPPING: PyStaticExpr = identifier!("collections.abc", "Mapping");
const ITERABLE: PyStaticExpr = identifier!("collections.abc", "Iterable");
const STR_PAIR: PyStaticExpr = subscript!(identifier!("builtins", "tuple"), STR, STR);
const TEXT_ANY: [PyStaticExpr; 2] = [STR, identifier!("typing", "Any")];
const BYTES_PAIR: PyStaticExpr = subscript!(identifier!("builtins", "tuple"), BYTES, BYTES);
const BYTES_LIST: PyStaticExpr = subscript!(identifier!("builtins", "list"), BYTES);

const fn either(left: &'static PyStaticExpr, right: &'static PyStaticExpr) -> PyStaticExpr {
    PyStaticExpr::BinOp { left, op: pyo3::inspect::PyStaticOperator::BitOr, right }
}

/// A string that stands for itself.
pub(crate) const fn text(value: &'static str) -> PyStaticExpr {
    PyStaticExpr::Constant { value: PyStaticConstant::Str(value) }
}

pub(crate) const fn subscripted(
    value: &'static PyStaticExpr,
    elts: &'static PyStaticExpr,
) -> PyStaticExpr {
    PyStaticExpr::Subscript { value, slice: elts }
}

/// One of these strings.
macro_rules! literal {
    ($($text:expr),+) => {
        $crate::hints::subscripted(&$crate::hints::LITERAL, &pyo3::inspect::PyStaticExpr::Tuple {
            elts: &[$($crate::hints::text($text)),+],
        })
    };
}

/// A tuple of these types.
macro_rules! tuple {
    ($($element:expr),+) => {
        $crate::hints::subscripted(&$crate::hints::TUPLE, &pyo3::inspect::PyStaticExpr::Tuple {
            elts: &[$($element),+],
        })
    };
}

pub(crate) use {literal, tuple};

pub(crate) const LITERAL: PyStaticExpr = identifier!("typing", "Literal");
pub(crate) const TUPLE: PyStaticExpr = identifier!("builtins", "tuple");

pub(crate) const PAIRS: PyStaticExpr =
    subscript!(identifier!("collections.abc", "Iterator"), STR_PAIR);
pub(crate) const BODY: PyStaticExpr = either(
    &BYTES,
    &either(&identifier!("builtins", "bytearray"), &identifier!("builtins", "memoryview")),
);
pub(crate) const MEMBERS: PyStaticExpr =
    PyStaticExpr::Subscript { value: &MAPPING, slice: &PyStaticExpr::Tuple { elts: &TEXT_ANY } };
pub(crate) const ITEM: PyStaticExpr = either(&MEMBERS, &either(&BODY, &STR));
pub(crate) const DICT: PyStaticExpr = PyStaticExpr::Subscript {
    value: &identifier!("builtins", "dict"),
    slice: &PyStaticExpr::Tuple { elts: &TEXT_ANY },
};
pub(crate) const QUERY: PyStaticExpr = either(&PyQuery::TYPE_HINT, &MEMBERS);
pub(crate) const QUERIES: PyStaticExpr = subscript!(ITERABLE, QUERY);
pub(crate) const SENT_HEADERS: PyStaticExpr =
    either(&subscript!(MAPPING, STR, STR), &subscript!(ITERABLE, STR_PAIR));
pub(crate) const RECEIVED_HEADERS: PyStaticExpr = either(
    &SENT_HEADERS,
    &either(&subscript!(MAPPING, BYTES, BYTES_LIST), &subscript!(ITERABLE, BYTES_PAIR)),
);
pub(crate) const SERVICE_ERROR: PyStaticExpr = identifier!("silkline.exceptions", "ServiceError");
const JOB_ERROR: PyStaticExpr = identifier!("silkline.exceptions", "ExtractionJobError");
pub(crate) const EXTRACTION_JOB_ERROR: PyStaticExpr =
    either(&PyQueryError::TYPE_HINT, &either(&SERVICE_ERROR, &JOB_ERROR));
pub(crate) const PROXY_SERVICE_ERROR: PyStaticExpr =
    identifier!("silkline.exceptions", "ProxyServiceError");
pub(crate) const SILKLINE_ERROR: PyStaticExpr = identifier!("silkline.exceptions", "SilklineError");
pub(crate) const TARGET: PyStaticExpr = either(&PyRequest::TYPE_HINT, &STR);
pub(crate) const TARGETS: PyStaticExpr = subscript!(ITERABLE, TARGET);
