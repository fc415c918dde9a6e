//! `silkline::engine`: the one for proxied requests.

use silkline::{
    engine::{
        IncompleteJob, JobSession, ProxyConfig, ProxyEndpoint, ProxyEvent, ProxyJob, ProxyJobError,
        ProxyOutcome, ProxyOutput, ProxyReply, ProxySend, Receipt, SessionCreation,
    },
    http::{Request, Response},
    proxy::{OutgoingAddress, ProxyWarning, SessionId},
};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{
    convert::{self, Object, count, delay, moment, quoted, tell},
    errors::Thrown,
    parcel::{Parcel, driven_engine, id, job_id, request_id},
    proxy::{ProxyApi, read_options},
    schedule::{RetryPolicy, pool_config},
};

/// The engine for Smart Proxy Manager.
#[wasm_bindgen]
pub struct ProxyEngine {
    engine: silkline::engine::ProxyEngine,
    /// The proxy that crossed last: it is that of the next request, most likely.
    proxy: Option<ProxyEndpoint>,
    /// Where the bodies stand that the other side keeps, until all that could speak of them is out.
    kept: Vec<usize>,
    parcel: Parcel,
}

/// How an engine is set up.
#[wasm_bindgen]
pub struct ProxySettings(ProxyConfig);

#[wasm_bindgen]
impl ProxySettings {
    /// Settings in the order in which they are read here; one that is not given is NaN. `sure` is
    /// false for no margin; `domains` is a JSON array, and `domain_delays` has the delay of each;
    /// `words` and `extra` are those of options.
    #[wasm_bindgen(constructor)]
    pub fn new(
        settings: &[f64],
        sure: bool,
        domains: &str,
        domain_delays: &[f64],
        policy: Option<RetryPolicy>,
        words: &str,
        extra: &str,
    ) -> Result<Self, Thrown> {
        let mut given = convert::Given::new(settings);
        let mut config = ProxyConfig::default()
            .with_pool(pool_config(&mut given, sure)?)
            .with_options(read_options(words, extra)?)?;
        if let Some(policy) = policy {
            config = config.with_policy(policy.0);
        }
        let domains = convert::maybe_strings(domains).into_iter().flatten();
        for (domain, wait) in domains.zip(domain_delays) {
            config = config.with_domain_delay(&domain, delay(*wait));
        }
        if let Some(by_call) = given.next() {
            let [call, header] = SessionCreation::ALL;
            config = config.with_creation(if by_call > 0.0 { call } else { header });
        }
        if let Some(sessions) = given.next() {
            config = config.with_warm_up(count(sessions))?;
        }
        if let Some(wait) = given.next() {
            config = config.with_delay(delay(wait));
        }
        if let Some(concurrency) = given.next() {
            config = config.with_concurrency(count(concurrency))?;
        }
        if let Some(concurrency) = given.next() {
            config = config.with_call_concurrency(count(concurrency))?;
        }
        if let Some(size) = given.next() {
            config = config.with_queue_size(count(size))?;
        }
        if let Some(deadline) = given.next() {
            config = config.with_deadline(delay(deadline));
        }
        if let Some(requeue) = given.next() {
            config = config.with_requeue(requeue > 0.0);
        }
        if let Some(keep) = given.next() {
            config = config.with_keep_secrets(keep > 0.0);
        }
        if let Some(adopt) = given.next() {
            config = config.with_adopt_all(adopt > 0.0);
        }
        if let Some(delete) = given.next() {
            config = config.with_delete_on_close(delete > 0.0);
        }
        Ok(Self(config))
    }
}

/// A request that comes in parts.
fn request(method: &str, url: &str, headers: &str, body: Vec<u8>) -> Result<Request, Thrown> {
    let headers = convert::received_headers(headers);
    Ok(Request::new(method.parse()?, url).with_headers(headers).with_body(body))
}

driven_engine!(ProxyEngine, ProxyOutput);

#[wasm_bindgen]
impl ProxyEngine {
    /// An engine without jobs.
    #[wasm_bindgen(constructor)]
    pub fn new(api: &ProxyApi, settings: &ProxySettings, seed: u64, now: f64) -> Self {
        let (api, config) = (api.0.clone(), settings.0.clone());
        Self::of(silkline::engine::ProxyEngine::new(api, config, seed, moment(now)))
    }

    /// An engine that goes on where a snapshot was taken.
    pub fn restore(
        api: &ProxyApi,
        settings: &ProxySettings,
        snapshot: &[u8],
        now: f64,
        downtime: Option<f64>,
    ) -> Result<Self, Thrown> {
        Ok(Self::of(silkline::engine::ProxyEngine::restore(
            api.0.clone(),
            settings.0.clone(),
            snapshot,
            moment(now),
            downtime.map(delay),
        )?))
    }

    fn of(engine: silkline::engine::ProxyEngine) -> Self {
        Self { engine, proxy: None, kept: vec![], parcel: Parcel::default() }
    }

    /// Takes a request in. `session` is 0 for any of the pool, 1 for none, 2 for the one of the name,
    /// 3 for that or another one in its place, 4 for the one whose id is the name.
    #[expect(clippy::too_many_arguments, reason = "a job has as many parts")]
    pub fn submit(
        &mut self,
        method: &str,
        url: &str,
        headers: &str,
        body: Vec<u8>,
        words: &str,
        extra: &str,
        session: u8,
        name: &str,
        priority: i32,
        key: Option<String>,
        now: f64,
    ) -> Result<f64, Thrown> {
        let session = match session {
            0 => JobSession::Pool,
            1 => JobSession::Outside,
            4 => JobSession::Stay { session: SessionId::new(name)? },
            _ => JobSession::Named { name: name.into(), replace: session == 3 },
        };
        let job = ProxyJob::new(request(method, url, headers, body)?)
            .with_options(read_options(words, extra)?)
            .with_session(session)
            .with_priority(priority)
            .with_key_option(key);
        Ok(id(self.engine.submit(job, moment(now))?.as_u64()))
    }

    /// Gives a job the request that a snapshot did not keep whole.
    pub fn supply(
        &mut self,
        job: f64,
        method: &str,
        url: &str,
        headers: &str,
        body: Vec<u8>,
        now: f64,
    ) -> Result<bool, Thrown> {
        let request = request(method, url, headers, body)?;
        Ok(self.engine.supply(job_id(job), request, moment(now))?)
    }

    /// Ends a named session.
    #[wasm_bindgen(js_name = endSession)]
    pub fn end_session(&mut self, name: &str, now: f64) -> bool {
        self.engine.end_session(name, moment(now))
    }

    fn pack_send(&mut self, send: &ProxySend) {
        // Events come out before sends: none is left that could speak of a body.
        self.kept.clear();
        let parcel = &mut self.parcel;
        parcel.row([4.0, id(send.id.as_u64()), tell(send.deadline)]);
        parcel.row([send.job.map_or(0.0, |job| id(job.as_u64()))]);
        // The proxy: 0 none, 1 the last one, 2 another, whose texts follow.
        let is_known = send.proxy == self.proxy;
        parcel.row([match &send.proxy {
            None => 0.0,
            Some(_) if is_known => 1.0,
            Some(_) => 2.0,
        }]);
        parcel.row([f64::from(u8::from(send.connect.is_some()))]);
        parcel.text(Some(send.kind.as_str()));
        parcel.text(send.session.as_ref().map(SessionId::as_str));
        parcel.text(send.session_name.as_deref());
        let warnings = send.warnings.iter().copied().map(ProxyWarning::code).map(quoted);
        parcel.value(&convert::array(warnings));
        if let Some(proxy) = &send.proxy
            && !is_known
        {
            parcel.text(Some(&proxy.url));
            parcel.text(Some(&proxy.authorization));
            self.proxy = Some(proxy.clone());
        }
        pack_request(parcel, &send.request);
        if let Some(connect) = &send.connect {
            pack_request(parcel, connect);
        }
    }

    fn pack_event(&mut self, event: &ProxyEvent) {
        let (parcel, kept) = (&mut self.parcel, self.kept.as_slice());
        match event {
            ProxyEvent::Finished(outcome) => pack_finished(parcel, kept, outcome),
            ProxyEvent::Stopped(error) => {
                parcel.row([6.0]);
                parcel.value(&Thrown::from(error.clone()).to_json());
            }
            ProxyEvent::Incomplete(incomplete) => pack_incomplete(parcel, incomplete),
            ProxyEvent::SessionLost { name, session, cause } => {
                parcel.row([8.0]);
                for text in [name, session.as_str(), cause.as_str()] {
                    parcel.text(Some(text));
                }
            }
            _ => {}
        }
    }

    /// Takes the answer of a request: where its body stands from here on, or nothing if it was
    /// late. `verdict` is 1 for an answer that the application calls a ban, 2 for one to the
    /// CONNECT, 3 for both.
    #[wasm_bindgen(js_name = handleResponse)]
    pub fn handle_response(
        &mut self,
        request: f64,
        status: u16,
        headers: &str,
        body: Vec<u8>,
        verdict: u8,
        now: f64,
    ) -> Result<Option<usize>, Thrown> {
        let place = body.as_ptr().addr();
        let response = Response::new(status, convert::received_headers(headers), body);
        let reply =
            ProxyReply::new(response).with_banned(verdict & 1 != 0).to_connect(verdict & 2 != 0);
        let receipt = self.engine.handle_response(request_id(request), reply, moment(now))?;
        if receipt == Receipt::Late {
            return Ok(None);
        }
        self.kept.push(place);
        Ok(Some(place))
    }

    /// The engine's numbers as JSON.
    pub fn stats(&self) -> String {
        let stats = self.engine.stats();
        let pool = Object::new()
            .number("sessions", stats.pool.sessions)
            .number("inUse", stats.pool.in_use)
            .number("named", stats.pool.named)
            .number("reserved", stats.pool.reserved)
            .number("lost", stats.pool.lost)
            .number("limit", stats.pool.limit);
        let numbers = [
            ("submitted", stats.submitted),
            ("succeeded", stats.succeeded),
            ("failed", stats.failed),
            ("cancelled", stats.cancelled),
            ("closed", stats.closed),
            ("requests", stats.requests),
            ("retries", stats.retries),
            ("calls", stats.calls),
            ("billed", stats.billed),
            ("unbilled", stats.unbilled),
            ("possiblyBilled", stats.possibly_billed),
            ("throttled", stats.throttled),
            ("slowed", stats.slowed),
            ("bans", stats.bans),
            ("timedOut", stats.timed_out),
            ("late", stats.late),
            ("sessionsCreated", stats.sessions_created),
            ("sessionsAdopted", stats.sessions_adopted),
            ("sessionsDeleted", stats.sessions_deleted),
            ("sessionsGone", stats.sessions_gone),
            ("sessionsRetired", stats.sessions_retired),
            ("sessionsExpired", stats.sessions_expired),
            ("sessionLimits", stats.session_limits),
            ("queued", stats.queued.into()),
            ("waiting", stats.waiting.into()),
            ("unfinished", stats.unfinished.into()),
            ("inFlight", stats.in_flight.into()),
            ("concurrency", stats.concurrency.into()),
            ("names", stats.names.into()),
        ];
        let object = numbers
            .into_iter()
            .fold(Object::new(), |object, (name, number)| object.number(name, number));
        object
            .json("pool", &pool.end())
            .flag("paused", stats.paused)
            .flag("stopped", stats.stopped)
            .end()
    }
}

/// Method, URL and headers of a request as texts, and its body.
fn pack_request(parcel: &mut Parcel, request: &Request) {
    parcel.text(Some(request.method.as_str()));
    parcel.text(Some(&request.url));
    parcel.text(Some(&convert::header_lines(&request.headers)));
    parcel.bytes(&request.body);
}

fn pack_response(parcel: &mut Parcel, kept: &[usize], response: &Response) {
    parcel.row([response.status.into()]);
    parcel.text(Some(&convert::header_lines(&response.headers)));
    parcel.body(kept, &response.body);
}

fn pack_finished(parcel: &mut Parcel, kept: &[usize], finished: &ProxyOutcome) {
    let (cost, elapsed) = (finished.cost, convert::tell_delay(finished.elapsed));
    parcel.row([5.0, id(finished.job.as_u64()), finished.attempts.into(), elapsed]);
    parcel.row([cost.billed.into(), cost.possibly_billed.into()]);
    parcel.text(finished.key.as_deref());
    pack_request(parcel, &finished.request);
    // What follows: 0 an answer, 1 an error and the answer that is one, 2 an error alone.
    match &finished.outcome {
        Ok(fetched) => {
            parcel.row([0.0, id(fetched.request.as_u64())]);
            parcel.text(fetched.session.as_ref().map(SessionId::as_str));
            parcel.text(fetched.outgoing.as_ref().map(OutgoingAddress::as_str));
            pack_response(parcel, kept, &fetched.response);
        }
        Err(error) => {
            let answer = match error {
                ProxyJobError::Banned(response) => Some(response),
                _ => None,
            };
            parcel.row([if answer.is_some() { 1.0 } else { 2.0 }]);
            parcel.value(&Thrown::from(error).to_json());
            if let Some(response) = answer {
                pack_response(parcel, kept, response);
            }
        }
    }
}

fn pack_incomplete(parcel: &mut Parcel, incomplete: &IncompleteJob) {
    let flag = |flag| f64::from(u8::from(flag));
    parcel.row([7.0, id(incomplete.job.as_u64()), flag(incomplete.body), flag(incomplete.url)]);
    parcel.text(incomplete.key.as_deref());
    parcel.value(&convert::array(incomplete.headers.iter().map(|name| quoted(name))));
    pack_request(parcel, &incomplete.request);
}
