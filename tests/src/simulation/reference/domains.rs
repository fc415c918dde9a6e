//! Which job next: strict priority, then round robin over domains, occupied ones set aside.

use std::{cmp::Reverse, collections::BTreeMap};

use serde_json::{Value, json};
use silkline::{
    Timestamp,
    engine::{
        ExtractionConfig, ExtractionEngine, ExtractionEvent, ExtractionJob, ExtractionOutput,
        JobId, RequestId, WaitReason,
    },
    extraction::{ExtractionApi, PageType, Query},
    http::{Headers, Response},
    schedule::{Budget, FailureClass, Rate, RetryPolicy},
};

use crate::simulation::{
    checks::{Broken, Checked, hold},
    random::{Dice, SECOND},
};

const HOSTS: [&str; 7] = ["a.com", "x.a.com", "y.x.a.com", "b.com", "www.b.com", "c.org", "d.net"];
const DOMAINS: [&str; 6] = ["a.com", "x.a.com", "com", "b.com", "c.org", "e.net"];
const SLOTS: usize = 3;

/// The waiting jobs of a domain and priority, in order.
#[derive(Clone, Debug)]
struct Lane {
    host: &'static str,
    priority: i32,
    jobs: Vec<u64>,
}

/// An occupied domain, with the lanes that were set aside for it.
#[derive(Clone, Debug)]
struct Spot {
    name: String,
    wide: bool,
    until: u64,
    aside: Vec<Lane>,
    /// When it first held a lane, or was prolonged since.
    holding: Option<u64>,
}

impl Spot {
    fn covers(&self, host: &str) -> bool {
        let below = host.strip_suffix(&self.name).is_some_and(|rest| rest.ends_with('.'));
        host == self.name || (self.wide && below)
    }
}

/// What comes next.
#[derive(Debug, Eq, PartialEq)]
enum Next {
    Send(u64),
    Ended(u64),
    Occupied(u64),
    Other,
}

/// All in plain lists, searched from the front.
#[derive(Debug, Default)]
struct Model {
    lanes: Vec<Lane>,
    spots: Vec<Spot>,
    ended: Vec<u64>,
    under_way: Vec<u64>,
    stamps: u64,
}

impl Model {
    fn push(&mut self, job: u64, host: &'static str, priority: i32, front: bool) {
        let aside = self.spots.iter_mut().flat_map(|spot| &mut spot.aside);
        let known = self
            .lanes
            .iter_mut()
            .chain(aside)
            .find(|it| it.host == host && it.priority == priority);
        match known {
            Some(lane) if front => lane.jobs.insert(0, job),
            Some(lane) => lane.jobs.push(job),
            None => self.lanes.push(Lane { host, priority, jobs: vec![job] }),
        }
    }

    fn cancel(&mut self, job: u64) {
        let aside = self.spots.iter_mut().flat_map(|spot| &mut spot.aside);
        for lane in self.lanes.iter_mut().chain(aside) {
            lane.jobs.retain(|known| *known != job);
        }
        self.lanes.retain(|lane| !lane.jobs.is_empty());
        for spot in &mut self.spots {
            spot.aside.retain(|lane| !lane.jobs.is_empty());
        }
        self.under_way.retain(|known| *known != job);
        self.ended.push(job);
    }

    fn park(&mut self, name: &str, wide: bool, until: u64) {
        let known = self.spots.iter_mut().find(|spot| spot.name == name && spot.wide == wide);
        let Some(spot) = known else {
            let name = name.to_owned();
            self.spots.push(Spot { name, wide, until, aside: Vec::new(), holding: None });
            return;
        };
        if until > spot.until {
            spot.until = until;
            if let Some(stamp) = &mut spot.holding {
                self.stamps += 1;
                *stamp = self.stamps;
            }
        }
    }

    fn return_lanes(&mut self, now: u64) {
        let (mut due, rest): (Vec<_>, Vec<_>) =
            self.spots.drain(..).partition(|spot| spot.until <= now);
        self.spots = rest;
        due.sort_by_key(|spot| (spot.until, spot.holding));
        for mut spot in due {
            spot.aside.sort_by_key(|lane| Reverse(lane.priority));
            self.lanes.append(&mut spot.aside);
        }
    }

    fn next(&mut self, now: u64) -> Next {
        if !self.ended.is_empty() {
            return Next::Ended(self.ended.remove(0));
        }
        let aside = self.spots.iter().any(|spot| !spot.aside.is_empty());
        let none = self.under_way.is_empty() && self.lanes.is_empty() && !aside;
        if self.under_way.len() >= SLOTS || none {
            return Next::Other;
        }
        self.return_lanes(now);
        loop {
            // The first lane of the highest priority.
            let highest = self.lanes.iter().map(|lane| lane.priority).max();
            let first = self.lanes.iter().position(|lane| Some(lane.priority) == highest);
            let Some(first) = first else { break };
            let mut lane = self.lanes.remove(first);
            let covering = self.spots.iter_mut().filter(|spot| spot.covers(lane.host));
            // Of equally long waits that of the host itself, then of the widest domain.
            let longest =
                covering.max_by_key(|spot| (spot.until, !spot.wide, Reverse(spot.name.len())));
            if let Some(spot) = longest {
                spot.aside.push(lane);
                if spot.holding.is_none() {
                    self.stamps += 1;
                    spot.holding = Some(self.stamps);
                }
                continue;
            }
            let job = lane.jobs.remove(0);
            if !lane.jobs.is_empty() {
                self.lanes.push(lane);
            }
            self.under_way.push(job);
            return Next::Send(job);
        }
        let holding = self.spots.iter().filter(|spot| spot.holding.is_some());
        holding.map(|spot| spot.until).min().map_or(Next::Other, Next::Occupied)
    }
}

struct Pair {
    dice: Dice,
    engine: ExtractionEngine,
    model: Model,
    now: u64,
    jobs: BTreeMap<u64, (JobId, &'static str, i32)>,
    open: BTreeMap<u64, (RequestId, Value)>,
    next_job: u64,
}

impl Pair {
    fn clock(&self) -> Timestamp {
        Timestamp::from_micros(self.now)
    }

    fn submit(&mut self) {
        let (job, host) = (self.next_job, *self.dice.pick(&HOSTS));
        let priority = i32::try_from(self.dice.up_to(2)).expect("small");
        let query = Query::new(format!("http://{host}/{job}"), PageType::Product);
        let work = ExtractionJob::new(query.expect("a query")).with_priority(priority);
        let work = work.with_key(job.to_string());
        let id = self.engine.submit(work, self.clock()).expect("room");
        self.jobs.insert(job, (id, host, priority));
        self.model.push(job, host, priority, false);
        self.next_job += 1;
    }

    fn answer(&mut self) {
        let open: Vec<u64> = self.open.keys().copied().collect();
        if open.is_empty() {
            return;
        }
        let job = *self.dice.pick(&open);
        let (id, query) = self.open.remove(&job).expect("open");
        let (_, host, priority) = self.jobs[&job];
        let mut result = json!({ "query": { "userQuery": query } });
        self.model.under_way.retain(|known| *known != job);
        if self.dice.one_in(2) {
            // Longer than any wait of the engine's own.
            let (domain, wait) = (*self.dice.pick(&DOMAINS), self.dice.between(70, 100));
            let text = format!("Domain {domain} is occupied, please retry in {wait} seconds");
            result["error"] = text.into();
            let until = self.now + wait * SECOND;
            self.model.park(domain, true, until);
            self.model.park(host, false, until);
            self.model.push(job, host, priority, true);
        } else {
            result["product"] = json!({});
            self.model.ended.push(job);
        }
        let body = json!([result]).to_string();
        let response = Response::new(200, Headers::new(), body);
        self.engine.handle_response(id, response, self.clock()).expect("open");
    }

    fn cancel(&mut self) {
        let jobs: Vec<u64> = self.jobs.keys().copied().collect();
        if jobs.is_empty() {
            return;
        }
        let job = *self.dice.pick(&jobs);
        // What is under way would be aborted, which is not the queues' business.
        if !self.open.contains_key(&job) && self.engine.cancel(self.jobs[&job].0, self.clock()) {
            self.model.cancel(job);
        }
    }

    fn poll(&mut self) -> Checked {
        let expected = self.model.next(self.now);
        let seen = match self.engine.poll(self.clock()) {
            ExtractionOutput::Send(send) => {
                let queries: Value = serde_json::from_slice(&send.request.body).expect("JSON");
                let url = queries[0]["url"].as_str().expect("a url");
                let job = url.rsplit('/').next().and_then(|job| job.parse().ok()).expect("a job");
                self.open.insert(job, (send.id, queries[0].clone()));
                Next::Send(job)
            }
            ExtractionOutput::Event(ExtractionEvent::Finished(outcome)) => {
                let job = outcome.key.as_deref().and_then(|key| key.parse().ok()).expect("a key");
                self.jobs.remove(&job);
                Next::Ended(job)
            }
            ExtractionOutput::WaitUntil { at, reason: WaitReason::DomainOccupied } => {
                Next::Occupied(at.as_micros())
            }
            _ => Next::Other,
        };
        hold(seen == expected, || format!("at {}: {seen:?}, expected {expected:?}", self.now))
    }
}

/// Runs the engine and the plain lists side by side.
pub fn compare(seed: u64) -> Result<(), Broken> {
    let policy = RetryPolicy::default().with_budget(FailureClass::Occupied, Budget::Forever);
    let config = ExtractionConfig::default()
        .with_rate(Rate::per_second(1_000_000).expect("a rate"))
        .with_burst(1_000_000)
        .expect("a burst")
        .with_concurrency(u32::try_from(SLOTS).expect("few"))
        .expect("a limit")
        .with_deadline(core::time::Duration::from_secs(1_000_000))
        .with_policy(policy);
    let api = ExtractionApi::new("key").expect("a key");
    let mut pair = Pair {
        dice: Dice::new(seed),
        engine: ExtractionEngine::new(api, config, seed, Timestamp::ZERO),
        model: Model::default(),
        now: 0,
        jobs: BTreeMap::new(),
        open: BTreeMap::new(),
        next_job: 0,
    };
    for _ in 0..400 {
        match pair.dice.up_to(11) {
            0..=3 => pair.submit(),
            4 | 5 => pair.answer(),
            6 => pair.cancel(),
            7 => pair.now += pair.dice.up_to(40 * SECOND),
            _ => pair.poll()?,
        }
    }
    Ok(())
}
