//! Queries that cannot be sent.

use alloc::{string::String, vec::Vec};

use super::{MAX_CUSTOM_HTML, MAX_META, PageType, query::MAX_EXTRA_DEPTH};

/// A query that the service would refuse, or that cannot be written down. Each message names the
/// field, the limit and the size of the value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidQuery {
    /// `customHtml` is longer than the service takes.
    #[error("query customHtml has {length} code points, the limit is {MAX_CUSTOM_HTML}")]
    CustomHtmlTooLong {
        /// Its length in Unicode code points.
        length: usize,
    },
    /// The value of an extra member is not JSON.
    #[error("query member `{}` of {length} bytes is not json at byte {position}", shorten(field))]
    ExtraJson {
        /// The name of the member.
        field: String,
        /// The size of the value in bytes.
        length: usize,
        /// The byte from which on it is no JSON.
        position: usize,
    },
    /// An extra member has the name of a member that has its own place.
    #[error("query member `{}` is not extra: it has its own setter", shorten(field))]
    ExtraReserved {
        /// The name of the member.
        field: String,
    },
    /// The value of a member is nested too deep to be read at the other end.
    #[error(
        "query member `{}` is nested too deep, the limit is {MAX_EXTRA_DEPTH} levels",
        shorten(field)
    )]
    ExtraTooDeep {
        /// The name of the member.
        field: String,
    },
    /// A member is there twice.
    #[error("query member `{}` is there twice, the limit is one", shorten(field))]
    FieldDuplicate {
        /// The name of the member.
        field: String,
    },
    /// A member that each query needs is not there.
    #[error("query {field} is missing: each query has one")]
    FieldMissing {
        /// The name of the member.
        field: &'static str,
    },
    /// A member is of another JSON type than documented.
    #[error("query {field} is of type {found}, it must be a {expected}")]
    FieldType {
        /// The name of the member.
        field: &'static str,
        /// The type that the documentation names.
        expected: &'static str,
        /// The type that was found.
        found: &'static str,
    },
    /// A text that should be a query is not JSON.
    #[error("query of {length} bytes is not json at byte {position}")]
    Json {
        /// The size of the text in bytes.
        length: usize,
        /// The byte from which on it is no JSON.
        position: usize,
    },
    /// A string holds half of a surrogate pair, which is no Unicode text and cannot be sent.
    #[error("query {} holds a lone surrogate at character {position}", shorten(field))]
    LoneSurrogate {
        /// The name of the member.
        field: String,
        /// How many characters (code points) of the string stand before it.
        position: usize,
    },
    /// `meta` is longer than the service takes.
    #[error("query meta has {length} bytes of utf-8, the limit is {MAX_META}")]
    MetaTooLong {
        /// Its size in bytes of UTF-8.
        length: usize,
    },
    /// A JSON value that should be a query is no object.
    #[error("query is of type {found}, it must be an object")]
    NotObject {
        /// The type that was found.
        found: &'static str,
    },
    /// There is no such page type.
    #[error("query pageType `{}` ({} characters) is none of {}", shorten(page_type), page_type.chars().count(), page_types())]
    PageType {
        /// The name as given.
        page_type: String,
    },
    /// `url` is not absolute or has no usable host.
    #[error("query url `{}` ({} characters) is not an absolute http(s) url with a host", shorten(url), url.chars().count())]
    Url {
        /// The URL as given.
        url: String,
    },
    /// `url` is of another scheme than http and https.
    #[error("query url `{}` ({} characters) is neither http nor https", shorten(url), url.chars().count())]
    UrlScheme {
        /// The URL as given.
        url: String,
    },
    /// `url` is longer than the service takes.
    #[error("query url has {length} {unit}, the limit is {limit}")]
    UrlTooLong {
        /// Its length.
        length: usize,
        /// The limit of the service.
        limit: usize,
        /// What both are counted in.
        unit: &'static str,
    },
    /// The service that the query goes to cannot do what a member asks for.
    #[error(
        "query {} `{}` cannot be carried over to {dialect}: {reason}",
        shorten(field),
        shorten(value)
    )]
    Unsupported {
        /// The name of the member.
        field: String,
        /// Its value.
        value: String,
        /// The name of the dialect.
        dialect: &'static str,
        /// Why not.
        reason: &'static str,
    },
}

impl InvalidQuery {
    /// The codes of this error.
    pub const CODES: &'static [&'static str] = &[
        "query_custom_html_too_long",
        "query_extra_json",
        "query_extra_reserved",
        "query_extra_too_deep",
        "query_field_duplicate",
        "query_field_missing",
        "query_field_type",
        "query_json",
        "query_lone_surrogate",
        "query_meta_too_long",
        "query_not_object",
        "query_page_type",
        "query_unsupported",
        "query_url_invalid",
        "query_url_scheme",
        "query_url_too_long",
    ];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::CustomHtmlTooLong { .. } => "query_custom_html_too_long",
            Self::ExtraJson { .. } => "query_extra_json",
            Self::ExtraReserved { .. } => "query_extra_reserved",
            Self::ExtraTooDeep { .. } => "query_extra_too_deep",
            Self::FieldDuplicate { .. } => "query_field_duplicate",
            Self::FieldMissing { .. } => "query_field_missing",
            Self::FieldType { .. } => "query_field_type",
            Self::Json { .. } => "query_json",
            Self::LoneSurrogate { .. } => "query_lone_surrogate",
            Self::MetaTooLong { .. } => "query_meta_too_long",
            Self::NotObject { .. } => "query_not_object",
            Self::PageType { .. } => "query_page_type",
            Self::Unsupported { .. } => "query_unsupported",
            Self::Url { .. } => "query_url_invalid",
            Self::UrlScheme { .. } => "query_url_scheme",
            Self::UrlTooLong { .. } => "query_url_too_long",
        }
    }

    /// The member that is at fault, in the service's spelling; `None` if it is the whole query.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::CustomHtmlTooLong { .. } => Some("customHtml"),
            Self::ExtraJson { field, .. }
            | Self::ExtraReserved { field }
            | Self::ExtraTooDeep { field }
            | Self::FieldDuplicate { field }
            | Self::LoneSurrogate { field, .. }
            | Self::Unsupported { field, .. } => Some(field),
            Self::FieldMissing { field } | Self::FieldType { field, .. } => Some(field),
            Self::Json { .. } | Self::NotObject { .. } => None,
            Self::MetaTooLong { .. } => Some("meta"),
            Self::PageType { .. } => Some("pageType"),
            Self::Url { .. } | Self::UrlScheme { .. } | Self::UrlTooLong { .. } => Some("url"),
        }
    }

    /// The limit that the value is over, in the unit of the message.
    pub const fn limit(&self) -> Option<usize> {
        match self {
            Self::CustomHtmlTooLong { .. } => Some(MAX_CUSTOM_HTML),
            Self::ExtraTooDeep { .. } => Some(MAX_EXTRA_DEPTH),
            Self::MetaTooLong { .. } => Some(MAX_META),
            Self::UrlTooLong { limit, .. } => Some(*limit),
            _ => None,
        }
    }

    /// The error for a lone surrogate in a string of a language whose strings can hold one; see
    /// [`lone_surrogate_position`].
    pub fn lone_surrogate(field: &str, position: usize) -> Self {
        Self::LoneSurrogate { field: field.into(), position }
    }
}

/// Where the first lone surrogate of a UTF-16 text stands, counted in characters (code points).
///
/// ```
/// use silkline::extraction::lone_surrogate_position;
///
/// assert_eq!(lone_surrogate_position([0xd83d, 0xde00, 0xde00]), Some(1));
/// assert_eq!(lone_surrogate_position("😀".encode_utf16()), None);
/// ```
pub fn lone_surrogate_position(units: impl IntoIterator<Item = u16>) -> Option<usize> {
    char::decode_utf16(units).position(|character| character.is_err())
}

/// A value for a message: escaped, and no longer than a line.
fn shorten(value: &str) -> String {
    const SHOWN: usize = 100;
    let mut shown: String = value.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if value.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

fn page_types() -> String {
    PageType::ALL.map(PageType::as_str).into_iter().collect::<Vec<_>>().join(", ")
}
