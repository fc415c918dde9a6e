//! What reading answers costs in memory, counted by the allocator.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use silkline::{
    extraction::{ExtractionApi, PageType, Query, QueryResult, ServiceError},
    http::{Headers, Response},
};

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static TAKEN: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[expect(unsafe_code, reason = "an allocator cannot be written without it; it only counts")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.fetch_add(layout.size(), Relaxed);
        let held = HELD.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(held, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What was allocated in all, and what was held at most, besides what was held before.
fn measured<T>(run: impl FnOnce() -> T) -> (T, usize, usize) {
    let (taken, held) = (TAKEN.load(Relaxed), HELD.load(Relaxed));
    PEAK.store(held, Relaxed);
    let value = run();
    (value, TAKEN.load(Relaxed) - taken, PEAK.load(Relaxed).saturating_sub(held))
}

fn queries(count: usize) -> Vec<Query> {
    let query = |index| Query::new(format!("http://example.com/{index}"), PageType::Article);
    (0..count).map(query).collect::<Result<_, _>>().unwrap()
}

fn results(
    queries: &[Query],
    status: u16,
    body: Vec<u8>,
) -> Result<Vec<QueryResult>, ServiceError> {
    let api = ExtractionApi::new("key").unwrap();
    api.results(queries, Response::new(status, Headers::new(), body))
}

/// A hundred results of some 60 KB each.
fn large_answer() -> Vec<u8> {
    let text = "A sentence of an article, with \\\"quotes\\\" and \\n. ".repeat(1200);
    let result = |index| {
        format!(
            r#"{{"query":{{"id":"{index}","userQuery":{{"url":"http://example.com/{index}","pageType":"article"}}}},
            "article":{{"headline":"H{index}","articleBody":"{text}","images":["a","b"]}}}}"#
        )
    };
    format!("[{}]", (0..100).rev().map(result).collect::<Vec<_>>().join(",")).into_bytes()
}

/// `start`, then `unit` up to the size, then `end`.
fn hostile(start: &str, unit: &str, end: &str, size: usize) -> Vec<u8> {
    let count = (size - start.len() - end.len()) / unit.len();
    [start, &unit.repeat(count), end].concat().into_bytes()
}

// One test, because the counters are of the whole process.
#[test]
fn memory() {
    let (queries, body) = (queries(100), large_answer());
    let large = body.len();
    assert!(large > 6_000_000, "{large}");
    let (answered, taken, _) = measured(|| results(&queries, 200, body).unwrap());
    assert!(answered.len() == 100 && answered.iter().all(QueryResult::is_ok));
    assert!(taken < large / 40, "reading {large} bytes allocated {taken}: items were touched");
    let (item, taken, _) = measured(|| answered[7].item().unwrap().unwrap());
    assert_eq!(item["headline"], "H7");
    assert!((50_000..300_000).contains(&taken), "one item took {taken}");

    // Without optimisation only what is read fast is of full size.
    let full = 100_000_000;
    let size = if cfg!(debug_assertions) { 4_000_000 } else { full };
    for (name, status, body, fails) in [
        (
            "results that say nothing",
            200,
            hostile("[{}", ",{}", "]", 5 * size.min(full / 5)),
            false,
        ),
        (
            "foreign results",
            200,
            hostile("[{}", r#",{"query":{"userQuery":{"url":"x"}}}"#, "]", size),
            false,
        ),
        (
            "escaped echoes",
            200,
            hostile("[{}", r#",{"query":{"userQuery":{"meta":"\u0041"}}}"#, "]", size),
            false,
        ),
        (
            "a long echo",
            200,
            hostile(r#"[{"query":{"userQuery":{"url":""#, r"\u0041", r#""}}}]"#, size),
            false,
        ),
        (
            "a long error",
            200,
            hostile(
                r#"[{"query":{"userQuery":{"url":"http://example.com/0","pageType":"article"}},"error":""#,
                "x",
                r#""}]"#,
                size,
            ),
            false,
        ),
        ("members without end", 200, hostile(r#"[{"a":0"#, r#","a":0"#, "}]", size), false),
        (
            "items without end",
            200,
            hostile(r#"[{"article":{}"#, r#","article":{}"#, "}]", size),
            false,
        ),
        ("brackets", 200, hostile("", "[", "", full), true),
        ("objects", 200, hostile("[", r#"{"a":"#, "", size), true),
        ("nothing but white space", 200, hostile("", " ", "", size), true),
        ("an object", 200, hostile(r#"{"a":0"#, r#","a":0"#, "}", size), true),
        ("cut at the end", 200, hostile("[{}", ",{}", "", size), true),
        ("a problem without end", 400, hostile(r#"{"a":0"#, r#","a":0"#, "}", size), true),
        ("a page of html", 500, hostile("<", "p", ">", size), true),
    ] {
        let size = body.len();
        let (outcome, _, peak) = measured(|| results(&queries, status, body));
        assert_eq!(outcome.is_err(), fails, "{name}: {:?}", outcome.map(|results| results.len()));
        assert!(peak < size * 2, "{name}: {peak} bytes for a body of {size}");
        println!("{name}: {} percent of the body", peak * 100 / size);
        if let Ok(results) = outcome {
            assert!(results.len() <= 100 + 1101, "{name}: {} results", results.len());
            assert!(
                results.iter().take(100).enumerate().all(|(at, it)| it.query_index() == Some(at))
            );
        }
    }
}
