//! What the service found out about one query.

use alloc::{borrow::Cow, boxed::Box, string::String, sync::Arc, vec::Vec};
use core::fmt;

use once_cell::race::OnceBox;
use serde_json::Value;

use super::{
    AnswerHead, ConvertedItem, Dialect, Envelope, PageType, Query, QueryError, ResultEntry,
    decode::decode, legacy,
};
use crate::json::{Cursor, Span};

/// A [`ResultEntry`] read together with the bytes of its answer.
///
/// Nothing is decoded before it is asked for, and nothing that was decoded is kept.
#[derive(Clone, Copy, Debug)]
pub struct ResultView<'a> {
    entry: &'a ResultEntry,
    body: &'a [u8],
}

impl<'a> ResultView<'a> {
    /// An entry and the very bytes that it was read from. Over other bytes the parts are gibberish
    /// or missing, but nothing worse.
    pub fn new(entry: &'a ResultEntry, body: &'a [u8]) -> Self {
        Self { entry, body }
    }

    /// The index of the query that it belongs to.
    pub fn query_index(&self) -> Option<usize> {
        self.entry.query_index
    }

    /// Whether there is an item.
    pub fn is_ok(&self) -> bool {
        self.entry.error.is_none()
    }

    /// Why there is no item.
    pub fn error(&self) -> Option<&'a QueryError> {
        self.entry.error.as_ref()
    }

    /// The page type that was asked for; for a result that belongs to no query, the one it tells.
    pub fn page_type(&self) -> Option<PageType> {
        self.entry.page_type
    }

    /// The item's JSON text in the schema of the Automatic Extraction API, converted now if the
    /// service has another one.
    pub fn item_bytes(&self) -> Option<Cow<'a, [u8]>> {
        match self.converted() {
            Some(converted) => Some(Cow::Owned(converted.item.into_bytes())),
            None => Some(Cow::Borrowed(self.item_native()?)),
        }
        .filter(|_| self.is_ok())
    }

    /// The JSON text of the item as the service sent it; also of an item that came with an error.
    pub fn item_native(&self) -> Option<&'a [u8]> {
        self.bytes(|envelope| envelope.item)
    }

    /// Place (a JSON pointer into the item as the service sent it) and JSON text of each part of it
    /// that the schema of the Automatic Extraction API has no room for. They are looked for now.
    pub fn unmapped(&self) -> Vec<(String, String)> {
        self.converted().map(|converted| converted.unmapped).unwrap_or_default()
    }

    /// The item in the schema of the Automatic Extraction API, and what was lost; `None` if the
    /// service's own schema is that, or there is no item. It is converted now.
    pub fn converted(&self) -> Option<ConvertedItem> {
        let (page_type, item) = (self.entry.page_type?, self.item_native()?);
        self.entry.dialect.wire().convert(page_type, item)
    }

    /// The service that answered.
    pub fn dialect(&self) -> Dialect {
        self.entry.dialect
    }

    /// The status of the answer, in dialects that answer one query at a time.
    pub fn answer_status(&self) -> Option<u16> {
        self.head().map(|head| head.status)
    }

    fn head(&self) -> Option<&'a AnswerHead> {
        self.entry.head.as_deref()
    }

    /// The result as the Automatic Extraction API would write it. `query` is the one that it
    /// belongs to.
    pub fn to_json(&self, query: Option<&Query>) -> String {
        legacy::write(self, query)
    }

    /// The item, decoded now. Half a surrogate pair becomes U+FFFD; a number that no float can
    /// hold is an error, and [`item_bytes`](Self::item_bytes) still has it.
    pub fn item(&self) -> Option<Result<Value, serde_json::Error>> {
        self.item_bytes().map(|item| decode(&item))
    }

    /// The service's id of the query.
    pub fn id(&self) -> Option<Cow<'a, str>> {
        match self.head() {
            Some(head) => head.id.as_deref().map(Cow::Borrowed),
            None => self.text(|envelope| envelope.id),
        }
    }

    /// The domain that the service counts the query to: its URL's host, if the service does not
    /// tell.
    pub fn domain(&self) -> Option<Cow<'a, str>> {
        match self.head() {
            Some(head) => legacy::domain(&head.url).map(Cow::Owned),
            None => self.text(|envelope| envelope.domain),
        }
    }

    /// The URL that the result repeats: of a service that follows redirects, nevertheless the one
    /// that was asked for.
    pub fn url(&self) -> Option<Cow<'a, str>> {
        match self.head() {
            Some(head) => Some(Cow::Borrowed(&head.url)),
            None => self.text(|envelope| envelope.url),
        }
    }

    /// The meta that the result repeats.
    pub fn meta(&self) -> Option<Cow<'a, str>> {
        self.text(|envelope| envelope.meta)
    }

    /// The JSON text of what the result says of its query, unknown members included.
    pub fn query_bytes(&self) -> Option<&'a [u8]> {
        self.bytes(|envelope| envelope.query)
    }

    /// The JSON text of what the service knows of the page, such as its languages.
    pub fn web_page(&self) -> Option<&'a [u8]> {
        self.bytes(|envelope| envelope.web_page)
    }

    /// The HTML of the whole page, if it was asked for; decoded now.
    pub fn html(&self) -> Option<Cow<'a, str>> {
        self.text(|envelope| envelope.html)
    }

    /// The version of the service's algorithm.
    pub fn algorithm_version(&self) -> Option<Cow<'a, str>> {
        self.text(|envelope| envelope.algorithm_version)
    }

    /// Name and JSON text of each member that none of the above gives, in the order of the result.
    /// They are looked for now.
    pub fn unknown(&self) -> Vec<(Cow<'a, str>, &'a [u8])> {
        let raw = self.raw().unwrap_or_default();
        let item = self.entry.envelope.as_ref().and_then(|envelope| {
            envelope.item.map(|item| item.start.saturating_sub(envelope.result.start))
        });
        let text = |span: Span| raw.get(span.start..span.end).unwrap_or_default();
        unknown_members(self.entry.dialect, raw, item)
            .into_iter()
            .map(|(name, span)| (name, text(span)))
            .collect()
    }

    /// The JSON text of the whole result; for an entry that tells of many results, from the first
    /// to the last of them. `None` if the answer has no result for the query.
    pub fn raw(&self) -> Option<&'a [u8]> {
        self.bytes(|envelope| Some(envelope.result))
    }

    fn bytes(&self, part: impl Fn(&Envelope) -> Option<Span>) -> Option<&'a [u8]> {
        let span = part(self.entry.envelope.as_ref()?)?;
        self.body.get(span.start..span.end)
    }

    fn text(&self, part: impl Fn(&Envelope) -> Option<Span>) -> Option<Cow<'a, str>> {
        let mut cursor = Cursor::new(self.bytes(part)?).ok()?;
        cursor.string().ok().map(|text| text.decode())
    }
}

/// Name and place of each member of a result that no getter of a [`ResultView`] gives, for whoever
/// keeps the bytes elsewhere. `result` is the JSON text of one whole result that has been read, and
/// `item` the offset at which its item begins.
pub fn unknown_members(
    dialect: Dialect,
    result: &[u8],
    item: Option<usize>,
) -> Vec<(Cow<'_, str>, Span)> {
    let mut members = Vec::new();
    // The result has been read before, so reading it again comes to its end.
    if let Ok(mut cursor) = Cursor::new(result)
        && cursor.enter_object().is_ok()
    {
        while let Ok(Some(name)) = cursor.next_member() {
            let Ok(kind) = cursor.kind() else { break };
            let Ok(span) = cursor.skip() else { break };
            let is_known =
                item == Some(span.start) || dialect.wire().is_envelope(&name.decode(), kind);
            if !is_known {
                members.push((name.decode(), span));
            }
        }
    }
    members
}

/// A result: an entry that shares the bytes of its answer with the other results.
///
/// See [`ResultView`] for what each part is.
pub struct QueryResult {
    entry: ResultEntry,
    body: Arc<Vec<u8>>,
    /// The item in another schema than the service's, once it was asked for.
    converted: OnceBox<ConvertedItem>,
}

impl Clone for QueryResult {
    fn clone(&self) -> Self {
        Self::new(self.entry.clone(), Arc::clone(&self.body))
    }
}

impl Eq for QueryResult {}

impl PartialEq for QueryResult {
    fn eq(&self, other: &Self) -> bool {
        (&self.entry, &self.body) == (&other.entry, &other.body)
    }
}

impl fmt::Debug for QueryResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryResult")
            .field("entry", &self.entry)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish_non_exhaustive()
    }
}

impl QueryResult {
    pub(super) fn new(entry: ResultEntry, body: Arc<Vec<u8>>) -> Self {
        Self { entry, body, converted: OnceBox::new() }
    }

    /// The result over its bytes.
    pub fn view(&self) -> ResultView<'_> {
        ResultView::new(&self.entry, &self.body)
    }

    /// The entry: error, and where the parts stand in [`body`](Self::body).
    pub fn entry(&self) -> &ResultEntry {
        &self.entry
    }

    /// The bytes of the whole answer.
    pub fn body(&self) -> &Arc<Vec<u8>> {
        &self.body
    }

    /// The index of the query that it belongs to.
    pub fn query_index(&self) -> Option<usize> {
        self.view().query_index()
    }

    /// Whether there is an item.
    pub fn is_ok(&self) -> bool {
        self.view().is_ok()
    }

    /// Why there is no item.
    pub fn error(&self) -> Option<&QueryError> {
        self.view().error()
    }

    /// The page type that was asked for, or that the result tells.
    pub fn page_type(&self) -> Option<PageType> {
        self.view().page_type()
    }

    /// The item's JSON text in the schema of the Automatic Extraction API. If the service has
    /// another one, it is converted when it is first asked for.
    pub fn item_bytes(&self) -> Option<&[u8]> {
        if !self.is_ok() {
            return None;
        }
        Some(self.converted().map_or(self.item_native()?, |converted| converted.item.as_bytes()))
    }

    /// The JSON text of the item as the service sent it; also of an item that came with an error.
    pub fn item_native(&self) -> Option<&[u8]> {
        self.view().item_native()
    }

    /// Place (a JSON pointer into [`item_native`](Self::item_native)) and JSON text of each part of
    /// the item that the schema of the Automatic Extraction API has no room for.
    pub fn unmapped(&self) -> &[(String, String)] {
        self.converted().map_or(&[], |converted| &converted.unmapped)
    }

    fn converted(&self) -> Option<&ConvertedItem> {
        if let Some(known) = self.converted.get() {
            return Some(known);
        }
        let converted = Box::new(self.view().converted()?);
        Some(self.converted.get_or_init(|| converted))
    }

    /// The service that answered.
    pub fn dialect(&self) -> Dialect {
        self.entry.dialect
    }

    /// The result as the Automatic Extraction API would write it. `query` is the one that it
    /// belongs to.
    pub fn to_json(&self, query: Option<&Query>) -> String {
        self.view().to_json(query)
    }

    /// The item, decoded now.
    pub fn item(&self) -> Option<Result<Value, serde_json::Error>> {
        self.item_bytes().map(decode)
    }

    /// The service's id of the query.
    pub fn id(&self) -> Option<Cow<'_, str>> {
        self.view().id()
    }

    /// The domain that the service counts the query to.
    pub fn domain(&self) -> Option<Cow<'_, str>> {
        self.view().domain()
    }

    /// The URL that the result repeats.
    pub fn url(&self) -> Option<Cow<'_, str>> {
        self.view().url()
    }

    /// The meta that the result repeats.
    pub fn meta(&self) -> Option<Cow<'_, str>> {
        self.view().meta()
    }

    /// The JSON text of what the result says of its query.
    pub fn query_bytes(&self) -> Option<&[u8]> {
        self.view().query_bytes()
    }

    /// The JSON text of what the service knows of the page.
    pub fn web_page(&self) -> Option<&[u8]> {
        self.view().web_page()
    }

    /// The HTML of the whole page, decoded now.
    pub fn html(&self) -> Option<Cow<'_, str>> {
        self.view().html()
    }

    /// The version of the service's algorithm.
    pub fn algorithm_version(&self) -> Option<Cow<'_, str>> {
        self.view().algorithm_version()
    }

    /// Name and JSON text of each other member.
    pub fn unknown(&self) -> Vec<(Cow<'_, str>, &[u8])> {
        self.view().unknown()
    }

    /// The JSON text of the whole result.
    pub fn raw(&self) -> Option<&[u8]> {
        self.view().raw()
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String, vec::Vec};
    use core::cell::Cell;

    use crate::{
        extraction::{ExtractionApi, PageType, Query, decode::tests::DECODED},
        http::{Headers, Response},
    };

    #[test]
    fn only_items_that_are_asked_for_are_decoded() {
        let api = ExtractionApi::new("key").unwrap();
        let query = |at| Query::new(format!("http://a/{at}"), PageType::Product).unwrap();
        let queries: Vec<_> = (0..100).map(query).collect();
        let text = "x".repeat(60_000);
        let result = |at| {
            format!(
                r#"{{"query":{{"userQuery":{{"url":"http://a/{at}"}}}},"product":{{"name":"{text}"}}}}"#
            )
        };
        let body = format!("[{}]", (0..100).map(result).collect::<Vec<String>>().join(","));
        let results = api.results(&queries, Response::new(200, Headers::new(), body)).unwrap();
        assert!(results.iter().all(|result| result.is_ok() && result.item_bytes().is_some()));
        assert_eq!(DECODED.with(Cell::get), 0);
        assert_eq!(results[42].item().unwrap().unwrap()["name"], text);
        assert_eq!(DECODED.with(Cell::get), 1);
    }
}
