//! Engine and service, and what lies between them.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    net::IpAddr,
    time::Duration,
};

use silkline::{
    Rng, Timestamp,
    engine::{
        Failure, IdleReason, JobId, ProxyConfig, ProxyEngine, ProxyEvent, ProxyOutcome,
        ProxyOutput, ProxySend, ProxySendKind, Receipt, RequestId, WaitReason,
    },
    http::{Headers, Method, Request, Response},
    proxy::ProxyApi,
    schedule::PoolConfig,
    service::proxy::{
        Connect, FetchOutcome, ProxyConfig as ServiceConfig, ProxyOutput as ServiceOutput,
        ProxyService, Step, Ticket,
    },
};

pub(crate) fn ms(millis: u64) -> Timestamp {
    Timestamp::from_micros(millis * 1_000)
}

pub(crate) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn addresses(count: u32) -> Vec<IpAddr> {
    (2..2 + count).map(|n| IpAddr::from((0x7f00_0000 + n).to_be_bytes())).collect()
}

pub(crate) fn get(url: &str) -> Request {
    Request::new(Method::GET, url)
}

/// What happens at a moment.
#[derive(Debug)]
pub(crate) enum Happening {
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
pub(crate) struct Faults {
    pub(crate) network: u64,
    pub(crate) ban: u64,
    pub(crate) dead: u64,
    pub(crate) target: u64,
    pub(crate) dropped: u64,
}

pub(crate) struct World {
    pub(crate) engine: ProxyEngine,
    pub(crate) service: ProxyService,
    pub(crate) rng: Rng,
    pub(crate) now: Timestamp,
    pub(crate) heap: BinaryHeap<Reverse<(Timestamp, u64)>>,
    pub(crate) happenings: BTreeMap<u64, Happening>,
    pub(crate) number: u64,
    pub(crate) waiting: BTreeMap<Ticket, RequestId>,
    pub(crate) open: BTreeSet<RequestId>,
    pub(crate) aborted: BTreeSet<RequestId>,
    pub(crate) ended: BTreeMap<JobId, ProxyOutcome>,
    pub(crate) events: Vec<ProxyEvent>,
    pub(crate) faults: Faults,
    pub(crate) one_way: u64,
    pub(crate) latency: (u64, u64),
    pub(crate) fetches: u32,
    pub(crate) in_sessions: BTreeSet<String>,
    pub(crate) busy: BTreeMap<RequestId, String>,
    pub(crate) first_send: Option<Timestamp>,
    pub(crate) last_send: Timestamp,
}

impl World {
    pub(crate) fn new(config: ProxyConfig, service: ServiceConfig, seed: u64) -> Self {
        let api = ProxyApi::new("key").unwrap();
        Self::with_engine(
            ProxyEngine::new(api, config, seed, ms(0)),
            ProxyService::new(service, seed),
            seed,
        )
    }

    pub(crate) fn with_engine(engine: ProxyEngine, service: ProxyService, seed: u64) -> Self {
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

    pub(crate) fn later(&mut self, delay_us: u64, happening: Happening) {
        self.at(self.now + Duration::from_micros(delay_us), happening);
    }

    pub(crate) fn at(&mut self, moment: Timestamp, happening: Happening) {
        self.heap.push(Reverse((moment, self.number)));
        self.happenings.insert(self.number, happening);
        self.number += 1;
    }

    pub(crate) fn way(&mut self) -> u64 {
        self.rng.up_to(self.one_way)
    }

    pub(crate) fn send(&mut self, send: ProxySend) {
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

    pub(crate) fn drain(&mut self) -> Option<(Timestamp, WaitReason)> {
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

    pub(crate) fn idle(&mut self) -> IdleReason {
        match self.engine.poll(self.now) {
            ProxyOutput::Idle(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn free(&mut self, id: RequestId) {
        if let Some(session) = self.busy.remove(&id) {
            self.in_sessions.remove(&session);
        }
    }

    pub(crate) fn arrives(&mut self, send: &ProxySend) {
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
                .with_headers(api.delete_session(session).unwrap().headers);
            self.service.handle_api(&request, self.now);
        }
        let step = self.service.handle_request(send.request.clone(), tunnel.as_ref(), self.now);
        self.step(send.id, step);
        self.service_turn();
    }

    pub(crate) fn step(&mut self, id: RequestId, step: Step) {
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

    pub(crate) fn fetch(&mut self, ticket: Ticket) {
        let (least, most) = self.latency;
        let latency = least + self.rng.up_to(most - least);
        self.later(latency, Happening::Fetched(ticket));
    }

    pub(crate) fn service_turn(&mut self) {
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

    pub(crate) fn answer(&mut self, id: RequestId, response: Response) {
        let way = self.way();
        self.later(way, Happening::Answered(id, Box::new(response)));
    }

    pub(crate) fn happen(&mut self, happening: Happening) {
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
    pub(crate) fn run(&mut self, end: Timestamp) {
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

pub(crate) fn pool(size: u32, margin: u64) -> PoolConfig {
    PoolConfig::default().with_size(size).unwrap().with_margin(Some(millis(margin)))
}

pub(crate) fn bans() -> Vec<silkline::service::proxy::BanRule> {
    vec![silkline::service::proxy::BanRule::new(None, vec![403], vec![])]
}

pub(crate) const FOREVER: Timestamp = Timestamp::MAX;

impl World {
    /// The reason to be idle; `None` if there is something to do.
    pub(crate) fn idle_after_events(&mut self) -> Option<IdleReason> {
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
