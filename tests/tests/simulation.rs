//! Engines against services in virtual time: the share of the simulation that fits in a minute.
//!
//! `SIMULATION_SEED=7 cargo test -p conformance --test simulation -- --nocapture` tells what happens
//! in the world of one seed.

use conformance::simulation::{Run, extraction, proxy, reference};
use serde_json::Value;

/// Runs the worlds of many seeds; prints and names those that broke a promise.
fn run_all(name: &str, seeds: impl Iterator<Item = u64>, run: fn(u64, bool) -> Run) {
    if let Ok(seed) = std::env::var("SIMULATION_SEED") {
        let run = run(seed.parse().expect("a seed"), true);
        println!("{}", run.told);
        assert!(run.broken.is_none(), "{name}, seed {seed}: {:?}", run.broken);
        return;
    }
    let broken = |seed| {
        run(seed, false).broken.map(|broken| println!("{name}, seed {seed}: {broken}")).is_some()
    };
    let failed: Vec<u64> = seeds.filter(|seed| broken(*seed)).collect();
    assert!(failed.is_empty(), "{name}: SIMULATION_SEED={failed:?}");
}

/// Seeds that once showed a fault.
fn known(name: &str) -> Vec<u64> {
    let lists: Value =
        serde_json::from_str(include_str!("../vectors/simulation.json")).expect("a list");
    let list = lists["seeds"][name].as_array().expect("a list");
    list.iter().map(|seed| seed.as_u64().expect("a seed")).collect()
}

#[test]
fn extraction_keeps_its_promises() {
    let seeds = known("extraction").into_iter().chain(0..400);
    run_all("extraction", seeds, extraction::run_small);
}

#[test]
fn extraction_goes_on_from_a_snapshot_of_any_step() {
    let seeds = known("extraction_restoring").into_iter().chain(0..8);
    run_all("extraction, restored", seeds, extraction::run_small_restoring);
}

#[test]
fn proxy_keeps_its_promises() {
    let seeds = known("proxy").into_iter().chain(0..400);
    run_all("proxy", seeds, proxy::run_small);
}

#[test]
fn proxy_goes_on_from_a_snapshot_of_any_step() {
    let seeds = known("proxy_restoring").into_iter().chain(0..8);
    run_all("proxy, restored", seeds, proxy::run_small_restoring);
}

#[test]
fn the_same_seed_gives_the_same_sends() {
    for seed in 0..20 {
        let (one, other) = (extraction::run_small(seed, false), extraction::run_small(seed, false));
        assert_eq!(one.trace, other.trace, "seed {seed}");
        let (one, other) = (proxy::run_small(seed, false), proxy::run_small(seed, false));
        assert_eq!(one.trace, other.trace, "seed {seed}");
    }
}

#[test]
fn storms_are_met_by_probes_and_a_suspension_by_silence() {
    let throttled = r#"{"problem": "user-rate-limit-exceeded"}"#;
    assert!(extraction::storm("429", throttled, true, 1).is_good());
    assert!(extraction::storm("503", r#"{"status": 503}"#, false, 1).is_good());
    assert!(extraction::suspension("suspended", 1).is_good());
    assert!(proxy::storm("503", r#"{"status": 503, "error": "noslaves"}"#, 1).is_good());
    assert!(proxy::suspension("suspended", 1).is_good());
}

#[test]
fn the_next_job_is_that_of_plain_lists() {
    let failed = (0..500).find_map(|seed| Some((seed, reference::compare_queues(seed).err()?)));
    assert!(failed.is_none(), "{failed:?}");
}

#[test]
fn the_next_session_is_that_of_a_plain_list() {
    let failed = (0..500).find_map(|seed| Some((seed, reference::compare_pool(seed).err()?)));
    assert!(failed.is_none(), "{failed:?}");
}
