//! Extracts pages with a blocking HTTP client.
//!
//! ```text
//! cargo run --release --example extract --features http -- ENDPOINT KEY QUERIES RATE OUT
//! ```
//!
//! Reads queries (one JSON object a line, as the service spells them), sends them one by one, RATE
//! a second at most, and writes a line of JSON for each: the item, or why there is none.

use std::{
    env,
    fs::{self, File},
    io::{BufWriter, Write},
    thread,
    time::Instant,
};

use core::{error::Error, time::Duration};

use serde_json::{Map, Value, json};
use silkline::{
    extraction::{ExtractionApi, Query, QueryResult, RetryClass},
    http::Response,
};

/// How often a request that was refused for being too fast is sent again.
const MAX_TRIES: usize = 10;
/// Longer than the service works on a query (the docs, Restrictions and Failure Modes).
const TIMEOUT: Duration = Duration::from_secs(605);
const MAX_ANSWER: u64 = 1 << 30;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [endpoint, key, queries, rate, out] = arguments.as_slice() else {
        return Err("usage: extract ENDPOINT KEY QUERIES RATE OUT".into());
    };
    let api = ExtractionApi::new(key)?.with_endpoint(endpoint)?;
    let agent = ureq::Agent::new_with_config(
        ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false) // the library reads refusals too
            .build(),
    );
    let pause = Duration::from_secs_f64(1.0 / rate.parse::<f64>()?);
    let mut out = BufWriter::new(File::create(out)?);
    let mut next = now();
    for line in fs::read_to_string(queries)?.lines() {
        let query = Query::from_json(line)?;
        thread_sleep(next.saturating_duration_since(now()));
        next = now() + pause;
        for result in extract(&api, &agent, &query)? {
            writeln!(out, "{}", line_of(&query, &result)?)?;
        }
    }
    Ok(out.flush()?)
}

/// Sends a query until the service takes it.
fn extract(
    api: &ExtractionApi,
    agent: &ureq::Agent,
    query: &Query,
) -> Result<Vec<QueryResult>, Box<dyn Error>> {
    let queries = [query.clone()];
    for attempt in 1.. {
        let request: http::Request<Vec<u8>> = api.request(&queries)?.try_into()?;
        let (parts, mut body) = agent.run(request)?.into_parts();
        let body = body.with_config().limit(MAX_ANSWER).read_to_vec()?;
        let response = Response::from(http::Response::from_parts(parts, body));
        match api.results(&queries, response) {
            Ok(results) => return Ok(results),
            Err(error)
                if error.fault().retry() == RetryClass::Throttling && attempt < MAX_TRIES =>
            {
                thread_sleep(error.fault().retry_after().unwrap_or(Duration::from_secs(1)));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Vec::new())
}

/// What the output says of a result.
fn line_of(query: &Query, result: &QueryResult) -> Result<Value, serde_json::Error> {
    let mut line = Map::new();
    line.insert("url".into(), query.url().into());
    line.insert("pageType".into(), query.page_type().as_str().into());
    if let Some(item) = result.item() {
        line.insert("item".into(), item?);
    }
    if let Some(web_page) = result.web_page() {
        line.insert("webPage".into(), serde_json::from_slice(web_page)?);
    }
    if let Some(error) = result.error() {
        let (text, billed) = (&error.text, error.billed);
        line.insert("error".into(), json!({"code": error.code(), "text": text, "billed": billed}));
    }
    Ok(line.into())
}

#[expect(clippy::disallowed_methods, reason = "a program has a clock, the library has none")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "a program may wait, the library never does")]
fn thread_sleep(time: Duration) {
    thread::sleep(time);
}
