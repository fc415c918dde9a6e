use thiserror::Error;

/// Why a text is not JSON, and at which byte that shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum InvalidJson {
    /// The byte cannot stand here.
    #[error("json is malformed at byte {position}")]
    Syntax {
        /// Offset of the byte that cannot stand here.
        position: usize,
    },
    /// Containers are nested too deep.
    #[error("json is nested deeper than {} levels at byte {position}", super::MAX_DEPTH - 1)]
    TooDeep {
        /// Offset of the bracket that goes too deep.
        position: usize,
    },
    /// The text ends inside a value, or before one: what a cut transfer leaves.
    #[error("json ends early, at byte {position}")]
    Truncated {
        /// The length of the text.
        position: usize,
    },
    /// The text is not UTF-8. RFC 8259, section 8.1, allows nothing else.
    #[error("json is not utf-8 at byte {position}")]
    Utf8 {
        /// Offset of the first byte that is not UTF-8.
        position: usize,
    },
}

impl InvalidJson {
    /// Every code that [`code`](Self::code) can return.
    pub const CODES: &'static [&'static str] =
        &["json_syntax", "json_too_deep", "json_truncated", "json_utf8"];

    /// The stable name of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "json_syntax",
            Self::TooDeep { .. } => "json_too_deep",
            Self::Truncated { .. } => "json_truncated",
            Self::Utf8 { .. } => "json_utf8",
        }
    }

    /// The byte at which the fault shows.
    pub const fn position(&self) -> usize {
        match *self {
            Self::Syntax { position }
            | Self::TooDeep { position }
            | Self::Truncated { position }
            | Self::Utf8 { position } => position,
        }
    }
}
