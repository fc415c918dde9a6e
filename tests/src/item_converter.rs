//! What must hold of the item converter for any bytes at all.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use silkline::{
    extraction::PageType,
    json::{Cursor, InvalidJson, Kind},
    zyte_api::items::{Converted, InvalidItem, from_zyte_api, to_zyte_api},
};

/// Page types and directions, by the first byte of an input.
const WAYS: usize = PageType::ALL.len() * 2;

/// Converts what follows the first byte, which says how, and what comes of it back again; panics
/// where something is lost or made up.
pub fn check(input: &[u8]) {
    let Some((way, item)) = input.split_first() else { return };
    let way = usize::from(*way) % WAYS;
    check_item(PageType::ALL[way / 2], way % 2 == 1, item);
}

/// The same for an item of either schema.
pub fn check_item(page_type: PageType, theirs: bool, item: &[u8]) {
    let there = match convert(page_type, theirs, item) {
        Ok(there) => there,
        Err(error) => return check_refused(&error, item),
    };
    check_converted(item, &there);
    // The other way round it is the same converter: what it wrote it can read.
    let back = match convert(page_type, !theirs, there.item.as_bytes()) {
        Ok(back) => back,
        Err(InvalidItem::Syntax { error: InvalidJson::TooDeep { .. } }) => return,
        Err(error) => panic!("{error}: {}", there.item),
    };
    check_converted(there.item.as_bytes(), &back);
    if !back.unmapped.is_empty() {
        return; // values of a wrong type, which only the first side can hold
    }
    // What came back says it all, but that nothing is said of certainty means that there is one.
    let Ok(again) = convert(page_type, theirs, back.item.as_bytes()) else { return };
    assert_eq!(again.unmapped, [], "{}", back.item);
    let Ok(still) = convert(page_type, !theirs, again.item.as_bytes()) else { return };
    assert_eq!(still, back, "by {}", again.item);
}

fn convert(page_type: PageType, theirs: bool, item: &[u8]) -> Result<Converted, InvalidItem> {
    if theirs { from_zyte_api(page_type, item) } else { to_zyte_api(page_type, item) }
}

fn check_refused(error: &InvalidItem, item: &[u8]) {
    match error {
        InvalidItem::NotObject { kind } => {
            assert_ne!(*kind, Kind::Object);
            assert!(is_json(item), "refused as an item, and no json");
        }
        InvalidItem::Syntax { error: InvalidJson::TooDeep { .. } } => {}
        InvalidItem::Syntax { .. } => assert!(!is_json(item), "{error}, but serde_json accepts it"),
        _ => {}
    }
}

fn is_json(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

fn check_converted(original: &[u8], converted: &Converted) {
    let text = std::str::from_utf8(original).expect("JSON is UTF-8");
    assert!(converted.item.starts_with('{'), "{}", converted.item);
    assert!(is_json(converted.item.as_bytes()), "{} of {text}", converted.item);
    let mut counts = BTreeMap::new();
    count(original, &mut counts, 1);
    count(converted.item.as_bytes(), &mut counts, -1);
    for part in &converted.unmapped {
        assert!(part.path.starts_with('/'), "{}", part.path);
        assert!(text.contains(&part.value), "{} is not in {text}", part.value);
        count(part.value.as_bytes(), &mut counts, -1);
    }
    // Certainty is said by nothing, or where nothing is said; and variants without a URL of their
    // own have the product's.
    let urls: Vec<String> = scalars_named_url(original);
    counts.retain(|value, count| {
        let is_certainty = value.parse() == Ok(1.0);
        *count != 0 && !is_certainty && !(*count < 0 && urls.contains(value))
    });
    assert!(counts.is_empty(), "{counts:?} of {text} in {converted:?}");
}

/// How often each value occurs that holds no others, as it is written.
fn count(text: &[u8], counts: &mut BTreeMap<String, i64>, by: i64) {
    for (_, value) in scalars(text) {
        let count = counts.entry(alike(&value)).or_default();
        *count += by;
    }
}

fn scalars_named_url(text: &[u8]) -> Vec<String> {
    let named = scalars(text).into_iter().filter(|(name, _)| name == "url");
    named.map(|(_, value)| alike(&value)).collect()
}

/// A number and the same as a text are alike, and so are two names of one thing.
fn alike(value: &str) -> String {
    match value.trim_matches('"') {
        "gtin13" => "ean13".into(),
        plain => plain.into(),
    }
}

/// The values that hold no others, with the name of the member that they are in.
fn scalars(text: &[u8]) -> Vec<(String, String)> {
    let (mut found, mut open) = (Vec::new(), Vec::new());
    let mut cursor = Cursor::new(text).expect("UTF-8");
    let mut name = String::new();
    loop {
        match cursor.kind().expect("JSON") {
            Kind::Array => {
                cursor.enter_array().expect("an array");
                open.push(false);
            }
            Kind::Object => {
                cursor.enter_object().expect("an object");
                open.push(true);
            }
            _ => {
                let span = cursor.skip().expect("a value");
                let value = String::from_utf8_lossy(&text[span.start..span.end]);
                found.push((name.clone(), value.into_owned()));
            }
        }
        while let Some(is_object) = open.last() {
            if *is_object {
                if let Some(next) = cursor.next_member().expect("a member") {
                    name = next.decode().into_owned();
                    break;
                }
            } else if cursor.next_element().expect("an element") {
                break;
            }
            open.pop();
        }
        if open.is_empty() {
            return found;
        }
    }
}
