//! What a proxied job costs in memory, and that no call costs more with more jobs, domains and
//! sessions.
#![expect(unsafe_code, reason = "an allocator that counts can only be written so")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use silkline::{
    Timestamp,
    engine::{Failure, JobId, ProxyConfig, ProxyEngine, ProxyJob, ProxyOutput, ProxySendKind},
    http::{Headers, Method, Request, Response},
    proxy::ProxyApi,
    schedule::PoolConfig,
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

/// A part of the promised million in debug builds, which are ten times slower.
const JOBS: usize = if cfg!(debug_assertions) { 50_000 } else { 1_000_000 };
const SESSIONS: u32 = if cfg!(debug_assertions) { 500 } else { 5_000 };

fn at(millis: u64) -> Timestamp {
    Timestamp::from_micros(millis * 1_000)
}

/// An engine with all its sessions.
fn engine() -> ProxyEngine {
    let api = ProxyApi::new("key").unwrap();
    let pool = PoolConfig::default().with_size(SESSIONS).unwrap();
    let config = ProxyConfig::default()
        .with_pool(pool)
        .with_warm_up(SESSIONS)
        .unwrap()
        .with_concurrency(10_000)
        .unwrap();
    let mut engine = ProxyEngine::new(api, config, 1, at(0));
    let mut made = 0;
    while let ProxyOutput::Send(send) = engine.poll(at(0)) {
        assert_eq!(send.kind, ProxySendKind::CreateSession);
        let response = Response::new(200, Headers::new(), format!("{}", 1_000_000 + made));
        engine.handle_response(send.id, response, at(0)).unwrap();
        made += 1;
    }
    assert_eq!(engine.stats().pool.sessions, SESSIONS);
    engine
}

fn job(n: usize, domains: usize, headers: bool) -> (ProxyJob, usize) {
    let url = format!("https://www.shop-{:07}.com/products/{n}", n % domains);
    let mut own = url.len();
    let mut request = Request::new(Method::GET, url);
    if headers {
        let mut list = Headers::new();
        for (name, value) in [("Accept", "text/html"), ("Referer", "https://www.shop.com/")] {
            own += name.len() + value.len();
            list.append(name, value).unwrap();
        }
        request = request.with_headers(list);
    }
    (ProxyJob::new(request), own)
}

/// The most bytes that one call moves; what grows with the queue would move many.
fn most_work(engine: &mut ProxyEngine, work: &mut dyn FnMut(&mut ProxyEngine)) -> usize {
    let before = WORK.load(Relaxed);
    work(engine);
    WORK.load(Relaxed) - before
}

fn answers(engine: &mut ProxyEngine, round: u64) -> usize {
    let mut most = 0;
    for n in 0..300 {
        let now = at(20_000 * (round + 1) + n);
        let mut output = None;
        most = most.max(most_work(engine, &mut |engine| output = Some(engine.poll(now))));
        let Some(ProxyOutput::Send(send)) = output else { continue };
        let mut headers = Headers::new();
        headers.append("X-Crawlera-Slave", format!("10.0.{}.{}:3128", n % 7, n % 5)).unwrap();
        let (status, error) = match n % 5 {
            0 => (503, "banned"),
            1 => (400, "bad_session_id"),
            2 => (504, "timeout"),
            _ => (200, ""),
        };
        if !error.is_empty() {
            headers.append("X-Crawlera-Error", error).unwrap();
        }
        let response = Response::new(status, headers, "");
        most = most.max(most_work(engine, &mut |engine| {
            if n % 7 == 6 {
                engine.handle_failure(send.id, Failure::Network, now).unwrap();
            } else {
                engine.handle_response(send.id, response.clone(), now).unwrap();
            }
        }));
        let id = JobId::from_u64(1_000 + 300 * round + n);
        most = most.max(most_work(engine, &mut |engine| {
            engine.cancel(id, now);
        }));
    }
    most
}

/// One test, since others in parallel would be counted too.
#[test]
fn jobs_are_small_and_no_call_grows_with_their_number() {
    for (domains, headers) in [(500, false), (JOBS, false), (500, true)] {
        let mut engine = engine();
        let before = LIVE.load(Relaxed);
        let mut own = 0;
        let mut most = 0;
        for n in 0..JOBS {
            let (job, bytes) = job(n, domains, headers);
            own += bytes;
            let mut job = Some(job);
            most = most.max(most_work(&mut engine, &mut |engine| {
                engine.submit(job.take().unwrap(), at(0)).unwrap();
            }));
        }
        let bytes = (LIVE.load(Relaxed) - before - own) / JOBS;
        println!("{bytes} bytes a job, {JOBS} jobs in {domains} domains, headers: {headers}");
        assert!(bytes < 400, "{bytes} bytes a job in {domains} domains");
        // Tables grow in pieces; heaps and lists of pieces double, at a few bytes an entry.
        assert!(most < JOBS * 4, "a call moved {most} bytes while jobs were taken in");
        let most = (0..3).map(|round| answers(&mut engine, round)).max().unwrap();
        println!("{most} bytes moved by one call at most");
        assert!(most < 100_000, "a call moved {most} bytes");
    }
}
