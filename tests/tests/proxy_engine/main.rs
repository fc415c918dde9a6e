//! The proxy engine against the service's own side, in virtual time and without sockets.

mod random;
mod world;

use std::time::Duration;

use silkline::{
    engine::{IdleReason, ProxyConfig, ProxyEngine, ProxyJob, SessionCreation},
    proxy::ProxyApi,
    service::proxy::{ProxyConfig as ServiceConfig, ProxyService},
};

use self::world::{FOREVER, Faults, World, addresses, bans, get, ms, pool};

fn crawl(config: ProxyConfig, faults: Faults, jobs: u64, domains: u64, seed: u64) -> World {
    let mut service = ServiceConfig::default();
    service.outgoing = addresses(3_000);
    service.bans = bans();
    let mut world = World::new(config, service, seed);
    world.run(FOREVER);
    world.faults = faults;
    for job in 0..jobs {
        let url = format!("https://shop-{}.com/{job}", job % domains);
        world.engine.submit(get(&url), world.now).unwrap();
    }
    world.run(FOREVER);
    world
}

#[test]
fn a_crawl_without_faults_is_near_its_bound_and_never_early() {
    let config = ProxyConfig::default()
        .with_pool(pool(100, 50))
        .with_warm_up(100)
        .unwrap()
        .with_concurrency(1_000)
        .unwrap();
    let world = crawl(config, Faults::default(), 20_000, 50, 1);
    let stats = world.service.stats();
    assert_eq!((stats.early_requests, stats.delayed_requests), (0, 0));
    assert_eq!(world.ended.len(), 20_000);
    assert!(world.ended.values().all(|outcome| outcome.outcome.is_ok()));
    let bound = 20_000.0 * 12.0 / 100.0 - 12.0;
    let makespan = world.last_send.since(world.first_send.unwrap()).as_secs_f64();
    assert!(makespan <= bound * 1.01, "{makespan} against {bound}");
}

#[test]
fn a_crawl_with_faults_is_near_its_bound_and_never_early() {
    let config = ProxyConfig::default()
        .with_pool(pool(100, 50))
        .with_warm_up(100)
        .unwrap()
        .with_concurrency(1_000)
        .unwrap();
    let faults = Faults { network: 20, ban: 10, dead: 10, target: 10, dropped: 0 };
    let world = crawl(config, faults, 20_000, 50, 1);
    let stats = world.service.stats();
    assert_eq!(stats.early_requests, 0);
    assert_eq!(world.ended.len(), 20_000);
    let bound = f64::from(world.fetches) * 12.0 / 100.0 - 12.0;
    let makespan = world.last_send.since(world.first_send.unwrap()).as_secs_f64();
    assert!(makespan <= bound * 1.10, "{makespan} against {bound}");
    assert!(world.ended.values().all(|outcome| outcome.outcome.is_ok()));
}

#[test]
fn sessions_are_made_by_header_when_they_are_needed() {
    let mut service = ServiceConfig::default();
    service.outgoing = addresses(10);
    let config = ProxyConfig::default().with_pool(pool(10, 250));
    let mut world = World::new(config, service, 1);
    for job in 0..50 {
        world.engine.submit(get(&format!("http://a.com/{job}")), ms(0)).unwrap();
    }
    world.run(FOREVER);
    let stats = world.service.stats();
    assert_eq!((stats.sessions_created, stats.early_requests), (10, 0));
    assert_eq!(world.engine.stats().succeeded, 50);
    assert!(world.now < ms(60_000), "{:?}", world.now);
    world.engine.close(world.now, Duration::ZERO);
    world.run(FOREVER);
    assert_eq!(world.idle(), IdleReason::Closed);
    assert_eq!(world.service.stats().sessions_living, 0, "ours are deleted");
}

#[test]
fn sessions_are_made_by_calls() {
    let mut service = ServiceConfig::default();
    service.outgoing = addresses(10);
    let config =
        ProxyConfig::default().with_pool(pool(10, 250)).with_creation(SessionCreation::Call);
    let mut world = World::new(config, service, 1);
    for job in 0..50 {
        let job = ProxyJob::new(get(&format!("http://a.com/{job}")));
        world.engine.submit(job, ms(0)).unwrap();
    }
    world.run(FOREVER);
    let stats = world.service.stats();
    assert_eq!((stats.sessions_created, stats.early_requests), (10, 0));
    assert_eq!(world.engine.stats().succeeded, 50);
}

#[test]
fn a_storm_is_over_soon_after_the_service_is_well() {
    let mut service = ServiceConfig::default();
    service.outgoing = addresses(100);
    let faults = r#"[{"skip": 50, "times": 40, "then": {"answer": {"status": 429, "error": "too_many_conns"}}}]"#;
    let api = ProxyApi::new("key").unwrap();
    let config = ProxyConfig::default().with_pool(pool(50, 50)).with_concurrency(50).unwrap();
    let engine = ProxyEngine::new(api, config, 1, ms(0));
    let service = ProxyService::new(service, 1).with_faults(faults).unwrap();
    let mut world = World::with_engine(engine, service, 1);
    for number in 0..200 {
        world.engine.submit(get(&format!("http://a.com/{number}")), ms(0)).unwrap();
    }
    world.run(FOREVER);
    let (stats, engine) = (world.service.stats(), world.engine.stats());
    assert_eq!(engine.succeeded, 200);
    assert_eq!(stats.early_requests, 0);
    assert_eq!(stats.errors["too_many_conns"], 40);
    assert!(engine.concurrency < 50, "recovers slowly: {}", engine.concurrency);
}
