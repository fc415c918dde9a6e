//! The engine for the Automatic Extraction API.

mod events;
mod output;
mod send;
mod settings;
mod stats;

use pyo3::{prelude::*, types::PyBytes};
use silkline::engine::{ExtractionEngine, ExtractionJob, JobId, RequestId};

pub(crate) use self::{
    events::{PyExtractionFinished, PyExtractionStopped, PyExtractionUnmatched},
    send::PyExtractionSend,
    stats::PyExtractionStats,
};
use self::{output::Output, settings::Settings};
use super::{
    contract::{FailureName, Outputs, ReceiptName},
    machine::Machine,
};
use crate::{
    convert::{Body, Moment, ReceivedHeaders, Text, delay, maybe_delay, moment, seed_or_random},
    errors,
    extraction::{OneQuery, PyExtractionApi, QueryIter},
    schedule::{PyRetryPolicy, RateLike},
};

/// Decides which queries to send when, without sockets and clock.
///
/// Programs submit queries; a driver calls `poll` (or `poll_batch`) after anything it passed in and
/// at the moment that the last call named, sends what it is told to, and passes in what came back.
/// Moments are seconds on any clock that does not go back. The same arguments, seed and calls give
/// the same outputs. Threads may share an engine.
///
/// Every argument that is left out keeps its default. ``rate`` is how many queries a second may be
/// sent on average (what the service of the API object enforces; a number or a `silkline.schedule.Rate`), ``burst``
/// how many at once after a rest (1), ``concurrency`` how many requests may be under way (100),
/// ``queue_size`` how many jobs may be unfinished (a million), ``batch_size`` how many queries a
/// request may carry (1, at most 100), ``deadline`` how many seconds an answer may take (605; 320 of Zyte API),
/// ``policy`` a `silkline.schedule.RetryPolicy`, ``cap`` how many queries may be billed in a cycle,
/// and ``requeue`` whether jobs that were under way when a snapshot was taken are tried again (they
/// may be billed twice) or end as interrupted. Without a ``seed``, waits differ from run to run.
///
/// >>> from silkline import ExtractionApi, ExtractionEngine, Query
/// >>> from silkline.engine import ExtractionFinished, ExtractionSend, Idle, WaitUntil
/// >>> engine = ExtractionEngine(ExtractionApi("KEY"), seed=1)
/// >>> engine.submit(Query("https://example.com/", "article"), 0.0, key="home")
/// 1
/// >>> match engine.poll(0.0):
/// ...     case ExtractionSend(request_id, request):
/// ...         print(request.method, request.url, request.body)
/// POST https://autoextract.scrapinghub.com/v1/extract b'[{"url":"https://example.com/","pageType":"article"}]'
/// >>> engine.poll(0.0)
/// WaitUntil(605.0, 'answers')
/// >>> body = b'''[{"query": {"userQuery": {"url": "https://example.com/", "pageType": "article"}},
/// ...               "article": {"headline": "Example"}}]'''
/// >>> engine.handle_response(request_id, 200, {"Content-Type": "application/json"}, body, 2.5)
/// 'accepted'
/// >>> match engine.poll(2.5):
/// ...     case ExtractionFinished(job, key, result):
/// ...         print(job, key, result.item)
/// 1 home {'headline': 'Example'}
/// >>> engine.poll(2.5)
/// Idle('empty')
#[pyclass(name = "ExtractionEngine", module = "silkline", frozen)]
pub(crate) struct PyExtractionEngine(Machine<ExtractionEngine>);

impl PyExtractionEngine {
    fn take(&self, py: Python<'_>, job: ExtractionJob, now: Moment) -> PyResult<u64> {
        self.0.submit(py, |engine| engine.submit(job, now.0))
    }
}

/// A job with the text that comes back with its event.
fn job(query: OneQuery, priority: i32, key: Option<Text>) -> ExtractionJob {
    let key = key.map(|key| key.value);
    ExtractionJob::new(query.0).with_priority(priority).with_key_option(key)
}

#[pymethods]
impl PyExtractionEngine {
    #[new]
    #[pyo3(signature = (
        api, *, rate = None, burst = None, concurrency = None, queue_size = None,
        batch_size = None, deadline = None, policy = None, cap = None, requeue = None, seed = None,
        now = 0.0
    ))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments, each with a default")]
    fn new(
        py: Python<'_>,
        api: PyRef<'_, PyExtractionApi>,
        rate: Option<RateLike<'_>>,
        burst: Option<u32>,
        concurrency: Option<u32>,
        queue_size: Option<u32>,
        batch_size: Option<u32>,
        deadline: Option<f64>,
        policy: Option<PyRef<'_, PyRetryPolicy>>,
        cap: Option<u64>,
        requeue: Option<bool>,
        seed: Option<u64>,
        now: f64,
    ) -> PyResult<Self> {
        let settings = Settings {
            rate,
            burst,
            concurrency,
            queue_size,
            batch_size,
            deadline,
            policy,
            cap,
            requeue,
        };
        let (config, seed) = (settings.into_core(py)?, seed_or_random(py, seed)?);
        Ok(Self(Machine::new(ExtractionEngine::new(api.0.clone(), config, seed, moment(now)?))))
    }

    /// An engine that goes on where a snapshot was taken, ``downtime`` seconds ago if that is known
    /// (none else). The other arguments are those of a new engine; the generator's state comes from
    /// the snapshot.
    ///
    /// >>> from silkline import ExtractionApi, ExtractionEngine
    /// >>> api = ExtractionApi("KEY")
    /// >>> engine = ExtractionEngine(api)
    /// >>> job = engine.submit({"url": "https://example.com/", "pageType": "article"}, 0.0)
    /// >>> saved = engine.snapshot(1.0)
    /// >>> again = ExtractionEngine.restore(api, saved, 0.0, downtime=60)
    /// >>> again.poll(0.0).request.body == engine.poll(1.0).request.body
    /// True
    #[staticmethod]
    #[pyo3(signature = (
        api, snapshot, now, downtime = None, *, rate = None, burst = None, concurrency = None,
        queue_size = None, batch_size = None, deadline = None, policy = None, cap = None,
        requeue = None
    ))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments, each with a default")]
    fn restore(
        py: Python<'_>,
        api: PyRef<'_, PyExtractionApi>,
        snapshot: Body,
        now: Moment,
        downtime: Option<f64>,
        rate: Option<RateLike<'_>>,
        burst: Option<u32>,
        concurrency: Option<u32>,
        queue_size: Option<u32>,
        batch_size: Option<u32>,
        deadline: Option<f64>,
        policy: Option<PyRef<'_, PyRetryPolicy>>,
        cap: Option<u64>,
        requeue: Option<bool>,
    ) -> PyResult<Self> {
        let settings = Settings {
            rate,
            burst,
            concurrency,
            queue_size,
            batch_size,
            deadline,
            policy,
            cap,
            requeue,
        };
        let (config, downtime) = (settings.into_core(py)?, maybe_delay("downtime", downtime)?);
        let (api, bytes) = (api.0.clone(), snapshot.0.as_bytes(py));
        let engine = py.detach(|| ExtractionEngine::restore(api, config, bytes, now.0, downtime));
        engine
            .map(|engine| Self(Machine::new(engine)))
            .map_err(|error| errors::snapshot(py, &error))
    }

    /// Takes a job in: a query (a `Query`, or a mapping in the service's own spelling), a priority
    /// (higher ones go first, always) and a text that comes back with its event, over snapshots
    /// too. Gives the job's id. Raises `NotSubmitted` if the queue is full or the engine closed.
    #[pyo3(signature = (query, now, *, priority = 0, key = None))]
    fn submit(
        &self,
        py: Python<'_>,
        query: OneQuery,
        now: Moment,
        priority: i32,
        key: Option<Text>,
    ) -> PyResult<u64> {
        self.take(py, job(query, priority, key), now)
    }

    /// Takes a job in for each query of an iterable, as long as there is room, and gives the ids of
    /// the jobs. Nothing is taken from an iterator for which there is no room, so the same one can
    /// be passed again later. A query that is wrong raises; those before it are taken in.
    ///
    /// >>> from silkline import ExtractionApi, ExtractionEngine
    /// >>> engine = ExtractionEngine(ExtractionApi("KEY"), queue_size=2)
    /// >>> pages = ({"url": f"https://example.com/{n}", "pageType": "article"} for n in range(3))
    /// >>> engine.submit_many(pages, 0.0), engine.room
    /// ([1, 2], 0)
    /// >>> next(pages)["url"]
    /// 'https://example.com/2'
    #[pyo3(signature = (queries, now, *, priority = 0))]
    fn submit_many(
        &self,
        py: Python<'_>,
        queries: QueryIter<'_>,
        now: Moment,
        priority: i32,
    ) -> PyResult<Vec<u64>> {
        let (mut queries, mut ids) = (queries.0, Vec::new());
        while self.room(py) > 0 {
            let Some(query) = queries.next() else { return Ok(ids) };
            let query = query?.extract::<OneQuery>()?;
            ids.push(self.take(py, job(query, priority, None), now)?);
        }
        Ok(ids)
    }

    /// How many further jobs are taken in; none of a closed engine.
    #[getter]
    fn room(&self, py: Python<'_>) -> u32 {
        self.0.call(py, |engine| engine.room())
    }

    /// Ends a job as cancelled; false if it has ended. A request whose jobs are all cancelled is
    /// aborted; what it cost still counts.
    fn cancel(&self, py: Python<'_>, job: u64, now: Moment) -> bool {
        self.0.call(py, |engine| engine.cancel(JobId::from_u64(job), now.0))
    }

    /// Whether a job is unfinished.
    fn __contains__(&self, py: Python<'_>, job: u64) -> bool {
        self.0.call(py, |engine| engine.contains(JobId::from_u64(job)))
    }

    /// What to do next. Call until it says `WaitUntil` or `Idle`.
    fn poll(&self, py: Python<'_>, now: Moment) -> PyResult<Output> {
        let (output, body) = self.0.poll(py, |engine| engine.poll(now.0));
        Output::from_core(py, output, body)
    }

    /// What to do next, up to ``most`` things at once: the last one is `WaitUntil` or `Idle`, unless
    /// there are more.
    ///
    /// >>> from silkline import ExtractionApi, ExtractionEngine
    /// >>> engine = ExtractionEngine(ExtractionApi("KEY"), burst=2)
    /// >>> pages = [{"url": f"https://example.com/{n}", "pageType": "article"} for n in range(3)]
    /// >>> ids = engine.submit_many(pages, 0.0)
    /// >>> engine.poll_batch(0.0, 64)
    /// [ExtractionSend(1, <1 queries>, deadline=605.0), ExtractionSend(2, <1 queries>, deadline=605.0), WaitUntil(0.2, 'rate')]
    fn poll_batch(&self, py: Python<'_>, now: Moment, most: usize) -> PyResult<Outputs<Output>> {
        let outputs = self.0.poll_batch(py, |engine| engine.poll_batch(now.0, most));
        Outputs::new(py, outputs.map(|(output, body)| Output::from_core(py, output, body)))
    }

    /// Says that a request left, if the driver knows. Optional. Raises `UnknownRequest`, as all
    /// that follows, for an id that no request has that was handed out and not answered.
    fn handle_sent(&self, py: Python<'_>, request_id: u64, now: Moment) -> PyResult<ReceiptName> {
        let id = RequestId::from_u64(request_id);
        ReceiptName::from_core(py, self.0.call(py, |engine| engine.handle_sent(id, now.0)))
    }

    /// Takes the answer of a request, with its whole body, any content coding undone. ``bytes`` are
    /// kept for the results, which decode them when they are asked for something. Gives
    /// ``"accepted"``, or ``"late"`` if the request had been given up.
    fn handle_response(
        &self,
        py: Python<'_>,
        request_id: u64,
        status: u16,
        headers: ReceivedHeaders,
        body: Body,
        now: Moment,
    ) -> PyResult<ReceiptName> {
        let id = RequestId::from_u64(request_id);
        let handle =
            |engine: &mut ExtractionEngine, response| engine.handle_response(id, response, now.0);
        self.0.handle_response(py, status, headers, body, handle)
    }

    /// Says that a request has no answer: ``"network"`` (the connection broke), ``"not_sent"`` (it
    /// never left, so it costs nothing), or ``"timeout"`` (the driver's own limit passed).
    fn handle_failure(
        &self,
        py: Python<'_>,
        request_id: u64,
        failure: FailureName,
        now: Moment,
    ) -> PyResult<ReceiptName> {
        let (id, failure) = (RequestId::from_u64(request_id), failure.into_core()?);
        let receipt = self.0.call(py, |engine| engine.handle_failure(id, failure, now.0));
        ReceiptName::from_core(py, receipt)
    }

    /// Goes on after a stop, as if the account were well again; also ends a pause.
    fn resume(&self, py: Python<'_>, now: Moment) {
        self.0.call(py, |engine| engine.resume(now.0));
    }

    /// Begins a billing cycle: what was billed counts no longer against the cap.
    fn start_cycle(&self, py: Python<'_>, now: Moment) {
        self.0.call(py, |engine| engine.start_cycle(now.0));
    }

    /// Ends all jobs that are not under way as closed; what is under way may finish until ``grace``
    /// seconds have passed, then it is aborted. Nothing is sent or taken in from here on.
    fn close(&self, py: Python<'_>, now: Moment, grace: f64) -> PyResult<()> {
        let grace = delay("grace", grace)?;
        self.0.detached(py, |engine| engine.close(now.0, grace));
        Ok(())
    }

    /// Everything that a new process needs to go on, without the API's key.
    fn snapshot<'py>(&self, py: Python<'py>, now: Moment) -> Bound<'py, PyBytes> {
        let bytes = self.0.detached(py, |engine| engine.snapshot(now.0));
        PyBytes::new(py, &bytes)
    }

    /// The engine's numbers.
    fn stats(&self, py: Python<'_>) -> PyExtractionStats {
        self.0.call(py, |engine| engine.stats()).into()
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let stats = self.0.call(py, |engine| engine.stats());
        format!(
            "<ExtractionEngine {} queued, {} waiting, {} under way>",
            stats.queued, stats.waiting, stats.queries_in_flight
        )
    }
}
