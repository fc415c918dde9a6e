//! The machine itself.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::super::{Answer, faults::Subject};
use super::{
    config::ExtractionConfig,
    intake::{self, Rejected},
    job::{Finished, Job, Slot},
    limits::Limits,
    outcome::{FetchOutcome, FetchQuery},
    query::UserQuery,
    refusal::{MALFORMED_REQUEST, Refused},
    result,
    script::{Action, Disorder},
    stats::ExtractionStats,
};
use crate::{
    Rng, Timestamp,
    http::{Headers, Request, Response},
};

/// Names a request between the host and the machine.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ticket(u64);

impl Ticket {
    /// The number, as bindings give it.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The ticket of a number.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }
}

/// What becomes of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub enum Step {
    /// It is answered.
    Answer(Answer),
    /// Its pages are wanted. The answer comes from [`ExtractionService::handle_fetched`] or
    /// [`ExtractionService::poll`]; where no page is wanted, from the latter.
    Fetch {
        /// Names the request from here on.
        ticket: Ticket,
        /// The pages to fetch and extract.
        queries: Vec<FetchQuery>,
    },
}

/// What is to be done next.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub enum ServiceOutput {
    /// Send this answer. What is still being fetched for it can be given up.
    Answer {
        /// The request that is answered.
        ticket: Ticket,
        /// The answer.
        answer: Answer,
    },
    /// Nothing before this moment, unless something comes in.
    WaitUntil(Timestamp),
    /// Nothing, unless something comes in.
    Idle,
}

/// The service behind `POST /v1/extract`, without sockets and clock.
///
/// The host passes every request in, fetches and extracts the pages that are wanted, and tells
/// what came of each. It calls [`poll`](Self::poll) after anything it passed in and at the moment
/// that the last one named. Time never goes back: an earlier `now` counts as the latest seen. The
/// same configuration, seed and calls give the same answers.
///
/// ```
/// use silkline::{Timestamp, http::{ApiKey, Headers, Method, Request}};
/// use silkline::service::extraction::{ExtractionConfig, ExtractionService, FetchOutcome, Step};
///
/// let mut service = ExtractionService::new(ExtractionConfig::default(), 1);
/// let mut headers = Headers::new();
/// headers.append("Authorization", ApiKey::new("key")?.basic())?;
/// headers.append("Content-Type", "application/json")?;
/// let request = Request::new(Method::POST, "/v1/extract")
///     .with_headers(headers)
///     .with_body(*br#"[{"url": "http://shop.example/1", "pageType": "product"}]"#);
/// let now = Timestamp::ZERO;
/// let Step::Fetch { ticket, queries } = service.handle_request(&request, now) else { panic!() };
/// assert_eq!(queries[0].url, "http://shop.example/1");
/// let page = FetchOutcome::Page { item: "{}".into(), web_page: "{}".into(), html: None };
/// let answer = service.handle_fetched(ticket, 0, &page, now).unwrap();
/// assert_eq!(answer.response.status, 200);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ExtractionService {
    config: ExtractionConfig,
    rng: Rng,
    now: Timestamp,
    last_ticket: u64,
    admitted: u64,
    limits: Limits,
    jobs: BTreeMap<u64, Job>,
    /// Answers that a script holds back.
    held: BTreeMap<u64, (Timestamp, Answer)>,
    /// When each job or held answer is due.
    due: BTreeSet<(Timestamp, u64)>,
    stats: ExtractionStats,
}

impl ExtractionService {
    /// A service that has seen nothing. The seed is behind query ids and whatever a script leaves
    /// to chance.
    pub fn new(config: ExtractionConfig, seed: u64) -> Self {
        Self {
            config,
            rng: Rng::new(seed),
            now: Timestamp::ZERO,
            last_ticket: 0,
            admitted: 0,
            limits: Limits::default(),
            jobs: BTreeMap::new(),
            held: BTreeMap::new(),
            due: BTreeSet::new(),
            stats: ExtractionStats::default(),
        }
    }

    /// How it was configured.
    pub fn config(&self) -> &ExtractionConfig {
        &self.config
    }

    /// The counts so far.
    pub fn stats(&self) -> &ExtractionStats {
        &self.stats
    }

    /// Takes a request. Its URL may be absolute or begin with the path; of its body, one byte more
    /// than [`ExtractionConfig::max_payload`] is enough.
    pub fn handle_request(&mut self, request: &Request, now: Timestamp) -> Step {
        let now = self.advance(now);
        self.stats.requests += 1;
        match intake::read(&self.config, &mut self.limits, request, now) {
            Ok(queries) => self.accept(queries, now),
            Err(rejected) => Step::Answer(self.refuse(rejected)),
        }
    }

    /// Answers what the host could not read as an HTTP request.
    pub fn handle_malformed(&mut self, now: Timestamp) -> Answer {
        self.advance(now);
        self.stats.requests += 1;
        self.refuse(Rejected::from(Refused::from(MALFORMED_REQUEST)))
    }

    /// Takes what came of a page. Gives the answer if that was all it lacked; what comes too late,
    /// twice or for a request that is not known changes nothing.
    pub fn handle_fetched(
        &mut self,
        ticket: Ticket,
        index: usize,
        outcome: &FetchOutcome,
        now: Timestamp,
    ) -> Option<Answer> {
        let now = self.advance(now);
        let job = self.jobs.get_mut(&ticket.0)?;
        if let FetchOutcome::Refused { problem, retry_after } = outcome
            && job.slots.get(index).is_some_and(|slot| slot.result.is_none())
            && job.slots.iter().all(|slot| slot.result.is_none())
        {
            let unfinished = self.forget(ticket);
            self.stats.unbilled += unfinished;
            let refused = Refused::named(problem);
            let refused = match retry_after {
                Some(wait) => refused.with_retry_after(*wait),
                None => refused,
            };
            return Some(self.refuse(Rejected::from(refused)));
        }
        let slot = job.slots.get_mut(index).filter(|slot| slot.result.is_none())?;
        let version = &self.config.algorithm_version;
        let written = result::write(&slot.head, &slot.query, outcome, version);
        slot.result = Some(Finished { written, at: slot.earliest.max(now) });
        if core::mem::take(&mut slot.holds_place) {
            self.limits.release(&slot.query.target.domain);
        }
        let (complete_at, deadline) = (job.complete_at(), job.deadline);
        if complete_at <= now {
            return self.complete(ticket.0, now);
        }
        if complete_at != deadline {
            self.due.remove(&(deadline, ticket.0));
            self.due.insert((complete_at, ticket.0));
        }
        None
    }

    /// The client of a request went away: nothing more is wanted for it.
    pub fn handle_closed(&mut self, ticket: Ticket, now: Timestamp) {
        self.advance(now);
        if let Some((until, _)) = self.held.remove(&ticket.0) {
            self.due.remove(&(until, ticket.0));
        }
        self.stats.abandoned += self.forget(ticket);
    }

    /// Forgets a request; gives how many of its queries have no result.
    fn forget(&mut self, ticket: Ticket) -> u64 {
        let Some(job) = self.jobs.remove(&ticket.0) else { return 0 };
        self.due.remove(&(job.complete_at(), ticket.0));
        self.due.remove(&(job.deadline, ticket.0));
        self.stats.in_flight -= 1;
        let mut unfinished = 0;
        for slot in job.slots {
            if slot.holds_place {
                self.limits.release(&slot.query.target.domain);
            }
            match slot.result {
                Some(finished) => self.stats.finished(&finished.written),
                None => unfinished += 1,
            }
        }
        unfinished
    }

    /// What is to be done next. Early calls do no harm.
    pub fn poll(&mut self, now: Timestamp) -> ServiceOutput {
        let now = self.advance(now);
        while let Some(&(at, number)) = self.due.first() {
            if at > now {
                return ServiceOutput::WaitUntil(at);
            }
            let answer = if self.jobs.contains_key(&number) {
                self.complete(number, now)
            } else {
                self.due.pop_first();
                self.held.remove(&number).map(|(_, answer)| answer)
            };
            if let Some(answer) = answer {
                return ServiceOutput::Answer { ticket: Ticket(number), answer };
            }
        }
        ServiceOutput::Idle
    }

    fn advance(&mut self, now: Timestamp) -> Timestamp {
        self.now = self.now.max(now);
        self.now
    }

    fn refuse(&mut self, rejected: Rejected) -> Answer {
        self.stats.refused(&rejected.kind);
        self.stats.rate_violations += u64::from(rejected.too_fast);
        Answer::whole(rejected.response)
    }

    /// Begins a request that passed all checks.
    fn accept(&mut self, queries: Vec<UserQuery>, now: Timestamp) -> Step {
        self.admitted += 1;
        let action = self.choose(&queries, Action::is_for_request);
        if let Some(action) = action.as_ref().filter(|action| action.replaces_answer()) {
            let response = action.answer(Refused::named);
            let status = response.status.to_string();
            self.stats.refused(action.problem_kind().unwrap_or(&status));
            let answer = finish(response, Some(action), &mut self.rng);
            let ticket = self.next_ticket();
            return match action.delay {
                Some(delay) => {
                    self.hold(ticket.0, answer, now + delay);
                    Step::Fetch { ticket, queries: Vec::new() }
                }
                None => Step::Answer(answer),
            };
        }
        let deadline = now + self.config.query_timeout;
        let mut wanted = Vec::new();
        let mut slots = Vec::with_capacity(queries.len());
        for (index, query) in queries.into_iter().enumerate() {
            let slot = self.begin(query, action.as_ref(), now);
            if let (None, Ok(url)) = (&slot.result, &slot.query.target.url) {
                wanted.push(FetchQuery {
                    index,
                    url: url.clone(),
                    page_type: slot.query.page_type.clone(),
                    article_body_raw: slot.query.article_body_raw,
                    full_html: slot.query.full_html,
                    custom_html: slot.query.custom_html.clone(),
                });
            }
            slots.push(slot);
        }
        let ticket = self.next_ticket();
        let job = Job { slots, deadline, action };
        let complete_at = job.complete_at();
        self.due.insert((complete_at, ticket.0));
        self.jobs.insert(ticket.0, job);
        self.stats.in_flight += 1;
        if complete_at <= now
            && let Some(answer) = self.complete(ticket.0, now)
        {
            return Step::Answer(answer);
        }
        Step::Fetch { ticket, queries: wanted }
    }

    /// Begins one query: its error, where that is known at once, or a place for its result.
    fn begin(&mut self, query: UserQuery, action: Option<&Action>, now: Timestamp) -> Slot {
        self.stats.asked(&query.page_type);
        let id = self.query_id(now);
        let echo = action.map(|action| &action.echo);
        let head = result::head(&query, &id, echo.unwrap_or(&serde_json::Map::new()));
        let fault = self.choose(core::slice::from_ref(&query), Action::is_for_query);
        let slow = fault.as_ref().and_then(|fault| fault.slow).unwrap_or_default();
        let earliest = now + slow;
        let error = match (&query.target.url, fault.and_then(|fault| fault.error)) {
            (Err(text), _) => Some((*text).into()),
            (Ok(_), Some(text)) => Some(text),
            (Ok(_), None) => self.limits.enter(&self.config, &query.target, now).err(),
        };
        let holds_place = error.is_none();
        let result = error.map(|error| {
            let written = result::failed(&head, &error, &self.config.algorithm_version);
            Finished { written, at: earliest }
        });
        Slot { query, head, earliest, holds_place, result }
    }

    fn choose(&mut self, queries: &[UserQuery], kind: fn(&Action) -> bool) -> Option<Action> {
        if self.config.faults.is_empty() {
            return None;
        }
        let subjects: Vec<_> = queries
            .iter()
            .map(|query| Subject {
                url: &query.url,
                host: &query.target.host,
                page_type: &query.page_type,
            })
            .collect();
        let chosen =
            self.config.faults.choose(self.admitted, &subjects, &mut self.rng, kind).cloned();
        self.stats.faults += u64::from(chosen.is_some());
        chosen
    }

    /// Ends a job. Gives its answer, unless a script holds that back.
    fn complete(&mut self, number: u64, now: Timestamp) -> Option<Answer> {
        let job = self.jobs.remove(&number)?;
        self.due.remove(&(job.complete_at(), number));
        self.due.remove(&(job.deadline, number));
        self.stats.in_flight -= 1;
        let mut results = Vec::with_capacity(job.slots.len());
        for slot in job.slots {
            if slot.holds_place {
                self.limits.release(&slot.query.target.domain);
            }
            let in_time = slot.result.filter(|finished| finished.at <= now.min(job.deadline));
            let version = &self.config.algorithm_version;
            let written = in_time.map_or_else(
                || result::failed(&slot.head, "query timed out", version),
                |finished| finished.written,
            );
            self.stats.finished(&written);
            results.push(written.text);
        }
        if self.config.shuffled {
            self.shuffle(&mut results);
        }
        let mut lone = None;
        for disorder in job.action.iter().flat_map(|action| &action.results) {
            self.disturb(&mut results, &mut lone, *disorder, now);
        }
        let body = lone.map_or_else(|| result::list(&results), String::into_bytes);
        let mut headers = Headers::new();
        headers.push("Content-Type", "application/json");
        let response = Response::new(200, headers, body);
        let answer = finish(response, job.action.as_ref(), &mut self.rng);
        match job.action.and_then(|action| action.delay) {
            Some(delay) => {
                self.hold(number, answer, now + delay);
                None
            }
            None => Some(answer),
        }
    }

    fn disturb(
        &mut self,
        results: &mut Vec<String>,
        lone: &mut Option<String>,
        disorder: Disorder,
        now: Timestamp,
    ) {
        match disorder {
            Disorder::Missing => {
                results.pop();
            }
            Disorder::Surplus => results.extend(results.first().cloned()),
            Disorder::Foreign => results.insert(0, result::foreign(&self.query_id(now))),
            Disorder::Reversed => results.reverse(),
            Disorder::Shuffled => self.shuffle(results),
            Disorder::Object => *lone = results.first().cloned(),
        }
    }

    fn shuffle(&mut self, results: &mut [String]) {
        for end in (1..results.len()).rev() {
            let other = self.rng.up_to(u64::try_from(end).unwrap_or(u64::MAX));
            results.swap(end, usize::try_from(other).unwrap_or(end));
        }
    }

    fn hold(&mut self, number: u64, answer: Answer, until: Timestamp) {
        self.held.insert(number, (until, answer));
        self.due.insert((until, number));
    }

    fn next_ticket(&mut self) -> Ticket {
        self.last_ticket += 1;
        Ticket(self.last_ticket)
    }

    /// An id as the service makes them: milliseconds since 1970, and 16 hexadecimal digits.
    fn query_id(&mut self, now: Timestamp) -> String {
        let millis = self.config.epoch_ms.saturating_add(now.as_micros() / 1_000);
        format!("{millis:013}-{:016x}", self.rng.next_u64())
    }
}

/// Applies what a script wants of an answer.
fn finish(response: Response, action: Option<&Action>, rng: &mut Rng) -> Answer {
    match action {
        Some(action) => action.finish(response, rng),
        None => Answer::whole(response),
    }
}
