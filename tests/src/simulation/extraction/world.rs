//! Engine, service and what lies between them.

use std::collections::BTreeMap;

use silkline::{
    Timestamp,
    engine::{
        ExtractionConfig, ExtractionEngine, ExtractionJob, Failure, JobId, NotSubmitted, RequestId,
        UnknownRequest,
    },
    extraction::{ExtractionApi, PageType, Query},
    http::{Request, Response},
    service::extraction::{self as service, ExtractionService, FetchOutcome, Ticket},
};

use crate::simulation::{
    calendar::Calendar,
    checks::{Checked, JobBook, RateWindow, Trace, hold},
    life::life,
    network::{Network, Open},
    random::Dice,
    stopwatch::Stopwatch,
};

/// How a world is set up.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) engine: ExtractionConfig,
    /// The engine's rate as numbers, for the check: count and period.
    pub(super) rate: (u64, u64),
    pub(super) burst: u32,
    pub(super) batch: u32,
    pub(super) concurrency: u32,
    pub(super) queue_size: u32,
    pub(super) cap: Option<u64>,
    pub(super) service: service::ExtractionConfig,
    pub(super) network: Network,
    /// URLs of their own for all jobs, so that attempts can be told apart.
    pub(super) distinct: bool,
}

/// What happens by itself.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    Answered(u64, Response),
    Arrived(u64),
    Failed(u64, Failure),
    Fetched(Ticket, usize, FetchOutcome),
    HungUp(u64),
    ServiceWakes,
}

/// A request that left, as the network knows it.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) id: u64,
    pub(super) process: u32,
    pub(super) request: Request,
    pub(super) ticket: Option<Ticket>,
    pub(super) sent_at: u64,
    pub(super) queries: u32,
    /// Sent although the engine was paused: a probe.
    pub(super) probe: bool,
    /// Whether the driver waits for it.
    pub(super) open: bool,
}

#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what an application remembers are flags")]
pub(super) struct World {
    pub(super) dice: Dice,
    pub(super) setting: Setting,
    pub(super) engine: ExtractionEngine,
    pub(super) service: ExtractionService,
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
    pub(super) next_job: u64,
    pub(super) rate: RateWindow,
    /// Domains that the service called occupied, and until when.
    pub(super) occupied: BTreeMap<(String, bool), u64>,
    /// Jobs in whose answers the driver saw a stop.
    pub(super) stopped: bool,
    /// Resumed since all events were out.
    pub(super) resumed: bool,
    pub(super) stops: u32,
    pub(super) closing: bool,
    /// A process was lost with what it did after its snapshot: the engine cannot know it.
    pub(super) forgetful: bool,
    pub(super) cycles: u64,
    pub(super) first_send: Option<u64>,
    pub(super) last_send: u64,
    pub(super) sends: u64,
    pub(super) attempts: u64,
    pub(super) succeeded: u64,
    pub(super) last_good: u64,
    pub(super) trace: Trace,
    pub(super) watch: Stopwatch,
    /// What happened, told line by line if somebody wants to read it.
    pub(super) told: Option<Vec<String>>,
}

life!(World);

pub(super) fn api() -> ExtractionApi {
    ExtractionApi::new("key").expect("a good key")
}

impl World {
    pub(super) fn new(setting: Setting, seed: u64, tell: bool) -> Self {
        let rate = RateWindow::new(setting.rate.0, setting.rate.1, setting.burst, setting.batch);
        Self {
            dice: Dice::new(seed),
            engine: ExtractionEngine::new(api(), setting.engine.clone(), seed, Timestamp::ZERO),
            service: ExtractionService::new(setting.service.clone(), seed),
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
            next_job: 0,
            rate,
            occupied: BTreeMap::new(),
            stopped: false,
            resumed: false,
            stops: 0,
            closing: false,
            forgetful: false,
            cycles: 1,
            first_send: None,
            last_send: 0,
            sends: 0,
            attempts: 0,
            succeeded: 0,
            last_good: 0,
            trace: Trace::default(),
            watch: Stopwatch::default(),
            told: tell.then(Vec::new),
        }
    }

    /// Submits a job for a domain.
    pub(super) fn submit(&mut self, domain: &str, priority: i32) -> Checked {
        let job = self.next_job;
        let path = if self.setting.distinct { job } else { self.dice.up_to(3) };
        let query = Query::new(format!("http://{domain}/{path}"), PageType::Product)
            .expect("a good query")
            .with_meta(if self.setting.distinct { job.to_string() } else { String::new() })
            .expect("a short text");
        let work = ExtractionJob::new(query).with_priority(priority).with_key(job.to_string());
        let clock = self.clock();
        let unfinished = self.book.unfinished();
        match self.watch.time(|| self.engine.submit(work, clock)) {
            Ok(id) => {
                self.tell(|| format!("submit {job} as {id} for {domain}"));
                self.next_job += 1;
                self.ids.insert(job, id);
                hold(!self.closing, || "a closed engine took a job".into())?;
                self.book.submit(job)?;
            }
            Err(NotSubmitted::QueueFull { .. }) => {
                let limit = usize::try_from(self.setting.queue_size).expect("a size");
                hold(unfinished >= limit, || format!("{unfinished} jobs fill a queue of {limit}"))?;
            }
            Err(_) => hold(self.closing, || "an open engine said it is closed".into())?,
        }
        self.engine_wakes = Some(self.now);
        Ok(())
    }

    /// The end of the driver's waiting for a request, whatever came of it; its connection, unless
    /// it belongs to a process that is gone.
    pub(super) fn hand_over(
        &mut self,
        connection: u64,
        input: impl FnOnce(&mut ExtractionEngine, RequestId, Timestamp) -> Result<(), UnknownRequest>,
    ) -> Checked {
        let clock = self.clock();
        let Some(known) = self.connections.get(&connection) else { return Ok(()) };
        if known.process != self.process {
            return Ok(());
        }
        let (id, was_open) = (known.id, known.open);
        let taken = self.watch.time(|| input(&mut self.engine, RequestId::from_u64(id), clock));
        self.engine_wakes = Some(self.now);
        self.open.remove(&id);
        if let Some(known) = self.connections.get_mut(&connection) {
            known.open = false;
        }
        hold(taken.is_ok() || !was_open, || format!("request {id} was open and is unknown"))
    }

    /// The service behaves differently from here on; it forgets what it was working on.
    pub(super) fn replace_service(&mut self, config: service::ExtractionConfig, seed: u64) {
        let waiting: Vec<u64> = self.tickets.values().copied().collect();
        for connection in waiting {
            self.calendar.enter(self.now, Happening::Failed(connection, Failure::Network));
        }
        self.tickets.clear();
        self.forgetful = true;
        self.service = ExtractionService::new(config, seed ^ self.now);
    }

    /// What holds at any time.
    pub(super) fn check(&self) -> Checked {
        let stats = self.engine.stats();
        let open = u32::try_from(self.open.len()).expect("few requests");
        hold(open <= self.setting.concurrency, || {
            format!("{open} requests under way, {} allowed", self.setting.concurrency)
        })?;
        hold(stats.queued + stats.waiting <= self.setting.queue_size, || {
            format!("{} queued and {} waiting", stats.queued, stats.waiting)
        })?;
        let billed = self.service.stats().billed;
        if let Some(cap) = self.setting.cap {
            hold(stats.spent <= cap, || format!("{} spent of {cap}", stats.spent))?;
            hold(self.forgetful || billed <= cap * self.cycles, || {
                format!("{billed} billed in {} cycles of {cap}", self.cycles)
            })?;
        }
        let usage = stats.usage;
        hold(self.forgetful || usage.billed <= billed, || {
            format!("{} counted as billed, the service billed {billed}", usage.billed)
        })?;
        let most = usage.billed + usage.unknown + stats.queries_in_flight;
        hold(self.forgetful || billed <= most, || {
            format!("the service billed {billed}, at most {most} by the engine")
        })
    }

    /// What holds when all is done.
    pub(super) fn check_end(&self) -> Checked {
        self.book.check_all_ended()?;
        let stats = self.engine.stats();
        let left = (stats.queued, stats.waiting, stats.requests_in_flight, stats.queries_in_flight);
        hold(left == (0, 0, 0, 0), || format!("left at the end: {left:?}"))
    }

    /// The state of the jobs as the application would write it down with a snapshot.
    pub(super) fn save(&self) -> Saved {
        let clock = self.clock();
        Saved {
            bytes: self.engine.snapshot(clock),
            book: self.book.clone(),
            ids: self.ids.clone(),
            occupied: self.occupied.clone(),
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
        self.lose_process(downtime)?;
        let away = self.now - saved.at;
        let away = known.then(|| core::time::Duration::from_micros(away));
        let clock = self.clock();
        let config = self.setting.engine.clone();
        let engine = ExtractionEngine::restore(api(), config, &saved.bytes, clock, away);
        self.engine = engine.map_err(|error| crate::simulation::Broken(error.to_string()))?;
        self.open.clear();
        self.engine_wakes = Some(self.now);
        let attempts = std::mem::take(&mut self.book.attempts);
        self.book = saved.book.clone();
        self.ids.clone_from(&saved.ids);
        self.occupied.clone_from(&saved.occupied);
        self.stopped = saved.stopped;
        self.resumed = saved.resumed;
        self.closing = saved.closing;
        if stale {
            self.forgetful = true;
            self.rate.reset();
        } else {
            self.book.attempts = attempts;
        }
        Ok(())
    }
}

/// What a restart goes back to.
#[derive(Clone, Debug)]
pub(super) struct Saved {
    bytes: Vec<u8>,
    book: JobBook,
    ids: BTreeMap<u64, JobId>,
    occupied: BTreeMap<(String, bool), u64>,
    stopped: bool,
    resumed: bool,
    closing: bool,
    /// Calls of the engine until then.
    calls: u64,
    at: u64,
}

/// Whether a host is the domain, or below it where that counts.
pub(super) fn covers(domain: &str, with_subdomains: bool, host: &str) -> bool {
    host == domain
        || with_subdomains && host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

/// The jobs and hosts of a request's queries, from its bytes alone.
pub(super) fn queries_of(request: &Request) -> Vec<(Option<u64>, String, String)> {
    let queries: Vec<serde_json::Value> =
        serde_json::from_slice(&request.body).expect("a list of queries");
    let read = |query: &serde_json::Value| {
        let url = query["url"].as_str().expect("a url").to_owned();
        let job = query["meta"].as_str().and_then(|meta| meta.parse().ok());
        let host = url.split('/').nth(2).expect("a host").to_owned();
        (job, host, url)
    };
    queries.iter().map(read).collect()
}
