//! A million queued jobs: what they take, and that no call pays for all of them.
//!
//! Only in a program whose allocator is [`Counting`](super::allocator::Counting).

use silkline::{
    Timestamp,
    engine::{
        ExtractionConfig, ExtractionEngine, ExtractionJob, ExtractionOutput, JobId, ProxyConfig,
        ProxyEngine, ProxyOutput,
    },
    extraction::{ExtractionApi, PageType, Query},
    http::{Method, Request},
    proxy::ProxyApi,
};

use super::{allocator, report::Row, stopwatch::Stopwatch};

/// What a job may take beside its own strings.
const BYTES: usize = 400;

/// What one call may allocate and free: some chunks of tables, and now and then the lists of these
/// chunks, which hold 24 bytes for 256 entries. Tables of a million take a hundred times that.
const MOVED: usize = 1_000_000;

/// An engine, as far as this test goes.
trait Queue {
    fn submit(&mut self, url: String) -> JobId;
    fn cancel(&mut self, job: JobId);
    /// Takes the event of a job's end.
    fn take_event(&mut self) -> bool;
}

impl Queue for ExtractionEngine {
    fn submit(&mut self, url: String) -> JobId {
        let query = Query::new(url, PageType::Product).expect("a good query");
        self.submit(ExtractionJob::new(query), Timestamp::ZERO).expect("room")
    }

    fn cancel(&mut self, job: JobId) {
        self.cancel(job, Timestamp::ZERO);
    }

    fn take_event(&mut self) -> bool {
        matches!(self.poll(Timestamp::ZERO), ExtractionOutput::Event(_))
    }
}

impl Queue for ProxyEngine {
    fn submit(&mut self, url: String) -> JobId {
        self.submit(Request::new(Method::GET, url), Timestamp::ZERO).expect("room")
    }

    fn cancel(&mut self, job: JobId) {
        self.cancel(job, Timestamp::ZERO);
    }

    fn take_event(&mut self) -> bool {
        matches!(self.poll(Timestamp::ZERO), ProxyOutput::Event(_))
    }
}

fn run(name: &str, engine: &mut dyn Queue, jobs: u32, domains: u32) -> Row {
    let mut ids = Vec::with_capacity(usize::try_from(jobs).expect("a number"));
    let (mut watch, mut own, mut most) = (Stopwatch::default(), 0, (0, ""));
    let mut measured = |what: &'static str, call: &mut dyn FnMut()| {
        let before = allocator::moved();
        watch.time(call);
        most = most.max((allocator::moved() - before, what));
    };
    let before = allocator::live();
    for job in 0..jobs {
        let url = format!("https://www.shop-{:07}.com/products/{job}", job % domains);
        own += url.len();
        let mut url = Some(url);
        measured("submit", &mut || ids.push(engine.submit(url.take().expect("once"))));
    }
    let each = (allocator::live() - before - own) / ids.len();
    // From the middle outwards, so that nothing is in order.
    let half = ids.len() / 2;
    let (first, second) = ids.split_at(half);
    let mut lost = 0_u64;
    for &id in first.iter().rev().zip(second).flat_map(|(one, other)| [one, other]) {
        measured("cancel", &mut || engine.cancel(id));
        measured("poll", &mut || lost += u64::from(!engine.take_event()));
    }
    let (moved, call) = most;
    let mut violations = lost;
    if each >= BYTES || moved >= MOVED {
        println!("{name}: {each} bytes a job, {moved} bytes allocated or freed by one {call}");
        violations += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let bytes_per_job = Some(each as f64);
    Row { violations, bytes_per_job, decisions_per_s: Some(watch.per_second()), ..Row::new(name) }
}

/// Queries in an extraction engine.
pub fn extraction(name: &str, jobs: u32, domains: u32) -> Row {
    let api = ExtractionApi::new("key").expect("a good key");
    let config = ExtractionConfig::default();
    run(name, &mut ExtractionEngine::new(api, config, 1, Timestamp::ZERO), jobs, domains)
}

/// Pages in a proxy engine.
pub fn proxy(name: &str, jobs: u32, domains: u32) -> Row {
    let api = ProxyApi::new("key").expect("a good key");
    let config = ProxyConfig::default();
    run(name, &mut ProxyEngine::new(api, config, 1, Timestamp::ZERO), jobs, domains)
}
