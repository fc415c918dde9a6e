//! The machine behind `POST /v1/extract`.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    vec::Vec,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::value::RawValue;

use super::{
    config::ZyteApiConfig,
    limits::Limits,
    outcome::{PageOutcome, PageWish},
    problems::{INVALID, OVER_USER_LIMIT, SERVER_INTERNAL, TEMPORARY, TIMED_OUT, detailed, named},
    request::{self, Asked},
    stats::ZyteApiStats,
};
use crate::{
    Rng, Timestamp,
    http::{Headers, Request, Response},
    service::{
        Answer,
        extraction::{ServiceOutput, Ticket, refusal::Refused, script::Action},
        faults::Subject,
    },
};

/// What becomes of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub enum ZyteApiStep {
    /// It is answered.
    Answer(Answer),
    /// Its page is wanted. The answer comes from [`ZyteApiService::handle_fetched`] or
    /// [`ZyteApiService::poll`]; where no page is wanted, from the latter.
    Fetch {
        /// Names the request from here on.
        ticket: Ticket,
        /// The page to fetch.
        wish: Option<Box<PageWish>>,
    },
}

/// A request on its way.
#[derive(Clone, Debug)]
struct Job {
    asked: Asked,
    id: String,
    action: Option<Action>,
    /// The answer comes no earlier.
    earliest: Timestamp,
    due: Timestamp,
    answer: Option<Answer>,
}

/// Zyte API's `POST /v1/extract`, without sockets and clock.
///
/// The host passes every request in, fetches the page that is wanted, and tells what came of it.
/// It calls [`poll`](Self::poll) after anything it passed in and at the moment that the last one
/// named. Time never goes back: an earlier `now` counts as the latest seen. The same configuration,
/// seed and calls give the same answers.
///
/// ```
/// use silkline::{Timestamp, http::{ApiKey, Headers, Method, Request}};
/// use silkline::service::zyte_api::{PageFailure, PageOutcome, ZyteApiConfig, ZyteApiService,
///     ZyteApiStep};
///
/// let mut service = ZyteApiService::new(ZyteApiConfig::default(), 1);
/// let mut headers = Headers::new();
/// headers.append("Authorization", ApiKey::new("key")?.basic())?;
/// headers.append("Content-Type", "application/json")?;
/// let request = Request::new(Method::POST, "/v1/extract")
///     .with_headers(headers)
///     .with_body(*br#"{"url": "http://shop.example/1", "product": true}"#);
/// let now = Timestamp::ZERO;
/// let ZyteApiStep::Fetch { ticket, wish } = service.handle_request(&request, now) else { panic!() };
/// assert_eq!(wish.unwrap().url, "http://shop.example/1");
/// let gone = PageOutcome::Failed(PageFailure::NameNotFound);
/// let answer = service.handle_fetched(ticket, gone, now).unwrap();
/// assert_eq!(answer.response.status, 421);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ZyteApiService {
    config: ZyteApiConfig,
    rng: Rng,
    now: Timestamp,
    last_ticket: u64,
    admitted: u64,
    limits: Limits,
    jobs: BTreeMap<u64, Job>,
    due: BTreeSet<(Timestamp, u64)>,
    stats: ZyteApiStats,
}

impl ZyteApiService {
    /// A service that has seen nothing. The seed is behind request ids and whatever a script
    /// leaves to chance.
    pub fn new(config: ZyteApiConfig, seed: u64) -> Self {
        Self {
            config,
            rng: Rng::new(seed),
            now: Timestamp::ZERO,
            last_ticket: 0,
            admitted: 0,
            limits: Limits::default(),
            jobs: BTreeMap::new(),
            due: BTreeSet::new(),
            stats: ZyteApiStats::default(),
        }
    }

    /// The counts so far.
    pub fn stats(&self) -> &ZyteApiStats {
        &self.stats
    }

    /// Takes a request. Its URL may be absolute or begin with the path; of its body, one byte more
    /// than [`ZyteApiConfig::max_payload`] is enough.
    pub fn handle_request(&mut self, request: &Request, now: Timestamp) -> ZyteApiStep {
        let now = self.advance(now);
        self.stats.requests += 1;
        let id = self.request_id();
        let asked = match request::read(&self.config, request) {
            Ok(asked) => asked,
            Err(refused) => return ZyteApiStep::Answer(self.refuse(refused, &id)),
        };
        let admitted =
            self.limits.admit(&self.config.paces, &asked.key, &asked.host, &asked.domain, now);
        if let Err((limit, wait)) = admitted {
            self.stats.rate_violations += u64::from(limit == OVER_USER_LIMIT);
            return ZyteApiStep::Answer(self.refuse(named(limit).with_retry_after(wait), &id));
        }
        self.accept(asked, id, now)
    }

    /// Answers what the host could not read as an HTTP request.
    pub fn handle_malformed(&mut self, now: Timestamp) -> Answer {
        self.advance(now);
        self.stats.requests += 1;
        let id = self.request_id();
        self.refuse(detailed(INVALID, "not an HTTP request"), &id)
    }

    /// Takes what came of a page. Gives the answer if nothing holds it back; what comes too late,
    /// twice or for a request that is not known changes nothing.
    pub fn handle_fetched(
        &mut self,
        ticket: Ticket,
        outcome: PageOutcome,
        now: Timestamp,
    ) -> Option<Answer> {
        let now = self.advance(now);
        let number = ticket.number();
        let job = self.jobs.get(&number).filter(|job| job.answer.is_none())?;
        let result = respond(&self.config, job, outcome);
        let (id, action, earliest) = (job.id.clone(), job.action.clone(), job.earliest);
        let answer = match result {
            Ok((status, response)) => {
                self.stats.answered(status);
                self.deliver(response, &id, action.as_ref())
            }
            Err(refused) => {
                self.stats.refused(&refused.kind);
                self.deliver(refused.into_response(), &id, action.as_ref())
            }
        };
        if earliest <= now {
            self.remove(number);
            return Some(answer);
        }
        if let Some(job) = self.jobs.get_mut(&number) {
            self.due.remove(&(job.due, number));
            job.due = earliest;
            job.answer = Some(answer);
            self.due.insert((earliest, number));
        }
        None
    }

    /// The client of a request went away: nothing more is wanted for it.
    pub fn handle_closed(&mut self, ticket: Ticket, now: Timestamp) {
        self.advance(now);
        if self.remove(ticket.number()).is_some() {
            self.stats.abandoned += 1;
        }
    }

    /// What is to be done next. Early calls do no harm.
    pub fn poll(&mut self, now: Timestamp) -> ServiceOutput {
        let now = self.advance(now);
        let Some(&(at, number)) = self.due.first() else { return ServiceOutput::Idle };
        if at > now {
            return ServiceOutput::WaitUntil(at);
        }
        let Some(job) = self.remove(number) else { return ServiceOutput::WaitUntil(now) };
        let answer = job.answer.unwrap_or_else(|| self.refuse(named(TIMED_OUT), &job.id));
        ServiceOutput::Answer { ticket: Ticket::from_number(number), answer }
    }

    fn advance(&mut self, now: Timestamp) -> Timestamp {
        self.now = self.now.max(now);
        self.now
    }

    fn remove(&mut self, number: u64) -> Option<Job> {
        let job = self.jobs.remove(&number)?;
        self.due.remove(&(job.due, number));
        self.stats.in_flight -= 1;
        Some(job)
    }

    fn refuse(&mut self, refused: Refused, id: &str) -> Answer {
        self.stats.refused(&refused.kind);
        self.deliver(refused.into_response(), id, None)
    }

    fn deliver(&mut self, mut response: Response, id: &str, action: Option<&Action>) -> Answer {
        response.headers.push("request-id", id);
        match action {
            Some(action) => action.finish(response, &mut self.rng),
            None => Answer::whole(response),
        }
    }

    /// Begins a request that passed all checks.
    fn accept(&mut self, asked: Asked, id: String, now: Timestamp) -> ZyteApiStep {
        self.admitted += 1;
        self.stats.asked(asked.output());
        let subject =
            Subject { url: &asked.wish.url, host: &asked.host, page_type: asked.output() };
        let script = &mut self.config.faults;
        let action = script.choose(self.admitted, &[subject], &mut self.rng, |_| true).cloned();
        self.stats.faults += u64::from(action.is_some());
        let delay = action.as_ref().and_then(|action| action.delay.or(action.slow));
        let mut answer = None;
        if let Some(action) = action.as_ref().filter(|action| action.replaces_answer()) {
            let response = action.answer(named);
            let kind = action
                .problem_kind()
                .map_or_else(|| format!("{}", response.status), |kind| named(kind).kind);
            self.stats.refused(&kind);
            let scripted = self.deliver(response, &id, Some(action));
            if delay.is_none() {
                return ZyteApiStep::Answer(scripted);
            }
            answer = Some(scripted);
        }
        let earliest = now + delay.unwrap_or_default();
        let due = if answer.is_some() { earliest } else { now + self.config.timeout };
        let wish = answer.is_none().then(|| Box::new(asked.wish.clone()));
        self.last_ticket += 1;
        let ticket = Ticket::from_number(self.last_ticket);
        self.due.insert((due, self.last_ticket));
        self.jobs.insert(self.last_ticket, Job { asked, id, action, earliest, due, answer });
        self.stats.in_flight += 1;
        ZyteApiStep::Fetch { ticket, wish }
    }

    fn request_id(&mut self) -> String {
        format!("{:016x}{:016x}", self.rng.next_u64(), self.rng.next_u64())
    }
}

/// The answer to a request whose page is there, with the target's status.
fn respond(
    config: &ZyteApiConfig,
    job: &Job,
    outcome: PageOutcome,
) -> Result<(u16, Response), Refused> {
    let asked = &job.asked;
    let (url, status, headers, body, browser_html, item) = match outcome {
        PageOutcome::Failed(failure) => return Err(named(failure.problem())),
        PageOutcome::Page { url, status, headers, body, browser_html, item } => {
            (url, status, headers, body, browser_html, item)
        }
    };
    if config.is_ban(&asked.host, status, &body) {
        return Err(named(TEMPORARY));
    }
    let mut members = Vec::new();
    members.push(format!(r#""url":{},"statusCode":{status}"#, quoted(&url)));
    if asked.response_body {
        members.push(format!(r#""httpResponseBody":"{}""#, BASE64_STANDARD.encode(&body)));
    }
    if asked.response_headers {
        let headers: Vec<String> = headers
            .iter()
            .map(|(name, value)| {
                format!(r#"{{"name":{},"value":{}}}"#, quoted(name), quoted(value))
            })
            .collect();
        members.push(format!(r#""httpResponseHeaders":[{}]"#, headers.join(",")));
    }
    if asked.wish.browser_html {
        members.push(format!(r#""browserHtml":{}"#, quoted(&browser_html.unwrap_or_default())));
    }
    if let Some(name) = &asked.wish.item {
        let item = item.filter(|item| is_object(item)).ok_or_else(|| named(SERVER_INTERNAL))?;
        members.push(format!("{}:{item}", quoted(name)));
    }
    if let Some(echo) = &asked.echo {
        members.push(format!(r#""echoData":{echo}"#));
    }
    if let Some(job_id) = &asked.job_id {
        members.push(format!(r#""jobId":{job_id}"#));
    }
    let mut headers = Headers::new();
    headers.push("Content-Type", "application/json");
    Ok((status, Response::new(200, headers, format!("{{{}}}", members.join(",")))))
}

/// A JSON text in quotes.
pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_else(|_| "\"\"".into())
}

fn is_object(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok_and(|raw| raw.get().starts_with('{'))
}
