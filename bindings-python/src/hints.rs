//! The types of arguments and results as the stub names them, where PyO3 cannot know.

use pyo3::{
    PyTypeInfo,
    inspect::PyStaticExpr,
    type_hint_identifier as identifier, type_hint_subscript as subscript,
    types::{PyBytes, PyString},
};

use crate::extraction::PyQuery;

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

pub(crate) const PAIRS: PyStaticExpr =
    subscript!(identifier!("collections.abc", "Iterator"), STR_PAIR);
pub(crate) const BODY: PyStaticExpr = either(
    &BYTES,
    &either(&identifier!("builtins", "bytearray"), &identifier!("builtins", "memoryview")),
);
pub(crate) const MEMBERS: PyStaticExpr =
    PyStaticExpr::Subscript { value: &MAPPING, slice: &PyStaticExpr::Tuple { elts: &TEXT_ANY } };
pub(crate) const DICT: PyStaticExpr = PyStaticExpr::Subscript {
    value: &identifier!("builtins", "dict"),
    slice: &PyStaticExpr::Tuple { elts: &TEXT_ANY },
};
pub(crate) const QUERIES: PyStaticExpr =
    subscript!(ITERABLE, either(&PyQuery::TYPE_HINT, &MEMBERS));
pub(crate) const SENT_HEADERS: PyStaticExpr =
    either(&subscript!(MAPPING, STR, STR), &subscript!(ITERABLE, STR_PAIR));
pub(crate) const RECEIVED_HEADERS: PyStaticExpr = either(
    &SENT_HEADERS,
    &either(&subscript!(MAPPING, BYTES, BYTES_LIST), &subscript!(ITERABLE, BYTES_PAIR)),
);
