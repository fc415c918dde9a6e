//! The whole simulation: prints a table and writes `target/simulate.json`.
//!
//! `simulate [--seeds N] [--only TEXT]` runs the scenarios whose name holds the text;
//! `simulate --world KIND SEED` tells what happens in one small world.

use std::{
    panic::catch_unwind,
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
};

use conformance::simulation::{
    Run,
    allocator::{self, Counting},
    extraction::{self, Crawl},
    proxy::{self, Crawl as ProxyCrawl, Faults},
    queues,
    report::{Row, table},
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

type World = fn(u64, bool) -> Run;

/// The kinds of small worlds, and which share of the seeds each gets.
const WORLDS: [(&str, World, u64); 4] = [
    ("extraction", extraction::run_small, 1),
    ("extraction, restored at each step", extraction::run_small_restoring, 50),
    ("proxy", proxy::run_small, 1),
    ("proxy, restored at each step", proxy::run_small_restoring, 50),
];

/// Runs the worlds of many seeds on all processors.
fn worlds(name: &str, run: World, seeds: u64) -> Row {
    let (next, broken, requests) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Relaxed);
            if seed >= seeds {
                return;
            }
            let outcome = match catch_unwind(|| run(seed, false)) {
                Ok(run) => {
                    requests.fetch_add(run.sends, Relaxed);
                    run.broken.map(|broken| broken.to_string())
                }
                Err(_) => Some("panicked".into()),
            };
            if let Some(text) = outcome {
                println!("{name}, seed {seed}: {text}");
                broken.fetch_add(1, Relaxed);
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, |count| count.get().min(8));
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    Row {
        violations: broken.into_inner(),
        sends: Some(requests.into_inner()),
        ..Row::new(format!("{seeds} small worlds: {name}"))
    }
}

fn crawls() -> Vec<(&'static str, Crawl)> {
    let calm = Crawl { queries: 20_000, domains: 200, batch: 1, faults: false };
    vec![
        ("20,000 queries at 5/s", calm),
        ("20,000 queries at 5/s, 5 % faults", Crawl { faults: true, ..calm }),
        ("20,000 queries at 5/s in batches of 10", Crawl { batch: 10, ..calm }),
    ]
}

fn proxied_crawls() -> Vec<(&'static str, ProxyCrawl)> {
    let small = ProxyCrawl { pages: 100_000, domains: 500, sessions: 1_000, faults: Faults::None };
    let large = ProxyCrawl { pages: 1_000_000, sessions: 5_000, ..small };
    vec![
        ("100,000 pages, 1,000 sessions", small),
        (
            "100,000 pages, 1,000 sessions, 5 % faults",
            ProxyCrawl { faults: Faults::FivePercent, ..small },
        ),
        (
            "100,000 pages, 1,000 sessions, 5 % faults, 1 % dropped",
            ProxyCrawl { faults: Faults::Dropped, ..small },
        ),
        ("1,000,000 pages, 5,000 sessions", large),
        (
            "1,000,000 pages, 5,000 sessions, 5 % faults",
            ProxyCrawl { faults: Faults::FivePercent, ..large },
        ),
        (
            "1,000,000 pages, 5,000 sessions, 5 % faults, 1 % dropped",
            ProxyCrawl { faults: Faults::Dropped, ..large },
        ),
    ]
}

fn scenarios(seeds: u64, wanted: impl Fn(&str) -> bool) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |name: &str, run: &dyn Fn(&str) -> Row| {
        if wanted(name) {
            eprintln!("{name} ...");
            allocator::take_peak();
            let before = allocator::live();
            let mut row = run(name);
            let peak = allocator::take_peak().saturating_sub(before);
            row.peak_bytes = u64::try_from(peak).ok();
            rows.push(row);
        }
    };
    for (name, run, share) in WORLDS {
        add(name, &|name| worlds(name, run, (seeds / share).max(1)));
    }
    for (name, crawl) in crawls() {
        add(name, &|name| extraction::crawl(name, crawl, 1));
    }
    for (name, then, probed) in [
        ("storm of 429, extraction", r#"{"problem": "user-rate-limit-exceeded"}"#, true),
        ("storm of 503, extraction", r#"{"status": 503}"#, false),
    ] {
        add(name, &|name| extraction::storm(name, then, probed, 1));
    }
    add("suspended account, extraction", &|name| extraction::suspension(name, 1));
    for (domains, text) in [(500, "500"), (1_000_000, "1,000,000")] {
        let name = format!("1,000,000 queries queued in {text} domains");
        add(&name, &|name| queues::extraction(name, 1_000_000, domains));
        let name = format!("1,000,000 pages queued in {text} domains");
        add(&name, &|name| queues::proxy(name, 1_000_000, domains));
    }
    for (name, crawl) in proxied_crawls() {
        add(name, &|name| proxy::crawl(name, crawl, 1));
    }
    for (name, answer) in [
        ("storm of noslaves, proxy", r#"{"status": 503, "error": "noslaves"}"#),
        ("storm of serverbusy, proxy", r#"{"status": 503, "error": "serverbusy"}"#),
        ("storm of too_many_conns, proxy", r#"{"status": 429, "error": "too_many_conns"}"#),
    ] {
        add(name, &|name| proxy::storm(name, answer, 1));
    }
    add("suspended account, proxy", &|name| proxy::suspension(name, 1));
    rows
}

fn tell(kind: &str, seed: &str) -> ExitCode {
    let found = WORLDS.iter().find(|(name, ..)| *name == kind);
    let (Some((_, run, _)), Ok(seed)) = (found, seed.parse()) else {
        eprintln!("there is no world `{kind}` `{seed}`");
        return ExitCode::FAILURE;
    };
    let run = run(seed, true);
    println!("{}", run.told);
    println!("{}", run.broken.map_or("all promises were kept".into(), |broken| broken.to_string()));
    ExitCode::SUCCESS
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str, after: usize| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + after).map(String::as_str)
    };
    if let (Some(kind), Some(seed)) = (value("--world", 1), value("--world", 2)) {
        return tell(kind, seed);
    }
    let seeds = value("--seeds", 1).map_or(Ok(10_000), str::parse).expect("a number of seeds");
    let only = value("--only", 1).unwrap_or_default();
    let rows = scenarios(seeds, |name| name.contains(only));
    println!("{}", table(&rows));
    let folder = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into());
    let path = format!("{folder}/simulate.json");
    let text = serde_json::to_string_pretty(&rows).expect("plain rows");
    if let Err(error) = std::fs::write(&path, text + "\n") {
        eprintln!("{path}: {error}");
        return ExitCode::FAILURE;
    }
    println!("written to {path}");
    if rows.iter().all(Row::is_good) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
