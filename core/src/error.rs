//! The sum of all errors, and the list of their codes.

#[cfg(feature = "plan")]
use crate::plan::InvalidPlan;
#[cfg(feature = "service")]
use crate::service::InvalidFaults;
use crate::{
    engine::{
        ExtractionJobError, InvalidSetting, InvalidSnapshot, NotSubmitted, ProxyJobError,
        UnknownRequest,
    },
    extraction::{InvalidBatch, InvalidQuery, QueryError, ServiceError},
    http::{InvalidApiKey, InvalidEndpoint, InvalidHeader, InvalidMethod},
    json::InvalidJson,
    problem::InvalidProblem,
    proxy::{
        InvalidProxiedRequest, InvalidProxyOptions, InvalidSessionId, ProxyServiceError,
        SessionCallFailed,
    },
    schedule::{InvalidPool, InvalidRate},
    zyte_api::items::InvalidItem,
};

macro_rules! errors {
    ($($(#[$attribute:meta])* $name:ident),* $(,)?) => {
        /// Any error of this crate, for programs that need only one.
        #[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
        #[non_exhaustive]
        pub enum Error {
            $($(#[$attribute])* #[doc = concat!("[`", stringify!($name), "`]")]
              #[error(transparent)] $name(#[from] $name),)*
        }

        impl Error {
            /// The stable code of this error, one of [`codes::ALL`].
            pub fn code(&self) -> &'static str {
                match self {
                    $($(#[$attribute])* Self::$name(error) => error.code(),)*
                }
            }
        }

        /// The codes of each error, in the order of the list above.
        const LISTS: &[&[&str]] = &[$($(#[$attribute])* $name::CODES,)*];
    };
}

errors! {
    ExtractionJobError,
    InvalidApiKey,
    InvalidBatch,
    InvalidEndpoint,
    #[cfg(feature = "service")]
    InvalidFaults,
    InvalidHeader,
    InvalidItem,
    InvalidJson,
    InvalidMethod,
    #[cfg(feature = "plan")]
    InvalidPlan,
    InvalidPool,
    InvalidProblem,
    InvalidProxiedRequest,
    InvalidProxyOptions,
    InvalidQuery,
    InvalidRate,
    InvalidSessionId,
    InvalidSetting,
    InvalidSnapshot,
    NotSubmitted,
    ProxyJobError,
    ProxyServiceError,
    QueryError,
    ServiceError,
    SessionCallFailed,
    UnknownRequest,
}

/// The codes of all errors.
pub mod codes {
    use super::LISTS;

    const COUNT: usize = count();

    /// The code of every error that this crate can give, each once, sorted. A code keeps its
    /// meaning for ever and is never used for another.
    pub const ALL: &[&str] = &sorted();

    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler only")]
    const fn count() -> usize {
        let (mut count, mut list) = (0, 0);
        while list < LISTS.len() {
            count += LISTS[list].len();
            list += 1;
        }
        count
    }

    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler only")]
    const fn sorted() -> [&'static str; COUNT] {
        let mut all = [""; COUNT];
        let (mut filled, mut list) = (0, 0);
        while list < LISTS.len() {
            let mut item = 0;
            while item < LISTS[list].len() {
                let code = LISTS[list][item];
                let mut place = filled;
                while place > 0 && less(code.as_bytes(), all[place - 1].as_bytes()) {
                    all[place] = all[place - 1];
                    place -= 1;
                }
                all[place] = code;
                filled += 1;
                item += 1;
            }
            list += 1;
        }
        all
    }

    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler only")]
    const fn less(left: &[u8], right: &[u8]) -> bool {
        let mut index = 0;
        while index < left.len() && index < right.len() {
            if left[index] != right[index] {
                return left[index] < right[index];
            }
            index += 1;
        }
        left.len() < right.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_stands_once_and_in_order() {
        assert!(codes::ALL.len() > 20);
        for pair in codes::ALL.windows(2) {
            assert!(pair[0] < pair[1], "{pair:?}");
        }
    }

    #[test]
    fn an_error_keeps_code_and_message_inside_the_sum() {
        let inner = InvalidBatch::TooMany { count: 101, limit: 100 };
        let error = Error::from(inner.clone());
        assert_eq!(error.code(), "batch_too_large");
        assert_eq!(alloc::format!("{error}"), alloc::format!("{inner}"));
    }
}
