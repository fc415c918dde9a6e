//! Storms of refusals, and a suspended account.

use core::time::Duration;

use silkline::{
    engine::{IdleReason, ProxyConfig},
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

const SESSIONS: u32 = 50;
const PAGES: u64 = 2_000;

fn world(seed: u64) -> World {
    let pool = PoolConfig::default().with_size(SESSIONS).expect("a size");
    let engine =
        ProxyConfig::default().with_pool(pool.with_margin(Some(Duration::from_millis(50))));
    let mut service = service::ProxyConfig::default();
    service.outgoing = addresses(2 * SESSIONS);
    let setting = Setting {
        engine,
        pool: SESSIONS,
        concurrency: 100,
        queue_size: 1_000_000,
        service,
        script: "[]".into(),
        network: Network { delay_us: 50_000, ..Network::default() },
        thorough: true,
        never_early: true,
        sessions_last: true,
    };
    World::new(setting, seed, false)
}

fn submit(world: &mut World) -> Checked {
    (0..PAGES).try_for_each(|page| {
        world.submit(&format!("http://shop-{}.com", page % 20), |job| job, None)
    })
}

fn until(world: &mut World, moment: u64) -> Checked {
    while world.now < moment {
        world.drive()?;
        let next = world.calendar.next().into_iter().chain(world.engine_wakes).min();
        if next.is_none_or(|next| next > moment) {
            world.now = moment;
            return Ok(());
        }
        world.advance()?;
    }
    Ok(())
}

fn finish(world: &mut World) -> Checked {
    while world.drive()?.is_none() {
        world.advance()?;
    }
    hold(world.succeeded == PAGES, || format!("{} of {PAGES} pages", world.succeeded))?;
    world.check_end()
}

/// The service refuses all for some time, and the engine is to send probes only; how long it takes
/// until it is back at work.
pub fn storm(name: &str, answer: &str, seed: u64) -> Row {
    let (begin, length) = (60 * SECOND, 120 * SECOND);
    let mut world = world(seed);
    let mut recovery = 0;
    let mut run = |world: &mut World| -> Checked {
        submit(world)?;
        until(world, begin)?;
        let before = world.sends;
        world.replace_script(&format!(r#"[{{"then": {{"answer": {answer}}}}}]"#));
        until(world, begin + length)?;
        // What left before the first refusal was back, and probes.
        let (sent, good) = (world.sends - before, world.succeeded);
        let most = u64::from(SESSIONS) + length / (20 * SECOND) + 1;
        hold(sent <= most, || format!("{sent} requests in a storm, at most {most} expected"))?;
        world.replace_script("[]");
        while world.succeeded == good {
            hold(world.drive()?.is_none(), || "idle after the storm".into())?;
            world.advance()?;
        }
        recovery = world.now - begin - length;
        finish(world)
    };
    let outcome = run(&mut world);
    if let Err(broken) = &outcome {
        println!("{name}, seed {seed}: {broken}");
    }
    Row {
        violations: world.service.stats().early_requests + u64::from(outcome.is_err()),
        sends: Some(world.sends),
        recovery_s: Some(seconds(recovery)),
        ..Row::new(name)
    }
}

/// The account is suspended in the middle of a crawl: one event, nothing sent after it, the queue
/// kept, and all goes on when it is well again.
pub fn suspension(name: &str, seed: u64) -> Row {
    let mut world = world(seed);
    let run = |world: &mut World| -> Checked {
        submit(world)?;
        until(world, 60 * SECOND)?;
        let refusal = r#"[{"then": {"answer": {"status": 403, "error": "user_suspended"}}}]"#;
        world.replace_script(refusal);
        let mut after = None;
        let reason = loop {
            if let Some(reason) = world.drive()? {
                break reason;
            }
            if world.engine.stats().stopped && after.is_none() {
                after = Some(world.sends);
            }
            world.advance()?;
        };
        hold(reason == IdleReason::Stopped, || format!("idle: {reason:?}"))?;
        hold(world.stops == 1, || format!("{} events", world.stops))?;
        hold(after.is_none_or(|sends| sends == world.sends), || "sent after a stop".into())?;
        let stats = world.engine.stats();
        let kept = usize::try_from(stats.unfinished).expect("few");
        hold(kept == world.book.unfinished(), || format!("{kept} jobs kept"))?;
        let failed = PAGES - world.succeeded - u64::from(stats.unfinished);
        world.replace_script("[]");
        world.resume();
        while world.drive()?.is_none() {
            world.advance()?;
        }
        hold(world.succeeded + failed == PAGES && failed <= 1, || {
            format!("{} of {PAGES} pages, {failed} failed by the suspension", world.succeeded)
        })?;
        world.check_end()
    };
    let outcome = run(&mut world);
    if let Err(broken) = &outcome {
        println!("{name}, seed {seed}: {broken}");
    }
    Row {
        violations: world.service.stats().early_requests + u64::from(outcome.is_err()),
        sends: Some(world.sends),
        ..Row::new(name)
    }
}
