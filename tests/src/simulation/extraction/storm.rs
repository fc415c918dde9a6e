//! Storms of refusals, and a suspended account.

use core::time::Duration;

use silkline::{
    engine::{ExtractionConfig, IdleReason},
    schedule::Rate,
    service::{Keys, Pace, extraction as service},
};

use super::world::{Setting, World};
use crate::simulation::{
    checks::{Broken, Checked, hold},
    network::Network,
    random::SECOND,
    report::{Row, seconds},
};

const RATE: u64 = 5;
const CONCURRENCY: u32 = 100;

fn setting(service: service::ExtractionConfig) -> Setting {
    let rate = Rate::per_second(RATE).expect("a rate");
    Setting {
        engine: ExtractionConfig::default().with_rate(rate),
        rate: (RATE, SECOND),
        burst: 1,
        batch: 1,
        concurrency: CONCURRENCY,
        queue_size: 1_000_000,
        cap: None,
        service,
        network: Network { delay_us: 50_000, ..Network::default() },
        distinct: true,
    }
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

/// The service refuses all for some time, and the engine is to send probes only if that is a limit
/// of the whole account; how long it takes until the engine is back at work.
pub fn storm(name: &str, then: &str, probed: bool, seed: u64) -> Row {
    let (begin, length) = (60 * SECOND, 120 * SECOND);
    let calm = service::ExtractionConfig::default()
        .with_pace(Pace::every(Duration::from_millis(200)).with_burst(5));
    let rules = format!(r#"[{{"then": {then}}}]"#);
    let rough = calm.clone().with_faults(&rules).expect("faults");
    let mut world = World::new(setting(calm.clone()), seed, false);
    let mut recovery = 0;
    let run = |world: &mut World| -> Checked {
        for job in 0..2_000 {
            world.submit(&format!("shop-{}.com", job % 20), 0)?;
        }
        until(world, begin)?;
        let (under_way, before) = (world.open.len(), world.sends);
        world.replace_service(rough, seed);
        until(world, begin + length)?;
        let (storm, good) = (world.sends - before, world.succeeded);
        // What was under way, what left before the first refusal came back, and probes.
        let early = RATE * 2;
        let later = storm.saturating_sub(early);
        hold(!probed || later <= length / (20 * SECOND) + 1, || {
            format!("{storm} requests in a storm with {under_way} under way")
        })?;
        world.replace_service(calm, seed);
        while world.succeeded == good {
            hold(world.drive()?.is_none(), || "idle after the storm".into())?;
            world.advance()?;
        }
        recovery = world.now - begin - length;
        while world.drive()?.is_none() {
            world.advance()?;
        }
        hold(world.succeeded == 2_000, || format!("{} of 2000 jobs", world.succeeded))?;
        world.check_end()
    };
    let outcome = run(&mut world);
    if let Err(broken) = &outcome {
        println!("{name}, seed {seed}: {broken}");
    }
    Row {
        violations: world.service.stats().rate_violations + u64::from(outcome.is_err()),
        sends: Some(world.sends),
        recovery_s: Some(seconds(recovery)),
        ..Row::new(name)
    }
}

/// The account is suspended in the middle of a crawl: one event, nothing sent after it, the queue
/// kept, and all goes on when it is well again.
pub fn suspension(name: &str, seed: u64) -> Row {
    let well = service::ExtractionConfig::default()
        .with_pace(Pace::every(Duration::from_millis(200)).with_burst(5));
    let suspended = well.clone().with_keys(Keys::any().with_disabled(["key".to_owned()]));
    let mut world = World::new(setting(well.clone()), seed, false);
    let run = |world: &mut World| -> Checked {
        for job in 0..1_000 {
            world.submit(&format!("shop-{}.com", job % 20), 0)?;
        }
        until(world, 60 * SECOND)?;
        world.replace_service(suspended, seed);
        let before = world.sends;
        let reason = loop {
            if let Some(reason) = world.drive()? {
                break reason;
            }
            world.advance()?;
        };
        hold(reason == IdleReason::Stopped, || format!("idle: {reason:?}"))?;
        hold(world.stops == 1, || format!("{} events", world.stops))?;
        hold(world.sends - before <= 2, || {
            format!("{} requests after the suspension", world.sends - before)
        })?;
        let stats = world.engine.stats();
        let (kept, unfinished) = (stats.queued + stats.waiting, world.book.unfinished());
        hold(usize::try_from(kept).ok() == Some(unfinished), || {
            format!("{kept} of {unfinished} jobs kept")
        })?;
        world.replace_service(well, seed);
        world.resume();
        while world.drive()?.is_none() {
            world.advance()?;
        }
        world.check_end()?;
        // Those that the suspension refused have ended with that error.
        hold(world.succeeded + 5 >= 1_000, || format!("{} of 1000 jobs", world.succeeded))
    };
    let outcome: Result<(), Broken> = run(&mut world);
    if let Err(broken) = &outcome {
        println!("{name}, seed {seed}: {broken}");
    }
    Row { violations: u64::from(outcome.is_err()), sends: Some(world.sends), ..Row::new(name) }
}
