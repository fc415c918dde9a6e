//! Small random worlds: anything may happen in them.

use core::{fmt::Write, time::Duration};

use silkline::{
    engine::{IdleReason, JobSession, ProxyConfig, ProxyJob, SessionCreation},
    schedule::{Budget, FailureClass, PoolConfig, RetryPolicy},
    service::proxy as service,
};

use super::world::{Saved, Setting, World, addresses};
use crate::simulation::{
    Run,
    checks::{Broken, Checked, hold},
    network::Network,
    random::{Dice, SECOND},
};

const SITES: [&str; 5] =
    ["http://a.com", "http://x.a.com", "http://b.com", "https://b.com", "https://c.org"];
const NAMES: [&str; 3] = ["login", "cart", "x"];

/// Operations of a world before it is left to finish.
const OPERATIONS: u32 = 150;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Answers that the service may give instead of its own, some of them for the whole account.
const ANSWERS: [&str; 14] = [
    r#"{"answer": {"status": 503, "error": "noslaves"}}"#,
    r#"{"answer": {"status": 503, "error": "serverbusy", "headers": {"Retry-After": "7"}}}"#,
    r#"{"answer": {"status": 429, "error": "too_many_conns"}}"#,
    r#"{"answer": {"status": 400, "error": "user_session_limit"}}"#,
    r#"{"answer": {"status": 500, "error": "internal_error"}}"#,
    r#"{"answer": {"status": 523, "error": "domain_forbidden"}}"#,
    r#"{"answer": {"status": 502, "body": "<html>", "version": false}}"#,
    r#"{"answer": {"status": 503, "error": "slavebanned"}}"#,
    r#"{"drop": true}"#,
    r#"{"truncate": 5}"#,
    r#"{"ban": true}"#,
    r#"{"fail": "timeout"}"#,
    r#"{"delay": 9}"#,
    r#"{"delay": 40}"#,
];

const ACCOUNT: [&str; 2] = [
    r#"{"answer": {"status": 407, "error": "bad_proxy_auth"}}"#,
    r#"{"answer": {"status": 403, "error": "user_suspended"}}"#,
];

const ENDING: &str = r#"{"end_session": true}"#;

/// A list of faults for the service, and whether some of them end sessions or accounts.
fn script(dice: &mut Dice) -> (String, bool, bool) {
    let mut rules = Vec::new();
    let (mut ends, mut refuses) = (false, false);
    let mut rule = |dice: &mut Dice, then: &str, chance: u64| {
        let wanted = dice.one_in(chance);
        if wanted {
            let (parts, times) = (dice.between(1, 250), dice.between(1, 20));
            rules.push(format!(
                r#"{{"when": {{"probability": 0.{parts:03}}}, "times": {times}, "then": {then}}}"#
            ));
        }
        wanted
    };
    for then in ANSWERS {
        // What looks like a page seems to have gone through its session.
        ends |= rule(dice, then, 5) && then.contains("html");
    }
    ends |= rule(dice, ENDING, 3);
    for then in ACCOUNT {
        refuses |= rule(dice, then, 10);
    }
    if dice.one_in(6) {
        return ("[]".into(), false, false);
    }
    if dice.one_in(4) {
        let (skip, times) = (dice.up_to(20), dice.between(2, 8));
        let then = dice.pick(&ANSWERS[..3]);
        rules.insert(0, format!(r#"{{"skip": {skip}, "times": {times}, "then": {then}}}"#));
    }
    (format!("[{}]", rules.join(", ")), ends, refuses)
}

fn network(dice: &mut Dice) -> Network {
    if dice.one_in(4) {
        return Network { delay_us: dice.up_to(50_000), ..Network::default() };
    }
    let mut share = |most: u64| if dice.one_in(2) { dice.up_to(most) } else { 0 };
    let mut network = Network {
        not_sent: share(100_000),
        lost: share(80_000),
        dropped: share(50_000),
        broken: share(80_000),
        slow: share(100_000),
        doubled: share(200_000),
        after_all: share(1_000_000),
        no_page: share(150_000),
        queued: share(300_000),
        disguised: share(100_000),
        ..Network::default()
    };
    network.delay_us = dice.up_to(50_000);
    network.slow_us = dice.up_to(60 * SECOND);
    network.queue_us = dice.up_to(SECOND);
    network
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

fn setting(dice: &mut Dice, crashes: Crashes) -> (Setting, bool) {
    let pool = dice.small(1, 6);
    let (concurrency, queue_size) = (dice.small(1, 8), dice.small(3, 40));
    let margin = Duration::from_millis(*dice.pick(&[50, 50, 100, 250]));
    let idle = secs(*dice.pick(&[1_800, 1_800, 200, 100]));
    let delay = secs(dice.between(0, 15));
    let a_delay = secs(dice.between(0, 30));
    let sessions = PoolConfig::default()
        .with_size(pool)
        .expect("a size")
        .with_margin(Some(margin))
        .with_idle(idle)
        .with_safety(secs(dice.between(5, 30)))
        .with_max_bans(dice.small(1, 2))
        .with_max_timeouts(dice.small(1, 2))
        .with_anonymous_percent(dice.small(0, 100))
        .expect("a share");
    let mut policy = RetryPolicy::smart_proxy();
    if dice.one_in(2) {
        policy = policy
            .with_budget(FailureClass::Network, Budget::Retries(dice.small(0, 4)))
            .with_budget(FailureClass::Server, Budget::Retries(dice.small(0, 4)))
            .with_budget(FailureClass::Account, Budget::Retries(dice.small(0, 2)));
    }
    let engine = ProxyConfig::default()
        .with_pool(sessions)
        .with_creation(*dice.pick(&SessionCreation::ALL))
        .with_warm_up(dice.small(0, pool))
        .expect("a size")
        .with_delay(delay)
        .with_domain_delay("a.com", a_delay)
        .with_concurrency(concurrency)
        .expect("a limit")
        .with_call_concurrency(dice.small(1, 4))
        .expect("a limit")
        .with_queue_size(queue_size)
        .expect("a size")
        .with_deadline(secs(dice.between(5, 100)))
        .with_requeue(!dice.one_in(4))
        .with_adopt_all(dice.one_in(4))
        .with_policy(policy);
    let (script, ends, refuses) = script(dice);
    let network = network(dice);
    let calm = network.lost + network.dropped + network.broken + network.slow == 0
        && network.after_all + network.not_sent == 0;
    // Where addresses are scarce, sessions come to some that cool, and their first requests are held
    // back, which no client can know.
    let scarce = dice.one_in(4);
    let mut service = service::ProxyConfig::default();
    service.outgoing = addresses(if scarce { pool + dice.small(1, pool) } else { 60 * pool + 200 });
    service.session_idle = idle;
    service.delay = delay;
    service.domain_delays.insert("a.com".into(), a_delay);
    service.soft_limit = secs(dice.between(1, 120));
    service.retries = dice.small(0, 5);
    if dice.one_in(4) {
        service.max_sessions = usize::try_from(dice.small(1, pool)).expect("small");
    }
    if dice.one_in(5) {
        service.max_connections = usize::try_from(dice.small(1, concurrency)).ok();
    }
    if dice.one_in(5) {
        service.max_outstanding = usize::try_from(dice.small(1, concurrency)).ok();
    }
    let setting = Setting {
        engine,
        pool,
        concurrency,
        queue_size,
        service,
        sessions_last: !ends && calm && crashes == Crashes::None,
        script,
        network,
        thorough: true,
        // Of requests after its snapshot, and of sessions that it did not know, an engine cannot tell
        // to which domain they went last.
        never_early: !scarce && (crashes == Crashes::None || a_delay <= delay),
    };
    (setting, refuses)
}

#[derive(Debug)]
struct Small {
    world: World,
    crashes: Crashes,
    closes: bool,
    refuses: bool,
    saved: Option<Saved>,
}

impl Small {
    fn new(seed: u64, tell: bool) -> Self {
        let mut dice = Dice::new(seed.wrapping_mul(0x9e37) + 1);
        let crashes = match dice.up_to(3) {
            0 | 1 => Crashes::None,
            2 => Crashes::Clean,
            _ => Crashes::Stale,
        };
        let (setting, refuses) = setting(&mut dice, crashes);
        let closes = dice.one_in(2);
        Self { world: World::new(setting, seed, tell), crashes, closes, refuses, saved: None }
    }

    fn submit(&mut self) -> Checked {
        let world = &mut self.world;
        let site = *world.dice.pick(&SITES);
        let priority = i32::try_from(world.dice.up_to(2)).expect("small") - 1;
        match world.dice.up_to(9) {
            0..=5 => world.submit(site, |job| job.with_priority(priority), None),
            6..=8 => {
                let name = *world.dice.pick(&NAMES);
                let replace = world.dice.one_in(2);
                let session = JobSession::Named { name: name.into(), replace };
                let make = |job: ProxyJob| job.with_priority(priority).with_session(session);
                world.submit(site, make, Some(name))
            }
            _ => world.submit(site, ProxyJob::outside_sessions, None),
        }
    }

    fn operate(&mut self) -> Checked {
        let choice = self.world.dice.up_to(23);
        match choice {
            0..=7 => self.submit()?,
            8 if self.world.next_job > 0 => {
                let job = self.world.dice.up_to(self.world.next_job - 1);
                self.world.cancel(job)?;
            }
            9 if self.crashes != Crashes::None => self.crash()?,
            10 if self.world.dice.one_in(3) => self.world.resume(),
            11 if self.world.dice.one_in(2) => {
                let name = *self.world.dice.pick(&NAMES);
                self.world.end_session(name);
            }
            _ => {
                self.world.drive()?;
                self.world.advance()?;
            }
        }
        self.world.check()
    }

    fn crash(&mut self) -> Checked {
        let world = &mut self.world;
        if self.crashes == Crashes::Stale && world.dice.one_in(2) {
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
            self.world.close(grace);
        }
        for _ in 0..60_000 {
            match self.world.drive()? {
                Some(IdleReason::Stopped) => self.world.resume(),
                Some(_) => return self.end(),
                None => self.world.advance()?,
            }
        }
        Err(Broken("it never ends".into()))
    }

    /// What comes too late changes nothing but the sessions known.
    fn end(&mut self) -> Checked {
        let closed = self.world.closing;
        let living = self.world.service.stats().sessions_living;
        // Sessions that are about to expire are left to do so.
        let expired = self.world.engine.stats().sessions_expired > 0;
        // Nor does anybody hear of a session made for a request that was aborted or refused.
        let heard = self.world.aborts == 0 && self.world.setting.script == "[]";
        let ours = self.world.setting.sessions_last && !self.refuses && !expired && heard;
        hold(!closed || !ours || living == 0, || format!("{living} sessions are left behind"))?;
        for _ in 0..60_000 {
            if self.world.calendar.next().is_none() && self.world.drive()?.is_some() {
                return self.world.check_end();
            }
            self.world.advance()?;
            self.world.drive()?;
        }
        Err(Broken("late answers woke it up for ever".into()))
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
            let saved = small.world.save();
            let (downtime, known) =
                (small.world.dice.up_to(60) * SECOND, small.world.dice.one_in(2));
            let forked = small.world.fork(&saved, downtime, known);
            let crashes = Crashes::Clean;
            outcome = match forked {
                Ok(world) => {
                    let (closes, refuses) = (small.closes, small.refuses);
                    let mut other = Small { world, crashes, closes, refuses, saved: None };
                    if let Err(Broken(text)) = other.finish() {
                        let text = format!("restored at step {step}: {text}");
                        return report(other, Err(Broken(text)));
                    }
                    Ok(())
                }
                Err(broken) => Err(broken),
            };
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
    fn noticed(change: impl Fn(&mut World), text: &str) {
        let found = (0..60).find_map(|seed| {
            let mut small = Small::new(seed, false);
            change(&mut small.world);
            let outcome =
                (0..OPERATIONS).try_for_each(|_| small.operate()).and_then(|()| small.finish());
            outcome.err().filter(|Broken(broken)| broken.contains(text))
        });
        assert!(found.is_some(), "nobody noticed: {text}");
    }

    #[test]
    fn what_is_not_kept_is_noticed() {
        noticed(|world| world.setting.concurrency = 1, "under way");
        noticed(|world| world.setting.queue_size = 2, "jobs");
        noticed(|world| world.setting.pool = 0, "sessions live");
        noticed(|world| world.setting.network.delay_us = 400_000, "too early");
        noticed(
            |world| {
                world.setting.sessions_last = true;
                world.replace_script(r#"[{"then": {"end_session": true}}]"#);
            },
            "session that had ended",
        );
    }
}
