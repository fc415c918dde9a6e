//! The proxy engine against the service's own side, in virtual time and without sockets.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    net::IpAddr,
    time::Duration,
};

use silkline::{
    Rng, Timestamp,
    engine::{
        Failure, IdleReason, JobId, JobSession, NotSubmitted, ProxyConfig, ProxyEngine, ProxyEvent,
        ProxyJob, ProxyOutcome, ProxyOutput, ProxySend, ProxySendKind, Receipt, RequestId,
        SessionCreation, WaitReason,
    },
    http::{Headers, Method, Request, Response},
    proxy::{ProxyApi, SessionId},
    schedule::PoolConfig,
    service::proxy::{
        Connect, FetchOutcome, ProxyConfig as ServiceConfig, ProxyOutput as ServiceOutput,
        ProxyService, Step, Ticket,
    },
};

fn ms(millis: u64) -> Timestamp {
    Timestamp::from_micros(millis * 1_000)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn addresses(count: u32) -> Vec<IpAddr> {
    (2..2 + count).map(|n| IpAddr::from((0x7f00_0000 + n).to_be_bytes())).collect()
}

fn get(url: &str) -> Request {
    Request::new(Method::GET, url)
}

/// What happens at a moment.
#[derive(Debug)]
enum Happening {
    /// A request reaches the service.
    Arrives(Box<ProxySend>),
    /// The target has answered the service.
    Fetched(Ticket),
    /// An answer reaches the client.
    Answered(RequestId, Box<Response>),
    /// The client learns that there is none.
    Failed(RequestId, Failure),
    /// The service has something to do.
    ServiceTurn,
}

/// How often what goes wrong, in a thousand.
#[derive(Clone, Copy, Debug, Default)]
struct Faults {
    network: u64,
    ban: u64,
    dead: u64,
    target: u64,
    dropped: u64,
}

struct World {
    engine: ProxyEngine,
    service: ProxyService,
    rng: Rng,
    now: Timestamp,
    heap: BinaryHeap<Reverse<(Timestamp, u64)>>,
    happenings: BTreeMap<u64, Happening>,
    number: u64,
    waiting: BTreeMap<Ticket, RequestId>,
    open: BTreeSet<RequestId>,
    aborted: BTreeSet<RequestId>,
    ended: BTreeMap<JobId, ProxyOutcome>,
    events: Vec<ProxyEvent>,
    faults: Faults,
    one_way: u64,
    latency: (u64, u64),
    fetches: u32,
    in_sessions: BTreeSet<String>,
    busy: BTreeMap<RequestId, String>,
    first_send: Option<Timestamp>,
    last_send: Timestamp,
}

impl World {
    fn new(config: ProxyConfig, service: ServiceConfig, seed: u64) -> Self {
        let api = ProxyApi::new("key").unwrap();
        Self::with_engine(
            ProxyEngine::new(api, config, seed, ms(0)),
            ProxyService::new(service, seed),
            seed,
        )
    }

    fn with_engine(engine: ProxyEngine, service: ProxyService, seed: u64) -> Self {
        Self {
            engine,
            service,
            rng: Rng::new(seed),
            now: ms(0),
            heap: BinaryHeap::new(),
            happenings: BTreeMap::new(),
            number: 0,
            waiting: BTreeMap::new(),
            open: BTreeSet::new(),
            aborted: BTreeSet::new(),
            ended: BTreeMap::new(),
            events: Vec::new(),
            faults: Faults::default(),
            one_way: 50_000,
            latency: (200_000, 1_000_000),
            fetches: 0,
            in_sessions: BTreeSet::new(),
            busy: BTreeMap::new(),
            first_send: None,
            last_send: ms(0),
        }
    }

    fn later(&mut self, delay_us: u64, happening: Happening) {
        self.at(self.now + Duration::from_micros(delay_us), happening);
    }

    fn at(&mut self, moment: Timestamp, happening: Happening) {
        self.heap.push(Reverse((moment, self.number)));
        self.happenings.insert(self.number, happening);
        self.number += 1;
    }

    fn way(&mut self) -> u64 {
        self.rng.up_to(self.one_way)
    }

    fn send(&mut self, send: ProxySend) {
        assert!(send.deadline > self.now);
        assert!(self.open.insert(send.id));
        if send.kind == ProxySendKind::Fetch {
            self.fetches += 1;
            self.first_send.get_or_insert(self.now);
            self.last_send = self.now;
            if let Some(session) = &send.session {
                let session = session.as_str().to_owned();
                assert!(self.in_sessions.insert(session.clone()), "{session} is in use");
                self.busy.insert(send.id, session);
            }
            let lot = self.rng.up_to(999);
            if lot < self.faults.network {
                let delay = self.rng.up_to(2_000_000);
                self.later(delay, Happening::Failed(send.id, Failure::Network));
                return;
            }
            if lot < self.faults.network + self.faults.dropped {
                return;
            }
        }
        let way = self.way();
        self.later(way, Happening::Arrives(Box::new(send)));
    }

    fn drain(&mut self) -> Option<(Timestamp, WaitReason)> {
        loop {
            match self.engine.poll(self.now) {
                ProxyOutput::Send(send) => self.send(send),
                ProxyOutput::Abort(id) => {
                    assert!(self.open.remove(&id), "aborts what is under way");
                    self.free(id);
                    self.aborted.insert(id);
                }
                ProxyOutput::Event(ProxyEvent::Finished(outcome)) => {
                    let before = self.ended.insert(outcome.job, *outcome);
                    assert!(before.is_none(), "a job ended twice");
                }
                ProxyOutput::Event(event) => self.events.push(event),
                ProxyOutput::WaitUntil { at, reason } => {
                    assert!(at > self.now, "{at:?} has come: {reason:?}");
                    return Some((at, reason));
                }
                ProxyOutput::Idle(_) => {
                    assert!(self.open.is_empty(), "idle with something under way");
                    return None;
                }
            }
        }
    }

    fn idle(&mut self) -> IdleReason {
        match self.engine.poll(self.now) {
            ProxyOutput::Idle(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    fn free(&mut self, id: RequestId) {
        if let Some(session) = self.busy.remove(&id) {
            self.in_sessions.remove(&session);
        }
    }

    fn arrives(&mut self, send: &ProxySend) {
        if self.aborted.contains(&send.id) {
            return;
        }
        if send.kind != ProxySendKind::Fetch {
            let path = send.request.url.strip_prefix("http://proxy.zyte.com:8011").unwrap();
            let request = Request::new(send.request.method.clone(), path)
                .with_headers(send.request.headers.clone());
            let answer = self.service.handle_api(&request, self.now);
            self.answer(send.id, answer.response);
            return;
        }
        let tunnel = send.connect.as_ref().map(|connect| {
            match self.service.handle_connect(connect, self.now) {
                Connect::Tunnel(tunnel) => tunnel,
                Connect::Answer(answer) => panic!("{answer:?}"),
            }
        });
        if self.rng.up_to(999) < self.faults.dead
            && let Some(session) = &send.session
        {
            let path = format!("/sessions/{session}");
            let api = ProxyApi::new("key").unwrap();
            let request = Request::new(Method::DELETE, path)
                .with_headers(api.delete_session(session).headers);
            self.service.handle_api(&request, self.now);
        }
        let step = self.service.handle_request(send.request.clone(), tunnel.as_ref(), self.now);
        self.step(send.id, step);
        self.service_turn();
    }

    fn step(&mut self, id: RequestId, step: Step) {
        match step {
            Step::Answer(answer) => self.answer(id, answer.response),
            Step::Fetch(fetch) => {
                self.waiting.insert(fetch.ticket, id);
                self.fetch(fetch.ticket);
            }
            Step::Wait(ticket) => {
                self.waiting.insert(ticket, id);
            }
            Step::Relay(relay) => {
                self.service.handle_finished(relay.ticket, 10, self.now);
                let response = Response::new(relay.status, relay.headers, "page");
                self.answer(id, response);
            }
        }
    }

    fn fetch(&mut self, ticket: Ticket) {
        let (least, most) = self.latency;
        let latency = least + self.rng.up_to(most - least);
        self.later(latency, Happening::Fetched(ticket));
    }

    fn service_turn(&mut self) {
        loop {
            match self.service.poll(self.now) {
                ServiceOutput::Fetch(fetch) => self.fetch(fetch.ticket),
                ServiceOutput::WaitUntil(at) => {
                    self.at(at, Happening::ServiceTurn);
                    return;
                }
                ServiceOutput::Idle => return,
            }
        }
    }

    fn answer(&mut self, id: RequestId, response: Response) {
        let way = self.way();
        self.later(way, Happening::Answered(id, Box::new(response)));
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrives(send) => self.arrives(&send),
            Happening::Fetched(ticket) => {
                let Some(id) = self.waiting.remove(&ticket) else { return };
                let lot = self.rng.up_to(999);
                let outcome = if lot < self.faults.target {
                    FetchOutcome::Failed(silkline::service::proxy::FetchFailure::Timeout)
                } else {
                    let banned = lot < self.faults.target + self.faults.ban;
                    let status = if banned { 403 } else { 200 };
                    FetchOutcome::Responded { status, headers: Headers::new(), body_start: vec![] }
                };
                let step = self.service.handle_fetched(ticket, outcome, self.now);
                if let Step::Fetch(fetch) = &step {
                    self.waiting.insert(fetch.ticket, id);
                }
                self.step(id, step);
            }
            Happening::Answered(id, response) => {
                self.free(id);
                let receipt = self.engine.handle_response(id, *response, self.now);
                let expected =
                    if self.open.remove(&id) { Receipt::Accepted } else { Receipt::Late };
                assert_eq!(receipt, Ok(expected));
            }
            Happening::Failed(id, failure) => {
                if self.open.remove(&id) {
                    self.free(id);
                    self.engine.handle_failure(id, failure, self.now).unwrap();
                }
            }
            Happening::ServiceTurn => self.service_turn(),
        }
    }

    /// Runs until the engine is idle, or until `end`.
    fn run(&mut self, end: Timestamp) {
        loop {
            let wake = self.drain().map(|(at, _)| at);
            let next = self.heap.peek().map(|Reverse((at, _))| *at);
            if wake.is_none() && self.open.is_empty() {
                return;
            }
            let moment = wake.into_iter().chain(next).min().unwrap();
            if moment > end {
                self.now = end;
                return;
            }
            self.now = moment;
            while let Some(&Reverse((at, number))) = self.heap.peek()
                && at <= self.now
            {
                self.heap.pop();
                let happening = self.happenings.remove(&number).unwrap();
                self.happen(happening);
            }
        }
    }
}

fn pool(size: u32, margin: u64) -> PoolConfig {
    PoolConfig::default().with_size(size).unwrap().with_margin(Some(millis(margin)))
}

fn bans() -> Vec<silkline::service::proxy::BanRule> {
    vec![silkline::service::proxy::BanRule::new(None, vec![403], vec![])]
}

const FOREVER: Timestamp = Timestamp::MAX;

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

impl World {
    /// The reason to be idle; `None` if there is something to do.
    fn idle_after_events(&mut self) -> Option<IdleReason> {
        match self.engine.poll(self.now) {
            ProxyOutput::Idle(reason) => Some(reason),
            ProxyOutput::Event(ProxyEvent::Finished(outcome)) => {
                assert!(self.ended.insert(outcome.job, *outcome).is_none());
                None
            }
            ProxyOutput::Event(event) => {
                self.events.push(event);
                None
            }
            ProxyOutput::Send(send) => {
                self.send(send);
                None
            }
            _ => None,
        }
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
