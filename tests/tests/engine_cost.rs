//! What a job costs in memory, and that no call costs more with more jobs and domains.
#![expect(unsafe_code, reason = "an allocator that counts can only be written so")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use silkline::{
    Timestamp,
    engine::{ExtractionConfig, ExtractionEngine, ExtractionJob, ExtractionOutput},
    extraction::{ExtractionApi, PageType, Query},
    http::{Headers, Response},
    schedule::Rate,
};

/// Counts live bytes, and bytes moved by the allocations of one call.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static WORK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Relaxed);
        WORK.fetch_add(layout.size(), Relaxed);
        // SAFETY: the caller's promises are the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A tenth of the promised million in debug builds, which are ten times slower.
const JOBS: usize = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };

fn engine() -> ExtractionEngine {
    let api = ExtractionApi::new("key").unwrap();
    let config = ExtractionConfig::default().with_rate(Rate::per_second(1_000_000).unwrap());
    let config = config.with_concurrency(10_000).unwrap();
    ExtractionEngine::new(api, config, 1, Timestamp::ZERO)
}

fn url(n: usize, domains: usize) -> String {
    // Scattered, as domains come in a crawl.
    let domain = n % domains;
    format!("https://www.shop-{domain:07}.com/products/{n}")
}

fn filled(domains: usize) -> (ExtractionEngine, usize) {
    let mut engine = engine();
    let before = LIVE.load(Relaxed);
    let mut own = 0;
    for n in 0..JOBS {
        let url = url(n, domains);
        own += url.len();
        let query = Query::new(url.as_str(), PageType::Product).unwrap();
        engine.submit(ExtractionJob::new(query), Timestamp::ZERO).unwrap();
    }
    let bytes = LIVE.load(Relaxed) - before - own;
    (engine, bytes / JOBS)
}

/// One test, since others in parallel would be counted too.
#[test]
fn jobs_are_small_and_no_call_grows_with_their_number() {
    for domains in [500, JOBS] {
        let (mut engine, bytes) = filled(domains);
        println!("{bytes} bytes a job, {JOBS} jobs in {domains} domains");
        assert!(bytes < 400, "{bytes} bytes a job in {domains} domains");

        let mut most = 0;
        for n in 0..400_u32 {
            let now = Timestamp::from_micros(u64::from(n) * 10);
            let before = WORK.load(Relaxed);
            let output = engine.poll(now);
            let ExtractionOutput::Send(send) = output else { panic!("{output:?}") };
            let text = match n % 4 {
                0 => "query timed out".into(),
                1 => format!("Domain shop-{n:07}.com is occupied, please retry in 60 seconds"),
                2 => "Downloader error: http404".into(),
                _ => "Proxy error: banned".to_owned(),
            };
            let queries: serde_json::Value = serde_json::from_slice(&send.request.body).unwrap();
            let body = format!(r#"[{{"query":{{"userQuery":{}}},"error":"{text}"}}]"#, queries[0]);
            engine.handle_response(send.id, Response::new(200, Headers::new(), body), now).unwrap();
            if n % 4 == 2 {
                assert!(matches!(engine.poll(now), ExtractionOutput::Event(_)));
            }
            most = most.max(WORK.load(Relaxed) - before);
        }
        println!("{most} bytes allocated at most for one job's way through");
        assert!(most < 100_000, "{most} bytes for one job");
    }
}
