//! `silkline::engine`.

use silkline::{
    Timestamp,
    engine::{
        ExtractionConfig, ExtractionEvent, ExtractionJob, ExtractionJobError, ExtractionOutcome,
        ExtractionOutput, ExtractionSend, Receipt,
    },
    extraction::{Query, QueryResult, ServiceError},
    http::Response,
};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{
    convert::{self, Object, count, delay, moment, number, tell},
    errors::Thrown,
    extraction::{self, ExtractionApi, LONGEST, error_json, head_json, write_row},
    parcel::{Parcel, driven_engine, id, request_id},
    schedule::{self, RetryPolicy},
};

/// The engine for the Automatic Extraction API.
#[wasm_bindgen]
pub struct ExtractionEngine {
    engine: silkline::engine::ExtractionEngine,
    /// What crossed last as the head of a request: the next one is most likely the same.
    head: [String; 3],
    /// Where the bodies stand that the other side keeps, until all that could speak of them is out.
    kept: Vec<usize>,
    parcel: Parcel,
}

fn pack_result(parcel: &mut Parcel, kept: &[usize], result: &QueryResult) {
    // A result, whose error crosses as an object if it has one.
    if let Some(error) = result.error() {
        parcel.value(&error_json(error));
    }
    let mut row = Vec::new();
    if let Some(head) = head_json(result.entry()) {
        parcel.value(&head);
    }
    write_row(&mut row, result.entry(), [usize::from(result.error().is_some()), 1]);
    parcel.numbers.extend(row.into_iter().map(f64::from));
    parcel.body(kept, result.body());
}

fn pack_service_error(parcel: &mut Parcel, kept: &[usize], error: &ServiceError, queries: usize) {
    parcel.value(&Thrown::service(error, queries).to_json());
    parcel.body(kept, &error.response().body);
}

driven_engine!(ExtractionEngine, ExtractionOutput);

#[wasm_bindgen]
impl ExtractionEngine {
    /// An engine without jobs. The settings are in the order in which they are read here; one that
    /// is not given is NaN.
    #[wasm_bindgen(constructor)]
    pub fn new(
        api: &ExtractionApi,
        settings: &[f64],
        policy: &RetryPolicy,
        seed: u64,
        now: f64,
    ) -> Result<Self, Thrown> {
        let config = config(settings, policy)?;
        let api = api.0.clone();
        Ok(Self::of(silkline::engine::ExtractionEngine::new(api, config, seed, moment(now))))
    }

    /// An engine that goes on where a snapshot was taken.
    pub fn restore(
        api: &ExtractionApi,
        settings: &[f64],
        policy: &RetryPolicy,
        snapshot: &[u8],
        now: f64,
        downtime: Option<f64>,
    ) -> Result<Self, Thrown> {
        Ok(Self::of(silkline::engine::ExtractionEngine::restore(
            api.0.clone(),
            config(settings, policy)?,
            snapshot,
            moment(now),
            downtime.map(delay),
        )?))
    }

    fn of(engine: silkline::engine::ExtractionEngine) -> Self {
        Self { engine, head: Default::default(), kept: vec![], parcel: Parcel::default() }
    }

    /// Takes a query in, which comes as JSON.
    pub fn submit(
        &mut self,
        query: &str,
        priority: i32,
        key: Option<String>,
        now: f64,
    ) -> Result<f64, Thrown> {
        self.take(Query::from_json_in(LONGEST, query)?, priority, key, moment(now))
    }

    fn take(
        &mut self,
        query: Query,
        priority: i32,
        key: Option<String>,
        now: Timestamp,
    ) -> Result<f64, Thrown> {
        let job = ExtractionJob::new(query).with_priority(priority).with_key_option(key);
        Ok(id(self.engine.submit(job, now)?.as_u64()))
    }

    /// Takes many in: queries as a JSON array, and keys as another of strings and nulls. The ids of
    /// those that were taken before one was not; an error only if none was.
    #[wasm_bindgen(js_name = submitMany)]
    pub fn submit_many(
        &mut self,
        queries: &str,
        priorities: &[i32],
        keys: &str,
        now: f64,
    ) -> Result<Vec<f64>, Thrown> {
        let queries = extraction::read_queries(queries)?;
        let now = moment(now);
        let mut ids = Vec::with_capacity(queries.len());
        let jobs = queries.into_iter().zip(priorities).zip(convert::maybe_strings(keys));
        for ((query, priority), key) in jobs {
            match self.take(query, *priority, key, now) {
                Ok(id) => ids.push(id),
                Err(error) if ids.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(ids)
    }

    fn pack_send(&mut self, send: &ExtractionSend) {
        // Events come out before sends: none is left that could speak of a body.
        self.kept.clear();
        let request = &send.request;
        let lines = convert::header_lines(&request.headers);
        let is_known = self.head == [request.method.as_str(), request.url.as_str(), lines.as_str()];
        let numbers = [id(send.id.as_u64()), tell(send.deadline), send.queries.into()];
        self.parcel.row([4.0]);
        self.parcel.row(numbers);
        self.parcel.row([f64::from(u8::from(is_known))]);
        self.parcel.bytes(&request.body);
        if !is_known {
            self.head = [request.method.as_str().into(), request.url.clone(), lines];
            for text in &self.head {
                self.parcel.text(Some(text));
            }
        }
    }

    fn pack_event(&mut self, event: &ExtractionEvent) {
        let (parcel, kept) = (&mut self.parcel, self.kept.as_slice());
        match event {
            ExtractionEvent::Finished(outcome) => pack_finished(parcel, kept, outcome),
            ExtractionEvent::Stopped(error) => {
                parcel.row([6.0]);
                pack_service_error(parcel, kept, error, 0);
            }
            ExtractionEvent::Unmatched(unmatched) => {
                parcel.row([7.0]);
                let query = unmatched.query.as_ref().map(Query::to_json);
                parcel.text(query.as_deref());
                pack_result(parcel, kept, &unmatched.result);
            }
            _ => {}
        }
    }

    /// Takes the answer of a request: where its body stands from here on, or nothing if it was
    /// late.
    #[wasm_bindgen(js_name = handleResponse)]
    pub fn handle_response(
        &mut self,
        request: f64,
        status: u16,
        headers: &str,
        body: Vec<u8>,
        now: f64,
    ) -> Result<Option<usize>, Thrown> {
        let place = body.as_ptr().addr();
        let response = Response::new(status, convert::received_headers(headers), body);
        let request = request_id(request);
        let receipt = self.engine.handle_response(request, response, moment(now))?;
        if receipt == Receipt::Late {
            return Ok(None);
        }
        self.kept.push(place);
        Ok(Some(place))
    }

    /// Begins a billing cycle.
    #[wasm_bindgen(js_name = startCycle)]
    pub fn start_cycle(&mut self, now: f64) {
        self.engine.start_cycle(moment(now));
    }

    /// The engine's numbers as JSON.
    pub fn stats(&self) -> String {
        let stats = self.engine.stats();
        Object::new()
            .number("submitted", stats.submitted)
            .number("succeeded", stats.succeeded)
            .number("failed", stats.failed)
            .number("cancelled", stats.cancelled)
            .number("closed", stats.closed)
            .number("queued", stats.queued)
            .number("waiting", stats.waiting)
            .number("requestsInFlight", stats.requests_in_flight)
            .number("queriesInFlight", stats.queries_in_flight)
            .number("requests", stats.requests)
            .number("retries", stats.retries)
            .number("billedRetries", stats.billed_retries)
            .number("throttled", stats.throttled)
            .number("occupied", stats.occupied)
            .number("timedOut", stats.timed_out)
            .number("late", stats.late)
            .number("missing", stats.missing)
            .number("unmatched", stats.unmatched)
            .json("usage", &extraction::usage_json(&stats.usage))
            .number("spent", stats.spent)
            .flag("paused", stats.paused)
            .flag("stopped", stats.stopped)
            .end()
    }
}

fn pack_finished(parcel: &mut Parcel, kept: &[usize], outcome: &ExtractionOutcome) {
    let (cost, elapsed) = (outcome.cost, convert::tell_delay(outcome.elapsed));
    parcel.row([5.0, id(outcome.job.as_u64()), outcome.attempts.into(), elapsed]);
    parcel.row([cost.billed.into(), cost.possibly_billed.into()]);
    parcel.text(Some(&outcome.query.to_json()));
    parcel.text(outcome.key.as_deref());
    // What follows: 0 a result, 1 an error with an answer's body, 2 an error of the job alone.
    match &outcome.outcome {
        Ok(result) => {
            parcel.row([0.0]);
            pack_result(parcel, kept, result);
        }
        Err(ExtractionJobError::Query(result)) => {
            parcel.row([0.0]);
            pack_result(parcel, kept, result);
        }
        Err(ExtractionJobError::Service(error)) => {
            parcel.row([1.0]);
            pack_service_error(parcel, kept, error, 1);
        }
        Err(error) => {
            parcel.row([2.0]);
            let thrown = Thrown::new("ExtractionJobError", error.code(), error, Object::new());
            parcel.value(&thrown.to_json());
        }
    }
}

fn config(settings: &[f64], policy: &RetryPolicy) -> Result<ExtractionConfig, Thrown> {
    let mut given = convert::Given::new(settings);
    let mut config = ExtractionConfig::default();
    let (times, period) = (given.next(), given.next());
    if let Some(times) = times {
        config = config.with_rate(schedule::rate(times, period.unwrap_or(f64::NAN))?);
    }
    if let Some(burst) = given.next() {
        config = config.with_burst(count(burst))?;
    }
    if let Some(concurrency) = given.next() {
        config = config.with_concurrency(count(concurrency))?;
    }
    if let Some(size) = given.next() {
        config = config.with_queue_size(count(size))?;
    }
    if let Some(size) = given.next() {
        config = config.with_batch_size(count(size))?;
    }
    if let Some(deadline) = given.next() {
        config = config.with_deadline(delay(deadline));
    }
    if let Some(cap) = given.next() {
        config = config.with_cap(Some(number(cap)));
    }
    if let Some(requeue) = given.next() {
        config = config.with_requeue(requeue > 0.0);
    }
    if given.next().is_some() {
        config = config.with_policy(policy.0.clone());
    }
    Ok(config)
}
