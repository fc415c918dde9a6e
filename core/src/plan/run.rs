//! A crawl in virtual time.

use alloc::{
    boxed::Box,
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use super::{
    InvalidPlan, PlanKind, PlanReport, PlanSettings,
    calendar::Calendar,
    extraction::Extraction,
    proxy::Proxied,
    series::Series,
    side::{Effect, ServiceTurn, Side, Turn},
    spread::Pages,
};
use crate::{
    Rng, Timestamp,
    engine::{Failure, IdleReason, RequestId, WaitReason},
    http::{Request, Response},
    service::{Answer, Delivery},
};

/// A crawl that takes longer will not end.
const TEN_YEARS: u64 = 3_653 * 86_400 * 1_000_000;

/// How far a plan is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct PlanProgress {
    /// Pages that are done or failed.
    pub finished: u64,
    /// All pages.
    pub total: u64,
    /// How long the crawl has taken so far, in its own time.
    pub elapsed_us: u64,
}

/// A crawl that runs in virtual time; see [the module](crate::plan).
pub struct Plan {
    pub(super) settings: PlanSettings,
    pub(super) pages: Pages,
    pub(super) side: Box<dyn Side>,
    pub(super) series: Series,
    pub(super) errors: BTreeMap<&'static str, u64>,
    /// What was billed in each month that is over.
    pub(super) months: Vec<u64>,
    pub(super) succeeded: u64,
    pub(super) failed: u64,
    /// When the last page was done or failed.
    pub(super) last_end: u64,
    /// How long answers took, and how many there were.
    pub(super) answer_us: u128,
    pub(super) answers: u64,
    /// Why it ended early.
    pub(super) stopped: Option<String>,
    rng: Rng,
    now: u64,
    month_ends: u64,
    calendar: Calendar<Happening>,
    connections: BTreeMap<u64, Connection>,
    open: BTreeMap<RequestId, u64>,
    tickets: BTreeMap<u64, u64>,
    next_connection: u64,
    under_way: u32,
    /// When the engine wants to be polled, and why it waits.
    wakes: Option<u64>,
    reason: WaitReason,
    service_wakes: Option<u64>,
    waits_for_month: bool,
    done: bool,
}

#[derive(Clone, Copy, Debug)]
enum Happening {
    /// A request reaches the service.
    Arrived(u64),
    /// A part of a page is there.
    Fetched(u64, usize),
    /// An answer reaches the driver.
    Answered(u64),
    /// The connection breaks.
    Failed(u64),
    /// The service hears that nobody waits.
    HungUp(u64),
    ServiceWakes,
}

/// A request under way.
struct Connection {
    id: RequestId,
    sent_at: u64,
    call: bool,
    /// Whether the driver waits for it.
    open: bool,
    /// What the service has not got yet.
    request: Option<Request>,
    /// What the driver has not got yet.
    response: Option<Response>,
    ticket: Option<u64>,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Plan {
    /// A plan before its first moment.
    pub fn new(settings: PlanSettings) -> Result<Self, InvalidPlan> {
        settings.check()?;
        let pages = Pages::new(&settings)?;
        let side: Box<dyn Side> = match settings.kind {
            PlanKind::Extraction => Box::new(Extraction::new(&settings)?),
            PlanKind::Proxy => Box::new(Proxied::new(&settings)?),
        };
        Ok(Self {
            pages,
            side,
            series: Series::default(),
            errors: BTreeMap::new(),
            months: Vec::new(),
            succeeded: 0,
            failed: 0,
            last_end: 0,
            answer_us: 0,
            answers: 0,
            stopped: None,
            rng: Rng::new(settings.seed ^ 0x5eed_0fc4_01ce_0006),
            now: 0,
            month_ends: settings.month_us,
            calendar: Calendar::default(),
            connections: BTreeMap::new(),
            open: BTreeMap::new(),
            tickets: BTreeMap::new(),
            next_connection: 0,
            under_way: 0,
            wakes: Some(0),
            reason: WaitReason::Answers,
            service_wakes: None,
            waits_for_month: false,
            done: false,
            settings,
        })
    }

    /// Goes on by so many moments of virtual time; true if the crawl is over.
    pub fn advance(&mut self, moments: u32) -> bool {
        for _ in 0..moments {
            if self.done {
                break;
            }
            if let Err(error) = self.moment() {
                self.stop(error.to_string());
            }
        }
        self.done
    }

    /// How far it is.
    pub fn progress(&self) -> PlanProgress {
        PlanProgress {
            finished: self.succeeded + self.failed,
            total: self.pages.total(),
            elapsed_us: self.now,
        }
    }

    /// What came of it, so far if it is not over.
    pub fn report(&self) -> PlanReport {
        PlanReport::of(self)
    }

    fn stop(&mut self, why: String) {
        self.done = true;
        self.stopped = Some(why);
    }

    fn clock(&self) -> Timestamp {
        Timestamp::from_micros(self.now)
    }

    fn moment(&mut self) -> Result<(), InvalidPlan> {
        self.feed()?;
        self.drive()?;
        if self.done {
            return Ok(());
        }
        let next = self.calendar.next().into_iter().chain(self.wakes).min();
        let next = match (next, self.waits_for_month) {
            (Some(next), _) => next.min(self.month_ends),
            (None, true) => self.month_ends,
            (None, false) => {
                self.stop("nothing happens any more".into());
                return Ok(());
            }
        };
        let (from, to) = (self.now, self.now.max(next));
        let sessions = self.side.sessions();
        self.series.wait(from, to, self.reason, self.under_way, sessions);
        self.now = to;
        if to > TEN_YEARS {
            self.stop("it would take more than ten years".into());
            return Ok(());
        }
        while self.now >= self.month_ends {
            self.month_ends += self.settings.month_us;
            let before: u64 = self.months.iter().sum();
            self.months.push(self.side.numbers().billed - before);
            self.side.start_month(self.clock());
            self.waits_for_month = false;
            self.wakes = Some(self.now);
        }
        while let Some(happening) = self.calendar.take(self.now) {
            self.happen(happening);
        }
        Ok(())
    }

    /// Gives the engine pages as long as it takes some.
    fn feed(&mut self) -> Result<(), InvalidPlan> {
        while self.side.room() > 0 {
            let Some(url) = self.pages.next() else { break };
            self.side.submit(url, self.clock())?;
        }
        Ok(())
    }

    fn drive(&mut self) -> Result<(), InvalidPlan> {
        loop {
            match self.side.poll(self.clock()) {
                Turn::Send { id, request, pages, call } => self.send(id, request, pages, call),
                Turn::Abort(id) => {
                    if let Some(connection) = self.open.get(&id).copied() {
                        self.release(connection);
                        let way = self.way();
                        self.enter(way, Happening::HungUp(connection));
                    }
                }
                Turn::Finished(error) => {
                    self.last_end = self.now;
                    let bin = self.series.at(self.now);
                    match error {
                        None => {
                            self.succeeded += 1;
                            bin.succeeded += 1;
                        }
                        Some(code) => {
                            self.failed += 1;
                            bin.failed += 1;
                            *self.errors.entry(code).or_default() += 1;
                        }
                    }
                    self.feed()?;
                }
                Turn::Stopped(why) => self.stopped = Some(why),
                Turn::Other => {}
                Turn::WaitUntil(at, reason) => {
                    let at = at.as_micros();
                    if at > self.now {
                        (self.wakes, self.reason) = (Some(at), reason);
                        return Ok(());
                    }
                }
                Turn::Idle(reason) => {
                    self.wakes = None;
                    match reason {
                        IdleReason::OutOfBudget => {
                            self.waits_for_month = true;
                            self.reason = WaitReason::Budget;
                        }
                        IdleReason::Empty
                        | IdleReason::Closed
                        | IdleReason::Incomplete
                        | IdleReason::Stopped => self.done = true,
                    }
                    return Ok(());
                }
            }
        }
    }

    fn enter(&mut self, delay: u64, happening: Happening) {
        self.calendar.enter(self.now + delay, happening);
    }

    /// One way of the network.
    fn way(&mut self) -> u64 {
        self.rng.up_to(self.settings.network_us)
    }

    fn send(&mut self, id: RequestId, request: Request, pages: u32, call: bool) {
        let connection = self.next_connection;
        self.next_connection += 1;
        self.open.insert(id, connection);
        if !call {
            self.series.at(self.now).sent += u64::from(pages);
            self.under_way += 1;
        }
        let known = Connection {
            id,
            sent_at: self.now,
            call,
            open: true,
            request: Some(request),
            response: None,
            ticket: None,
        };
        self.connections.insert(connection, known);
        let way = self.way();
        if self.settings.failures_ppm > 0
            && self.rng.up_to(999_999) < u64::from(self.settings.failures_ppm)
        {
            let [least, _] = self.settings.latency();
            self.enter(way + least, Happening::Failed(connection));
        } else {
            self.enter(way, Happening::Arrived(connection));
        }
    }

    /// Nobody waits for a request any more.
    fn release(&mut self, connection: u64) -> Option<RequestId> {
        let known = self.connections.get_mut(&connection)?;
        if !known.open {
            return None;
        }
        known.open = false;
        if !known.call {
            self.under_way -= 1;
        }
        self.open.remove(&known.id);
        Some(known.id)
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrived(connection) => {
                let Some(known) = self.connections.get_mut(&connection) else { return };
                let Some(request) = known.request.take() else { return };
                let call = known.call;
                let effect = self.side.arrive(request, call, self.clock());
                self.take_effect(connection, effect);
                self.poll_service();
            }
            Happening::Fetched(ticket, part) => {
                let effect = self.side.fetched(ticket, part, self.clock());
                if let (Some(effect), Some(&connection)) = (effect, self.tickets.get(&ticket)) {
                    self.take_effect(connection, effect);
                }
                self.poll_service();
            }
            Happening::ServiceWakes => {
                self.service_wakes = None;
                self.poll_service();
            }
            Happening::HungUp(connection) => {
                let known = self.connections.remove(&connection);
                if let Some(ticket) = known.and_then(|known| known.ticket) {
                    self.tickets.remove(&ticket);
                    self.side.hung_up(ticket, self.clock());
                }
            }
            Happening::Answered(connection) => {
                let id = self.release(connection);
                let Some(known) = self.connections.remove(&connection) else { return };
                if let (Some(id), Some(response)) = (id, known.response) {
                    if !known.call {
                        self.answer_us += u128::from(self.now - known.sent_at);
                        self.answers += 1;
                    }
                    self.side.answered(id, response, self.clock());
                }
            }
            Happening::Failed(connection) => {
                let id = self.release(connection);
                self.connections.remove(&connection);
                if let Some(id) = id {
                    self.side.failed(id, Failure::Network, self.clock());
                }
            }
        }
    }

    fn take_effect(&mut self, connection: u64, effect: Effect) {
        match effect {
            Effect::Answer(answer) => self.deliver(connection, answer),
            Effect::Wait(ticket) => self.note(connection, ticket),
            Effect::Fetch { ticket, parts } => {
                self.note(connection, ticket);
                for part in parts {
                    self.fetch(ticket, part);
                }
            }
        }
    }

    fn note(&mut self, connection: u64, ticket: u64) {
        self.tickets.insert(ticket, connection);
        if let Some(known) = self.connections.get_mut(&connection) {
            known.ticket = Some(ticket);
        }
    }

    fn fetch(&mut self, ticket: u64, part: usize) {
        let [least, most] = self.settings.latency();
        let time = least + self.rng.up_to(most - least);
        self.enter(time, Happening::Fetched(ticket, part));
    }

    fn poll_service(&mut self) {
        loop {
            match self.side.poll_service(self.clock()) {
                ServiceTurn::Answer(ticket, answer) => {
                    if let Some(&connection) = self.tickets.get(&ticket) {
                        self.deliver(connection, answer);
                    }
                }
                ServiceTurn::Fetch(ticket) => self.fetch(ticket, 0),
                ServiceTurn::WaitUntil(at) => {
                    let at = at.as_micros();
                    if self.service_wakes.is_none_or(|known| at < known) {
                        self.service_wakes = Some(at);
                        self.calendar.enter(at, Happening::ServiceWakes);
                    }
                    return;
                }
                ServiceTurn::Idle => return,
            }
        }
    }

    /// An answer goes on its way.
    fn deliver(&mut self, connection: u64, answer: Answer) {
        let way = self.way();
        let Some(known) = self.connections.get_mut(&connection) else { return };
        if let Some(ticket) = known.ticket.take() {
            self.tickets.remove(&ticket);
        }
        if answer.delivery == Delivery::Whole {
            known.response = Some(answer.response);
            self.enter(way, Happening::Answered(connection));
        } else {
            self.enter(way, Happening::Failed(connection));
        }
    }
}
