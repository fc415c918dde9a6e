//! The jobs of a machine: where each is, and which is next.

use alloc::{boxed::Box, collections::BTreeMap};
use core::time::Duration;

use super::{
    Cost, JobId, NotSubmitted, WaitReason,
    clock::age,
    form::{gather, saved_struct},
};
use crate::{
    Rng, Timestamp,
    schedule::{
        DomainQueues, FailureClass, Level, Next, Progress, RetryPolicy, Slab, Timers, Verdict,
    },
};

/// More attempts, or billed ones, than a job can have had.
const MAX_ATTEMPTS: u32 = 1 << 30;

/// Jobs that one call takes out of back-off at most.
const STEPS: u32 = 1024;

/// Where a job is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stage {
    /// In the request at this index.
    Flying(u32),
    /// Held by the machine in a list of its own.
    Held,
    /// In the queues.
    Queued,
    /// Before another try.
    Waiting,
}

/// A job: what all machines need to know of it, and what one kind of them does.
///
/// There may be a million of them, so what only few need is boxed.
#[derive(Clone, Debug)]
pub(crate) struct Job<T> {
    pub(crate) id: JobId,
    pub(crate) stage: Stage,
    pub(crate) domain: u32,
    pub(crate) priority: i32,
    /// What it needs to be sent, as its machine tells queues apart.
    pub(crate) class: u8,
    pub(crate) attempts: u32,
    /// Retries of errors that limit their retries themselves.
    pub(crate) limited: u8,
    pub(crate) cost: Cost,
    pub(crate) submitted: Timestamp,
    pub(crate) first_attempt: Option<Timestamp>,
    pub(crate) progress: Option<Box<Progress>>,
    pub(crate) key: Option<Box<str>>,
    pub(crate) inner: T,
}

impl<T> Job<T> {
    fn level(&self) -> Level {
        Level::new(self.class, self.priority)
    }

    /// Counts a failure: how long to wait, or `None` to give up. An error may itself limit how often
    /// to try again.
    fn fail(
        &mut self,
        (class, asked): (FailureClass, Option<Duration>),
        limit: Option<u32>,
        policy: &RetryPolicy,
        now: Timestamp,
        rng: &mut Rng,
    ) -> Option<Duration> {
        if let Some(limit) = limit {
            if u32::from(self.limited) >= limit {
                return None;
            }
            self.limited = self.limited.saturating_add(1);
        }
        let first = self.first_attempt.unwrap_or(now);
        let progress = self.progress.get_or_insert_with(|| Box::new(Progress::new(first)));
        policy.next(progress, class, asked, now, rng)
    }

    /// Notes a failure that is the whole machine's.
    fn interrupt(&mut self, class: FailureClass, now: Timestamp) {
        if let Some(progress) = &mut self.progress {
            progress.interrupt(class, now);
        }
    }
}

/// The table of unfinished jobs, with their queues.
#[derive(Clone, Debug)]
pub(crate) struct Jobs<T> {
    table: Slab<Job<T>>,
    ids: BTreeMap<u64, u32>,
    pub(crate) queues: DomainQueues,
    waiting: Timers,
    limit: u32,
    next_id: u64,
}

impl<T> Jobs<T> {
    pub(crate) fn new(limit: u32) -> Self {
        Self {
            table: Slab::default(),
            ids: BTreeMap::new(),
            queues: DomainQueues::default(),
            waiting: Timers::default(),
            limit,
            next_id: 1,
        }
    }

    /// Unfinished jobs.
    pub(crate) fn len(&self) -> u32 {
        self.table.len()
    }

    /// Jobs before another try.
    pub(crate) fn waiting(&self) -> u32 {
        u32::try_from(self.waiting.len()).unwrap_or(u32::MAX)
    }

    /// Takes in a job, held until [`queue`](Self::queue) or [`wait`](Self::wait) places it.
    pub(crate) fn insert(
        &mut self,
        domain: &str,
        priority: i32,
        key: Option<Box<str>>,
        inner: T,
        now: Timestamp,
    ) -> Result<u32, NotSubmitted> {
        if self.table.len() >= self.limit {
            return Err(NotSubmitted::QueueFull { limit: self.limit });
        }
        let id = JobId(self.next_id);
        self.next_id += 1;
        Ok(self.put(id, domain, priority, key, inner, now))
    }

    fn put(
        &mut self,
        id: JobId,
        domain: &str,
        priority: i32,
        key: Option<Box<str>>,
        inner: T,
        submitted: Timestamp,
    ) -> u32 {
        let domain = self.queues.retain(domain);
        let index = self.table.insert(Job {
            id,
            stage: Stage::Held,
            domain,
            priority,
            class: 0,
            attempts: 0,
            limited: 0,
            cost: Cost::default(),
            submitted,
            first_attempt: None,
            progress: None,
            key,
            inner,
        });
        self.ids.insert(id.0, index);
        index
    }

    pub(crate) fn find(&self, id: JobId) -> Option<u32> {
        self.ids.get(&id.0).copied()
    }

    pub(crate) fn get(&self, index: u32) -> Option<&Job<T>> {
        self.table.get(index)
    }

    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut Job<T>> {
        self.table.get_mut(index)
    }

    /// The name of a job's domain.
    pub(crate) fn domain(&self, index: u32) -> &str {
        self.table.get(index).map_or("", |job| self.queues.name(job.domain))
    }

    /// Puts a job at the end of its queue, or at the front for one that never left it in earnest.
    pub(crate) fn queue(&mut self, index: u32, front: bool) {
        self.leave(index, Stage::Queued);
        if let Some(job) = self.table.get(index) {
            if front {
                self.queues.push_front(index, job.domain, job.level());
            } else {
                self.queues.push(index, job.domain, job.level());
            }
        }
    }

    /// Lets a job wait before another try. It holds no slot meanwhile.
    pub(crate) fn wait(&mut self, index: u32, until: Timestamp) {
        self.leave(index, Stage::Waiting);
        if self.table.get(index).is_some() {
            self.waiting.set(index, until);
        }
    }

    /// Places a job again that comes back without what it is for; `false` if it is to end.
    pub(crate) fn come_back(
        &mut self,
        index: u32,
        verdict: Verdict,
        limit: Option<u32>,
        policy: &RetryPolicy,
        now: Timestamp,
        rng: &mut Rng,
    ) -> bool {
        let Some(job) = self.table.get_mut(index) else { return false };
        let wait = match verdict {
            Verdict::Pause(class, _) => {
                job.interrupt(class, now);
                self.queue(index, true);
                return true;
            }
            Verdict::Retry(class, asked) => job.fail((class, asked), limit, policy, now, rng),
            Verdict::Final | Verdict::Success => None,
        };
        match wait {
            // Its host is parked for as long: it waits there, and is the first to come back.
            Some(wait) if verdict == Verdict::Retry(FailureClass::Occupied, Some(wait)) => {
                self.queue(index, true);
            }
            Some(wait) => self.wait(index, now + wait),
            None => return false,
        }
        true
    }

    /// Takes a job out of queue and back-off.
    pub(crate) fn leave(&mut self, index: u32, stage: Stage) {
        match self.table.get(index).map(|job| job.stage) {
            Some(Stage::Queued) => {
                self.queues.remove(index);
            }
            Some(Stage::Waiting) => {
                self.waiting.remove(index);
            }
            _ => {}
        }
        if let Some(job) = self.table.get_mut(index) {
            job.stage = stage;
        }
    }

    /// The job of class 0 that is next, left in its queue.
    pub(crate) fn next(&mut self, now: Timestamp) -> Next {
        self.next_of(0, now)
    }

    /// The job of a class that is next, left in its queue.
    pub(crate) fn next_of(&mut self, class: u8, now: Timestamp) -> Next {
        for _ in 0..STEPS {
            let Some(index) = self.waiting.pop_due(now) else { break };
            if let Some(job) = self.table.get_mut(index) {
                job.stage = Stage::Queued;
                self.queues.push(index, job.domain, job.level());
            }
        }
        match self.queues.next_of(class, now) {
            Next::Nothing if self.waiting.first().is_some_and(|(at, _)| at <= now) => {
                Next::Unfinished
            }
            next => next,
        }
    }

    /// Takes the job that [`next`](Self::next) gave into the request at `flight`.
    pub(crate) fn take(&mut self, index: u32, flight: u32, now: Timestamp) {
        self.queues.take(index);
        if let Some(job) = self.table.get_mut(index) {
            job.stage = Stage::Flying(flight);
            job.attempts = job.attempts.saturating_add(1);
            job.first_attempt.get_or_insert(now);
        }
    }

    /// When the first job comes back from waiting or from a parked domain, and which it is.
    pub(crate) fn next_return(&self) -> Option<(Timestamp, WaitReason)> {
        let waiting = self.waiting.first().map(|(at, _)| (at, WaitReason::BackOff));
        let parked = self.queues.next_return().map(|at| (at, WaitReason::DomainOccupied));
        match (waiting, parked) {
            (Some(waiting), Some(parked)) if parked.0 <= waiting.0 => Some(parked),
            (waiting, parked) => waiting.or(parked),
        }
    }

    /// Ends a job: takes it out of everything.
    pub(crate) fn end(&mut self, index: u32) -> Option<Job<T>> {
        self.leave(index, Stage::Held);
        let job = self.table.remove(index)?;
        self.ids.remove(&job.id.0);
        self.queues.release(job.domain);
        Some(job)
    }

    /// The jobs before another try, the next one first; linear.
    pub(crate) fn waiting_jobs(&self) -> impl Iterator<Item = u32> {
        self.waiting.sorted().into_iter().map(|(index, _)| index)
    }

    /// All jobs, by id; linear.
    pub(crate) fn by_id(&self) -> impl Iterator<Item = (u32, &Job<T>)> {
        self.ids.values().filter_map(|&index| self.table.get(index).map(|job| (index, job)))
    }
}

/// What all machines keep of a job in a snapshot. Ages and waits in microseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct SavedJob<S> {
    id: u64,
    domain: Box<str>,
    priority: i32,
    pub(super) class: u8,
    attempts: u32,
    billed: u32,
    possibly_billed: u32,
    age_us: u64,
    wait_us: Option<u64>,
    first_attempt_age_us: Option<u64>,
    streak: Option<(Box<str>, u64)>,
    failures: BTreeMap<Box<str>, u16>,
    key: Option<Box<str>>,
    pub(crate) in_flight: bool,
    pub(crate) inner: S,
}

saved_struct!(SavedJob<S> {
    id, domain, age_us, inner;
    priority, class, attempts, billed, possibly_billed, wait_us, first_attempt_age_us, streak,
    failures, key, in_flight,
});

impl<T> Jobs<T> {
    /// A job as a snapshot keeps it.
    pub(crate) fn save<S>(
        &self,
        index: u32,
        now: Timestamp,
        inner: impl FnOnce(&Job<T>) -> S,
    ) -> Option<SavedJob<S>> {
        let job = self.table.get(index)?;
        let (streak, last) = job.progress.as_ref().map_or((now, None), |known| known.streak());
        let failures = FailureClass::ALL.into_iter().filter_map(|class| {
            let count = job.progress.as_ref()?.failures(class);
            (count > 0).then(|| (class.as_str().into(), u16::try_from(count).unwrap_or(u16::MAX)))
        });
        Some(SavedJob {
            id: job.id.0,
            domain: self.queues.name(job.domain).into(),
            priority: job.priority,
            class: job.class,
            attempts: job.attempts,
            billed: job.cost.billed,
            possibly_billed: job.cost.possibly_billed,
            age_us: age(job.submitted, now),
            wait_us: self.waiting.at(index).map(|at| age(now, at)),
            first_attempt_age_us: job.first_attempt.map(|first| age(first, now)),
            streak: last.map(|class| (class.as_str().into(), age(streak, now))),
            failures: gather(failures),
            key: job.key.clone(),
            in_flight: matches!(job.stage, Stage::Flying(_)),
            inner: inner(job),
        })
    }

    /// Takes a saved job back, `elapsed` after it was saved: waiting for what is left of its wait,
    /// else queued. `None` if its id is there already or was never given, or if it was tried more
    /// often than can be.
    pub(crate) fn take_back<S>(
        &mut self,
        saved: &SavedJob<S>,
        inner: T,
        elapsed: Duration,
        now: Timestamp,
    ) -> Option<u32> {
        let most = saved.attempts.max(saved.billed).max(saved.possibly_billed);
        if self.ids.contains_key(&saved.id) || saved.id >= self.next_id || most > MAX_ATTEMPTS {
            return None;
        }
        let moment = |age: u64| now - Duration::from_micros(age) - elapsed;
        let (id, key) = (JobId(saved.id), saved.key.clone());
        let submitted = moment(saved.age_us);
        let index = self.put(id, &saved.domain, saved.priority, key, inner, submitted);
        let job = self.table.get_mut(index)?;
        job.class = saved.class;
        job.attempts = saved.attempts;
        job.cost = Cost { billed: saved.billed, possibly_billed: saved.possibly_billed };
        job.first_attempt = saved.first_attempt_age_us.map(moment);
        if !saved.failures.is_empty() || saved.streak.is_some() {
            let streak = saved
                .streak
                .as_ref()
                .map_or((now, None), |(class, age)| (moment(*age), FailureClass::from_name(class)));
            let failures = saved.failures.iter();
            let failures = failures
                .filter_map(|(class, count)| Some((FailureClass::from_name(class)?, *count)));
            let first = job.first_attempt.unwrap_or(now);
            job.progress = Some(Box::new(Progress::restored(first, streak, failures)));
        }
        let wait = Duration::from_micros(saved.wait_us.unwrap_or_default());
        match wait.saturating_sub(elapsed) {
            Duration::ZERO => self.queue(index, false),
            wait => self.wait(index, now + wait),
        }
        Some(index)
    }

    /// The counter of ids, so that none is used twice over a restart.
    pub(crate) fn next_id(&self) -> u64 {
        self.next_id
    }

    pub(crate) fn set_next_id(&mut self, next: u64) {
        self.next_id = self.next_id.max(next);
    }
}
