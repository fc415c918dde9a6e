//! The driver of a world: does what engine and service want, as programs with sockets would.

use silkline::{
    engine::{
        Failure, IdleReason, ProxyEvent, ProxyOutcome, ProxyOutput, ProxyReply, ProxySend,
        ProxySendKind,
    },
    http::{Headers, Response},
    service::{
        Answer, Delivery,
        proxy::{
            Connect, FetchFailure, FetchOutcome, ProxyOutput as ServiceOutput, Relay, Step, Ticket,
        },
    },
};

use super::world::{Connection, Happening, World};
use crate::simulation::{
    checks::{Broken, Checked, hold},
    network::{Open, Way},
    random::SECOND,
};

/// More outputs at one moment than a world has reason for.
const OUTPUTS: u32 = 3_000_000;

impl World {
    /// Takes what the engine has to say until it waits; `Some` if it is idle.
    pub(super) fn drive(&mut self) -> Checked<Option<IdleReason>> {
        let reason = self.poll_until_rest()?;
        self.resumed = false;
        Ok(reason)
    }

    fn poll_until_rest(&mut self) -> Checked<Option<IdleReason>> {
        for _ in 0..OUTPUTS {
            let clock = self.clock();
            let paused = self.setting.thorough && self.engine.stats().paused;
            match self.watch.time(|| self.engine.poll(clock)) {
                ProxyOutput::Send(send) => self.send(send, paused)?,
                ProxyOutput::Abort(id) => {
                    let open = self.open.get(&id.as_u64()).copied();
                    let Open { connection, .. } =
                        open.ok_or_else(|| Broken(format!("abort of {id}, which is not open")))?;
                    self.tell(|| format!("abort {id}"));
                    self.release(connection);
                    self.aborts += 1;
                    let delay = self.dice.up_to(self.setting.network.delay_us);
                    if !self.dice.in_a_million(self.setting.network.after_all) {
                        self.calendar.enter(self.now + delay, Happening::HungUp(connection));
                    }
                }
                ProxyOutput::Event(event) => self.take_event(event)?,
                ProxyOutput::WaitUntil { at, reason } => {
                    let at = at.as_micros() + self.epoch;
                    if at <= self.now {
                        // There was more to put in order than one call may cost.
                        continue;
                    }
                    if self.setting.thorough {
                        let deadline = self.open.values().map(|open| open.deadline).min();
                        hold(deadline.is_none_or(|deadline| at <= deadline), || {
                            format!("wait until {at} ({reason:?}), past the deadline {deadline:?}")
                        })?;
                    }
                    self.engine_wakes = Some(at);
                    return Ok(None);
                }
                ProxyOutput::Idle(reason) => {
                    self.engine_wakes = None;
                    hold(self.open.is_empty(), || format!("idle ({reason:?}) with open requests"))?;
                    if matches!(reason, IdleReason::Empty | IdleReason::Closed) {
                        self.book.check_all_ended()?;
                    }
                    return Ok(Some(reason));
                }
            }
        }
        Err(Broken("polls without end".into()))
    }

    fn send(&mut self, send: ProxySend, paused: bool) -> Checked {
        let id = send.id;
        let session = send.session.as_ref().map(|session| session.as_str().to_owned());
        self.tell(|| {
            let (name, kind) = (&send.session_name, send.kind.as_str());
            format!("send {id}: {kind} {} in {session:?} {name:?}", send.request.url)
        });
        hold(!self.stopped || self.closing, || format!("request {id} sent after a stop"))?;
        let mut others = self.connections.values();
        let process = self.process;
        // Sessions are deleted in any weather.
        let alone = self.closing
            || !paused
            || !others.any(|it| it.open && it.probe && it.process == process);
        hold(alone, || format!("request {id} is a second probe"))?;
        let mut job = None;
        if send.kind == ProxySendKind::Fetch {
            hold(!self.closing, || format!("request {id} sent after closing"))?;
            let number = send.request.url.rsplit('/').next().and_then(|text| text.parse().ok());
            job = Some(number.ok_or_else(|| Broken(format!("{} is nobody's", send.request.url)))?);
            self.check_fetch(&send, job.unwrap_or_default(), session)?;
            self.first_send.get_or_insert(self.now);
            self.last_send = self.now;
            self.sends += 1;
        } else {
            self.calls += 1;
            if let (ProxySendKind::DeleteSession, Some(session)) = (send.kind, session) {
                self.gone.insert(session);
            }
        }
        self.trace.note(self.now);
        self.trace.note(job.unwrap_or(u64::MAX));
        let connection = self.next_connection;
        self.next_connection += 1;
        let deadline = send.deadline.as_micros() + self.epoch;
        self.open.insert(id.as_u64(), Open { connection, deadline });
        let process = self.process;
        let known = Connection { process, send, ticket: None, probe: paused, open: true, job };
        self.connections.insert(connection, known);
        let network = &self.setting.network;
        if self.dice.in_a_million(network.queued) {
            let wait = self.dice.up_to(network.queue_us);
            self.calendar.enter(self.now + wait, Happening::Left(connection));
            return Ok(());
        }
        self.leave(connection);
        Ok(())
    }

    fn check_fetch(&mut self, send: &ProxySend, job: u64, session: Option<String>) -> Checked {
        let id = send.id;
        hold(!self.book.ended.contains(&job), || format!("job {job} sent after its end"))?;
        if self.setting.thorough {
            *self.book.attempts.entry(job).or_default() += 1;
        }
        if let Some(name) = &send.session_name {
            let key = self.names.get(&job).cloned();
            let key = key.ok_or_else(|| Broken(format!("job {job} is not for {name}")))?;
            hold(&key.0 == name, || format!("job {job} for {} went to {name}", key.0))?;
            let sequence = self.sequences.entry(key).or_default();
            let first = sequence.jobs.first().copied();
            hold(first == Some(job), || format!("job {job} of {name} before job {first:?}"))?;
            if let Some(known) = &sequence.session {
                hold(session.as_ref() == Some(known), || {
                    format!("{name} goes through {session:?}, its session is {known}")
                })?;
            }
            sequence.session.clone_from(&session);
        }
        let Some(session) = session else { return Ok(()) };
        hold(!self.gone.contains(&session), || {
            format!("request {id} uses session {session}, which has ended")
        })?;
        hold(!self.in_use.contains(&session), || {
            format!("request {id} uses session {session}, which is in use")
        })?;
        self.in_use.insert(session);
        Ok(())
    }

    /// A request leaves the driver.
    fn leave(&mut self, connection: u64) {
        let network = &self.setting.network;
        let delay = self.dice.up_to(network.delay_us);
        if self.dice.in_a_million(network.not_sent) {
            self.calendar.enter(self.now + delay, Happening::Failed(connection, Failure::NotSent));
        } else if self.dice.in_a_million(network.lost) {
            let notice = delay + self.dice.up_to(2 * SECOND - delay);
            let failure = if self.dice.one_in(8) && self.setting.thorough {
                Failure::Timeout
            } else {
                Failure::Network
            };
            self.calendar.enter(self.now + notice, Happening::Failed(connection, failure));
        } else {
            self.calendar.enter(self.now + delay, Happening::Arrived(connection));
        }
    }

    fn take_event(&mut self, event: ProxyEvent) -> Checked {
        match event {
            ProxyEvent::Finished(outcome) => self.finish(&outcome),
            ProxyEvent::Stopped(error) => {
                self.tell(|| format!("stopped: {error}"));
                hold(!self.stopped, || "stopped twice".into())?;
                // An application that resumed before it heard of the stop ended it.
                self.stopped = !self.resumed;
                self.stops += 1;
                Ok(())
            }
            ProxyEvent::SessionLost { name, session, cause } => {
                self.tell(|| format!("{name} lost session {session}: {cause:?}"));
                let lost = Some(session.as_str());
                for (_, sequence) in self.sequences.iter_mut().filter(|((of, _), _)| **of == *name)
                {
                    if sequence.session.as_deref() == lost {
                        sequence.session = None;
                    }
                }
                Ok(())
            }
            event => {
                self.tell(|| event.name().into());
                Ok(())
            }
        }
    }

    fn finish(&mut self, outcome: &ProxyOutcome) -> Checked {
        let key = outcome.key.as_deref().and_then(|key| key.parse().ok());
        let job = key.ok_or_else(|| Broken(format!("an event without its key: {outcome:?}")))?;
        self.tell(|| {
            let code = outcome.error_code();
            format!("job {job} ends: {code:?} after {} attempts", outcome.attempts)
        });
        self.book.end(job)?;
        if let Some(name) = self.names.get(&job)
            && let Some(sequence) = self.sequences.get_mut(name)
        {
            sequence.jobs.remove(&job);
        }
        if self.setting.thorough && !self.forgetful {
            let sent = self.book.attempts.get(&job).copied().unwrap_or(0);
            hold(outcome.attempts == sent, || {
                format!("job {job} was sent {sent} times, {} by the event", outcome.attempts)
            })?;
        }
        if let Ok(fetched) = &outcome.outcome {
            self.succeeded += 1;
            self.last_good = self.now;
            let body = String::from_utf8_lossy(&fetched.response.body);
            let own = fetched.response.status != 200 || body == outcome.request.url.as_str();
            hold(own, || format!("job {job} got {body}"))?;
            hold(outcome.cost.billed > 0, || format!("job {job} got a page for nothing"))?;
        }
        Ok(())
    }

    /// Whether a living driver waits for a request.
    fn is_waited_for(&self, connection: u64) -> bool {
        let known = self.connections.get(&connection);
        known.is_some_and(|known| known.open && known.process == self.process)
    }

    pub(super) fn happen(&mut self, happening: Happening) -> Checked {
        match happening {
            Happening::Left(connection) => {
                if self.is_waited_for(connection) {
                    self.say_sent(connection)?;
                    self.leave(connection);
                }
            }
            Happening::Arrived(connection) => self.arrive(connection),
            Happening::TunnelOpen(connection, tunnel) => {
                if self.is_waited_for(connection) {
                    self.say_sent(connection)?;
                    let at = self.now + self.dice.up_to(self.setting.network.delay_us);
                    self.calendar.enter(at, Happening::ArrivedInside(connection, tunnel));
                }
            }
            Happening::ArrivedInside(connection, tunnel) => {
                let Some(known) = self.connections.get(&connection) else { return Ok(()) };
                let request = known.send.request.clone();
                let now = self.clock_of_service();
                let step = self.service.handle_request(request, Some(&*tunnel), now);
                self.take_step(connection, step);
            }
            Happening::Fetched(ticket, page) => {
                let step = self.service.handle_fetched(ticket, page, self.clock_of_service());
                if let Some(&connection) = self.tickets.get(&ticket) {
                    self.take_step(connection, step);
                }
            }
            Happening::ServiceWakes => {
                self.service_wakes = None;
                self.poll_service();
            }
            Happening::HungUp(connection) => {
                let ticket = self.connections.get(&connection).and_then(|it| it.ticket);
                if let Some(ticket) = ticket
                    && self.tickets.remove(&ticket).is_some()
                {
                    self.service.handle_closed(ticket, self.clock_of_service());
                }
            }
            Happening::Answered(connection, response, connect) => {
                return self.hear(connection, response, connect);
            }
            Happening::Failed(connection, failure) => {
                self.tell(|| format!("connection {connection}: {failure:?}"));
                if failure == Failure::NotSent
                    && let Some(known) = self.connections.get(&connection)
                    && known.open
                    && known.process == self.process
                    && let Some(count) = known.job.and_then(|job| self.book.attempts.get_mut(&job))
                {
                    *count -= 1;
                }
                return self.hand_over(connection, |engine, id, now| {
                    engine.handle_failure(id, failure, now).map(drop)
                });
            }
        }
        Ok(())
    }

    /// The driver tells when a request really left.
    fn say_sent(&mut self, connection: u64) -> Checked {
        let Some(known) = self.connections.get(&connection) else { return Ok(()) };
        if known.process != self.process {
            return Ok(());
        }
        let (id, clock) = (known.send.id, self.clock());
        let taken = self.watch.time(|| self.engine.handle_sent(id, clock));
        hold(taken.is_ok(), || format!("request {id} left and is unknown"))
    }

    fn arrive(&mut self, connection: u64) {
        let now = self.clock_of_service();
        self.tell(|| format!("connection {connection} arrives"));
        let Some(known) = self.connections.get(&connection) else { return };
        if known.send.kind != ProxySendKind::Fetch {
            let mut request = known.send.request.clone();
            let path = request.url.split_once("://").and_then(|(_, rest)| rest.find('/'));
            if let Some(start) = path {
                let scheme = request.url.find("://").unwrap_or_default() + 3;
                request.url.drain(..scheme + start);
            }
            let answer = self.service.handle_api(&request, now);
            self.deliver(connection, answer, false);
            return;
        }
        if let Some(connect) = &known.send.connect {
            match self.service.handle_connect(connect, now) {
                Connect::Answer(answer) => self.deliver(connection, answer, true),
                Connect::Tunnel(tunnel) => {
                    let at = self.now + self.dice.up_to(self.setting.network.delay_us);
                    let open = Happening::TunnelOpen(connection, Box::new(tunnel));
                    self.calendar.enter(at, open);
                }
            }
            return;
        }
        let step = self.service.handle_request(known.send.request.clone(), None, now);
        self.take_step(connection, step);
    }

    fn take_step(&mut self, connection: u64, step: Step) {
        if self.told.is_some() {
            let stats = self.service.stats();
            let (early, living) = (stats.early_requests, stats.sessions_living);
            self.tell(|| format!("  {step:?}").chars().take(60).collect());
            self.tell(|| format!("  {early} early, {living} living"));
        }
        match step {
            Step::Answer(answer) => {
                self.forget_ticket(connection);
                self.deliver(connection, answer, false);
            }
            Step::Fetch(fetch) => self.fetch(connection, fetch.ticket, &fetch.request.url),
            Step::Relay(relay) => self.relay(connection, relay),
            Step::Wait(ticket) => self.note_ticket(connection, ticket),
        }
        self.poll_service();
    }

    fn note_ticket(&mut self, connection: u64, ticket: Ticket) {
        self.tickets.insert(ticket, connection);
        if let Some(known) = self.connections.get_mut(&connection) {
            known.ticket = Some(ticket);
        }
    }

    fn forget_ticket(&mut self, connection: u64) {
        let ticket = self.connections.get(&connection).and_then(|known| known.ticket);
        if let Some(ticket) = ticket {
            self.tickets.remove(&ticket);
        }
    }

    /// The service fetches from a target.
    fn fetch(&mut self, connection: u64, ticket: Ticket, url: &str) {
        self.note_ticket(connection, ticket);
        let time = self.dice.between(SECOND / 5, SECOND);
        let page = if self.dice.in_a_million(self.setting.network.no_page) {
            let failures: Vec<FetchFailure> = FetchFailure::all().collect();
            FetchOutcome::Failed(*self.dice.pick(&failures))
        } else {
            let body_start = url.as_bytes().to_vec();
            FetchOutcome::Responded { status: 200, headers: Headers::new(), body_start }
        };
        self.calendar.enter(self.now + time, Happening::Fetched(ticket, page));
    }

    fn relay(&mut self, connection: u64, relay: Relay) {
        self.service.handle_finished(relay.ticket, 0, self.clock_of_service());
        self.tickets.remove(&relay.ticket);
        let Some(known) = self.connections.get(&connection) else { return };
        let body = known.send.request.url.clone().into_bytes();
        let delivery = relay.truncate.map_or(Delivery::Whole, Delivery::Truncated);
        let response = Response::new(relay.status, relay.headers, body);
        self.send_back(connection, response, delivery, false);
    }

    fn poll_service(&mut self) {
        loop {
            match self.service.poll(self.clock_of_service()) {
                ServiceOutput::Fetch(fetch) => {
                    if let Some(&connection) = self.tickets.get(&fetch.ticket) {
                        self.fetch(connection, fetch.ticket, &fetch.request.url);
                    }
                }
                ServiceOutput::WaitUntil(at) => return self.wake_service(at),
                ServiceOutput::Idle => return,
            }
        }
    }

    fn deliver(&mut self, connection: u64, answer: Answer, connect: bool) {
        self.send_back(connection, answer.response, answer.delivery, connect);
    }

    /// An answer goes on its way.
    fn send_back(
        &mut self,
        connection: u64,
        response: Response,
        delivery: Delivery,
        connect: bool,
    ) {
        match self.setting.network.way_back(&delivery, &mut self.dice, self.now) {
            Way::Arrives { at, again } => {
                let heard = Happening::Answered(connection, response, connect);
                if let Some(again) = again {
                    self.calendar.enter(again, heard.clone());
                }
                self.calendar.enter(at, heard);
            }
            Way::Breaks { at } => {
                self.calendar.enter(at, Happening::Failed(connection, Failure::Network));
            }
            Way::Vanishes => {}
        }
    }

    /// An answer reaches the driver.
    fn hear(&mut self, connection: u64, response: Response, connect: bool) -> Checked {
        let Some(known) = self.connections.get(&connection) else { return Ok(()) };
        let error = response.headers.get("X-Crawlera-Error");
        if known.process == self.process {
            if let (Some("bad_session_id"), Some(session)) = (error, &known.send.session) {
                self.gone.insert(session.as_str().into());
                // What was aborted may arrive after its session was deleted.
                self.dead_uses += u64::from(known.job.is_some() && known.open);
            }
            // The first answer of a sequence names its session.
            if let (Some(job), None, true) = (known.job, &known.send.session, known.open)
                && let Some(key) = self.names.get(&job)
                && let Some(sequence) = self.sequences.get_mut(key)
                && error.is_none()
            {
                sequence.session = response.headers.get("X-Crawlera-Session").map(String::from);
            }
        }
        let (id, status) = (known.send.id, response.status);
        let error = error.map(String::from);
        self.tell(|| format!("answer to {id}: {status} {error:?}"));
        let disguised = self.setting.network.disguised;
        let banned = disguised > 0 && self.dice.in_a_million(disguised);
        self.hand_over(connection, |engine, id, now| {
            let reply = ProxyReply::new(response).to_connect(connect).with_banned(banned);
            engine.handle_response(id, reply, now).map(drop)
        })
    }
}
