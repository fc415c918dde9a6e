//! Engine, service and what lies between them.

use core::time::Duration;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
};

use silkline::{
    Timestamp,
    engine::{
        Failure, JobId, NotSubmitted, ProxyConfig, ProxyEngine, ProxyJob, ProxySend, RequestId,
        UnknownRequest,
    },
    http::{Method, Request, Response},
    proxy::ProxyApi,
    service::proxy::{self as service, FetchOutcome, ProxyService, Ticket, Tunnel},
};

use crate::simulation::{
    calendar::Calendar,
    checks::{Broken, Checked, JobBook, Trace, hold},
    life::life,
    network::{Network, Open},
    random::{Dice, SECOND},
    stopwatch::Stopwatch,
};

/// How a world is set up.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) engine: ProxyConfig,
    pub(super) pool: u32,
    pub(super) concurrency: u32,
    pub(super) queue_size: u32,
    pub(super) service: service::ProxyConfig,
    pub(super) script: String,
    pub(super) network: Network,
    /// Whether all that holds is checked after each step, which a crawl of a million has no time
    /// for; some of it is then checked at the end.
    pub(super) thorough: bool,
    /// Whether nothing that happens may make the service count a request as early.
    pub(super) never_early: bool,
    /// Whether nothing but the engine itself ends sessions.
    pub(super) sessions_last: bool,
}

/// What happens by itself.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    Answered(u64, Response, bool),
    Arrived(u64),
    /// The request inside a tunnel arrives.
    ArrivedInside(u64, Box<Tunnel>),
    Failed(u64, Failure),
    Fetched(Ticket, FetchOutcome),
    HungUp(u64),
    Left(u64),
    ServiceWakes,
    TunnelOpen(u64, Box<Tunnel>),
}

/// A request that left, as the network knows it.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) process: u32,
    pub(super) send: ProxySend,
    pub(super) ticket: Option<Ticket>,
    /// Sent although the engine was paused: a probe.
    pub(super) probe: bool,
    /// Whether the driver waits for it.
    pub(super) open: bool,
    /// The application's number of the job.
    pub(super) job: Option<u64>,
}

/// A named sequence, as the application sees it.
#[derive(Clone, Debug, Default)]
pub(super) struct Sequence {
    /// The unfinished jobs of the name, in the order of their submission.
    pub(super) jobs: BTreeSet<u64>,
    pub(super) session: Option<String>,
}

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what an application remembers are flags")]
pub(super) struct World {
    pub(super) dice: Dice,
    pub(super) setting: Setting,
    pub(super) engine: ProxyEngine,
    pub(super) service: ProxyService,
    pub(super) now: u64,
    /// Where the clock of the engine's process begins.
    pub(super) epoch: u64,
    pub(super) process: u32,
    pub(super) calendar: Calendar<Happening>,
    pub(super) service_wakes: Option<u64>,
    /// When the engine wants to be polled.
    pub(super) engine_wakes: Option<u64>,
    pub(super) connections: BTreeMap<u64, Connection>,
    pub(super) tickets: BTreeMap<Ticket, u64>,
    pub(super) next_connection: u64,
    pub(super) open: BTreeMap<u64, Open>,
    pub(super) book: JobBook,
    pub(super) ids: BTreeMap<u64, JobId>,
    /// The sequence that each job of a name belongs to.
    pub(super) names: BTreeMap<u64, (String, u32)>,
    /// Sequences by name and number, since an ended name may be used again.
    pub(super) sequences: BTreeMap<(String, u32), Sequence>,
    pub(super) ended_names: BTreeMap<String, u32>,
    /// Sessions that a request under way uses.
    pub(super) in_use: BTreeSet<String>,
    /// Sessions that the driver was told to delete, or that the service said are gone.
    pub(super) gone: BTreeSet<String>,
    pub(super) next_job: u64,
    pub(super) stopped: bool,
    pub(super) resumed: bool,
    pub(super) stops: u32,
    pub(super) closing: bool,
    /// A process was lost with what it did after its snapshot.
    pub(super) forgetful: bool,
    pub(super) first_send: Option<u64>,
    pub(super) last_send: u64,
    /// Requests for jobs.
    pub(super) sends: u64,
    pub(super) calls: u64,
    pub(super) aborts: u64,
    /// Requests for jobs that the service answered with `bad_session_id`.
    pub(super) dead_uses: u64,
    pub(super) succeeded: u64,
    pub(super) last_good: u64,
    pub(super) trace: Trace,
    pub(super) watch: Stopwatch,
    /// What happened, told line by line if somebody wants to read it.
    pub(super) told: Option<Vec<String>>,
}

life!(World);

pub(super) fn api() -> ProxyApi {
    ProxyApi::new("key").expect("a good key")
}

/// So many outgoing addresses.
pub(super) fn addresses(count: u32) -> Vec<IpAddr> {
    (0..count).map(|number| IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + number))).collect()
}

impl World {
    pub(super) fn new(setting: Setting, seed: u64, tell: bool) -> Self {
        Self {
            dice: Dice::new(seed),
            engine: ProxyEngine::new(api(), setting.engine.clone(), seed, Timestamp::ZERO),
            service: ProxyService::new(setting.service.clone(), seed)
                .with_faults(&setting.script)
                .expect("a good script"),
            setting,
            now: 0,
            epoch: 0,
            process: 0,
            calendar: Calendar::default(),
            service_wakes: None,
            engine_wakes: Some(0),
            connections: BTreeMap::new(),
            tickets: BTreeMap::new(),
            next_connection: 0,
            open: BTreeMap::new(),
            book: JobBook::default(),
            ids: BTreeMap::new(),
            names: BTreeMap::new(),
            sequences: BTreeMap::new(),
            ended_names: BTreeMap::new(),
            in_use: BTreeSet::new(),
            gone: BTreeSet::new(),
            next_job: 0,
            stopped: false,
            resumed: false,
            stops: 0,
            closing: false,
            forgetful: false,
            first_send: None,
            last_send: 0,
            sends: 0,
            calls: 0,
            aborts: 0,
            dead_uses: 0,
            succeeded: 0,
            last_good: 0,
            trace: Trace::default(),
            watch: Stopwatch::default(),
            told: tell.then(Vec::new),
        }
    }

    /// Submits a job: its request is for a page of its own below `site`.
    pub(super) fn submit(
        &mut self,
        site: &str,
        make: impl FnOnce(ProxyJob) -> ProxyJob,
        name: Option<&str>,
    ) -> Checked {
        let job = self.next_job;
        let request = Request::new(Method::GET, format!("{site}/{job}"));
        let work = make(ProxyJob::new(request).with_key(job.to_string()));
        let clock = self.clock();
        match self.watch.time(|| self.engine.submit(work, clock)) {
            Ok(id) => {
                self.tell(|| format!("submit {job} as {id} for {site} {name:?}"));
                self.next_job += 1;
                if self.setting.thorough {
                    self.ids.insert(job, id);
                }
                if let Some(name) = name {
                    let number = self.ended_names.get(name).copied().unwrap_or(0);
                    let key = (name.to_owned(), number);
                    self.names.insert(job, key.clone());
                    self.sequences.entry(key).or_default().jobs.insert(job);
                }
                hold(!self.closing, || "a closed engine took a job".into())?;
                self.book.submit(job)?;
            }
            Err(NotSubmitted::QueueFull { .. }) => {
                let limit = usize::try_from(self.setting.queue_size).expect("a size");
                let unfinished = self.book.unfinished();
                hold(unfinished >= limit, || format!("{unfinished} jobs fill a queue of {limit}"))?;
            }
            Err(NotSubmitted::NamesExcluded) if name.is_some() => {}
            Err(error) => hold(self.closing, || format!("not taken: {error}"))?,
        }
        self.engine_wakes = Some(self.now);
        Ok(())
    }

    pub(super) fn end_session(&mut self, name: &str) {
        self.tell(|| format!("end session {name}"));
        let clock = self.clock();
        if self.watch.time(|| self.engine.end_session(name, clock)) {
            *self.ended_names.entry(name.into()).or_default() += 1;
        }
        self.engine_wakes = Some(self.now);
    }

    pub(super) fn close(&mut self, grace: Duration) {
        self.tell(|| format!("close within {grace:?}"));
        let clock = self.clock();
        self.watch.time(|| self.engine.close(clock, grace));
        self.closing = true;
        self.engine_wakes = Some(self.now);
    }

    /// The service has other faults from here on.
    pub(super) fn replace_script(&mut self, script: &str) {
        let service = self.service.clone().with_faults(script);
        self.service = service.expect("a good script");
    }

    /// The end of the driver's waiting for a request, whatever came of it, unless it belongs to a
    /// process that is gone.
    pub(super) fn hand_over(
        &mut self,
        connection: u64,
        input: impl FnOnce(&mut ProxyEngine, RequestId, Timestamp) -> Result<(), UnknownRequest>,
    ) -> Checked {
        let clock = self.clock();
        let Some(known) = self.connections.get(&connection) else { return Ok(()) };
        if known.process != self.process {
            return Ok(());
        }
        let (id, was_open) = (known.send.id, known.open);
        let taken = self.watch.time(|| input(&mut self.engine, id, clock));
        self.engine_wakes = Some(self.now);
        self.release(connection);
        if !self.setting.thorough {
            self.connections.remove(&connection);
        }
        hold(taken.is_ok() || !was_open, || format!("request {id} was open and is unknown"))
    }

    /// The driver waits for a request no longer.
    pub(super) fn release(&mut self, connection: u64) {
        let Some(known) = self.connections.get_mut(&connection) else { return };
        if std::mem::replace(&mut known.open, false) {
            self.open.remove(&known.send.id.as_u64());
            if let (Some(session), Some(_)) = (&known.send.session, known.send.job) {
                self.in_use.remove(session.as_str());
            }
        }
    }

    /// What holds at any time.
    pub(super) fn check(&self) -> Checked {
        if !self.setting.thorough {
            return Ok(());
        }
        let stats = self.engine.stats();
        hold(stats.unfinished <= self.setting.queue_size, || format!("{} jobs", stats.unfinished))?;
        let open = self.open.values().filter_map(|open| self.connections.get(&open.connection));
        let fetches = open.filter(|known| known.job.is_some());
        let fetches = u32::try_from(fetches.count()).expect("few");
        hold(fetches <= self.setting.concurrency, || format!("{fetches} requests under way"))?;
        self.check_service()
    }

    /// What holds of the service's counts.
    pub(super) fn check_service(&self) -> Checked {
        let stats = self.service.stats();
        hold(!self.setting.never_early || stats.early_requests == 0, || {
            format!("{} requests came too early", stats.early_requests)
        })?;
        hold(!self.setting.sessions_last || self.dead_uses == 0, || {
            "a request used a session that had ended".into()
        })?;
        let most = usize::try_from(self.setting.pool).expect("a size");
        // The engine drops sessions somewhat earlier than the service.
        let expired = stats.sessions_expired + self.engine.stats().sessions_expired > 0;
        // Of a creation that a process left behind, nobody knows to the second when it expires.
        let expired = expired || (self.process > 0 && self.now > 90 * SECOND);
        hold(expired || self.forgetful || stats.sessions_living <= most, || {
            format!("{} sessions live, {most} allowed", stats.sessions_living)
        })
    }

    /// What holds when all is done.
    pub(super) fn check_end(&self) -> Checked {
        self.book.check_all_ended()?;
        self.check_service()?;
        let stats = self.engine.stats();
        let left = (stats.queued, stats.waiting, stats.unfinished, stats.in_flight);
        hold(left == (0, 0, 0, 0), || format!("left at the end: {left:?}"))?;
        hold(self.closing || stats.pool.in_use + stats.pool.reserved == 0, || {
            format!("places left at the end: {:?}", stats.pool)
        })
    }

    /// The state of the jobs as the application would write it down with a snapshot.
    pub(super) fn save(&self) -> Saved {
        Saved {
            bytes: self.engine.snapshot(self.clock()),
            book: self.book.clone(),
            ids: self.ids.clone(),
            names: self.names.clone(),
            sequences: self.sequences.clone(),
            ended_names: self.ended_names.clone(),
            gone: self.gone.clone(),
            stopped: self.stopped,
            resumed: self.resumed,
            closing: self.closing,
            calls: self.watch.calls(),
            at: self.now,
        }
    }

    /// The process ends at once, and a new one goes on from a snapshot.
    pub(super) fn crash(&mut self, saved: &Saved, downtime: u64, known: bool) -> Checked {
        self.tell(|| format!("crash, back to {} after {downtime}", saved.at));
        let stale = saved.calls < self.watch.calls();
        let away = self.now + downtime - saved.at;
        self.restart(saved, downtime, known.then(|| Duration::from_micros(away)))?;
        if stale {
            self.forgetful = true;
            self.gone.clone_from(&saved.gone);
        }
        Ok(())
    }

    fn restart(&mut self, saved: &Saved, downtime: u64, away: Option<Duration>) -> Checked {
        self.lose_process(downtime)?;
        let clock = self.clock();
        let config = self.setting.engine.clone();
        let engine = ProxyEngine::restore(api(), config, &saved.bytes, clock, away);
        self.engine = engine.map_err(|error| Broken(error.to_string()))?;
        self.open.clear();
        self.in_use.clear();
        self.engine_wakes = Some(self.now);
        let attempts = std::mem::take(&mut self.book.attempts);
        self.book = JobBook { attempts, ..saved.book.clone() };
        self.ids.clone_from(&saved.ids);
        self.names.clone_from(&saved.names);
        self.sequences.clone_from(&saved.sequences);
        self.ended_names.clone_from(&saved.ended_names);
        (self.stopped, self.resumed) = (saved.stopped, saved.resumed);
        self.closing = saved.closing;
        Ok(())
    }

    /// A world that goes on from a snapshot of this one, taken at this moment.
    pub(super) fn fork(&self, saved: &Saved, downtime: u64, known: bool) -> Checked<Self> {
        let mut other = Self {
            dice: self.dice.clone(),
            setting: self.setting.clone(),
            engine: ProxyEngine::new(api(), self.setting.engine.clone(), 0, Timestamp::ZERO),
            service: self.service.clone(),
            calendar: self.calendar.clone(),
            connections: self.connections.clone(),
            tickets: self.tickets.clone(),
            open: BTreeMap::new(),
            book: self.book.clone(),
            ids: BTreeMap::new(),
            names: BTreeMap::new(),
            sequences: BTreeMap::new(),
            ended_names: BTreeMap::new(),
            in_use: BTreeSet::new(),
            gone: self.gone.clone(),
            told: self.told.clone(),
            ..*self
        };
        other.setting.sessions_last = false;
        let service = &other.setting.service;
        other.setting.never_early &= service.domain_delays.values().all(|it| *it <= service.delay);
        other.tell(|| format!("another world, restored after {downtime}"));
        let away = known.then(|| Duration::from_micros(downtime));
        other.restart(saved, downtime, away)?;
        Ok(other)
    }
}

/// What a restart goes back to.
#[derive(Clone, Debug)]
pub(super) struct Saved {
    bytes: Vec<u8>,
    book: JobBook,
    ids: BTreeMap<u64, JobId>,
    names: BTreeMap<u64, (String, u32)>,
    sequences: BTreeMap<(String, u32), Sequence>,
    ended_names: BTreeMap<String, u32>,
    gone: BTreeSet<String>,
    stopped: bool,
    resumed: bool,
    closing: bool,
    /// Calls of the engine until then.
    calls: u64,
    at: u64,
}
