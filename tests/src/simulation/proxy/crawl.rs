//! Large crawls: how near to the bound they come.

use core::time::Duration;

use silkline::{
    engine::{ProxyConfig, SessionCreation},
    schedule::PoolConfig,
    service::proxy as service,
};

use super::world::{Setting, World, addresses};
use crate::simulation::{
    checks::{Checked, hold},
    network::Network,
    random::SECOND,
    report::{Row, seconds},
};

/// What goes wrong in a crawl.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Faults {
    /// Nothing.
    None,
    /// 2 % network failures, 1 % bans, 1 % dead sessions, 1 % errors of the target, each answered
    /// within 2 s.
    FivePercent,
    /// The same, and 1 % of answers dropped until the deadline.
    Dropped,
}

/// A crawl of many pages.
#[derive(Clone, Copy, Debug)]
pub struct Crawl {
    /// How many.
    pub pages: u64,
    /// Over how many domains.
    pub domains: u64,
    /// Through how many sessions.
    pub sessions: u32,
    /// What goes wrong.
    pub faults: Faults,
}

/// How far apart requests of a session are.
const DELAY: u64 = 12;

fn setting(crawl: Crawl) -> Setting {
    let pool = PoolConfig::default()
        .with_size(crawl.sessions)
        .expect("a size")
        .with_margin(Some(Duration::from_millis(50)));
    let engine = ProxyConfig::default()
        .with_pool(pool)
        .with_creation(SessionCreation::Header)
        .with_warm_up(crawl.sessions)
        .expect("a size")
        .with_concurrency(crawl.sessions)
        .expect("a limit");
    let script = match crawl.faults {
        Faults::None => "[]",
        _ => {
            r#"[{"when": {"probability": 0.01}, "then": {"ban": true}},
                {"when": {"probability": 0.01}, "then": {"end_session": true}},
                {"when": {"probability": 0.01}, "then": {"fail": "econnreset"}}]"#
        }
    };
    // Sessions that die are replaced by ones on addresses that are on time.
    let mut service = service::ProxyConfig::default();
    service.outgoing = addresses(crawl.sessions * 2);
    Setting {
        engine,
        pool: crawl.sessions,
        concurrency: crawl.sessions,
        queue_size: 1_000_000,
        service,
        script: script.into(),
        network: Network {
            delay_us: 50_000,
            lost: if crawl.faults == Faults::None { 0 } else { 20_000 },
            dropped: if crawl.faults == Faults::Dropped { 10_000 } else { 0 },
            ..Network::default()
        },
        thorough: false,
        never_early: true,
        sessions_last: crawl.faults == Faults::None,
    }
}

fn run(world: &mut World, crawl: Crawl) -> Checked {
    // The pool is warm before the crawl begins.
    while world.drive()?.is_none() {
        world.advance()?;
    }
    for page in 0..crawl.pages {
        let site = format!("http://www.shop-{}.com", page % crawl.domains);
        world.submit(&site, |job| job, None)?;
    }
    while world.drive()?.is_none() {
        world.advance()?;
    }
    hold(world.book.submitted.len() == world.book.ended.len(), || "jobs are left".into())?;
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
    let stats = world.service.stats();
    let failed = crawl.pages - world.succeeded;
    if failed > 0 {
        println!("{name}: {failed} of {} pages failed for good", crawl.pages);
    }
    // All delays are equal, and longer than any answer takes.
    let bound = (world.sends * DELAY * SECOND) / u64::from(crawl.sessions) - DELAY * SECOND;
    Row {
        makespan_s: Some(seconds(makespan)),
        bound_s: Some(seconds(bound)),
        violations: stats.early_requests + u64::from(outcome.is_err()),
        decisions_per_s: Some(world.watch.per_second()),
        sends: Some(world.sends),
        target: match crawl.faults {
            Faults::None => Some(0.01),
            Faults::FivePercent => Some(0.1),
            Faults::Dropped => None,
        },
        ..Row::new(name)
    }
}
