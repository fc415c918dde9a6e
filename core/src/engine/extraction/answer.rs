//! What answers and failures mean for the jobs that waited for them.

use alloc::boxed::Box;

use super::{
    super::{Failure, classify, gate::Reaction},
    Batch, Bill, Ending, ExtractionEngine, ExtractionEvent, ExtractionJobError, Flight, Found,
    Receipt, RequestId, UnknownRequest, UnmatchedResult,
};
use crate::{
    Timestamp,
    engine::host::{domain_key, host},
    extraction::{Query, QueryError, QueryResult, ServiceError},
    http::Response,
    schedule::{FailureClass, Verdict},
};

/// A job that comes back without an item.
pub(super) struct Return {
    pub(super) verdict: Verdict,
    pub(super) error: ExtractionJobError,
    /// How often at most to try again, where the error itself limits that.
    pub(super) limit: Option<u32>,
}

/// How the answer to a query bills it.
fn bill(error: Option<&QueryError>) -> Bill {
    match error {
        None => Bill::Billed,
        Some(error) if error.code == "missing_result" => Bill::Unknown,
        Some(error) if error.billed => Bill::Billed,
        Some(_) => Bill::Unbilled,
    }
}

fn service_bill(error: &ServiceError) -> Bill {
    if error.billing_known() { Bill::Unbilled } else { Bill::Unknown }
}

impl ExtractionEngine {
    /// Takes the answer of a request, with its whole body.
    pub fn handle_response(
        &mut self,
        request: RequestId,
        response: Response,
        now: Timestamp,
    ) -> Result<Receipt, UnknownRequest> {
        let now = self.clock.see(now);
        match self.flights.find(request)? {
            Found::Late => {
                if let Some(batch) = self.flights.take_late(request) {
                    self.answered_late(request);
                    self.settle(&batch, response);
                }
                Ok(Receipt::Late)
            }
            Found::Open(flight) => {
                if let Some(flight) = self.flights.end(flight) {
                    self.take_answer(flight, response, now);
                }
                Ok(Receipt::Accepted)
            }
        }
    }

    /// Takes the failure of a request: there will be no answer.
    pub fn handle_failure(
        &mut self,
        request: RequestId,
        failure: Failure,
        now: Timestamp,
    ) -> Result<Receipt, UnknownRequest> {
        let now = self.clock.see(now);
        let flight = match self.flights.find(request)? {
            Found::Late => {
                if let Some(batch) = self.flights.take_late(request) {
                    self.answered_late(request);
                    if failure == Failure::NotSent {
                        for _ in &batch.queries {
                            self.ledger.settle(None, batch.cycle);
                        }
                    }
                }
                return Ok(Receipt::Late);
            }
            Found::Open(flight) => flight,
        };
        let Some(Flight { id, inner: batch, .. }) = self.flights.end(flight) else {
            return Ok(Receipt::Accepted);
        };
        self.gate.lost(id, &self.config.policy, now, &mut self.rng);
        let sent = failure != Failure::NotSent;
        if !sent && self.latest == Some(id) {
            self.limiter.give_back();
        }
        for (query, index) in batch.queries.into_iter().zip(batch.seats) {
            if sent {
                self.ledger.end(Bill::Unknown);
            } else {
                self.ledger.undo();
            }
            let Some(job) = self.jobs.get_mut(index) else { continue };
            job.inner.query = Some(query);
            if sent {
                job.cost.possibly_billed += 1;
            } else {
                job.attempts -= 1;
            }
            let error = ExtractionJobError::Failed(failure);
            let verdict = classify::failure(failure);
            self.come_back(index, Return { verdict, error, limit: None }, now);
        }
        Ok(Receipt::Accepted)
    }

    /// An abort that is still to come out is not needed any more.
    fn answered_late(&mut self, request: RequestId) {
        if !self.outbox.is_empty() {
            self.answered.insert(request.0);
        }
    }

    /// Counts what a late answer says of costs.
    fn settle(&mut self, batch: &Batch, response: Response) {
        self.counters.late += 1;
        match self.api.results(&batch.queries, response) {
            Ok(results) => {
                for result in results.iter().take(batch.queries.len()) {
                    self.ledger.settle(Some(bill(result.error())), batch.cycle);
                }
            }
            Err(error) => {
                for _ in &batch.queries {
                    self.ledger.settle(Some(service_bill(&error)), batch.cycle);
                }
            }
        }
    }

    fn take_answer(&mut self, flight: Flight<Batch>, response: Response, now: Timestamp) {
        match self.api.results(&flight.inner.queries, response) {
            Ok(results) => {
                self.gate.answered(flight.id);
                let mut results = results.into_iter();
                let queries = flight.inner.queries;
                let first = results.by_ref().take(queries.len());
                let all: alloc::vec::Vec<QueryResult> = first.collect();
                for result in results {
                    self.take_unmatched(result, &queries);
                }
                for ((query, result), index) in queries.into_iter().zip(all).zip(flight.inner.seats)
                {
                    self.take_result(query, result, index, now);
                }
            }
            Err(error) => self.take_service_error(flight, &error, now),
        }
    }

    fn take_unmatched(&mut self, result: QueryResult, queries: &[Query]) {
        self.counters.unmatched += 1;
        let query = result.query_index().and_then(|index| queries.get(index)).cloned();
        self.tell(ExtractionEvent::Unmatched(Box::new(UnmatchedResult { result, query })));
    }

    fn take_result(&mut self, query: Query, result: QueryResult, index: u32, now: Timestamp) {
        let bill = bill(result.error());
        self.ledger.end(bill);
        let error = result.error();
        self.counters.missing += u64::from(bill == Bill::Unknown);
        let verdict = error.map_or(Verdict::Success, classify::query_error);
        if let Verdict::Retry(FailureClass::Occupied, asked) = verdict {
            self.counters.occupied += 1;
            let until = now + asked.unwrap_or_default();
            if let Some(domain) = error.and_then(|error| error.domain.as_deref()) {
                self.jobs.queues.park(&domain_key(domain), true, until);
            }
            self.jobs.queues.park(&host(query.url()), false, until);
        }
        // A cancelled job has no seat any more.
        let Some(job) = self.jobs.get_mut(index) else { return };
        job.inner.query = Some(query);
        match bill {
            Bill::Billed => job.cost.billed += 1,
            Bill::Unbilled => {}
            Bill::Unknown => job.cost.possibly_billed += 1,
        }
        if verdict == Verdict::Success {
            self.end(index, Ok(result), now);
            return;
        }
        let limit = error.and_then(|error| error.max_retries);
        let error = ExtractionJobError::Query(Box::new(result));
        self.come_back(index, Return { verdict, error, limit }, now);
    }

    fn take_service_error(&mut self, flight: Flight<Batch>, error: &ServiceError, now: Timestamp) {
        let (id, batch) = (flight.id, flight.inner);
        let verdict = classify::service_fault(error);
        let bill = service_bill(error);
        let mut stop = false;
        let verdict = match verdict {
            Verdict::Pause(class, asked) => {
                self.counters.throttled += u64::from(class == FailureClass::Throttled);
                let policy = &self.config.policy;
                match self.gate.shut(id, class, asked, policy, now, &mut self.rng) {
                    Reaction::Exhausted if class == FailureClass::Account => {
                        stop = true;
                        verdict
                    }
                    Reaction::Exhausted => Verdict::Final,
                    Reaction::Known | Reaction::Paused => verdict,
                }
            }
            Verdict::Retry(FailureClass::Server, _) => {
                self.gate.lost(id, &self.config.policy, now, &mut self.rng);
                verdict
            }
            verdict => {
                self.gate.answered(id);
                verdict
            }
        };
        // One query may be what the service refuses a whole request for.
        let split = verdict == Verdict::Final
            && bill == Bill::Unbilled
            && batch.queries.len() > 1
            && !self.gate.is_closing();
        for (query, index) in batch.queries.into_iter().zip(batch.seats) {
            self.ledger.end(bill);
            let Some(job) = self.jobs.get_mut(index) else { continue };
            job.inner.query = Some(query);
            job.cost.possibly_billed += u32::from(bill == Bill::Unknown);
            if split {
                job.inner.alone = true;
                self.jobs.queue(index, true);
                continue;
            }
            let error = ExtractionJobError::Service(error.clone());
            self.come_back(index, Return { verdict, error, limit: None }, now);
        }
        if stop {
            self.gate.stop();
            self.tell(ExtractionEvent::Stopped(error.clone()));
        }
    }

    /// Places a job again that comes back without an item, or ends it.
    pub(super) fn come_back(&mut self, index: u32, back: Return, now: Timestamp) {
        let Return { verdict, error, limit } = back;
        let (policy, rng) = (&self.config.policy, &mut self.rng);
        if self.gate.is_closing() || !self.jobs.come_back(index, verdict, limit, policy, now, rng) {
            self.end(index, Ending::Err(error), now);
        } else if matches!(verdict, Verdict::Retry(FailureClass::BilledQuery, _)) {
            self.counters.billed_retries += 1;
        }
    }
}
