//! Random items through the converter, both ways and back.

use std::collections::BTreeMap;

use conformance::item_converter;
use serde_json::{Map, Value, json};
use silkline::{
    Rng,
    extraction::PageType,
    zyte_api::items::{Converted, from_zyte_api, to_zyte_api},
};

const SEEDS: u64 = 400;
/// Fewer, since each is torn several times.
const TORN: u64 = 60;

/// The schemas, by the documentation of one and the item classes of the other. `"s"` is a string,
/// `"n"` a number, a list has any number of such elements, and every member may be absent.
fn schemas(page_type: PageType) -> (Value, Value) {
    let crumbs = json!([{"name": "s", "link": "s"}]);
    let their_crumbs = json!([{"name": "s", "url": "s"}]);
    let link = json!({"url": "s", "text": "s"});
    let rating = json!({"ratingValue": "n", "bestRating": "n", "reviewCount": "n"});
    let properties = json!([{"name": "s", "value": "s"}]);
    let offers = json!([{"price": "s", "regularPrice": "s", "currency": "s", "availability": "s"}]);
    let authors = json!([{"name": "s", "nameRaw": "s", "email": "s", "url": "s"}]);
    let metadata = json!({"probability": "n", "dateDownloaded": "s",
        "validationMessages": {"a": ["s"]}});
    let list_metadata = json!({"dateDownloaded": "s", "validationMessages": {"a": ["s"]}});
    let entry = json!({"probability": "n"});
    let gtin = json!([{"type": "s", "value": "s"}]);
    let variant = json!({"additionalProperties": properties, "availability": "s",
        "canonicalUrl": "s", "color": "s", "currency": "s", "currencyRaw": "s", "gtin": gtin,
        "images": [{"url": "s"}], "mainImage": {"url": "s"}, "mpn": "s", "name": "s", "price": "s",
        "productId": "s", "regularPrice": "s", "size": "s", "sku": "s", "style": "s", "url": "s"});
    let our_product = json!({"url": "s", "probability": "n", "canonicalUrl": "s", "name": "s",
        "offers": offers, "sku": "s", "gtin": gtin, "mpn": "s", "brand": "s",
        "breadcrumbs": crumbs, "mainImage": "s", "images": ["s"], "description": "s",
        "descriptionHtml": "s", "additionalProperty": properties, "aggregateRating": rating,
        "color": "s", "size": "s", "style": "s"});
    let mut with_variants = our_product.clone();
    with_variants["hasVariants"] = json!([our_product]);
    match page_type {
        PageType::Article => (
            json!({"url": "s", "probability": "n", "headline": "s", "datePublished": "s",
                "datePublishedRaw": "s", "dateModified": "s", "dateModifiedRaw": "s",
                "author": "s", "authorsList": ["s"], "inLanguage": "s", "breadcrumbs": crumbs,
                "mainImage": "s", "images": ["s"], "description": "s", "articleBody": "s",
                "articleBodyHtml": "s", "articleBodyRaw": "s", "videoUrls": ["s"],
                "audioUrls": ["s"], "canonicalUrl": "s"}),
            json!({"headline": "s", "datePublished": "s", "datePublishedRaw": "s",
                "dateModified": "s", "dateModifiedRaw": "s", "authors": authors,
                "breadcrumbs": their_crumbs, "inLanguage": "s", "mainImage": {"url": "s"},
                "images": [{"url": "s"}], "description": "s", "articleBody": "s",
                "articleBodyHtml": "s", "videos": [{"url": "s"}], "audios": [{"url": "s"}],
                "canonicalUrl": "s", "url": "s", "metadata": metadata}),
        ),
        PageType::ArticleList => (
            json!({"url": "s", "paginationNext": link, "paginationPrevious": link, "articles": [{
                "url": "s", "probability": "n", "headline": "s", "datePublished": "s",
                "datePublishedRaw": "s", "author": "s", "authorsList": ["s"], "inLanguage": "s",
                "mainImage": "s", "images": ["s"], "articleBody": "s"}]}),
            json!({"url": "s", "canonicalUrl": "s", "breadcrumbs": their_crumbs,
                "metadata": list_metadata, "articles": [{"articleBody": "s", "authors": authors,
                "datePublished": "s", "datePublishedRaw": "s", "headline": "s", "inLanguage": "s",
                "mainImage": {"url": "s"}, "images": [{"url": "s"}], "metadata": entry,
                "url": "s"}]}),
        ),
        PageType::Product => (
            with_variants,
            json!({"additionalProperties": properties, "aggregateRating": rating,
                "availability": "s", "brand": {"name": "s"}, "breadcrumbs": their_crumbs,
                "canonicalUrl": "s", "color": "s", "currency": "s", "currencyRaw": "s",
                "description": "s", "descriptionHtml": "s", "features": ["s"], "gtin": gtin,
                "images": [{"url": "s"}], "mainImage": {"url": "s"}, "metadata": metadata,
                "mpn": "s", "name": "s", "price": "s", "productId": "s", "regularPrice": "s",
                "size": "s", "sku": "s", "style": "s", "url": "s", "variants": [variant]}),
        ),
        PageType::ProductList => (
            json!({"url": "s", "breadcrumbs": crumbs, "paginationNext": link,
                "paginationPrevious": link, "products": [{"probability": "n", "url": "s",
                "name": "s", "offers": offers, "sku": "s", "brand": "s", "mainImage": "s",
                "images": ["s"], "description": "s", "descriptionHtml": "s",
                "aggregateRating": rating}]}),
            json!({"breadcrumbs": their_crumbs, "canonicalUrl": "s", "categoryName": "s",
                "metadata": list_metadata, "pageNumber": "n", "paginationNext": link, "url": "s",
                "products": [{"currency": "s", "currencyRaw": "s", "mainImage": {"url": "s"},
                "metadata": entry, "name": "s", "price": "s", "productId": "s",
                "regularPrice": "s", "url": "s"}]}),
        ),
        PageType::JobPosting => (
            json!({"url": "s", "probability": "n", "title": "s", "datePosted": "s",
                "validThrough": "s", "description": "s", "descriptionHtml": "s",
                "employmentType": "s", "hiringOrganization": {"raw": "s"},
                "baseSalary": {"raw": "s", "value": "n", "currency": "s"},
                "jobLocation": {"raw": "s"}}),
            json!({"url": "s", "jobPostingId": "s", "datePublished": "s", "datePublishedRaw": "s",
                "dateModified": "s", "dateModifiedRaw": "s", "validThrough": "s",
                "validThroughRaw": "s", "jobTitle": "s", "headline": "s",
                "jobLocation": {"raw": "s"}, "description": "s", "descriptionHtml": "s",
                "employmentType": "s", "baseSalary": {"raw": "s", "valueMin": "s",
                "valueMax": "n", "rateType": "s", "currency": "s", "currencyRaw": "s"},
                "requirements": ["s"], "hiringOrganization": {"name": "s", "nameRaw": "s",
                "id": "s"}, "jobStartDate": "s", "jobStartDateRaw": "s", "remoteStatus": "s",
                "metadata": {"probability": "n", "searchText": "s"}}),
        ),
        _ => (
            json!({"url": "s", "topic": {"name": "s"}, "posts": [{"probability": "n", "text": "s",
                "datePublished": "s", "datePublishedRaw": "s", "upvoteCount": "n",
                "downvoteCount": "n", "replyCount": "n"}]}),
            json!({"url": "s", "topic": {"name": "s"}, "threadId": "s", "metadata": list_metadata,
                "posts": [{"url": "s", "postId": "s", "reactions": {"replies": "n",
                "reposts": "n", "likes": "n", "dislikes": "n"}, "text": "s", "datePublished": "s",
                "hashtags": ["s"], "mediaUrls": [{"url": "s"}],
                "author": {"numberOfFollowers": "n", "numberOfFollowing": "n",
                "dateAccountCreated": "s", "location": "s", "isVerified": "s"},
                "metadata": {"probability": "n", "searchText": "s"}}]}),
        ),
    }
}

const PAGE_TYPES: [PageType; 6] = [
    PageType::Article,
    PageType::ArticleList,
    PageType::ForumPosts,
    PageType::JobPosting,
    PageType::Product,
    PageType::ProductList,
];

struct Items {
    rng: Rng,
    count: u64,
    /// How many of a hundred values have a wrong type.
    wild: u64,
}

impl Items {
    fn of_hundred(&mut self, percent: u64) -> bool {
        self.rng.up_to(99) < percent
    }

    /// An item of that schema, each word of which occurs once.
    fn item(&mut self, schema: &Value) -> Value {
        if self.of_hundred(self.wild) {
            return match self.rng.up_to(5) {
                0 => Value::Null,
                1 => json!({}),
                2 => json!([]),
                3 => json!([self.item(&json!("s")), [self.item(&json!("n"))]]),
                4 => json!({"name": self.item(&json!("s")), "neu": self.item(&json!("s"))}),
                _ => self.item(&json!("s")),
            };
        }
        match schema {
            Value::Object(members) => {
                let mut object = Map::new();
                for (name, schema) in members {
                    if name == "url" && schema == "s" || self.of_hundred(75) {
                        object.insert(name.clone(), self.item(schema));
                    }
                }
                if self.of_hundred(self.wild * 5) {
                    object.insert("a/b~c".into(), self.item(&json!("s")));
                }
                Value::Object(object)
            }
            Value::Array(elements) => {
                (0..self.rng.up_to(3)).map(|_| self.item(&elements[0])).collect()
            }
            Value::String(kind) if kind == "n" => {
                self.count += 1;
                json!(self.count)
            }
            _ => {
                self.count += 1;
                json!(format!("w\"{}", self.count))
            }
        }
    }

    /// The same as a text, with numbers that a decoder would change.
    fn text(&mut self, page_type: PageType, theirs: bool) -> String {
        let (ours, other) = schemas(page_type);
        let mut item = self.item(if theirs { &other } else { &ours });
        if !item.is_object() {
            item = json!({});
        }
        if theirs && let Some(Value::Number(value)) = item.pointer("/baseSalary/valueMax") {
            item["baseSalary"]["valueMax"] = json!(value.to_string());
        }
        item.to_string()
    }
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// How often each word occurs.
fn words(value: &Value, counts: &mut BTreeMap<String, i64>, by: i64) {
    match value {
        Value::Object(members) => members.values().for_each(|value| words(value, counts, by)),
        Value::Array(elements) => elements.iter().for_each(|value| words(value, counts, by)),
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => *counts.entry(number.to_string()).or_default() += by,
        Value::String(text) => *counts.entry(text.clone()).or_default() += by,
    }
}

/// Fails unless each word is in the converted item or in the list, once.
fn check_nothing_is_lost(original: &Value, converted: &Converted) {
    let mut counts = BTreeMap::new();
    words(original, &mut counts, 1);
    words(&value(&converted.item), &mut counts, -1);
    for part in &converted.unmapped {
        let part_value = value(&part.value);
        assert_eq!(original.pointer(&part.path), Some(&part_value), "{} of {original}", part.path);
        words(&part_value, &mut counts, -1);
    }
    counts.remove("1.0"); // certainty, where nothing is said
    let variants = original.get("variants").and_then(Value::as_array).into_iter().flatten();
    for _ in variants.filter(|variant| variant.is_object() && variant.get("url").is_none()) {
        if !original["url"].is_array() && !original["url"].is_object() {
            words(&original["url"], &mut counts, 1); // the item's, where a variant says none
        }
    }
    counts.retain(|_, count| *count != 0);
    assert!(counts.is_empty(), "{counts:?} of {original} in {converted:?}");
}

/// The item without what is listed.
fn without_unmapped(mut item: Value, converted: &Converted) -> Value {
    for part in converted.unmapped.iter().rev() {
        let (parent, name) = part.path.rsplit_once('/').unwrap();
        match item.pointer_mut(parent).unwrap() {
            Value::Object(members) => {
                members.remove(&name.replace("~1", "/").replace("~0", "~"));
            }
            Value::Array(elements) => {
                elements.remove(name.parse().unwrap());
            }
            other => panic!("{other} has no parts"),
        }
    }
    item
}

/// Makes alike what is said in two ways: containers that are left empty, and certainty.
fn plain(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(plain);
            if let Some(offers) = members.get_mut("offers").and_then(Value::as_array_mut) {
                offers.retain(|offer| *offer != json!({}));
            }
            if members.get("metadata").is_none_or(|m| m.get("probability").is_none()) {
                members.remove("probability").filter(|p| *p != json!(1.0)).into_iter().for_each(
                    |probability| {
                        members.insert("probability".into(), probability);
                    },
                );
            }
            if members.get("metadata") == Some(&json!({"probability": 1.0})) {
                members.remove("metadata");
            }
            members.retain(|_, value| *value != json!({}) && *value != json!([]));
        }
        Value::Array(elements) => elements.iter_mut().for_each(plain),
        _ => {}
    }
}

fn convert(page_type: PageType, from_theirs: bool, item: &str) -> Converted {
    let convert = if from_theirs { from_zyte_api } else { to_zyte_api };
    convert(page_type, item.as_bytes()).unwrap_or_else(|error| panic!("{error}: {item}"))
}

fn each_item(wild: u64, seeds: u64, mut check: impl FnMut(PageType, bool, &str)) {
    for page_type in PAGE_TYPES {
        for theirs in [false, true] {
            for seed in 0..seeds {
                let mut items = Items { rng: Rng::new(seed), count: 100, wild };
                check(page_type, theirs, &items.text(page_type, theirs));
            }
        }
    }
}

#[test]
fn what_both_schemas_can_say_comes_back() {
    each_item(0, SEEDS, |page_type, theirs, text| {
        let there = convert(page_type, theirs, text);
        check_nothing_is_lost(&value(text), &there);
        let back = convert(page_type, !theirs, &there.item);
        assert_eq!(back.unmapped, [], "{text} as {}", there.item);
        let mut wanted = without_unmapped(value(text), &there);
        let mut found = value(&back.item);
        // Which author the raw name belongs to is more than the older schema says.
        if theirs {
            for item in [&mut wanted, &mut found] {
                forget_what_we_cannot_say(item);
            }
        }
        plain(&mut wanted);
        plain(&mut found);
        assert_eq!(wanted, found, "{text} as {}", there.item);
    });
}

fn forget_what_we_cannot_say(item: &mut Value) {
    item.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let lists = item.get("articles").and_then(Value::as_array).cloned().unwrap_or_default();
    for index in 0..lists.len() {
        forget_who_is_who(&mut item["articles"][index]);
    }
    forget_who_is_who(item);
    // Their organization has two names for our one.
    if let Some(organization) = item.get_mut("hiringOrganization").and_then(Value::as_object_mut)
        && let Some(raw) = organization.remove("nameRaw")
    {
        organization.insert("name".into(), raw);
    }
}

fn forget_who_is_who(item: &mut Value) {
    let Some(authors) = item.get("authors").and_then(Value::as_array) else { return };
    let all = |key: &str| -> Vec<Value> {
        authors.iter().filter_map(|author| author.get(key).cloned()).collect()
    };
    item["authors"] = json!([all("name"), all("nameRaw")]);
    if item["authors"] == json!([[], []]) {
        item.as_object_mut().unwrap().remove("authors");
    }
}

#[test]
fn no_word_of_an_item_with_wrong_types_is_lost() {
    each_item(12, SEEDS, |page_type, theirs, text| {
        check_nothing_is_lost(&value(text), &convert(page_type, theirs, text));
    });
}

/// One to three cuts, copies and strange pieces anywhere in the text.
fn torn(text: &str, rng: &mut Rng) -> Vec<u8> {
    const PIECES: [&str; 24] = [
        "null",
        "true",
        "{}",
        "[]",
        "[{}]",
        "[[]]",
        "{\"url\":",
        "\"\"",
        "1e400",
        "-0",
        "0.10",
        "\\ud800",
        "\\",
        "\"",
        ",",
        ":",
        "{",
        "}",
        "[",
        "]",
        " \n",
        "\u{feff}",
        "\"url\":7,",
        "\"probability\":1,",
    ];
    let mut body = text.as_bytes().to_vec();
    for _ in 0..=rng.up_to(2) {
        let place = |rng: &mut Rng| usize::try_from(rng.up_to(body.len() as u64)).unwrap();
        let (from, to) = (place(rng), place(rng));
        let (from, to) = (from.min(to), from.max(to).min(from + 40));
        let piece = match rng.up_to(3) {
            0 => Vec::new(),
            1 => body[from..to].to_vec(),
            _ => PIECES[usize::try_from(rng.up_to(23)).unwrap()].into(),
        };
        let end = if rng.up_to(1) == 0 { from } else { to };
        body.splice(from..end, piece);
    }
    body
}

#[test]
fn any_bytes_are_refused_or_converted_whole() {
    let (mut items, mut whole) = (0_u32, 0_u32);
    each_item(8, TORN, |page_type, theirs, text| {
        item_converter::check_item(page_type, theirs, text.as_bytes());
        let mut rng = Rng::new(u64::from(items));
        for _ in 0..4 {
            let body = torn(text, &mut rng);
            item_converter::check_item(page_type, theirs, &body);
            whole += u32::from(to_zyte_api(page_type, &body).is_ok());
        }
        items += 4;
    });
    assert!(whole > items / 10, "only {whole} of {items} are items still");
}

#[test]
fn what_moves_is_copied_as_it_is_written() {
    let text = r#"{"headline":"\u0041\/\ud83d\ude00","url":"https://x/","metadata":{"probability":0.10},
        "images":[{"url":"\u0042"}],"new":1e400}"#;
    let ours = convert(PageType::Article, true, text);
    assert_eq!(
        ours.item,
        r#"{"url":"https://x/","headline":"\u0041\/\ud83d\ude00","images":["\u0042"],"probability":0.10}"#
    );
    assert_eq!((&*ours.unmapped[0].path, &*ours.unmapped[0].value), ("/new", "1e400"));
}

#[test]
fn many_members_cost_their_length() {
    let members: Vec<String> = (0..200_000).map(|n| format!("\"m{n}\":{n}")).collect();
    let text = format!("{{{}}}", members.join(","));
    let converted = convert(PageType::Product, true, &text);
    assert_eq!(converted.item, r#"{"probability":1.0}"#);
    assert_eq!(converted.unmapped.len(), 200_000);
}
