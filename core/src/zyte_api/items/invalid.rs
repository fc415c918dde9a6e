use thiserror::Error;

use crate::{
    extraction::PageType,
    json::{InvalidJson, Kind},
};

/// Why an item cannot be converted at all. A member that cannot be is no error: it is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidItem {
    /// Zyte API has no items of this page type.
    #[error("page type `{page_type}` has no counterpart in zyte api")]
    NoCounterpart {
        /// The page type.
        page_type: PageType,
    },
    /// An item is an object; this is something else.
    #[error("item is not an object but {}", kind.as_str())]
    NotObject {
        /// What it is.
        kind: Kind,
    },
    /// The text is not JSON.
    #[error("item cannot be read: {error}")]
    Syntax {
        /// What is wrong with it.
        #[from]
        error: InvalidJson,
    },
}

impl InvalidItem {
    /// Every code that [`code`](Self::code) can return.
    pub const CODES: &'static [&'static str] =
        &["item_no_counterpart", "item_not_object", "item_syntax"];

    /// The stable name of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoCounterpart { .. } => "item_no_counterpart",
            Self::NotObject { .. } => "item_not_object",
            Self::Syntax { .. } => "item_syntax",
        }
    }
}
