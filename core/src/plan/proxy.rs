//! A proxy engine and its service.

use alloc::{boxed::Box, string::String, vec, vec::Vec};
use core::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use super::{
    InvalidPlan, PlanDialect, PlanSettings,
    side::{Effect, Numbers, ServiceTurn, Side, Turn},
};
use crate::{
    Timestamp,
    engine::{
        Failure, ProxyConfig, ProxyEngine, ProxyEvent, ProxyOutput, ProxyReply, ProxySendKind,
        RequestId,
    },
    http::{Headers, Method, Request, Response},
    proxy::ProxyApi,
    schedule::{PoolConfig, RetryPolicy},
    service::{
        Answer, Delivery,
        proxy::{
            FetchOutcome, ProxyConfig as Limits, ProxyOutput as ServiceOutput, ProxyService, Relay,
            Step, Ticket,
        },
    },
};

pub(super) struct Proxied {
    engine: ProxyEngine,
    service: ProxyService,
}

/// How far apart requests of a session are: by its own delay, and so that all sessions together
/// keep the account's rate.
pub(super) fn spacing(settings: &PlanSettings) -> Result<u64, InvalidPlan> {
    let by_rate = settings.rate()?.map_or(0, |rate| {
        let micros = u64::try_from(rate.period().as_micros()).unwrap_or(u64::MAX);
        u64::from(settings.sessions).saturating_mul(micros).div_ceil(rate.count())
    });
    // The engine waits as long again as a request may be late, or until its answer.
    let [least, _] = settings.latency();
    Ok(settings.session_delay().max(by_rate.saturating_sub(settings.margin_us.min(least))))
}

pub(super) fn concurrency(settings: &PlanSettings) -> u32 {
    // A session is used by one request at a time: so many are never under way.
    settings.concurrency.unwrap_or(settings.sessions.saturating_mul(2))
}

impl Proxied {
    pub(super) fn new(settings: &PlanSettings) -> Result<Self, InvalidPlan> {
        let delay = Duration::from_micros(spacing(settings)?);
        let successor = settings.dialect() == PlanDialect::ZyteApi;
        let pool = if successor { PoolConfig::zyte_api() } else { PoolConfig::default() }
            .with_size(settings.sessions)
            .map_err(InvalidPlan::because)?
            .with_margin(Some(Duration::from_micros(settings.margin_us)));
        let mut limits = Limits::default();
        // Sessions that die are replaced by ones on addresses that are on time.
        let first = u32::from(Ipv4Addr::new(10, 0, 0, 1));
        let address = |number| IpAddr::V4(Ipv4Addr::from(first + number));
        limits.outgoing = (0..settings.sessions.saturating_mul(2)).map(address).collect();
        limits.max_sessions = usize::try_from(settings.sessions).unwrap_or(usize::MAX);
        limits.delay = delay;
        if successor {
            // "2 min idle" (Zyte API docs, Sessions).
            limits.session_idle = Duration::from_secs(120);
        }
        let mut engine = ProxyConfig::default()
            .with_pool(pool)
            .with_delay(delay)
            .with_concurrency(concurrency(settings))
            .map_err(InvalidPlan::because)?
            .with_queue_size(settings.queue_size)
            .map_err(InvalidPlan::because)?;
        if successor {
            engine = engine.with_policy(RetryPolicy::zyte_api());
        }
        for (name, delay) in &settings.domain_delays_us {
            let delay = Duration::from_micros(*delay);
            engine = engine.with_domain_delay(name, delay);
            limits.domain_delays.insert(name.to_lowercase(), delay);
        }
        let script = settings.script(r#"{"ban":true}"#, r#"{"fail":"econnreset"}"#);
        let service = ProxyService::new(limits, settings.seed)
            .with_faults(&script)
            .map_err(InvalidPlan::because)?;
        let api = ProxyApi::new("plan").map_err(InvalidPlan::because)?;
        Ok(Self { engine: ProxyEngine::new(api, engine, settings.seed, Timestamp::ZERO), service })
    }

    fn effect(&mut self, step: Step, now: Timestamp) -> Effect {
        match step {
            Step::Answer(answer) => Effect::Answer(answer),
            Step::Fetch(fetch) => Effect::Fetch { ticket: fetch.ticket.0, parts: vec![0] },
            Step::Relay(relay) => Effect::Answer(self.relay(relay, now)),
            Step::Wait(ticket) => Effect::Wait(ticket.0),
        }
    }

    fn relay(&mut self, relay: Relay, now: Timestamp) -> Answer {
        self.service.handle_finished(relay.ticket, 0, now);
        let delivery = relay.truncate.map_or(Delivery::Whole, Delivery::Truncated);
        Answer { response: Response::new(relay.status, relay.headers, Vec::new()), delivery }
    }
}

impl Side for Proxied {
    fn room(&self) -> u32 {
        self.engine.room()
    }

    fn submit(&mut self, url: String, now: Timestamp) -> Result<(), InvalidPlan> {
        let request = Request::new(Method::GET, url);
        self.engine.submit(request, now).map(drop).map_err(InvalidPlan::because)
    }

    fn poll(&mut self, now: Timestamp) -> Turn {
        match self.engine.poll(now) {
            ProxyOutput::Send(send) => Turn::Send {
                id: send.id,
                call: send.kind != ProxySendKind::Fetch,
                request: send.request,
                pages: 1,
            },
            ProxyOutput::Abort(id) => Turn::Abort(id),
            ProxyOutput::Event(ProxyEvent::Finished(job)) => Turn::Finished(job.error_code()),
            ProxyOutput::Event(ProxyEvent::Stopped(error)) => Turn::Stopped(error.code().into()),
            ProxyOutput::Event(_) => Turn::Other,
            ProxyOutput::WaitUntil { at, reason } => Turn::WaitUntil(at, reason),
            ProxyOutput::Idle(reason) => Turn::Idle(reason),
        }
    }

    fn answered(&mut self, id: RequestId, response: Response, now: Timestamp) {
        // A run answers what it was told to send, once.
        let _ = self.engine.handle_response(id, ProxyReply::new(response), now);
    }

    fn failed(&mut self, id: RequestId, failure: Failure, now: Timestamp) {
        let _ = self.engine.handle_failure(id, failure, now);
    }

    fn start_month(&mut self, _now: Timestamp) {}

    fn sessions(&self) -> u32 {
        self.engine.stats().pool.sessions
    }

    fn arrive(&mut self, mut request: Request, call: bool, now: Timestamp) -> Effect {
        if call {
            // The service takes the path of its own calls.
            let scheme = request.url.find("://").map_or(0, |at| at + 3);
            let path = request.url.get(scheme..).and_then(|rest| rest.find('/'));
            request.url.drain(..path.map_or(0, |path| scheme + path));
            return Effect::Answer(self.service.handle_api(&request, now));
        }
        let step = self.service.handle_request(request, None, now);
        self.effect(step, now)
    }

    fn fetched(&mut self, ticket: u64, _part: usize, now: Timestamp) -> Option<Effect> {
        let (headers, body_start) = (Headers::new(), Vec::new());
        let page = FetchOutcome::Responded { status: 200, headers, body_start };
        let step = self.service.handle_fetched(Ticket(ticket), page, now);
        Some(self.effect(step, now))
    }

    fn hung_up(&mut self, ticket: u64, now: Timestamp) {
        self.service.handle_closed(Ticket(ticket), now);
    }

    fn poll_service(&mut self, now: Timestamp) -> ServiceTurn {
        match self.service.poll(now) {
            ServiceOutput::Fetch(fetch) => {
                let fetch: Box<_> = fetch;
                ServiceTurn::Fetch(fetch.ticket.0)
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
            billed: stats.billed,
            possibly_billed: stats.possibly_billed,
            throttled: stats.throttled + stats.slowed,
            early: self.service.stats().early_requests,
        }
    }
}
