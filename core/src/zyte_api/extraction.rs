//! Queries as Zyte API takes them.

use alloc::{string::String, vec::Vec};
use core::time::Duration;

use super::{answer, items::zyte_api_name};
use crate::{
    extraction::{
        ConvertedItem, Dialect, InvalidQuery, PageType, Query, ResultEntry, ServiceFault, UrlUnit,
        Wire, write_name,
    },
    http::Headers,
    json::{Kind, write_string},
};

/// Zyte API's `/v1/extract`: one query a request, items in a newer schema.
pub const EXTRACTION: Dialect = Dialect::new(&Extraction);

const NAME: &str = "zyte_api";

struct Extraction;

fn unsupported(field: &str, value: &str, reason: &'static str) -> InvalidQuery {
    let value = value.chars().take(101).collect();
    InvalidQuery::Unsupported { field: field.into(), value, dialect: NAME, reason }
}

impl Wire for Extraction {
    fn name(&self) -> &'static str {
        NAME
    }

    fn endpoint(&self) -> &'static str {
        "https://api.zyte.com/v1/extract"
    }

    fn max_queries(&self) -> usize {
        1
    }

    fn max_url(&self) -> (usize, UrlUnit) {
        (8192, UrlUnit::Characters)
    }

    /// What the service's own client waits for.
    fn deadline(&self) -> Duration {
        Duration::from_secs(320)
    }

    /// "Standard plans: 3000 RPM" (Zyte API docs, Rate limits).
    fn rate(&self) -> (u64, Duration) {
        (3000, Duration::from_secs(60))
    }

    fn check(&self, query: &Query) -> Result<(), InvalidQuery> {
        let Some(member) = zyte_api_name(query.page_type()) else {
            let reason = "the service has no such items";
            return Err(unsupported("pageType", query.page_type().as_str(), reason));
        };
        if let Some(html) = query.custom_html() {
            return Err(unsupported("customHtml", html, "the service downloads each page itself"));
        }
        if query.article_body_raw() == Some(true) && query.page_type() == PageType::Article {
            let reason = "the service's articles have no such member";
            return Err(unsupported("articleBodyRaw", "true", reason));
        }
        for (name, _) in query.extra() {
            let taken = match name {
                "echoData" => query.meta().is_some(),
                "browserHtml" => query.full_html() == Some(true),
                name => name == member,
            };
            if taken {
                return Err(InvalidQuery::FieldDuplicate { field: name.into() });
            }
        }
        Ok(())
    }

    fn write(&self, queries: &[Query], body: &mut String) {
        let Some(query) = queries.first() else { return };
        body.push_str("{\"url\":");
        write_string(body, query.url());
        if let Some(member) = zyte_api_name(query.page_type()) {
            write_name(body, member);
            body.push_str("true");
        }
        if let Some(meta) = query.meta() {
            write_name(body, "echoData");
            write_string(body, meta);
        }
        if query.full_html() == Some(true) {
            write_name(body, "browserHtml");
            body.push_str("true");
        }
        for (name, value) in query.extra() {
            write_name(body, name);
            body.push_str(value);
        }
        body.push('}');
    }

    fn read(
        &self,
        queries: &[Query],
        status: u16,
        headers: &Headers,
        body: &[u8],
    ) -> Result<Vec<ResultEntry>, ServiceFault> {
        answer::read(queries, status, headers, body)
    }

    fn is_envelope(&self, name: &str, kind: Kind) -> bool {
        matches!(name, "browserHtml" | "echoData") && kind == Kind::String
    }

    fn convert(&self, page_type: PageType, item: &[u8]) -> Option<ConvertedItem> {
        let converted = super::items::from_zyte_api(page_type, item).ok();
        // What is no item of a page type was never asked for.
        let kept = || ConvertedItem {
            item: String::from_utf8_lossy(item).into_owned(),
            unmapped: Vec::new(),
        };
        Some(converted.map_or_else(kept, |converted| ConvertedItem {
            item: converted.item,
            unmapped: converted.unmapped.into_iter().map(|part| (part.path, part.value)).collect(),
        }))
    }
}
