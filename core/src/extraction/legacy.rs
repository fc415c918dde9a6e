//! Results as the Automatic Extraction API writes them, whatever service they come from.

use alloc::string::String;

use url::Url;

use super::{PageType, Query, ResultView};
use crate::json::write_string;

/// The host of a URL, without the `www.` that no domain is counted by.
pub(super) fn domain(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?;
    Some(host.strip_prefix("www.").unwrap_or(host).into())
}

/// The result's JSON text (Automatic Extraction API docs, Responses; Query-level errors).
pub(super) fn write(result: &ResultView<'_>, query: Option<&Query>) -> String {
    let mut out = String::new();
    if result.answer_status().is_none()
        && let Some(raw) = result.raw()
    {
        out.push_str(&String::from_utf8_lossy(raw));
        return out;
    }
    out.push_str("{\"query\":{");
    for (name, text) in [("id", result.id()), ("domain", result.domain())] {
        if let Some(text) = text {
            write_string(&mut out, name);
            out.push(':');
            write_string(&mut out, &text);
            out.push(',');
        }
    }
    out.push_str("\"userQuery\":");
    match query {
        Some(query) => query.write(&mut out),
        None => out.push_str("{}"),
    }
    out.push('}');
    let mut member = |name: &str, json: &str| {
        out.push(',');
        write_string(&mut out, name);
        out.push(':');
        out.push_str(json);
    };
    if let Some(error) = result.error() {
        let mut text = String::new();
        write_string(&mut text, &error.text);
        member("error", &text);
    } else if let Some(item) = result.item_bytes() {
        let name = result.page_type().map_or("item", PageType::as_str);
        member(name, &String::from_utf8_lossy(&item));
    }
    if let Some(html) = result.html() {
        let mut text = String::new();
        write_string(&mut text, &html);
        member("html", &text);
    }
    out.push('}');
    out
}
