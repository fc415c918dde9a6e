//! From an answer to one entry for each query.

use alloc::{boxed::Box, string::String, vec::Vec};

use super::{
    Dialect, PageType, Query, QueryError, ServiceFault,
    envelope::{Echo, Envelope},
    matching::{Matching, Place},
    service_error::Unreadable,
};
use crate::{
    http::Headers,
    json::{Cursor, InvalidJson, Kind, Span},
};

/// How many results that belong to no query are told one by one; an answer that has more of them
/// is hostile, and the rest is told in one entry.
const MAX_STRANGERS: usize = 1000;

/// One entry of an answer: what it says about a query, or a result that belongs to none.
///
/// It holds offsets only; a [`ResultView`](super::ResultView) reads it together with the bytes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct ResultEntry {
    /// The query it belongs to.
    pub query_index: Option<usize>,
    /// The page type that was asked for, or that the result tells.
    pub page_type: Option<PageType>,
    /// Why there is no item.
    pub error: Option<QueryError>,
    /// Where the parts of the result stand; `None` if the answer has no result for the query.
    pub envelope: Option<Envelope>,
    /// The service that answered, which says what schema the item has.
    pub dialect: Dialect,
    /// What of the answer stands outside its body, in dialects that put something there.
    pub head: Option<Box<AnswerHead>>,
}

/// What of an answer stands outside its body, and what it does not repeat of its query.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct AnswerHead {
    /// The status.
    pub status: u16,
    /// The headers that say something of the query.
    pub headers: Headers,
    /// The service's id of the query.
    pub id: Option<String>,
    /// The URL that was asked for.
    pub url: String,
}

impl ResultEntry {
    /// A result of a query.
    fn of_query(index: usize, query: &Query, mut envelope: Envelope, body: &[u8]) -> Self {
        let page_type = query.page_type();
        let error = if let Some(span) = envelope.error {
            Some(QueryError::from_text(error_text(span, body)))
        } else {
            let item = envelope.items.iter().find(|(known, ..)| *known == page_type);
            match item.map(|(_, kind, span)| (*kind, *span)) {
                Some((Kind::Object, span)) => {
                    envelope.item = Some(span);
                    None
                }
                other => {
                    let found = other.map(|(kind, _)| kind).filter(|kind| *kind != Kind::Null);
                    Some(QueryError::without_item(page_type, found))
                }
            }
        };
        let (query_index, page_type) = (Some(index), Some(page_type));
        Self { query_index, page_type, error, envelope: Some(envelope), ..Self::default() }
    }

    /// A result that is no query's.
    fn stranger(query_index: Option<usize>, error: QueryError, found: Found<'_>) -> Self {
        let page_type = found.echo.page_type.as_deref().and_then(PageType::from_name);
        let envelope = Some(found.envelope);
        Self { query_index, page_type, error: Some(error), envelope, ..Self::default() }
    }

    fn missing(index: usize, query: &Query) -> Self {
        Self {
            query_index: Some(index),
            page_type: Some(query.page_type()),
            error: Some(QueryError::missing()),
            ..Self::default()
        }
    }
}

/// A result that is not placed yet.
struct Found<'a> {
    envelope: Envelope,
    echo: Echo<'a>,
}

/// The text of an `error` member. It should be a string; anything else is taken as written.
fn error_text(span: Span, body: &[u8]) -> String {
    let raw = body.get(span.start..span.end).unwrap_or_default();
    let text = Cursor::new(raw).and_then(|mut cursor| cursor.string());
    match text {
        Ok(text) => text.decode().into_owned(),
        Err(_) => String::from_utf8_lossy(raw).into_owned(),
    }
}

/// Reads an answer: one entry for each query, in the order of the queries, then the results that
/// belong to none, in the order of the answer.
pub(super) fn read(
    queries: &[Query],
    status: u16,
    headers: &Headers,
    body: &[u8],
) -> Result<Vec<ResultEntry>, ServiceFault> {
    if !(200..=299).contains(&status) {
        return Err(ServiceFault::refused(status, headers, body));
    }
    let unreadable = |reason| ServiceFault::unreadable(status, headers, body, reason);
    check_content(headers, body).map_err(unreadable)?;
    read_array(queries, body).map_err(unreadable)
}

/// Whether the body is JSON by its content type, and is not something else by its first byte.
pub(crate) fn check_content(headers: &Headers, body: &[u8]) -> Result<(), Unreadable> {
    let start = body.trim_ascii_start();
    if start.is_empty() {
        return Err(Unreadable::Empty);
    }
    if start.starts_with(b"<") {
        return Err(Unreadable::Html);
    }
    let Some(content_type) = headers.get("Content-Type") else {
        return Ok(());
    };
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Unreadable::ContentType(content_type.into()))
    }
}

fn read_array(queries: &[Query], body: &[u8]) -> Result<Vec<ResultEntry>, Unreadable> {
    let mut cursor = Cursor::new(body)?;
    let kind = cursor.kind()?;
    if kind != Kind::Array {
        cursor.skip()?;
        cursor.end()?;
        return Err(Unreadable::NotArray { found: kind.as_str() });
    }
    let mut matching = Matching::new(queries);
    let mut entries: Vec<ResultEntry> = Vec::new();
    entries.extend(queries.iter().enumerate().map(|(at, query)| ResultEntry::missing(at, query)));
    let mut place = |index: usize, envelope: Envelope| {
        if let (Some(query), Some(entry)) = (queries.get(index), entries.get_mut(index)) {
            *entry = ResultEntry::of_query(index, query, envelope, body);
        }
    };

    let (mut open, mut rest) = (Vec::new(), Rest::default());
    cursor.enter_array()?;
    let mut index = 0;
    while cursor.next_element()? {
        let kind = cursor.kind()?;
        if kind != Kind::Object {
            cursor.skip()?;
            return Err(Unreadable::Element { index, found: kind.as_str() });
        }
        let (envelope, echo) = Envelope::read(&mut cursor)?;
        index += 1;
        if let Some(query) = matching.take_whole(&echo) {
            place(query, envelope);
        } else if open.len() < queries.len() + MAX_STRANGERS {
            open.push(Found { envelope, echo });
        } else {
            rest.add(envelope.result);
        }
    }
    cursor.end()?;

    let echoes: Vec<Echo<'_>> = open.iter().map(|found| found.echo.clone()).collect();
    let mut strangers = Vec::new();
    for (found, to) in open.into_iter().zip(matching.place(&echoes)) {
        let (query_index, error) = match to {
            Place::Query(index) => {
                place(index, found.envelope);
                continue;
            }
            Place::Ambiguous => (None, QueryError::ambiguous()),
            Place::Foreign => (None, QueryError::foreign()),
            Place::Surplus(index) => (index, QueryError::surplus()),
        };
        strangers.push(ResultEntry::stranger(query_index, error, found));
    }
    entries.append(&mut strangers);
    entries.extend(rest.into_entry());
    Ok(entries)
}

/// The results past the number that is told one by one.
#[derive(Default)]
struct Rest {
    count: usize,
    span: Span,
}

impl Rest {
    fn add(&mut self, span: Span) {
        if self.count == 0 {
            self.span = span;
        }
        self.span.end = span.end;
        self.count += 1;
    }

    fn into_entry(self) -> Option<ResultEntry> {
        let envelope = Envelope { result: self.span, ..Envelope::default() };
        let found = Found { envelope, echo: Echo::default() };
        (self.count > 0)
            .then(|| ResultEntry::stranger(None, QueryError::foreign_rest(self.count), found))
    }
}

impl From<InvalidJson> for Unreadable {
    fn from(fault: InvalidJson) -> Self {
        Self::Json(fault)
    }
}
