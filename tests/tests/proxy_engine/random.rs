//! Worlds in which everything may happen, with crashes.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use silkline::{
    Rng,
    engine::{
        IdleReason, JobId, JobSession, NotSubmitted, ProxyConfig, ProxyEngine, ProxyEvent,
        ProxyJob, ProxyOutcome, SessionCreation,
    },
    http::Headers,
    proxy::{ProxyApi, SessionId},
    service::proxy::{ProxyConfig as ServiceConfig, ProxyService},
};

use super::world::{FOREVER, Faults, World, addresses, bans, get, millis, ms, pool};

/// What a restart goes back to.
struct Saved {
    bytes: Vec<u8>,
    submitted: BTreeSet<JobId>,
    ended: BTreeMap<JobId, ProxyOutcome>,
    events: usize,
}

/// A small world in which everything may happen.
struct RandomWorld {
    world: World,
    config: ProxyConfig,
    submitted: BTreeSet<JobId>,
    saved: Option<Saved>,
    crashes: bool,
    /// Addresses enough that none is chosen while it cools.
    many: bool,
}

impl RandomWorld {
    fn new(seed: u64, crashes: bool) -> Self {
        let mut rng = Rng::new(seed);
        let small = |rng: &mut Rng, most| u32::try_from(1 + rng.up_to(most)).unwrap();
        let one_in = |rng: &mut Rng, n: u64| rng.up_to(n - 1) == 0;
        let creation =
            if one_in(&mut rng, 2) { SessionCreation::Call } else { SessionCreation::Header };
        let size = small(&mut rng, 6);
        let pool = pool(size, 50)
            .with_max_bans(small(&mut rng, 2))
            .with_anonymous_percent(50 * (small(&mut rng, 2) - 1))
            .unwrap();
        let config = ProxyConfig::default()
            .with_pool(pool)
            .with_creation(creation)
            .with_warm_up(if one_in(&mut rng, 3) { size } else { 0 })
            .unwrap()
            .with_concurrency(small(&mut rng, 8))
            .unwrap()
            .with_queue_size(40)
            .unwrap()
            .with_domain_delay("slow.com", Duration::from_secs(30))
            .with_deadline(Duration::from_secs(40))
            .with_adopt_all(one_in(&mut rng, 4))
            .with_requeue(!one_in(&mut rng, 4))
            .with_keep_secrets(one_in(&mut rng, 2));
        let mut service = ServiceConfig::default();
        let many = one_in(&mut rng, 2);
        service.outgoing = addresses(if many { 500 } else { small(&mut rng, 20) });
        service.bans = bans();
        service.domain_delays = [("slow.com".to_owned(), Duration::from_secs(30))].into();
        service.forbidden_domains = vec!["forbidden.com".into()];
        if one_in(&mut rng, 3) {
            service.max_connections = Some(2);
        }
        if one_in(&mut rng, 3) {
            service.max_sessions = 3;
        }
        let mut world = World::new(config.clone(), service, seed);
        if one_in(&mut rng, 2) {
            world.faults = Faults { network: 60, ban: 40, dead: 40, target: 60, dropped: 20 };
        }
        Self { world, config, submitted: BTreeSet::new(), saved: None, crashes, many }
    }

    fn pick(&mut self, count: usize) -> usize {
        usize::try_from(self.world.rng.up_to(u64::try_from(count - 1).unwrap())).unwrap()
    }

    /// A session that something came through, be it gone.
    fn some_session(&mut self) -> Option<SessionId> {
        let ended = self.world.ended.values().filter_map(|end| end.outcome.as_ref().ok());
        let sessions: Vec<SessionId> = ended.filter_map(|end| end.session.clone()).collect();
        if sessions.is_empty() {
            return None;
        }
        let recent = sessions.len() - sessions.len().min(5);
        Some(sessions[recent + self.pick(sessions.len() - recent)].clone())
    }

    fn submit(&mut self) {
        let domain = ["a.com", "x.a.com", "b.com", "slow.com", "forbidden.com"][self.pick(5)];
        let request = get(&format!("http://{domain}/{}", self.pick(1000)));
        let mut headers = Headers::new();
        headers.append("Cookie", "secret=1").unwrap();
        let secret = self.pick(4) == 0;
        let request = if secret { request.with_headers(headers) } else { request };
        let job = ProxyJob::new(request).with_priority(i32::try_from(self.pick(3)).unwrap());
        let job = match self.pick(10) {
            4 | 5 => match self.some_session() {
                Some(session) => job.staying_in(session),
                None => job,
            },
            0 => job.outside_sessions(),
            1 => job.in_session("one"),
            2 => job.in_session("two"),
            3 => job.with_session(JobSession::Named { name: "three".into(), replace: true }),
            _ => job,
        };
        match self.world.engine.submit(job, self.world.now) {
            Ok(id) => assert!(self.submitted.insert(id), "{id} twice"),
            Err(NotSubmitted::NamesExcluded) => {}
            Err(_) => assert!(self.submitted.len() - self.world.ended.len() >= 40),
        }
    }

    fn act(&mut self) {
        match self.pick(12) {
            0..=4 => (0..=self.pick(6)).for_each(|_| self.submit()),
            5 => {
                let ids: Vec<JobId> = self.submitted.iter().copied().collect();
                if !ids.is_empty() {
                    let id = ids[self.pick(ids.len())];
                    let known = self.world.engine.contains(id);
                    assert_eq!(self.world.engine.cancel(id, self.world.now), known);
                }
            }
            6 => {
                let name = ["one", "two", "three"][self.pick(3)];
                self.world.engine.end_session(name, self.world.now);
            }
            7 if self.crashes => {
                let bytes = self.world.engine.snapshot(self.world.now);
                let text = String::from_utf8(bytes.clone()).unwrap();
                assert!(!text.contains("a2V5Og==") && !text.contains("api key"));
                if !text.contains("keep") {
                    self.saved = Some(Saved {
                        bytes,
                        submitted: self.submitted.clone(),
                        ended: self.world.ended.clone(),
                        events: self.world.events.len(),
                    });
                }
            }
            8 if self.crashes => self.crash(),
            _ => {}
        }
    }

    fn crash(&mut self) {
        let Some(saved) = self.saved.take() else { return };
        let world = &mut self.world;
        let api = ProxyApi::new("key").unwrap();
        let downtime = (world.rng.up_to(1) == 0).then(|| Duration::from_secs(world.rng.up_to(60)));
        world.now = world.now + downtime.unwrap_or(Duration::from_secs(20));
        let config = self.config.clone();
        world.engine =
            ProxyEngine::restore(api, config, &saved.bytes, world.now, downtime).unwrap();
        for ticket in core::mem::take(&mut world.waiting).into_keys() {
            world.service.handle_closed(ticket, world.now);
        }
        world.happenings.clear();
        world.heap.clear();
        world.open.clear();
        world.aborted.clear();
        world.busy.clear();
        world.in_sessions.clear();
        world.ended = saved.ended;
        world.events.truncate(saved.events);
        self.submitted = saved.submitted;
    }

    /// Gives jobs from a snapshot what they lack.
    fn supply(&mut self) {
        for event in core::mem::take(&mut self.world.events) {
            if let ProxyEvent::Incomplete(job) = event {
                assert_eq!(job.headers, ["Cookie"]);
                let mut headers = Headers::new();
                headers.append("Cookie", "secret=1").unwrap();
                let request = job.request.with_headers(headers);
                let waited = self.world.engine.contains(job.job);
                let supplied = self.world.engine.supply(job.job, request, self.world.now);
                assert_eq!(supplied, Ok(waited));
            }
        }
    }

    fn run(mut self) -> World {
        for _ in 0..60 {
            let end = self.world.now + millis(self.world.rng.up_to(20_000));
            self.world.run(end);
            self.world.now = end;
            self.supply();
            self.act();
        }
        let close = self.pick(2) == 0;
        if close {
            let grace = Duration::from_secs(self.world.rng.up_to(20));
            self.world.engine.close(self.world.now, grace);
        }
        for round in 0.. {
            assert!(round < 100, "it never ends");
            self.world.run(FOREVER);
            self.supply();
            match self.world.idle_after_events() {
                Some(IdleReason::Closed | IdleReason::Empty) => break,
                Some(IdleReason::Incomplete) | None => {}
                other => panic!("{other:?}"),
            }
        }
        let ended: BTreeSet<JobId> = self.world.ended.keys().copied().collect();
        let left: Vec<&JobId> = self.submitted.difference(&ended).collect();
        let stats = self.world.engine.stats();
        assert!(left.is_empty(), "{left:?} did not end: {stats:?}\n{:?}", self.config);
        assert_eq!(self.submitted, ended, "each job ends exactly once");
        self.world
    }
}

/// How many worlds a test looks at.
const WORLDS: u64 = 100;

#[test]
fn in_random_worlds_each_job_ends_once_and_nothing_is_early() {
    for seed in 0..WORLDS {
        let world = RandomWorld::new(seed, false);
        let many = world.many;
        let world = world.run();
        let stats = world.service.stats();
        assert!(!many || stats.early_requests == 0, "seed {seed}");
        if world.faults.dead == 0 && world.faults.network == 0 {
            assert_eq!(stats.errors.get("bad_session_id"), None, "seed {seed}");
        }
    }
}

#[test]
fn over_crashes_each_job_of_the_snapshot_ends_once() {
    for seed in 0..WORLDS {
        RandomWorld::new(seed, true).run();
    }
}

#[test]
fn restoring_any_snapshot_of_a_run_ends_each_job_once() {
    let config = ProxyConfig::default()
        .with_pool(pool(4, 50))
        .with_concurrency(4)
        .unwrap()
        .with_deadline(Duration::from_secs(40));
    let mut service = ServiceConfig::default();
    service.outgoing = addresses(100);
    service.bans = bans();
    let mut world = World::new(config.clone(), service.clone(), 7);
    world.faults = Faults { network: 60, ban: 60, dead: 60, target: 60, dropped: 60 };
    let mut submitted = BTreeSet::new();
    for number in 0..40 {
        let job = ProxyJob::new(get(&format!("http://a{}.com/{number}", number % 3)));
        let job = match number % 5 {
            0 => job.in_session("me"),
            1 => job.outside_sessions(),
            _ => job,
        };
        submitted.insert(world.engine.submit(job, ms(0)).unwrap());
    }
    let mut snapshots = 0;
    while world.ended.len() < submitted.len() {
        let ended: BTreeSet<JobId> = world.ended.keys().copied().collect();
        let bytes = world.engine.snapshot(world.now);
        let api = ProxyApi::new("key").unwrap();
        let start = ms(1_000);
        let engine = ProxyEngine::restore(api, config.clone(), &bytes, start, None).unwrap();
        let again = engine.snapshot(start).len();
        assert!(again.abs_diff(bytes.len()) < 2_000, "what is restored is about the same");
        let service = ProxyService::new(service.clone(), 1);
        let mut other = World::with_engine(engine, service, snapshots);
        other.now = start;
        other.run(FOREVER);
        let expected: Vec<&JobId> = submitted.difference(&ended).collect();
        assert_eq!(other.ended.keys().collect::<Vec<_>>(), expected, "snapshot {snapshots}");
        snapshots += 1;
        let step = world.now + millis(world.rng.up_to(1_500));
        world.run(step);
        world.now = step;
    }
    assert!(snapshots > 30, "{snapshots}");
}

#[test]
fn the_same_seed_and_calls_give_the_same_outputs() {
    let run = || {
        let world = RandomWorld::new(5, false).run();
        (world.now, world.fetches, world.ended.len(), world.engine.snapshot(world.now))
    };
    assert_eq!(run(), run());
}
