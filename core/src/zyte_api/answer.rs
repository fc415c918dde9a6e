//! Answers of Zyte API to a query.

use alloc::{boxed::Box, format, vec, vec::Vec};

use super::{EXTRACTION, errors, items::zyte_api_name};
use crate::{
    extraction::{
        AnswerHead, Envelope, Query, QueryError, ResultEntry, ServiceFault, Unreadable,
        check_content,
    },
    http::Headers,
    json::{Cursor, Kind, Span},
};

/// The headers that say something of the query, and those that it takes to read the answer again.
const KEPT: [&str; 4] = ["Content-Type", "Date", "Request-ID", "Retry-After"];

/// Reads an answer: it belongs to the one query of the request.
pub(super) fn read(
    queries: &[Query],
    status: u16,
    headers: &Headers,
    body: &[u8],
) -> Result<Vec<ResultEntry>, ServiceFault> {
    if !(200..=299).contains(&status) {
        let url = queries.first().map(Query::url);
        let error = errors::refusal(url, status, headers, body)?;
        let start = body.len() - body.trim_ascii_start().len();
        let result = Span { start, end: start + body.trim_ascii().len() };
        let envelope = Envelope { result, ..Envelope::default() };
        return Ok(entries(queries, status, headers, envelope, Some(error)));
    }
    let unreadable = |reason| ServiceFault::unreadable(status, headers, body, reason);
    check_content(headers, body).map_err(unreadable)?;
    let (envelope, error) = read_object(queries.first(), body).map_err(unreadable)?;
    Ok(entries(queries, status, headers, envelope, error))
}

fn entries(
    queries: &[Query],
    status: u16,
    headers: &Headers,
    envelope: Envelope,
    error: Option<QueryError>,
) -> Vec<ResultEntry> {
    let Some(query) = queries.first() else {
        let (error, envelope) = (Some(QueryError::foreign()), Some(envelope));
        return vec![ResultEntry { error, envelope, dialect: EXTRACTION, ..Default::default() }];
    };
    let kept = headers
        .iter()
        .filter(|(name, _)| KEPT.iter().any(|kept| kept.eq_ignore_ascii_case(name)))
        .map(|(name, value)| (name.into(), value.into()));
    let id = headers.get("Request-ID").map(str::trim).filter(|id| !id.is_empty());
    let head = AnswerHead {
        status,
        headers: Headers::from_received(kept),
        id: id.map(Into::into),
        url: query.url().into(),
    };
    let mut answered = (Some(envelope), Some(Box::new(head)), error);
    let entry = |(index, query): (usize, &Query)| {
        let none = (None, None, Some(QueryError::missing()));
        let (envelope, head, error) = core::mem::replace(&mut answered, none);
        ResultEntry {
            query_index: Some(index),
            page_type: Some(query.page_type()),
            error,
            envelope,
            dialect: EXTRACTION,
            head,
        }
    };
    queries.iter().enumerate().map(entry).collect()
}

/// Finds the parts of a result (Zyte API reference, extract, response 200).
fn read_object(
    query: Option<&Query>,
    body: &[u8],
) -> Result<(Envelope, Option<QueryError>), Unreadable> {
    let mut cursor = Cursor::new(body)?;
    let kind = cursor.kind()?;
    if kind != Kind::Object {
        cursor.skip()?;
        cursor.end()?;
        return Err(Unreadable::NotObject { found: kind.as_str() });
    }
    let wanted = query.and_then(|query| zyte_api_name(query.page_type()));
    let (mut envelope, mut item, mut status) = (Envelope::default(), None, None);
    envelope.result.start = cursor.position();
    cursor.enter_object()?;
    while let Some(name) = cursor.next_member()? {
        let kind = cursor.kind()?;
        let span = cursor.skip()?;
        // Of two members of one name the later counts, as everywhere in JSON.
        let text = (kind == Kind::String).then_some(span);
        match name.decode().as_ref() {
            "browserHtml" => envelope.html = text,
            "echoData" => envelope.meta = text,
            "statusCode" => status = number(body, span),
            name if Some(name) == wanted => item = Some((kind, span)),
            _ => {}
        }
    }
    envelope.result.end = cursor.position();
    cursor.end()?;
    if let Some((Kind::Object, span)) = item {
        envelope.item = Some(span);
    }
    // "Zyte API sends a successful response" for a page that answered with another status than 200
    // (Zyte API docs, Error handling, Bad website responses); the older service did not.
    let error = match status {
        Some(status) if !(200..=299).contains(&status) => {
            Some(QueryError::from_text(format!("Downloader error: http{status}")))
        }
        _ if envelope.item.is_some() => None,
        _ => query.map(|query| {
            let found = item.map(|(kind, _)| kind).filter(|kind| *kind != Kind::Null);
            // Successful answers are billed, whatever is in them.
            QueryError { billed: true, ..QueryError::without_item(query.page_type(), found) }
        }),
    };
    Ok((envelope, error))
}

/// A status among the members of an answer.
fn number(body: &[u8], span: Span) -> Option<u16> {
    let text = core::str::from_utf8(body.get(span.start..span.end)?).ok()?;
    text.parse().ok().filter(|status| (100..=999).contains(status))
}
