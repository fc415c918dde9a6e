//! Enumerations, which Python writes as literal strings, and the names that patterns match by.

/// A string out of few: `Literal[…]` in the stub. The core's enumeration gives and takes it by name.
macro_rules! literal {
    ($(#[$doc:meta])* $name:ident { $($text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub(crate) struct $name(pub(crate) &'static str);

        impl $name {
            const ALL: &'static [&'static str] = &[$($text),+];
        }

        impl<'py> pyo3::IntoPyObject<'py> for $name {
            type Target = pyo3::types::PyString;
            type Output = pyo3::Bound<'py, pyo3::types::PyString>;
            type Error = core::convert::Infallible;

            #[cfg(feature = "stubs")]
            const OUTPUT_TYPE: pyo3::inspect::PyStaticExpr =
                $crate::hints::literal!($($text),+);

            fn into_pyobject(self, py: pyo3::Python<'py>) -> Result<Self::Output, Self::Error> {
                Ok(pyo3::types::PyString::intern(py, self.0))
            }
        }

        impl pyo3::FromPyObject<'_, '_> for $name {
            type Error = pyo3::PyErr;

            #[cfg(feature = "stubs")]
            const INPUT_TYPE: pyo3::inspect::PyStaticExpr =
                $crate::hints::literal!($($text),+);

            fn extract(object: pyo3::Borrowed<'_, '_, pyo3::PyAny>) -> pyo3::PyResult<Self> {
                $crate::names::one_of(object, Self::ALL).map(Self)
            }
        }
    };
}

/// The names by which a class is taken apart in a pattern, each of which the type checker sees.
macro_rules! match_args {
    ($name:ident: $($text:literal),+ $(,)?) => {
        pub(crate) struct $name;

        impl<'py> pyo3::IntoPyObject<'py> for $name {
            type Target = pyo3::types::PyTuple;
            type Output = pyo3::Bound<'py, pyo3::types::PyTuple>;
            type Error = pyo3::PyErr;

            #[cfg(feature = "stubs")]
            const OUTPUT_TYPE: pyo3::inspect::PyStaticExpr = $crate::hints::tuple!($($crate::hints::literal!($text)),+);

            fn into_pyobject(self, py: pyo3::Python<'py>) -> Result<Self::Output, Self::Error> {
                pyo3::types::PyTuple::new(py, [$($text),+])
            }
        }
    };
}

/// An object whose class PyO3 cannot know, with the type that the stub gives it.
macro_rules! object {
    ($(#[$doc:meta])* $name:ident: $class:ty = $hint:expr) => {
        $(#[$doc])*
        pub(crate) struct $name(pub(crate) pyo3::Py<$class>);

        impl<'py> pyo3::IntoPyObject<'py> for $name {
            type Target = $class;
            type Output = pyo3::Bound<'py, $class>;
            type Error = core::convert::Infallible;

            #[cfg(feature = "stubs")]
            const OUTPUT_TYPE: pyo3::inspect::PyStaticExpr = $hint;

            fn into_pyobject(self, py: pyo3::Python<'py>) -> Result<Self::Output, Self::Error> {
                Ok(self.0.into_bound(py))
            }
        }
    };
}

pub(crate) use {literal, match_args, object};

use pyo3::{Borrowed, exceptions::PyValueError, prelude::*};

/// The name that is given, out of those there are.
pub(crate) fn one_of(
    object: Borrowed<'_, '_, PyAny>,
    all: &'static [&'static str],
) -> PyResult<&'static str> {
    let given = object.extract::<String>()?;
    all.iter().find(|name| **name == given).copied().ok_or_else(|| {
        let (given, all) = (given.escape_debug(), all.join(", "));
        PyValueError::new_err(format!("`{given}` is none of: {all}"))
    })
}

/// The value of the core that a name from a list stands for. That the core knows each name of the
/// list is tested.
pub(crate) fn known<T>(found: Option<T>, name: &str) -> PyResult<T> {
    found.ok_or_else(|| PyValueError::new_err(format!("`{}` is unknown", name.escape_debug())))
}
