//! `silkline::extraction`.

use std::borrow::Cow;

use js_sys::Array;
use silkline::{
    extraction::{self, InvalidQuery, Query},
    json::{Cursor, InvalidJson, Span},
};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{convert, errors::Thrown};

/// The client's side of the protocol.
#[wasm_bindgen]
pub struct ExtractionApi(extraction::ExtractionApi);

#[wasm_bindgen]
impl ExtractionApi {
    /// A client for the service at an address; the core knows the default.
    #[wasm_bindgen(constructor)]
    pub fn new(api_key: &str, endpoint: Option<String>) -> Result<Self, Thrown> {
        let api = extraction::ExtractionApi::new(api_key)?;
        Ok(Self(match endpoint {
            Some(endpoint) => api.with_endpoint(endpoint)?,
            None => api,
        }))
    }

    /// The address that requests go to.
    #[wasm_bindgen(getter)]
    pub fn endpoint(&self) -> String {
        self.0.endpoint().into()
    }

    /// The request that carries the queries, which come as a JSON array.
    pub fn request(&self, queries: &str) -> Result<Array, Thrown> {
        Ok(convert::request(&self.0.request(&read_queries(queries)?)?))
    }
}

/// Checks a query, and gives its JSON text. Both arguments are JSON objects as `JSON.stringify`
/// writes them; `extra` has the members that the documentation does not name.
#[wasm_bindgen]
pub fn query(members: &str, extra: &str) -> Result<String, Thrown> {
    let query = Query::from_json(members)?;
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
    Ok(Query::from_json(&text)?.to_json())
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
    let queries = spans.into_iter().map(|span| Query::from_json(text(json, span)));
    Ok(queries.collect::<Result<_, _>>()?)
}

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
