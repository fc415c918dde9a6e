//! Small random worlds: anything may happen in them.

use core::{fmt::Write, time::Duration};

use silkline::{
    engine::{ExtractionConfig, IdleReason},
    schedule::{Budget, FailureClass, Rate, RetryPolicy},
    service::{Pace, extraction as service},
};

use super::world::{Saved, Setting, World};
use crate::simulation::{
    Run,
    checks::{Broken, Checked, hold},
    network::Network,
    random::{Dice, SECOND},
};

const DOMAINS: [&str; 6] = ["a.com", "x.a.com", "y.x.a.com", "b.com", "c.org", "www.d.org"];

/// Operations of a world before it is left to finish.
const OPERATIONS: u32 = 120;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn engine_config(
    dice: &mut Dice,
    setting: (u64, u32, u32, u32, u32, Option<u64>),
) -> ExtractionConfig {
    let (rate, burst, batch, concurrency, queue_size, cap) = setting;
    let mut policy = RetryPolicy::default()
        .with_budget(FailureClass::Account, Budget::Retries(dice.small(0, 2)));
    if dice.one_in(2) {
        policy = policy
            .with_budget(FailureClass::Network, Budget::Retries(dice.small(0, 4)))
            .with_budget(FailureClass::Server, Budget::Retries(dice.small(0, 4)));
    }
    ExtractionConfig::default()
        .with_rate(Rate::per_second(rate).expect("a rate"))
        .with_burst(burst)
        .expect("a burst")
        .with_batch_size(batch)
        .expect("a size")
        .with_concurrency(concurrency)
        .expect("a limit")
        .with_queue_size(queue_size)
        .expect("a size")
        .with_deadline(secs(dice.between(5, 60)))
        .with_cap(cap)
        .with_requeue(!dice.one_in(4))
        .with_policy(policy)
}

/// A list of faults for the service. Of equal queries nobody can tell whose result is one too many,
/// so there are none of those where queries are not distinct.
fn script(dice: &mut Dice, distinct: bool) -> String {
    let mut rules = Vec::new();
    let mut rule = |dice: &mut Dice, then: &str, most: u64| {
        if dice.one_in(3) {
            let (parts, times) = (dice.up_to(most), dice.between(1, 30));
            rules.push(format!(
                r#"{{"when": {{"probability": 0.{parts:03}}}, "times": {times}, "then": {then}}}"#
            ));
        }
    };
    for then in [
        r#"{"problem": "user-rate-limit-exceeded", "retry_after": 3}"#,
        r#"{"problem": "rate-limit-exceeded"}"#,
        r#"{"status": 503}"#,
        r#"{"status": 503, "retry_after": "x"}"#,
        r#"{"problem": "internal", "status": 500}"#,
        r#"{"problem": "account-disabled"}"#,
        r#"{"problem": "malformed-json"}"#,
        r#"{"drop": true}"#,
        r#"{"truncate": 40}"#,
        r#"{"garbage": 300}"#,
        r#"{"body": "{}", "status": 200}"#,
        r#"{"delay": 20}"#,
        r#"{"results": ["missing"]}"#,
        r#"{"results": ["surplus", "shuffled"]}"#,
        r#"{"results": ["foreign", "reversed"]}"#,
        r#"{"results": ["object"]}"#,
        r#"{"echo": {"more": 1}}"#,
        r#"{"error": "query timed out"}"#,
        r#"{"error": "Proxy error: banned"}"#,
        r#"{"error": "Downloader error: http404"}"#,
        r#"{"error": "InternalError"}"#,
        r#"{"error": "Domain a.com is occupied, please retry in 7 seconds"}"#,
        r#"{"error": "Domain org is occupied, please retry in 30 seconds"}"#,
        r#"{"slow": 15}"#,
    ] {
        if distinct || !then.contains("surplus") {
            rule(dice, then, 300);
        }
    }
    // A storm: for a while, every request is refused.
    if dice.one_in(4) {
        let (skip, times) = (dice.up_to(20), dice.between(2, 8));
        let then = *dice.pick(&[
            r#"{"problem": "user-rate-limit-exceeded"}"#,
            r#"{"problem": "rate-limit-exceeded", "retry_after": 5}"#,
            r#"{"status": 503}"#,
            r#"{"problem": "account-disabled"}"#,
        ]);
        rules.insert(0, format!(r#"{{"skip": {skip}, "times": {times}, "then": {then}}}"#));
    }
    format!("[{}]", rules.join(", "))
}

fn service_config(
    dice: &mut Dice,
    rate: u64,
    batch: u32,
    distinct: bool,
) -> service::ExtractionConfig {
    // Mostly as fast as the engine, at times slower, so that it refuses.
    let interval = if dice.one_in(5) { 1_300_000 / rate } else { 1_000_000 / rate };
    let pace = Pace::every(Duration::from_micros(interval)).with_burst(dice.small(1, 5) + batch);
    let mut config = service::ExtractionConfig::default()
        .with_pace(pace)
        .with_query_timeout(secs(dice.between(10, 100)))
        .with_shuffled_results(dice.one_in(2))
        .with_faults(&script(dice, distinct))
        .expect("a good script");
    if dice.one_in(3) {
        config = config.with_occupied([("a.com".into(), secs(dice.between(1, 60)))]);
    }
    if dice.one_in(4) {
        config = config
            .with_domain_concurrency(Some(dice.small(1, 2)))
            .with_domain_wait(secs(dice.between(1, 10)));
    }
    if dice.one_in(6) {
        config = config.with_max_queries(1);
    }
    config
}

fn network(dice: &mut Dice) -> Network {
    let mut share = |most: u64| if dice.one_in(2) { dice.up_to(most) } else { 0 };
    let mut network = Network {
        delay_us: 0,
        not_sent: share(100_000),
        lost: share(100_000),
        dropped: share(60_000),
        broken: share(100_000),
        slow: share(200_000),
        slow_us: 0,
        doubled: share(200_000),
        after_all: share(1_000_000),
        no_page: share(200_000),
        ..Network::default()
    };
    network.delay_us = dice.up_to(50_000);
    network.slow_us = dice.up_to(90 * SECOND);
    network
}

fn setting(dice: &mut Dice) -> Setting {
    let rate = dice.between(1, 10);
    let (burst, concurrency, queue_size) = (dice.small(1, 4), dice.small(1, 6), dice.small(3, 30));
    let batch = if dice.one_in(2) { 1 } else { dice.small(2, 6) };
    let distinct = !dice.one_in(4);
    let cap = dice.one_in(2).then(|| dice.between(1, 30));
    Setting {
        engine: engine_config(dice, (rate, burst, batch, concurrency, queue_size, cap)),
        rate: (rate, SECOND),
        burst,
        batch,
        concurrency,
        queue_size,
        cap,
        service: service_config(dice, rate, batch, distinct),
        network: network(dice),
        distinct,
    }
}

/// What kinds of crashes a world has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Crashes {
    None,
    /// Each goes on from a snapshot of that very moment.
    Clean,
    /// Some go on from an older snapshot.
    Stale,
}

#[derive(Clone, Debug)]
struct Small {
    world: World,
    crashes: Crashes,
    closes: bool,
    saved: Option<Saved>,
}

impl Small {
    fn new(seed: u64, tell: bool) -> Self {
        let mut dice = Dice::new(seed.wrapping_mul(0x9e37));
        let setting = setting(&mut dice);
        let crashes = match dice.up_to(3) {
            0 | 1 => Crashes::None,
            2 => Crashes::Clean,
            _ => Crashes::Stale,
        };
        let closes = dice.one_in(4);
        Self { world: World::new(setting, seed, tell), crashes, closes, saved: None }
    }

    fn operate(&mut self) -> Checked {
        let world = &mut self.world;
        match world.dice.up_to(23) {
            0..=8 => {
                let domain = *world.dice.pick(&DOMAINS);
                let priority = i32::try_from(world.dice.up_to(2)).expect("small") - 1;
                world.submit(domain, priority)?;
            }
            9 if world.next_job > 0 => {
                let job = world.dice.up_to(world.next_job - 1);
                world.cancel(job)?;
            }
            10 if self.crashes != Crashes::None => self.crash()?,
            11 if world.dice.one_in(3) => self.world.resume(),
            12 if world.dice.one_in(8) => self.start_cycle(),
            _ => self.advance()?,
        }
        self.world.check()
    }

    fn advance(&mut self) -> Checked {
        self.world.drive()?;
        self.world.advance()
    }

    fn start_cycle(&mut self) {
        self.world.tell(|| "a new cycle".into());
        let clock = self.world.clock();
        self.world.engine.start_cycle(clock);
        self.world.cycles += 1;
        self.world.engine_wakes = Some(self.world.now);
    }

    fn crash(&mut self) -> Checked {
        let world = &mut self.world;
        let stale = self.crashes == Crashes::Stale && world.dice.one_in(2);
        if stale {
            match self.saved.take() {
                Some(saved) if world.dice.one_in(2) => {
                    let downtime = world.dice.up_to(60) * SECOND;
                    let known = world.dice.one_in(2);
                    return world.crash(&saved, downtime, known);
                }
                _ => {
                    self.saved = Some(world.save());
                    return Ok(());
                }
            }
        }
        let saved = world.save();
        let downtime = world.dice.up_to(60) * SECOND;
        let known = world.dice.one_in(2);
        self.saved = None;
        world.crash(&saved, downtime, known)
    }

    /// Goes on until all is done.
    fn finish(&mut self) -> Checked {
        if self.closes && !self.world.closing {
            self.world.drive()?;
            let grace = secs(self.world.dice.up_to(40));
            let clock = self.world.clock();
            self.world.tell(|| format!("close within {grace:?}"));
            self.world.engine.close(clock, grace);
            self.world.closing = true;
            self.world.engine_wakes = Some(self.world.now);
        }
        for _ in 0..30_000 {
            match self.world.drive()? {
                Some(IdleReason::Stopped) => self.world.resume(),
                Some(IdleReason::OutOfBudget) => self.start_cycle(),
                Some(_) => return self.end(),
                None => self.world.advance()?,
            }
        }
        Err(Broken("it never ends".into()))
    }

    /// What comes too late changes nothing.
    fn end(&mut self) -> Checked {
        while self.world.calendar.next().is_some() {
            self.world.engine_wakes = None;
            self.world.advance()?;
        }
        let reason = self.world.drive()?;
        hold(reason.is_some(), || "late answers woke it up".into())?;
        self.world.check_end()
    }
}

fn report(small: Small, outcome: Checked) -> Run {
    let world = small.world;
    let mut told = String::new();
    for line in world.told.unwrap_or_default() {
        let _ = writeln!(told, "{line}");
    }
    Run { broken: outcome.err(), trace: world.trace, sends: world.sends, told }
}

/// Runs the world of a seed, and tells what happens in it if that is wanted.
pub fn run_small(seed: u64, tell: bool) -> Run {
    let mut small = Small::new(seed, tell);
    let outcome = (0..OPERATIONS).try_for_each(|_| small.operate()).and_then(|()| small.finish());
    report(small, outcome)
}

/// Runs the world of a seed, and at each step of it another one that goes on from a snapshot taken
/// there.
pub fn run_small_restoring(seed: u64, tell: bool) -> Run {
    let mut small = Small::new(seed, tell);
    for step in 0..OPERATIONS {
        let mut outcome = small.operate();
        if outcome.is_ok() {
            let mut other = small.clone();
            other.crashes = Crashes::Clean;
            outcome = other.crash().and_then(|()| other.finish());
            if let Err(Broken(text)) = outcome {
                return report(other, Err(Broken(format!("restored at step {step}: {text}"))));
            }
        }
        if outcome.is_err() {
            return report(small, outcome);
        }
    }
    let outcome = small.finish();
    report(small, outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an engine that keeps none of a promise would be noticed by.
    fn noticed(change: impl Fn(&mut Setting), text: &str) {
        let found = (0..60).find_map(|seed| {
            let mut small = Small::new(seed, false);
            change(&mut small.world.setting);
            let setting = small.world.setting.clone();
            small.world.rate = World::new(setting, seed, false).rate;
            let outcome =
                (0..OPERATIONS).try_for_each(|_| small.operate()).and_then(|()| small.finish());
            outcome.err().filter(|Broken(broken)| broken.contains(text))
        });
        assert!(found.is_some(), "nobody noticed: {text}");
    }

    #[test]
    fn what_is_not_kept_is_noticed() {
        noticed(|setting| setting.rate.0 = 1, "rate");
        noticed(|setting| setting.concurrency = 1, "under way");
        noticed(|setting| setting.batch = 1, "in a batch");
        noticed(|setting| setting.queue_size = 2, "queued");
        noticed(|setting| setting.cap = Some(1), "spent");
    }
}
