//! The engines in the dialect of Zyte API, against its side, in virtual time.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use silkline::{
    Rng, Timestamp,
    engine::{
        ExtractionConfig, ExtractionEngine, ExtractionEvent, ExtractionOutput, Failure,
        ProxyConfig, ProxyEngine, ProxyEvent, ProxyJob, ProxyOutput, RequestId,
    },
    extraction::{ExtractionApi, PageType, Query},
    http::{Headers, Method, Request, Response},
    proxy::{ProxyApi, ProxyDialect},
    schedule::PoolConfig,
    service::{
        Delivery, Pace,
        extraction::{ServiceOutput, Ticket},
        proxy::{BanRule, FetchFailure, FetchOutcome, Step},
        zyte_api::{
            PageFailure, PageOutcome, ZyteApiConfig, ZyteApiService, ZyteApiStep,
            proxy::{ZyteProxyConfig, ZyteProxyService},
        },
    },
    zyte_api,
};

const JOBS: usize = 1_500;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn page(rng: &mut Rng, url: &str) -> PageOutcome {
    let page = |status| PageOutcome::Page {
        url: url.into(),
        status,
        headers: Headers::new(),
        body: Vec::new(),
        browser_html: None,
        item: Some(format!(r#"{{"url": "{url}", "brand": {{"name": "B"}}, "productId": "1"}}"#)),
    };
    match rng.up_to(99) {
        0..=2 => PageOutcome::Failed(PageFailure::Unreachable),
        3 => PageOutcome::Failed(PageFailure::Unusable),
        4 => PageOutcome::Failed(PageFailure::Internal),
        5..=7 => page(404),
        _ => page(200),
    }
}

#[test]
fn every_query_ends_once_and_costs_what_the_service_counts() {
    for seed in 0..4 {
        let mut rng = Rng::new(seed);
        // A pace below what the engine keeps to, so that the service throttles now and then.
        let pace = Pace::every(millis(if seed % 2 == 0 { 5 } else { 25 }));
        let domain = (seed == 3).then(|| Pace::every(millis(200)));
        let config = ZyteApiConfig::default().with_pace(pace).with_domain_pace(domain);
        let mut service = ZyteApiService::new(config, seed);
        let api = ExtractionApi::new("KEY").unwrap().with_dialect(zyte_api::EXTRACTION);
        let mut now = Timestamp::ZERO;
        let mut engine = ExtractionEngine::new(api.clone(), ExtractionConfig::default(), seed, now);
        for number in 0..JOBS {
            let url = format!("https://s{}.example/{number}", number % 20);
            engine.submit(Query::new(url, PageType::Product).unwrap(), now).unwrap();
        }
        let (mut pages, mut tickets) = (BTreeMap::new(), BTreeMap::<Ticket, RequestId>::new());
        let (mut ended, mut billed, mut order) = (BTreeSet::new(), 0, 0_u64);
        loop {
            let wait = loop {
                match engine.poll(now) {
                    ExtractionOutput::Send(send) => {
                        match service.handle_request(&send.request, now) {
                            ZyteApiStep::Answer(answer) => {
                                engine.handle_response(send.id, answer.response, now).unwrap();
                            }
                            ZyteApiStep::Fetch { ticket, wish } => {
                                order += 1;
                                let due = now + millis(500 + rng.up_to(4_000));
                                pages.insert((due, order), (ticket, wish.unwrap().url));
                                tickets.insert(ticket, send.id);
                            }
                        }
                    }
                    ExtractionOutput::Event(ExtractionEvent::Finished(job)) => {
                        assert!(ended.insert(job.job), "{:?} ended twice", job.job);
                        assert_eq!(job.cost.possibly_billed, 0);
                        billed += u64::from(job.cost.billed);
                        if let Ok(result) = &job.outcome {
                            assert_eq!(result.item().unwrap().unwrap()["brand"], "B");
                            assert_eq!(result.unmapped()[0].0, "/productId");
                        }
                    }
                    ExtractionOutput::WaitUntil { at, .. } => break Some(at),
                    ExtractionOutput::Idle(_) => break None,
                    other => panic!("{other:?}"),
                }
            };
            let Some(wait) = wait else { break };
            if engine.stats().queued == 700 && engine.stats().requests_in_flight == 0 {
                let bytes = engine.snapshot(now);
                let config = ExtractionConfig::default();
                engine = ExtractionEngine::restore(api.clone(), config, &bytes, now, None).unwrap();
            }
            let page_at = pages.first_key_value().map(|((due, _), _)| *due);
            now = page_at.into_iter().chain([wait]).min().unwrap().max(now);
            while let Some(entry) = pages.first_entry()
                && entry.key().0 <= now
            {
                let (ticket, url) = entry.remove();
                let outcome = page(&mut rng, &url);
                let answer = service.handle_fetched(ticket, outcome, now).expect("an answer");
                assert_eq!(answer.delivery, Delivery::Whole);
                let id = tickets.remove(&ticket).unwrap();
                engine.handle_response(id, answer.response, now).unwrap();
            }
            assert!(!matches!(service.poll(now), ServiceOutput::Answer { .. }));
        }
        assert_eq!(ended.len(), JOBS, "seed {seed}");
        assert_eq!(billed, service.stats().billed, "seed {seed}");
        let stats = engine.stats();
        assert_eq!((stats.usage.billed, stats.usage.unknown), (billed, 0));
        assert_eq!(stats.usage.unbilled, service.stats().unbilled);
        assert!(stats.succeeded > JOBS as u64 * 85 / 100, "{stats:?}");
        assert_eq!(service.stats().rate_violations > 0, seed % 2 == 1, "{:?}", service.stats());
    }
}

fn fetched(rng: &mut Rng) -> FetchOutcome {
    let responded =
        |status| FetchOutcome::Responded { status, headers: Headers::new(), body_start: vec![] };
    match rng.up_to(99) {
        0..=5 => responded(403), // a ban
        6..=7 => FetchOutcome::Failed(FetchFailure::Econnreset),
        8..=9 => responded(404),
        _ => responded(200),
    }
}

#[test]
fn sessions_are_never_used_longer_than_the_service_keeps_them() {
    for seed in 0..4 {
        let mut rng = Rng::new(seed);
        let mut config = ZyteProxyConfig::default().with_pace(Pace::every(millis(5)));
        config.outgoing = (2..=40).map(|n| [127, 0, 0, n].into()).collect();
        config.bans = vec![BanRule::new(None, vec![403], vec![])];
        let mut service = ZyteProxyService::new(config, seed);
        let api = ProxyApi::new("KEY").unwrap().with_dialect(ProxyDialect::ZyteApi);
        let pool = PoolConfig::default().with_size(10).unwrap();
        let mut now = Timestamp::ZERO;
        let mut engine = ProxyEngine::new(api, ProxyConfig::default().with_pool(pool), seed, now);
        let mut submitted = 0;
        let (mut flights, mut order) = (BTreeMap::new(), 0_u64);
        let (mut ended, mut billed) = (BTreeSet::new(), 0);
        let mut next = now;
        loop {
            // A few requests every now and then, with pauses in which sessions expire.
            while submitted < JOBS && next <= now {
                let url = format!("http://s{}.example/{submitted}", submitted % 20);
                let request = Request::new(Method::GET, url);
                let job = ProxyJob::new(request);
                let job = if submitted % 9 == 0 {
                    job.in_session(format!("n{}", submitted % 4))
                } else {
                    job
                };
                engine.submit(job, now).unwrap();
                submitted += 1;
                let pause = if rng.up_to(60) == 0 { 150_000 } else { rng.up_to(900) };
                next = now + millis(pause);
            }
            let wait = loop {
                match engine.poll(now) {
                    ProxyOutput::Send(send) => {
                        assert_eq!(send.kind.as_str(), "fetch", "no calls of a sessions API");
                        assert!(send.session.is_some());
                        let step = service.handle_request(send.request, None, now);
                        order += 1;
                        flights
                            .insert((now + millis(100 + rng.up_to(3_000)), order), (send.id, step));
                    }
                    ProxyOutput::Event(ProxyEvent::Finished(job)) => {
                        assert!(ended.insert(job.job), "{:?} ended twice", job.job);
                        billed += u64::from(job.cost.billed);
                    }
                    ProxyOutput::Event(ProxyEvent::SessionLost { .. }) => {}
                    ProxyOutput::WaitUntil { at, .. } => break Some(at),
                    ProxyOutput::Idle(_) => break None,
                    other => panic!("{other:?}"),
                }
            };
            let more = (submitted < JOBS).then_some(next);
            let flight = flights.first_key_value().map(|((due, _), _)| *due);
            let moments = wait.into_iter().chain(more).chain(flight);
            let Some(at) = moments.min() else { break };
            now = at.max(now);
            while let Some(entry) = flights.first_entry()
                && entry.key().0 <= now
            {
                let (id, step) = entry.remove();
                let answer = match step {
                    Step::Fetch(fetch) => {
                        service.handle_fetched(fetch.ticket, fetched(&mut rng), now)
                    }
                    step => step,
                };
                if rng.up_to(99) == 0
                    && let Step::Answer(_) = &answer
                {
                    engine.handle_failure(id, Failure::Network, now).unwrap();
                    continue;
                }
                let response = match answer {
                    Step::Answer(answer) => answer.response,
                    Step::Relay(relay) => {
                        service.handle_finished(relay.ticket, 0, now);
                        Response::new(relay.status, relay.headers, "")
                    }
                    other => panic!("{other:?}"),
                };
                engine.handle_response(id, response, now).unwrap();
            }
        }
        let stats = service.stats();
        assert_eq!(ended.len(), JOBS, "seed {seed}");
        assert_eq!(billed, stats.relayed, "seed {seed}");
        assert!(engine.stats().succeeded > JOBS as u64 * 85 / 100, "{:?}", engine.stats());
        assert!(!stats.problems.contains_key("/problem/over-session-limit"), "{stats:?}");
        // Sessions that the service ended for bans are the only ones that the engine may not know of.
        let expired = stats.problems.get("/problem/session-expired").copied().unwrap_or_default();
        assert!(expired <= stats.sessions_banned, "seed {seed}: {stats:?}");
        assert!(stats.sessions_expired > 10, "{stats:?}");
    }
}
