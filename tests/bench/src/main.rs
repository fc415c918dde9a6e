//! How fast an answer is read, against `serde_json`: `cargo run --release --manifest-path tests/bench/Cargo.toml`.
//!
//! Every reader does the same: from the bytes of an answer to, for each result, the error or the
//! bytes of the item. Readers take turns within one run, so that a noisy machine disturbs them
//! alike; what counts are the ratios of the medians.

use std::{collections::BTreeMap, hint::black_box, time::Instant};

use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use silkline::json::{Cursor, InvalidJson, Kind, Span};

type Reader = (&'static str, fn(&[u8]) -> usize);

const READERS: &[Reader] = &[
    ("silkline", silkline),
    ("silkline, skip all", silkline_skip),
    ("serde_json, RawValue", raw_value),
    ("serde_json, IgnoredAny", ignored),
    ("serde_json, Value", value),
    ("sonic-rs, LazyValue", sonic),
    ("sonic-rs, no UTF-8 check", sonic_unchecked),
    ("simd-json, tape and copy", simd_json_tape),
    ("UTF-8 check alone", utf8),
];

fn main() {
    let rounds = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(30);
    for (name, body) in bodies() {
        println!("{name}, {} bytes", body.len());
        let repeat = (4_000_000 / body.len()).clamp(1, 10_000);
        let mut times = vec![Vec::new(); READERS.len()];
        for _ in 0..rounds {
            for ((_, read), times) in READERS.iter().zip(&mut times) {
                let start = Instant::now();
                for _ in 0..repeat {
                    black_box(read(black_box(&body)));
                }
                times.push(start.elapsed().as_secs_f64() / repeat as f64);
            }
        }
        let medians: Vec<f64> = times.into_iter().map(median).collect();
        for ((reader, _), median) in READERS.iter().zip(&medians) {
            println!(
                "  {reader:26} {:10.2} us {:7.2} GB/s {:6.2} x",
                median * 1e6,
                body.len() as f64 / median / 1e9,
                median / medians[0],
            );
        }
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn silkline(body: &[u8]) -> usize {
    read_envelope(body).unwrap()
}

fn read_envelope(body: &[u8]) -> Result<usize, InvalidJson> {
    let mut sum = 0;
    let mut cursor = Cursor::new(body)?;
    cursor.enter_array()?;
    while cursor.next_element()? {
        cursor.enter_object()?;
        let mut item = Span::default();
        let mut error = None;
        while let Some(name) = cursor.next_member()? {
            if name.equals("error") && cursor.kind()? == Kind::String {
                error = Some(cursor.string()?.decode());
            } else if name.equals("product") || name.equals("article") {
                item = cursor.skip()?;
            } else {
                cursor.skip()?;
            }
        }
        sum += error.map_or(0, |error| error.len()) + item.end - item.start;
    }
    cursor.end()?;
    Ok(sum)
}

fn silkline_skip(body: &[u8]) -> usize {
    let mut cursor = Cursor::new(body).unwrap();
    let span = cursor.skip().unwrap();
    cursor.end().unwrap();
    span.end - span.start
}

fn raw_value(body: &[u8]) -> usize {
    let results: Vec<BTreeMap<&str, &RawValue>> = serde_json::from_slice(body).unwrap();
    let mut sum = 0;
    for result in &results {
        if let Some(error) = result.get("error") {
            sum += serde_json::from_str::<String>(error.get()).unwrap().len();
        }
        for name in ["product", "article"] {
            sum += result.get(name).map_or(0, |item| item.get().len());
        }
    }
    sum
}

fn ignored(body: &[u8]) -> usize {
    serde_json::from_slice::<IgnoredAny>(body).unwrap();
    body.len()
}

fn value(body: &[u8]) -> usize {
    serde_json::from_slice::<serde_json::Value>(body).unwrap().as_array().unwrap().len()
}

fn sonic(body: &[u8]) -> usize {
    sonic_results(sonic_rs::to_array_iter(std::str::from_utf8(body).unwrap()))
}

fn sonic_unchecked(body: &[u8]) -> usize {
    // SAFETY: the bodies are text; what is measured is what the check costs.
    sonic_results(sonic_rs::to_array_iter(unsafe { std::str::from_utf8_unchecked(body) }))
}

fn sonic_results<'a>(
    results: impl Iterator<Item = sonic_rs::Result<sonic_rs::LazyValue<'a>>>,
) -> usize {
    let mut sum = 0;
    for result in results {
        let result = result.unwrap();
        for member in sonic_rs::to_object_iter(result.as_raw_str()) {
            let (name, value) = member.unwrap();
            sum += match &*name {
                "error" => sonic_rs::from_str::<String>(value.as_raw_str()).unwrap().len(),
                "product" | "article" => value.as_raw_str().len(),
                _ => 0,
            };
        }
    }
    sum
}

fn simd_json_tape(body: &[u8]) -> usize {
    // It writes into its input, so whoever keeps the answer has to copy it.
    let mut body = body.to_vec();
    simd_json::to_tape(&mut body).unwrap().0.len()
}

fn utf8(body: &[u8]) -> usize {
    std::str::from_utf8(body).unwrap().len()
}

/// The answers that the service's users see most.
fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let list = |items: Vec<String>| format!("[{}]", items.join(",")).into_bytes();
    let half = (0..400).map(|i| if i % 2 == 0 { product(i) } else { error(i) }).collect();
    let cyrillic = (0..20).map(|i| article(i, TEXTS[1])).collect();
    let escaped = (0..20).map(|i| article(i, TEXTS[2])).collect();
    vec![
        ("one article", list(vec![article(1, TEXTS[0])])),
        ("100 products", list((0..100).map(product).collect())),
        ("100 articles", list((0..100).map(|i| article(i, TEXTS[0])).collect())),
        ("400 results, half of them errors", list(half)),
        ("one error", list(vec![error(1)])),
        ("20 articles in Cyrillic", list(cyrillic)),
        ("20 articles in escapes", list(escaped)),
    ]
}

/// Prose; prose beyond ASCII; prose beyond ASCII as `json.dumps` of Python writes it.
const TEXTS: [&str; 3] = [
    "The quick brown fox jumps over the lazy dog, and then it does so again because nobody has \
     told it to stop; \\\"why\\\", it asks, \\\"should I?\\\"\\n",
    "Съешь же ещё этих мягких французских булок, да выпей чаю: так говорят те, кто проверяет \
     шрифты.\\n",
    "\\u0421\\u044a\\u0435\\u0448\\u044c \\u0436\\u0435 \\u0435\\u0449\\u0451 \\u044d\\u0442\\u0438\
     \\u0445 \\u043c\\u044f\\u0433\\u043a\\u0438\\u0445 \\u0431\\u0443\\u043b\\u043e\\u043a\\n",
];

fn query(index: usize, page_type: &str) -> String {
    format!(
        "\"query\":{{\"id\":\"1564747029122-9e02a1868d70b7a{index}\",\"domain\":\"example.com\",\
         \"userQuery\":{{\"pageType\":\"{page_type}\",\
         \"url\":\"https://example.com/shop/category/item-{index}.html\"}}}}"
    )
}

fn error(index: usize) -> String {
    format!("{{{},\"error\":\"Downloader error: http404\"}}", query(index, "product"))
}

fn article(index: usize, text: &str) -> String {
    let (body, html) = (text.repeat(26_000 / text.len()), format!("<p>{text}</p>"));
    format!(
        "{{{},\"article\":{{\"headline\":\"Headline number {index}\",\
         \"datePublished\":\"2019-06-19T00:00:00\",\"author\":\"A. Author\",\
         \"authorsList\":[\"A. Author\",\"B. Author\"],\"inLanguage\":\"en\",\
         \"breadcrumbs\":[{{\"name\":\"Home\",\"link\":\"https://example.com\"}}],\
         \"mainImage\":\"https://example.com/image.png\",\
         \"images\":[\"https://example.com/image.png\"],\"description\":\"{text}\",\
         \"articleBody\":\"{body}\",\"articleBodyHtml\":\"{}\",\"probability\":0.95,\
         \"canonicalUrl\":\"https://example.com/article/{index}\"}}}}",
        query(index, "article"),
        html.repeat(29_000 / html.len()),
    )
}

fn product(index: usize) -> String {
    let property = "{\"name\":\"property name\",\"value\":\"some value\"},".repeat(12);
    format!(
        "{{{},\"product\":{{\"name\":\"Product {index}\",\"offers\":[{{\"price\":\"42.{index}\",\
         \"currency\":\"USD\",\"availability\":\"InStock\",\"regularPrice\":\"48.99\"}}],\
         \"sku\":\"A123DK9823\",\"mpn\":\"HSC0424PP\",\
         \"gtin\":[{{\"type\":\"ean13\",\"value\":\"978-3-16-148410-0\"}}],\
         \"brand\":\"Ideal brand\",\"breadcrumbs\":[{{\"name\":\"Level 1\",\
         \"link\":\"http://example.com\"}}],\"mainImage\":\"http://example.com/image.png\",\
         \"images\":[\"http://example.com/image1.png\",\"http://example.com/image2.png\"],\
         \"description\":\"{}\",\"aggregateRating\":{{\"ratingValue\":4.5,\"bestRating\":5.0,\
         \"reviewCount\":31}},\"additionalProperty\":[{}],\"probability\":0.{index},\
         \"url\":\"https://example.com/product/{index}\"}}}}",
        query(index, "product"),
        TEXTS[0].repeat(6),
        property.trim_end_matches(','),
    )
}
