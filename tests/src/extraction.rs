//! The vectors of `extraction`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use silkline::{
    Error,
    extraction::{
        Dialect, ExtractionApi, PageType, Query, QueryError, QueryResult, ServiceError, Usage,
        lone_surrogate_position,
    },
    http::Response,
    zyte_api,
};

use crate::{
    given::{
        body, body_text, check_keys, headers, in_micros, outcome, parsed, request_json, status,
        text, told,
    },
    problem::problem_json,
};

/// Runs an operation of `extraction`; `None` if there is none of that name.
pub(crate) fn run(op: &str, given: &Value) -> Option<Value> {
    Some(match op {
        "extraction.count" => read(given, |results| {
            let mut counts = BTreeMap::<_, u64>::new();
            for result in results {
                *counts.entry(result.error().map_or("ok", |error| error.code)).or_default() += 1;
            }
            json!(counts)
        }),
        "extraction.lone_surrogate" => {
            check_keys(given, &["utf16"]);
            let units = given["utf16"].as_array().expect("UTF-16 units").iter();
            json!(lone_surrogate_position(
                units.map(|unit| unit.as_u64().unwrap().try_into().unwrap())
            ))
        }
        "extraction.query" => outcome(query(given).map(|query| parsed(&query.to_json()))),
        "extraction.query_size" => outcome(query(given).map(|query| json!(query.to_json().len()))),
        "extraction.query_from_json" => {
            check_keys(given, &["text"]);
            let query = Query::from_json(&body_text(&given["text"]));
            outcome(query.map(|query| json!(query.to_json())).map_err(Error::from))
        }
        "extraction.raw" => read(given, |results| results.iter().map(raw_json).collect()),
        "extraction.request" => outcome(request(given)),
        "extraction.results" => read(given, |results| results.iter().map(result_json).collect()),
        "extraction.usage" => usage(given),
        _ => {
            let op = op.strip_prefix("zyte_api.")?;
            let op = match op {
                "request" | "raw" | "results" | "usage" => format!("extraction.{op}"),
                "json" => return Some(legacy(&in_zyte_api(given))),
                _ => return None,
            };
            return run(&op, &in_zyte_api(given));
        }
    })
}

/// The same in the dialect of the successor.
fn in_zyte_api(given: &Value) -> Value {
    let mut given = given.clone();
    given["dialect"] = json!("zyte_api");
    given
}

/// The dialect that is given, if there is one.
pub(crate) fn dialect(given: &Value) -> Dialect {
    given["dialect"].as_str().map_or_else(Dialect::default, |name| {
        zyte_api::extraction_dialect(name).expect("a dialect")
    })
}

/// Each result as the Automatic Extraction API would write it.
fn legacy(given: &Value) -> Value {
    let queries = queries(given).expect("valid queries");
    read(given, |results| {
        let query = |result: &QueryResult| queries.get(result.query_index()?);
        results.iter().map(|result| parsed(&result.to_json(query(result)))).collect()
    })
}

/// A query by its setters; each text is a body.
fn query(given: &Value) -> Result<Query, Error> {
    check_keys(
        given,
        &["url", "page_type", "meta", "article_body_raw", "full_html", "custom_html", "extra"],
    );
    let page_type: PageType = text(&given["page_type"]).parse()?;
    let mut query = Query::new(body_text(&given["url"]), page_type)?;
    if !given["meta"].is_null() {
        query = query.with_meta(body_text(&given["meta"]))?;
    }
    if let Some(wanted) = given["article_body_raw"].as_bool() {
        query = query.with_article_body_raw(wanted);
    }
    if let Some(wanted) = given["full_html"].as_bool() {
        query = query.with_full_html(wanted);
    }
    if !given["custom_html"].is_null() {
        query = query.with_custom_html(body_text(&given["custom_html"]))?;
    }
    if let Some(extra) = given["extra"].as_object() {
        for (name, value) in extra {
            query = query.with_extra(name, &value.to_string())?;
        }
    }
    Ok(query)
}

/// A list of queries as they are sent, or `{"repeat": [query, count]}`.
fn queries(given: &Value) -> Result<Vec<Query>, Error> {
    let (value, dialect) = (&given["queries"], dialect(given));
    let list = match value["repeat"].as_array() {
        Some(parts) => vec![parts[0].clone(); parts[1].as_u64().unwrap().try_into().unwrap()],
        None => value.as_array().expect("a list of queries").clone(),
    };
    list.iter()
        .map(|query| Query::from_json_in(dialect, &query.to_string()).map_err(Error::from))
        .collect()
}

fn request(given: &Value) -> Result<Value, Error> {
    check_keys(given, &["key", "endpoint", "queries", "dialect"]);
    let mut api =
        ExtractionApi::new(given["key"].as_str().unwrap_or("key"))?.with_dialect(dialect(given));
    if let Some(endpoint) = given["endpoint"].as_str() {
        api = api.with_endpoint(endpoint)?;
    }
    Ok(request_json(&api.request(&queries(given)?)?))
}

fn results(given: &Value) -> Result<Vec<QueryResult>, ServiceError> {
    check_keys(given, &["queries", "status", "headers", "body", "dialect"]);
    let api = ExtractionApi::new("key").expect("a valid key").with_dialect(dialect(given));
    let queries = queries(given).expect("valid queries");
    let body = body(&given["body"]);
    let response =
        Response::new(status(&given["status"]), headers(&given["headers"]), body.clone());
    let results = api.results(&queries, response);
    if let Err(error) = &results {
        assert_eq!(error.response().body, body, "the raw body is kept");
    }
    results
}

fn read(given: &Value, show: impl Fn(&[QueryResult]) -> Value) -> Value {
    match results(given) {
        Ok(results) => show(&results),
        Err(error) => json!({"error": told([
            ("code", json!(error.code())),
            ("message", json!(error.to_string())),
            ("status", json!(error.status())),
            ("retry", json!(error.retry().as_str())),
            ("retry_after_us", json!(error.retry_after().map(in_micros))),
            ("billed", json!(error.billed())),
            ("billing_known", json!(error.billing_known())),
            ("problem", error.problem().map_or(Value::Null, problem_json)),
        ])}),
    }
}

fn result_json(result: &QueryResult) -> Value {
    let unknown: Map<_, _> =
        result.unknown().into_iter().map(|(name, raw)| (name.into_owned(), json_of(raw))).collect();
    let native = result.dialect() != Dialect::AUTOMATIC_EXTRACTION;
    let unmapped: Map<_, _> =
        result.unmapped().iter().map(|(path, json)| (path.clone(), parsed(json))).collect();
    told([
        ("query_index", json!(result.query_index())),
        ("ok", json!(result.is_ok())),
        ("error", result.error().map_or(Value::Null, error_json)),
        ("page_type", json!(result.page_type().map(PageType::as_str))),
        ("item", result.item().map_or(Value::Null, |item| item.expect("a decodable item"))),
        ("item_native", result.item_native().filter(|_| native).map_or(Value::Null, json_of)),
        ("unmapped", if unmapped.is_empty() { Value::Null } else { unmapped.into() }),
        ("id", json!(result.id())),
        ("domain", json!(result.domain())),
        ("url", json!(result.url())),
        ("meta", json!(result.meta())),
        ("web_page", result.web_page().map_or(Value::Null, json_of)),
        ("html", json!(result.html())),
        ("algorithm_version", json!(result.algorithm_version())),
        ("unknown", if unknown.is_empty() { Value::Null } else { unknown.into() }),
    ])
}

fn error_json(error: &QueryError) -> Value {
    told([
        ("code", json!(error.code)),
        ("text", json!(error.text)),
        ("billed", json!(error.billed)),
        ("retry", json!(error.retry)),
        ("max_retries", json!(error.max_retries)),
        ("retry_after_us", json!(error.retry_after.map(in_micros))),
        ("domain", json!(error.domain)),
        ("status", json!(error.status)),
    ])
}

/// The same parts as the very texts of the answer.
fn raw_json(result: &QueryResult) -> Value {
    let raw = |bytes: Option<&[u8]>| json!(bytes.map(str_of));
    let unknown = result.unknown();
    let unknown: Map<_, _> =
        unknown.into_iter().map(|(name, raw)| (name.into_owned(), json!(str_of(raw)))).collect();
    told([
        ("item", raw(result.item_bytes())),
        ("query", raw(result.query_bytes())),
        ("web_page", raw(result.web_page())),
        ("raw", raw(result.raw())),
        ("unknown", if unknown.is_empty() { Value::Null } else { unknown.into() }),
    ])
}

fn usage(given: &Value) -> Value {
    let usage = match results(given) {
        Ok(results) => Usage::of_results(&results),
        Err(error) => Usage::of_fault(&error, queries(given).unwrap().len()),
    };
    json!({
        "queries": usage.queries,
        "billed": usage.billed,
        "unbilled": usage.unbilled,
        "unknown": usage.unknown,
    })
}

fn str_of(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).expect("UTF-8")
}

fn json_of(bytes: &[u8]) -> Value {
    parsed(str_of(bytes))
}
