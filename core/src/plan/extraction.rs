//! An extraction engine and its service.

use alloc::{string::String, vec::Vec};
use core::time::Duration;

use super::{
    InvalidPlan, PlanDialect, PlanSettings,
    side::{Effect, Numbers, ServiceTurn, Side, Turn},
};
use crate::{
    Timestamp,
    engine::{
        ExtractionConfig, ExtractionEngine, ExtractionEvent, ExtractionOutput, Failure, RequestId,
    },
    extraction::{ExtractionApi, PageType, Query},
    http::{Request, Response},
    schedule::RetryPolicy,
    service::{
        Pace,
        extraction::{
            self as service, ExtractionService, FetchOutcome, ServiceOutput, Step, Ticket,
        },
    },
    zyte_api,
};

pub(super) struct Extraction {
    engine: ExtractionEngine,
    service: ExtractionService,
    page: FetchOutcome,
}

impl Extraction {
    pub(super) fn new(settings: &PlanSettings) -> Result<Self, InvalidPlan> {
        let mut engine = ExtractionConfig::default()
            .with_burst(settings.burst)
            .map_err(InvalidPlan::because)?
            .with_batch_size(settings.batch())
            .map_err(InvalidPlan::because)?
            .with_queue_size(settings.queue_size)
            .map_err(InvalidPlan::because)?
            .with_cap(settings.month_limit());
        if settings.dialect() == PlanDialect::ZyteApi {
            engine = engine.with_policy(RetryPolicy::zyte_api());
            engine = engine.with_deadline(zyte_api::EXTRACTION.deadline());
        }
        if let Some(concurrency) = settings.concurrency {
            engine = engine.with_concurrency(concurrency).map_err(InvalidPlan::because)?;
        }
        let script = settings.script(
            r#"{"error":"Proxy error: banned"}"#,
            r#"{"error":"Downloader error: GlobalTimeoutError"}"#,
        );
        let mut limits = service::ExtractionConfig::default()
            .with_faults(&script)
            .map_err(InvalidPlan::because)?
            .with_domain_pace(settings.domain_interval_us.filter(|it| *it > 0).map(every))
            .with_domain_concurrency(settings.domain_concurrency);
        if let Some(rate) = settings.rate()? {
            engine = engine.with_rate(rate);
            let nanos = rate.period().as_nanos() / u128::from(rate.count());
            let interval = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
            // A second's worth at once covers the jitter on the way, as the service has it.
            let second = Duration::from_secs(1).as_nanos() / nanos.max(1);
            let burst = u32::try_from(second).unwrap_or(u32::MAX).max(settings.burst + 1);
            limits = limits.with_pace(Pace::every(interval).with_burst(burst));
        }
        let api = ExtractionApi::new("plan").map_err(InvalidPlan::because)?;
        Ok(Self {
            engine: ExtractionEngine::new(api, engine, settings.seed, Timestamp::ZERO),
            service: ExtractionService::new(limits, settings.seed),
            page: FetchOutcome::Page { item: "{}".into(), web_page: "{}".into(), html: None },
        })
    }

    pub(super) fn concurrency(settings: &PlanSettings) -> u32 {
        settings.concurrency.unwrap_or(ExtractionConfig::default().concurrency())
    }
}

fn every(micros: u64) -> Pace {
    Pace::every(Duration::from_micros(micros))
}

impl From<Step> for Effect {
    fn from(step: Step) -> Self {
        match step {
            Step::Answer(answer) => Self::Answer(answer),
            Step::Fetch { ticket, queries } => {
                let parts: Vec<usize> = queries.iter().map(|query| query.index).collect();
                Self::Fetch { ticket: ticket.number(), parts }
            }
        }
    }
}

impl Side for Extraction {
    fn room(&self) -> u32 {
        self.engine.room()
    }

    fn submit(&mut self, url: String, now: Timestamp) -> Result<(), InvalidPlan> {
        let query = Query::new(url, PageType::Article).map_err(InvalidPlan::because)?;
        self.engine.submit(query, now).map(drop).map_err(InvalidPlan::because)
    }

    fn poll(&mut self, now: Timestamp) -> Turn {
        match self.engine.poll(now) {
            ExtractionOutput::Send(send) => {
                Turn::Send { id: send.id, request: send.request, pages: send.queries, call: false }
            }
            ExtractionOutput::Abort(id) => Turn::Abort(id),
            ExtractionOutput::Event(ExtractionEvent::Finished(job)) => {
                Turn::Finished(job.error_code())
            }
            ExtractionOutput::Event(ExtractionEvent::Stopped(error)) => {
                Turn::Stopped(error.code().into())
            }
            ExtractionOutput::Event(ExtractionEvent::Unmatched(_)) => Turn::Other,
            ExtractionOutput::WaitUntil { at, reason } => Turn::WaitUntil(at, reason),
            ExtractionOutput::Idle(reason) => Turn::Idle(reason),
        }
    }

    fn answered(&mut self, id: RequestId, response: Response, now: Timestamp) {
        // A run answers what it was told to send, once.
        let _ = self.engine.handle_response(id, response, now);
    }

    fn failed(&mut self, id: RequestId, failure: Failure, now: Timestamp) {
        let _ = self.engine.handle_failure(id, failure, now);
    }

    fn start_month(&mut self, now: Timestamp) {
        self.engine.start_cycle(now);
    }

    fn sessions(&self) -> u32 {
        0
    }

    fn arrive(&mut self, request: Request, _call: bool, now: Timestamp) -> Effect {
        self.service.handle_request(&request, now).into()
    }

    fn fetched(&mut self, ticket: u64, part: usize, now: Timestamp) -> Option<Effect> {
        let ticket = Ticket::from_number(ticket);
        self.service.handle_fetched(ticket, part, &self.page, now).map(Effect::Answer)
    }

    fn hung_up(&mut self, ticket: u64, now: Timestamp) {
        self.service.handle_closed(Ticket::from_number(ticket), now);
    }

    fn poll_service(&mut self, now: Timestamp) -> ServiceTurn {
        match self.service.poll(now) {
            ServiceOutput::Answer { ticket, answer } => {
                ServiceTurn::Answer(ticket.number(), answer)
            }
            ServiceOutput::WaitUntil(at) => ServiceTurn::WaitUntil(at),
            ServiceOutput::Idle => ServiceTurn::Idle,
        }
    }

    fn numbers(&self) -> Numbers {
        let stats = self.engine.stats();
        Numbers {
            requests: stats.requests,
            retries: stats.retries,
            billed: stats.usage.billed,
            possibly_billed: stats.usage.unknown,
            throttled: stats.throttled + stats.occupied,
            early: self.service.stats().rate_violations,
        }
    }
}
