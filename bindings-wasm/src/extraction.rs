//! `silkline::extraction`.

use std::borrow::Cow;

use silkline::{
    extraction::{self, Dialect, InvalidQuery, Query, QueryError, ResultEntry, ResultView, Usage},
    http::InvalidEndpoint,
    json::{Cursor, InvalidJson, Span},
    zyte_api,
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::{
    convert::{self, Object, array, copy_numbers, quoted},
    errors::Thrown,
};

/// The client's side of the protocol.
#[wasm_bindgen]
pub struct ExtractionApi(pub(crate) extraction::ExtractionApi);

#[wasm_bindgen]
impl ExtractionApi {
    /// A client for the service at an address; the core knows the default. `is_text` is false if
    /// the address held half of a surrogate pair, which does not cross. `dialect` is the index
    /// among all.
    #[wasm_bindgen(constructor)]
    pub fn new(
        api_key: &str,
        endpoint: Option<String>,
        is_text: bool,
        dialect: usize,
    ) -> Result<Self, Thrown> {
        let api = extraction::ExtractionApi::new(api_key)?.with_dialect(dialect_of(dialect));
        Ok(Self(match endpoint {
            Some(endpoint) if is_text => api.with_endpoint(endpoint)?,
            Some(endpoint) => return Err(InvalidEndpoint::Url { endpoint }.into()),
            None => api,
        }))
    }
}

fn dialect_of(index: usize) -> Dialect {
    zyte_api::EXTRACTION_DIALECTS.get(index).copied().unwrap_or_default()
}

/// The dialect that takes the longest URLs: where a query comes to a service, that one judges.
pub(crate) const LONGEST: Dialect = zyte_api::EXTRACTION;

#[cfg(feature = "protocol")]
#[wasm_bindgen]
impl ExtractionApi {
    /// The address that requests go to.
    #[wasm_bindgen(getter)]
    pub fn endpoint(&self) -> String {
        self.0.endpoint().into()
    }

    /// The request that carries the queries, which come as a JSON array.
    pub fn request(&self, queries: &str) -> Result<Vec<JsValue>, Thrown> {
        Ok(convert::request(&self.0.request(&read_queries(queries)?)?))
    }
}

#[cfg(feature = "protocol")]
/// Checks a query that comes as JSON text, and gives its compact text.
#[wasm_bindgen(js_name = queryFromJson)]
pub fn query_from_json(text: &str, dialect: usize) -> Result<String, Thrown> {
    Ok(Query::from_json_in(dialect_of(dialect), text)?.to_json())
}

#[cfg(feature = "protocol")]
/// Checks a query, and gives its JSON text. Both arguments are JSON objects as `JSON.stringify`
/// writes them; `extra` has the members that the documentation does not name.
#[wasm_bindgen]
pub fn query(members: &str, extra: &str, dialect: usize) -> Result<String, Thrown> {
    let dialect = dialect_of(dialect);
    let query = Query::from_json_in(dialect, members)?;
    let mut text = query.to_json();
    if extra == "{}" {
        return Ok(text);
    }
    for (name, value) in members_of(extra).map_err(|error| fault(extra, error))? {
        query.clone().with_extra(&name, value)?;
    }
    // Once more as a whole, for the rules that go by how the names are written.
    text.pop();
    text.push(',');
    text.push_str(extra.strip_prefix('{').unwrap_or_default());
    Ok(Query::from_json_in(dialect, &text)?.to_json())
}

/// The queries of a JSON array.
pub(crate) fn read_queries(json: &str) -> Result<Vec<Query>, Thrown> {
    let mut spans = Vec::new();
    let mut read = || {
        let mut cursor = Cursor::new(json.as_bytes())?;
        cursor.enter_array()?;
        while cursor.next_element()? {
            spans.push(cursor.skip()?);
        }
        cursor.end()
    };
    read().map_err(|error| fault(json, error))?;
    let queries = spans.into_iter().map(|span| Query::from_json_in(LONGEST, text(json, span)));
    Ok(queries.collect::<Result<_, _>>()?)
}

#[cfg(feature = "protocol")]
fn members_of(json: &str) -> Result<Vec<(Cow<'_, str>, &str)>, InvalidJson> {
    let mut members = Vec::new();
    let mut cursor = Cursor::new(json.as_bytes())?;
    cursor.enter_object()?;
    while let Some(name) = cursor.next_member()? {
        members.push((name.decode(), text(json, cursor.skip()?)));
    }
    cursor.end()?;
    Ok(members)
}

fn fault(json: &str, error: InvalidJson) -> InvalidQuery {
    InvalidQuery::Json { length: json.len(), position: error.position() }
}

fn text(json: &str, span: Span) -> &str {
    json.get(span.start..span.end).unwrap_or_default()
}

/// How many numbers tell about one result.
const ROW: usize = 27;

#[cfg(feature = "protocol")]
#[wasm_bindgen]
impl ExtractionApi {
    /// Reads an answer: a row of numbers for each result, and the errors and the heads of answers
    /// among them as JSON arrays. `npm/lib/result.cjs` knows the columns. `kept` is the body on the other side, for the
    /// error that keeps it.
    pub fn results(
        &self,
        queries: &str,
        status: u16,
        headers: &str,
        body: &[u8],
        kept: JsValue,
    ) -> Result<Vec<JsValue>, Thrown> {
        let queries = read_queries(queries)?;
        let headers = convert::received_headers(headers);
        let entries = match self.0.read(&queries, status, &headers, body) {
            Ok(entries) => entries,
            Err(fault) => return Err(Thrown::service(&fault, queries.len()).with_body(kept)),
        };
        let mut rows = Vec::with_capacity(entries.len() * ROW);
        let (mut errors, mut heads) = (Vec::new(), Vec::new());
        for entry in &entries {
            if let Some(error) = &entry.error {
                errors.push(error_json(error));
            }
            heads.extend(head_json(entry));
            write_row(&mut rows, entry, [errors.len(), heads.len()]);
        }
        Ok(vec![copy_numbers(&rows), array(errors).into(), array(heads).into()])
    }
}

#[cfg(feature = "protocol")]
/// Name and place of each member of a result that has no getter of its own, as JSON. The result
/// comes as its bytes, with the offset of its item in them.
#[wasm_bindgen(js_name = unknownMembers)]
pub fn unknown_members(result: &[u8], item: Option<u32>, dialect: usize) -> String {
    let item = item.and_then(|item| usize::try_from(item).ok());
    array(
        extraction::unknown_members(dialect_of(dialect), result, item).into_iter().map(
            |(name, span)| array([quoted(&name), span.start.to_string(), span.end.to_string()]),
        ),
    )
}

/// What of an answer stands outside its body, as JSON; if there is such.
pub(crate) fn head_json(entry: &ResultEntry) -> Option<String> {
    entry.head.as_ref()?;
    let view = ResultView::new(entry, &[]);
    let dialects = zyte_api::EXTRACTION_DIALECTS;
    let dialect = dialects.iter().position(|known| *known == entry.dialect);
    Some(
        Object::new()
            .number("dialect", dialect.unwrap_or_default())
            .maybe_text("id", view.id().as_deref())
            .maybe_text("domain", view.domain().as_deref())
            .maybe_text("url", view.url().as_deref())
            .end(),
    )
}

#[cfg(feature = "protocol")]
/// An item as the service sent it, in the schema of the Automatic Extraction API, and what that has
/// no room for as a JSON object; nothing if it is in that schema.
#[wasm_bindgen(js_name = convertNative)]
pub fn convert_native(dialect: usize, page_type: usize, item: &[u8]) -> Option<Vec<String>> {
    let page_type = extraction::PageType::ALL.get(page_type)?;
    let converted = dialect_of(dialect).convert(*page_type, item)?;
    let mut unmapped = Object::new();
    for (path, json) in &converted.unmapped {
        unmapped = unmapped.json(path, json);
    }
    Some(vec![converted.item, unmapped.end()])
}

/// Indexes count from 1, so that 0 stands for none; so does an empty span. `counted` is how many
/// errors and heads there are so far.
pub(crate) fn write_row(rows: &mut Vec<u32>, entry: &ResultEntry, counted: [usize; 2]) {
    let [errors, heads] = counted;
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let page_type = entry
        .page_type
        .and_then(|wanted| extraction::PageType::ALL.iter().position(|known| *known == wanted));
    let error = if entry.error.is_some() { errors } else { 0 };
    rows.push(entry.query_index.map_or(0, |index| number(index + 1)));
    rows.push(page_type.map_or(0, |index| number(index + 1)));
    rows.push(number(error));
    rows.push(match Usage::of_entries([entry]) {
        Usage { billed: 1, .. } => 1,
        Usage { unbilled: 1, .. } => 2,
        Usage { unknown: 1, .. } => 3,
        _ => 0,
    });
    let parts = entry.envelope.as_ref().map(|envelope| {
        [
            Some(envelope.result),
            envelope.item,
            envelope.query,
            envelope.id,
            envelope.domain,
            envelope.url,
            envelope.meta,
            envelope.web_page,
            envelope.html,
            envelope.algorithm_version,
            envelope.error,
        ]
    });
    for part in parts.unwrap_or_default() {
        let span = part.unwrap_or_default();
        rows.extend([number(span.start), number(span.end)]);
    }
    rows.push(if entry.head.is_some() { number(heads) } else { 0 });
}

#[cfg(feature = "protocol")]
/// What a text of the service says went wrong with a query, as JSON.
#[wasm_bindgen(js_name = queryErrorFromText)]
pub fn query_error_from_text(text: &str) -> String {
    error_json(&QueryError::from_text(text))
}

pub(crate) fn usage_json(usage: &Usage) -> String {
    Object::new()
        .number("queries", usage.queries)
        .number("billed", usage.billed)
        .number("unbilled", usage.unbilled)
        .number("unknown", usage.unknown)
        .end()
}

pub(crate) fn error_json(error: &QueryError) -> String {
    Object::new()
        .text("code", error.code)
        .text("text", &error.text)
        .flag("billed", error.billed)
        .flag("retry", error.retry)
        .maybe_number("maxRetries", error.max_retries)
        .millis("retryAfter", error.retry_after)
        .maybe_text("domain", error.domain.as_deref())
        .maybe_number("status", error.status)
        .end()
}
