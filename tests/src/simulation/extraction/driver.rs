//! The driver of a world: does what engine and service want, as programs with sockets would.

use serde_json::Value;
use silkline::{
    engine::{
        ExtractionEvent, ExtractionOutcome, ExtractionOutput, ExtractionSend, Failure, IdleReason,
        WaitReason,
    },
    http::Response,
    service::{
        Answer,
        extraction::{FetchFailure, FetchOutcome, ServiceOutput, Step, Ticket},
    },
};

use super::world::{Connection, Happening, World, covers, queries_of};
use crate::simulation::{
    checks::{Broken, Checked, hold},
    network::{Open, Way},
    random::SECOND,
};

/// More outputs at one moment than any world has reason for.
const OUTPUTS: u32 = 200_000;

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
            let paused = self.engine.stats().paused;
            match self.watch.time(|| self.engine.poll(clock)) {
                ExtractionOutput::Send(send) => self.send(send, paused)?,
                ExtractionOutput::Abort(id) => {
                    let open = self.open.remove(&id.as_u64());
                    let open =
                        open.ok_or_else(|| Broken(format!("abort of {id}, which is not open")))?;
                    self.tell(|| format!("abort {id}"));
                    if let Some(known) = self.connections.get_mut(&open.connection) {
                        known.open = false;
                    }
                    let delay = self.dice.up_to(self.setting.network.delay_us);
                    let hung_up = Happening::HungUp(open.connection);
                    if !self.dice.in_a_million(self.setting.network.after_all) {
                        self.calendar.enter(self.now + delay, hung_up);
                    }
                }
                ExtractionOutput::Event(event) => self.take_event(event)?,
                ExtractionOutput::WaitUntil { at, reason } => {
                    let at = at.as_micros() + self.epoch;
                    if at <= self.now {
                        // There was more to put in order than one call may cost.
                        hold(reason != WaitReason::Answers, || "wait for a past moment".into())?;
                        continue;
                    }
                    let deadline = self.open.values().map(|open| open.deadline).min();
                    hold(deadline.is_none_or(|deadline| at <= deadline), || {
                        format!("wait until {at}, past the first deadline {deadline:?}")
                    })?;
                    self.engine_wakes = Some(at);
                    return Ok(None);
                }
                ExtractionOutput::Idle(reason) => {
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

    fn send(&mut self, send: ExtractionSend, paused: bool) -> Checked {
        let id = send.id.as_u64();
        let queries = queries_of(&send.request);
        self.tell(|| format!("send {id}: {queries:?}"));
        hold(!self.stopped, || format!("request {id} sent after a stop"))?;
        hold(!self.closing, || format!("request {id} sent after closing"))?;
        hold(queries.len() == usize::try_from(send.queries).unwrap_or(0), || {
            format!("request {id} does not carry {} queries", send.queries)
        })?;
        hold(send.queries <= self.setting.batch, || format!("{} in a batch", send.queries))?;
        let mut others = self.connections.values();
        let process = self.process;
        hold(!paused || !others.any(|it| it.open && it.probe && it.process == process), || {
            format!("request {id} is a second probe")
        })?;
        self.rate.take(self.now, send.queries.into())?;
        for (job, host, url) in &queries {
            self.trace.note(self.now);
            self.trace.note(job.unwrap_or_default());
            let parked = self.occupied.iter().find(|((domain, below), until)| {
                **until > self.now && covers(domain, *below, host)
            });
            hold(parked.is_none(), || format!("{url} sent while {parked:?}"))?;
            if let Some(job) = job {
                hold(!self.book.ended.contains(job), || format!("job {job} sent after its end"))?;
                *self.book.attempts.entry(*job).or_default() += 1;
            }
        }
        self.first_send.get_or_insert(self.now);
        self.last_send = self.now;
        self.sends += 1;
        self.attempts += u64::from(send.queries);
        let connection = self.next_connection;
        self.next_connection += 1;
        let deadline = send.deadline.as_micros() + self.epoch;
        self.open.insert(id, Open { connection, deadline });
        self.connections.insert(
            connection,
            Connection {
                id,
                process: self.process,
                request: send.request,
                ticket: None,
                sent_at: self.now,
                queries: send.queries,
                probe: paused,
                open: true,
            },
        );
        let network = &self.setting.network;
        let delay = self.dice.up_to(network.delay_us);
        if self.dice.in_a_million(network.not_sent) {
            self.calendar.enter(self.now + delay, Happening::Failed(connection, Failure::NotSent));
        } else if self.dice.in_a_million(network.lost) {
            let notice = delay + self.dice.up_to(2 * SECOND);
            let failure = if self.dice.one_in(4) { Failure::Timeout } else { Failure::Network };
            self.calendar.enter(self.now + notice, Happening::Failed(connection, failure));
        } else {
            self.calendar.enter(self.now + delay, Happening::Arrived(connection));
        }
        Ok(())
    }

    fn take_event(&mut self, event: ExtractionEvent) -> Checked {
        match event {
            ExtractionEvent::Finished(outcome) => self.finish(&outcome),
            ExtractionEvent::Stopped(error) => {
                self.tell(|| format!("stopped: {error}"));
                hold(!self.stopped, || "stopped twice".into())?;
                // An application that resumed before it heard of the stop ended it.
                self.stopped = !self.resumed;
                self.stops += 1;
                Ok(())
            }
            event => {
                self.tell(|| event.name().into());
                Ok(())
            }
        }
    }

    fn finish(&mut self, outcome: &ExtractionOutcome) -> Checked {
        let key = outcome.key.as_deref().and_then(|key| key.parse().ok());
        let job = key.ok_or_else(|| Broken(format!("an event without its key: {outcome:?}")))?;
        self.tell(|| {
            let code = outcome.error_code();
            format!("job {job} ends: {code:?} after {} attempts", outcome.attempts)
        });
        self.book.end(job)?;
        hold(!self.engine.contains(outcome.job), || format!("job {job} ended and is there"))?;
        if self.setting.distinct && !self.forgetful {
            let sent = self.book.attempts.get(&job).copied().unwrap_or(0);
            hold(outcome.attempts == sent, || {
                format!("job {job} was sent {sent} times, {} by the event", outcome.attempts)
            })?;
        }
        if let Ok(result) = &outcome.outcome {
            self.succeeded += 1;
            self.last_good = self.now;
            let item = result.item().and_then(Result::ok).unwrap_or_default();
            let url = outcome.query.url();
            hold(item["url"] == url, || format!("job {job} for {url} got {item}"))?;
            hold(outcome.cost.billed > 0, || format!("job {job} got an item for nothing"))?;
        }
        Ok(())
    }

    pub(super) fn happen(&mut self, happening: Happening) -> Checked {
        match happening {
            Happening::Arrived(connection) => {
                let Some(known) = self.connections.get(&connection) else { return Ok(()) };
                match self.service.handle_request(&known.request, self.clock_of_service()) {
                    Step::Answer(answer) => self.deliver(connection, answer),
                    Step::Fetch { ticket, queries } => {
                        self.tickets.insert(ticket, connection);
                        if let Some(known) = self.connections.get_mut(&connection) {
                            known.ticket = Some(ticket);
                        }
                        for query in queries {
                            let time = self.dice.between(SECOND / 5, SECOND);
                            let page = self.page(&query.url);
                            let fetched = Happening::Fetched(ticket, query.index, page);
                            self.calendar.enter(self.now + time, fetched);
                        }
                    }
                }
                self.poll_service();
            }
            Happening::Fetched(ticket, index, page) => {
                let now = self.clock_of_service();
                if let Some(answer) = self.service.handle_fetched(ticket, index, &page, now) {
                    self.answer(ticket, answer);
                }
                self.poll_service();
            }
            Happening::ServiceWakes => {
                self.service_wakes = None;
                self.poll_service();
            }
            Happening::HungUp(connection) => {
                let now = self.clock_of_service();
                let ticket = self.connections.get(&connection).and_then(|it| it.ticket);
                if let Some(ticket) = ticket
                    && self.tickets.remove(&ticket).is_some()
                {
                    self.service.handle_closed(ticket, now);
                }
                self.poll_service();
            }
            Happening::Answered(connection, response) => return self.hear(connection, response),
            Happening::Failed(connection, failure) => {
                if failure == Failure::NotSent
                    && let Some(known) = self.connections.get(&connection)
                    && known.open
                    && known.process == self.process
                {
                    self.rate.forget(known.sent_at, known.queries.into());
                    for (job, _, _) in queries_of(&known.request) {
                        if let Some(count) = job.and_then(|job| self.book.attempts.get_mut(&job)) {
                            *count -= 1;
                        }
                    }
                }
                self.tell(|| format!("connection {connection}: {failure:?}"));
                return self.hand_over(connection, |engine, id, now| {
                    engine.handle_failure(id, failure, now).map(drop)
                });
            }
        }
        Ok(())
    }

    fn page(&mut self, url: &str) -> FetchOutcome {
        if self.dice.in_a_million(self.setting.network.no_page) {
            let failures: Vec<FetchFailure> = FetchFailure::all().collect();
            return match self.dice.up_to(2) {
                0 => FetchOutcome::Status(404),
                1 => FetchOutcome::Status(503),
                _ => FetchOutcome::Failed(*self.dice.pick(&failures)),
            };
        }
        let item = serde_json::json!({ "url": url }).to_string();
        FetchOutcome::Page { item, web_page: "{}".into(), html: None }
    }

    fn poll_service(&mut self) {
        loop {
            match self.service.poll(self.clock_of_service()) {
                ServiceOutput::Answer { ticket, answer } => self.answer(ticket, answer),
                ServiceOutput::WaitUntil(at) => return self.wake_service(at),
                ServiceOutput::Idle => return,
            }
        }
    }

    fn answer(&mut self, ticket: Ticket, answer: Answer) {
        if let Some(connection) = self.tickets.remove(&ticket) {
            self.deliver(connection, answer);
        }
    }

    /// An answer goes on its way.
    fn deliver(&mut self, connection: u64, answer: Answer) {
        match self.setting.network.way_back(&answer.delivery, &mut self.dice, self.now) {
            Way::Arrives { at, again } => {
                let heard = Happening::Answered(connection, answer.response);
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
    fn hear(&mut self, connection: u64, response: Response) -> Checked {
        let Some(known) = self.connections.get(&connection) else { return Ok(()) };
        if known.process == self.process && known.open {
            let (id, queries) = (known.id, queries_of(&known.request));
            self.tell(|| format!("answer to {id}: {}", response.status));
            let hosts: Vec<&str> = queries.iter().map(|(_, host, _)| host.as_str()).collect();
            for (name, wide, wait) in occupied_in(&response, &hosts) {
                let until = self.occupied.entry((name, wide)).or_default();
                *until = (*until).max(self.now + wait);
            }
        }
        self.hand_over(connection, |engine, id, now| {
            engine.handle_response(id, response, now).map(drop)
        })
    }
}

/// The domains that an answer calls occupied, and the hosts that asked, each with the wait.
fn occupied_in(response: &Response, asked: &[&str]) -> Vec<(String, bool, u64)> {
    let results: Vec<Value> = serde_json::from_slice(&response.body).unwrap_or_default();
    let mut occupied = Vec::new();
    for result in results.iter().filter(|_| response.status == 200) {
        let text = result["error"].as_str().unwrap_or_default();
        let Some((domain, wait)) = text
            .strip_prefix("Domain ")
            .and_then(|text| text.strip_suffix(" seconds"))
            .and_then(|text| text.split_once(" is occupied, please retry in "))
        else {
            continue;
        };
        let wait = wait.parse::<u64>().unwrap_or(0) * SECOND;
        let url = result["query"]["userQuery"]["url"].as_str().unwrap_or_default();
        let host = url.split('/').nth(2).unwrap_or_default();
        if asked.contains(&host) {
            occupied.push((domain.to_owned(), true, wait));
            occupied.push((host.to_owned(), false, wait));
        }
    }
    occupied
}
