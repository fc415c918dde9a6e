//! A query as JSON text.

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::{iter, str::Chars};

use super::{Dialect, InvalidQuery, PageType, Query, query::LEVELS_AROUND_EXTRA};
use crate::json::{Cursor, InvalidJson, Kind, Span};

/// The members that the documentation names (Automatic Extraction API docs, Requests).
const URL: &str = "url";
const PAGE_TYPE: &str = "pageType";
const META: &str = "meta";
const ARTICLE_BODY_RAW: &str = "articleBodyRaw";
const FULL_HTML: &str = "fullHtml";
const CUSTOM_HTML: &str = "customHtml";

pub(super) fn is_documented(name: &str) -> bool {
    matches!(name, URL | PAGE_TYPE | META | ARTICLE_BODY_RAW | FULL_HTML | CUSTOM_HTML)
}

/// A member of the text: its name, the sort of its value, and the value as written.
struct Member<'a> {
    name: Cow<'a, str>,
    kind: Kind,
    raw: &'a str,
}

impl Query {
    /// Reads a query from its JSON text. Members that the documentation does not name become extra
    /// ones, as they stand.
    ///
    /// ```
    /// use silkline::extraction::Query;
    ///
    /// let query = Query::from_json(r#"{"url": "http://a/", "pageType": "product", "x": [1]}"#)?;
    /// assert_eq!(query.extra().next(), Some(("x", "[1]")));
    /// # Ok::<(), silkline::extraction::InvalidQuery>(())
    /// ```
    pub fn from_json(json: &str) -> Result<Self, InvalidQuery> {
        Self::from_json_in(Dialect::default(), json)
    }

    /// Reads a query from its JSON text, for a service that may take longer URLs.
    pub fn from_json_in(dialect: Dialect, json: &str) -> Result<Self, InvalidQuery> {
        let mut members = read_members(json)?;
        let mut take = |name: &str| {
            members.iter().position(|member| member.name == name).map(|at| members.remove(at))
        };
        let (url, page_type, meta) = (take(URL), take(PAGE_TYPE), take(META));
        let (article_body_raw, full_html) = (take(ARTICLE_BODY_RAW), take(FULL_HTML));
        let custom_html = take(CUSTOM_HTML);

        let url = url.ok_or(InvalidQuery::FieldMissing { field: URL })?;
        let page_type = page_type.ok_or(InvalidQuery::FieldMissing { field: PAGE_TYPE })?;
        let page_type: PageType = page_type.text(PAGE_TYPE)?.parse()?;
        let mut query = Self::new_in(dialect, url.text(URL)?, page_type)?;
        if let Some(meta) = meta {
            query = query.with_meta(meta.text(META)?)?;
        }
        if let Some(wanted) = article_body_raw {
            query = query.with_article_body_raw(wanted.flag(ARTICLE_BODY_RAW)?);
        }
        if let Some(wanted) = full_html {
            query = query.with_full_html(wanted.flag(FULL_HTML)?);
        }
        if let Some(html) = custom_html {
            query = query.with_custom_html(html.text(CUSTOM_HTML)?)?;
        }
        for member in members {
            query.push_extra(&member.name, member.raw)?;
        }
        Ok(query)
    }
}

impl Member<'_> {
    fn text(&self, field: &'static str) -> Result<String, InvalidQuery> {
        if self.kind != Kind::String {
            return Err(self.wrong(field, "string"));
        }
        if let Some(position) = lone_surrogate_escape(self.raw) {
            return Err(InvalidQuery::lone_surrogate(field, position));
        }
        let text = Cursor::new(self.raw.as_bytes()).and_then(|mut cursor| cursor.string());
        Ok(text.map(|text| text.decode().into_owned()).unwrap_or_default())
    }

    fn flag(&self, field: &'static str) -> Result<bool, InvalidQuery> {
        if self.kind == Kind::Bool {
            Ok(self.raw == "true")
        } else {
            Err(self.wrong(field, "boolean"))
        }
    }

    fn wrong(&self, field: &'static str, expected: &'static str) -> InvalidQuery {
        InvalidQuery::FieldType { field, expected, found: self.kind.as_str() }
    }
}

fn read_members(json: &str) -> Result<Vec<Member<'_>>, InvalidQuery> {
    let fault =
        |fault: InvalidJson| InvalidQuery::Json { length: json.len(), position: fault.position() };
    let mut members: Vec<Member<'_>> = Vec::new();
    let mut cursor = Cursor::new(json.as_bytes()).map_err(fault)?;
    let kind = cursor.kind().map_err(fault)?;
    if kind != Kind::Object {
        cursor.skip().and_then(|_| cursor.end()).map_err(fault)?;
        return Err(InvalidQuery::NotObject { found: kind.as_str() });
    }
    cursor.enter_object().map_err(fault)?;
    while let Some(name) = cursor.next_member().map_err(fault)? {
        let (kind, written) = (cursor.kind().map_err(fault)?, text(json, name.span()));
        let name = name.decode();
        // The cursor is inside the query, so that only the array of queries is not counted yet.
        let span = cursor.skip_inside(LEVELS_AROUND_EXTRA - 1).map_err(|reason| match reason {
            InvalidJson::TooDeep { .. } => InvalidQuery::ExtraTooDeep { field: (*name).into() },
            _ => fault(reason),
        })?;
        let raw = text(json, span);
        if let Some(position) = lone_surrogate_escape(written) {
            return Err(InvalidQuery::lone_surrogate(&name, position));
        }
        members.push(Member { name, kind, raw });
    }
    cursor.end().map_err(fault)?;
    let mut names: Vec<&str> = members.iter().map(|member| member.name.as_ref()).collect();
    names.sort_unstable();
    match iter::zip(&names, names.iter().skip(1)).find(|(one, next)| one == next) {
        Some((name, _)) => Err(InvalidQuery::FieldDuplicate { field: (*name).into() }),
        None => Ok(members),
    }
}

fn text(json: &str, span: Span) -> &str {
    json.get(span.start..span.end).unwrap_or_default()
}

/// Where the first `\u` escape of half a surrogate pair stands in a well-formed JSON text, counted
/// in characters of the string that holds it.
pub(super) fn lone_surrogate_escape(json: &str) -> Option<usize> {
    if !json.contains("\\u") {
        return None;
    }
    let mut chars = json.chars();
    let (mut inside, mut position) = (false, 0);
    while let Some(c) = chars.next() {
        match c {
            '"' => (inside, position) = (!inside, 0),
            '\\' => {
                if chars.next() == Some('u') {
                    let unit = escaped_unit(&mut chars);
                    let pair = matches!(unit, 0xd800..=0xdbff)
                        && chars.as_str().strip_prefix("\\u").is_some_and(|rest| {
                            matches!(escaped_unit(&mut rest.chars()), 0xdc00..=0xdfff)
                        });
                    if pair {
                        chars.nth(5);
                    } else if matches!(unit, 0xd800..=0xdfff) {
                        return Some(position);
                    }
                }
                position += 1;
            }
            _ if inside => position += 1,
            _ => {}
        }
    }
    None
}

fn escaped_unit(chars: &mut Chars<'_>) -> u32 {
    chars.take(4).fold(0, |unit, digit| (unit << 4) | digit.to_digit(16).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_goes_both_ways() {
        let json = r#"{"url":"http://a/","pageType":"vehicle","meta":"m","customHtml":"<p>","articleBodyRaw":false,"fullHtml":true,"z":{"b": 1, "a":1.50}}"#;
        let query = Query::from_json(json).unwrap();
        assert_eq!(query.to_json(), json);
        assert_eq!(Query::from_json(&query.to_json()), Ok(query));
    }

    #[test]
    fn half_a_pair_is_found_wherever_it_stands() {
        for (json, position) in [
            (r#""a\\ud800""#, None),
            (r#""\ud83d\ude00""#, None),
            (r#""\ud83d\ude00\u0041\ud800""#, Some(2)),
            (r#""\udc00""#, Some(0)),
            (r#""\uD83D\uD83D\uDE00""#, Some(0)),
            (r#"["é\n", {"aé\n\uDFFF": 1}]"#, Some(3)),
            (r#""\ud800\n""#, Some(0)),
            (r#""\ud83d\\ude00""#, Some(0)),
        ] {
            assert_eq!(lone_surrogate_escape(json), position, "{json}");
        }
    }

    #[test]
    fn an_extra_member_is_one_json_value() {
        let query = Query::new("http://a/", PageType::Article).unwrap();
        for (json, length, position) in [("", 0, 0), ("{]", 2, 1), ("1,\"url\":2", 9, 1)] {
            let field = "x".into();
            let error = InvalidQuery::ExtraJson { field, length, position };
            assert_eq!(query.clone().with_extra("x", json), Err(error), "{json}");
        }
        let deep = |levels| alloc::format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let deepest = query.clone().with_extra("x", &deep(125)).unwrap();
        assert_eq!(Query::from_json(&deepest.to_json()), Ok(deepest));
        let error = InvalidQuery::ExtraTooDeep { field: "x".into() };
        assert_eq!(query.clone().with_extra("x", &deep(126)), Err(error));
        let query = query.with_extra("x", " [1, 2] ").unwrap();
        assert_eq!(query.extra().next(), Some(("x", "[1, 2]")));
        assert_eq!(query.with_extra("x", "1").unwrap_err().code(), "query_field_duplicate");
    }
}
