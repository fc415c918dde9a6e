//! Large crawls: how near to the bound they come.

use core::time::Duration;

use silkline::{
    engine::ExtractionConfig,
    schedule::Rate,
    service::{Pace, extraction as service},
};

use super::world::{Setting, World};
use crate::simulation::{
    checks::Checked,
    network::Network,
    random::SECOND,
    report::{Row, seconds},
};

/// A crawl of many queries.
#[derive(Clone, Copy, Debug)]
pub struct Crawl {
    /// How many.
    pub queries: u64,
    /// Over how many domains.
    pub domains: u64,
    /// Queries of a request.
    pub batch: u32,
    /// Whether 5 % of the requests fail: 2 % on the network, 1 % with HTTP 500, 1 % with a query
    /// error that is billed, 1 % with one that is not.
    pub faults: bool,
}

fn setting(crawl: Crawl) -> Setting {
    let (rate, concurrency) = (5, 100);
    let queue_size = u32::try_from(crawl.queries).expect("a size");
    let faults = r#"[
        {"when": {"probability": 0.01}, "then": {"status": 500}},
        {"when": {"probability": 0.01}, "then": {"error": "Proxy error: banned"}},
        {"when": {"probability": 0.01}, "then": {"error": "query timed out"}}]"#;
    let engine = ExtractionConfig::default()
        .with_rate(Rate::per_second(rate).expect("a rate"))
        .with_batch_size(crawl.batch)
        .expect("a size")
        .with_concurrency(concurrency)
        .expect("a limit")
        .with_queue_size(queue_size)
        .expect("a size");
    // The service lets a second's worth through at once, which covers the jitter on the way.
    let pace = Pace::every(Duration::from_millis(200)).with_burst(5);
    let service = service::ExtractionConfig::default().with_pace(pace);
    let service = if crawl.faults { service.with_faults(faults).expect("faults") } else { service };
    Setting {
        engine,
        rate: (rate, SECOND),
        burst: 1,
        batch: crawl.batch,
        concurrency,
        queue_size,
        cap: None,
        service,
        network: Network {
            delay_us: 50_000,
            broken: if crawl.faults { 20_000 } else { 0 },
            ..Network::default()
        },
        distinct: true,
    }
}

fn run(world: &mut World, crawl: Crawl) -> Checked {
    for job in 0..crawl.queries {
        world.submit(&format!("www.shop-{}.com", job % crawl.domains), 0)?;
    }
    while world.drive()?.is_none() {
        world.advance()?;
    }
    world.check_end()
}

/// Runs a crawl and reports it; prints what was broken.
pub fn crawl(name: &str, crawl: Crawl, seed: u64) -> Row {
    let mut world = World::new(setting(crawl), seed, false);
    let outcome = run(&mut world, crawl);
    if let Err(broken) = &outcome {
        println!("{name}, seed {seed}: {broken}");
    }
    let makespan = world.last_send - world.first_send.unwrap_or_default();
    // The last request of a batched crawl needs one token only.
    let tokens = world.attempts - u64::from(crawl.batch);
    Row {
        makespan_s: Some(seconds(makespan)),
        bound_s: Some(seconds(tokens * SECOND / 5)),
        violations: world.service.stats().rate_violations + u64::from(outcome.is_err()),
        decisions_per_s: Some(world.watch.per_second()),
        sends: Some(world.sends),
        target: Some(if crawl.faults { 0.1 } else { 0.01 }),
        ..Row::new(name)
    }
}
