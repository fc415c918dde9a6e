"""Drives an extraction engine by Scrapy's loop, whichever that is."""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, fail

from silkline import ExtractionJobError, ServiceError
from silkline.engine import (
    Abort,
    ExtractionFinished,
    ExtractionSend,
    ExtractionStopped,
    ExtractionUnmatched,
    Idle,
    WaitUntil,
)
from silkline.scrapy.versions import close_spider, closing
from silkline.scrapy.wake import Call, call_later

from .counts import Counts
from .errors import AccountRefused, OutOfBudget
from .transport import Answer, failure_of, send

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from scrapy.crawler import Crawler
    from twisted.python.failure import Failure

    from silkline import ExtractionEngine, Query

    _Output: TypeAlias = (
        ExtractionSend
        | ExtractionFinished
        | Abort
        | ExtractionStopped
        | ExtractionUnmatched
        | WaitUntil
        | Idle
    )

__all__ = ["Driver"]

_log = logging.getLogger("silkline.scrapy")

# So many outputs are dealt with before others get their turn.
_OUTPUTS = 64
# Nothing tells when Scrapy begins to close; it is looked at that often while queries wait.
_GLANCE = 1.0
# Beyond the engine's own deadline, which then is the one that counts.
_DEADLINE = 3_600.0


class Driver:
    """The IO of one engine, for one crawl."""

    def __init__(
        self,
        crawler: Crawler,
        engine: ExtractionEngine,
        counts: Counts,
        deadline: float | None = None,
    ) -> None:
        self._crawler = crawler
        self._engine = engine
        self._counts = counts
        self._grace = _DEADLINE if deadline is None else deadline
        self._timer: Call | None = None
        self._soon = False
        self._jobs: dict[int, Deferred[ExtractionFinished]] = {}
        self._requests: dict[int, Deferred[Any]] = {}
        # What a request of one query is sent with, by its body.
        self._headers: dict[bytes, Mapping[str, str]] = {}
        self._over = False
        # Why queries that were not sent will not be: what to raise for each, once it is known.
        self._end: Callable[[Query], Exception] | None = None

    def submit(
        self, query: Query, priority: int, headers: Mapping[str, str] | None = None
    ) -> Deferred[ExtractionFinished]:
        """Passes a query on, and gives what came of it."""
        if self._end is not None:
            return fail(self._end(query))
        job = self._engine.submit(query, monotonic(), priority=priority)
        waiting: Deferred[ExtractionFinished] = Deferred(lambda _: self._cancel(job))
        self._jobs[job] = waiting
        if headers:
            self._headers[f"[{query.to_json()}]".encode()] = headers
        self._wake()
        return waiting

    def close(self, why: Callable[[Query], Exception]) -> None:
        """Sends nothing more. What was sent is paid for, and may take as long as ever."""
        if self._end is None:
            self._end = why
            self._engine.close(monotonic(), self._grace)
            self._wake()

    def abandon(self) -> None:
        """Ends at once: Scrapy's own end has come."""
        self._over = True
        self._rest()
        for request in list(self._requests.values()):
            request.cancel()

    def _cancel(self, job: int) -> None:
        self._jobs.pop(job, None)
        self._engine.cancel(job, monotonic())
        self._wake()

    # --- the engine ---------------------------------------------------------------------------

    def _wake(self) -> None:
        if not self._soon and not self._over:
            self._rest()
            self._soon = True
            self._timer = call_later(0, self._run)

    def _rest(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _run(self) -> None:
        self._timer = None
        self._soon = False
        now = monotonic()
        self._counts.waited(now)
        if self._end is None and closing(self._crawler):
            # Scrapy waits for what it gave away; queries that were not sent would hold it up.
            self.close(lambda _: ExtractionJobError("the spider is closed", code="job_closed"))
        try:
            outputs = self._engine.poll_batch(now, _OUTPUTS)
            for output in outputs:
                self._do(output, now)
            if not isinstance(outputs[-1], (WaitUntil, Idle)):
                self._wake()
        except Exception as error:  # noqa: BLE001 -- whoever waits for items has to hear of it
            _log.exception("the extraction driver broke down")
            self._fail_all(error)
            close_spider(self._crawler, "silkline_broke_down")

    def _do(self, output: _Output, now: float) -> None:
        match output:
            case ExtractionSend():
                self._send(output, now)
            case ExtractionFinished():
                self._finished(output)
            case Abort():
                request = self._requests.pop(output.request_id, None)
                if request is not None:
                    request.cancel()
            case ExtractionStopped():
                self._refused(output.error)
            case ExtractionUnmatched():
                self._counts.unmatched(output)
            case WaitUntil():
                self._counts.waits(output.reason, now)
                if not self._soon:
                    self._timer = call_later(max(0.0, min(output.at - now, _GLANCE)), self._run)
            case Idle():
                if output.reason == "out_of_budget":
                    self._out_of_budget()

    def _finished(self, finished: ExtractionFinished) -> None:
        if self._headers:
            self._headers.pop(f"[{finished.query.to_json()}]".encode(), None)
        waiting = self._jobs.pop(finished.job, None)
        self._counts.finished(finished, self._engine)
        if waiting is None:
            return
        error = finished.error
        if isinstance(error, ServiceError) and error.retry == "account":
            waiting.errback(AccountRefused.of(error, (finished.query,)))
        elif self._end is not None and error is not None and error.code == "job_closed":
            waiting.errback(self._end(finished.query))
        else:
            waiting.callback(finished)

    def _refused(self, refusal: ServiceError) -> None:
        _log.error("the extraction service refuses the account, the spider is closed: %s", refusal)
        self._counts.refused(refusal)
        close_spider(self._crawler, f"silkline_{refusal.code}")
        self.close(lambda query: AccountRefused.of(refusal, (query,)))

    def _out_of_budget(self) -> None:
        text = "the budget leaves no room for a further query"
        _log.error("%s, the spider is closed", text)
        close_spider(self._crawler, "silkline_out_of_budget")
        self.close(lambda query: OutOfBudget(text, unfinished=(query,)))

    def _fail_all(self, error: Exception) -> None:
        jobs, self._jobs = list(self._jobs.values()), {}
        for waiting in jobs:
            waiting.errback(error)

    # --- requests -----------------------------------------------------------------------------

    def _send(self, sent: ExtractionSend, now: float) -> None:
        self._counts.sent(sent)
        more = self._headers.get(sent.request.body)
        request = send(self._crawler, sent.request, sent.deadline - now, more)
        self._requests[sent.request_id] = request
        request.addCallbacks(self._answered, self._lost, callbackArgs=(sent,), errbackArgs=(sent,))
        request.addErrback(lambda failure: _log.error("a bug", exc_info=failure.value))

    def _answered(self, answer: Answer, sent: ExtractionSend) -> None:
        self._requests.pop(sent.request_id, None)
        now = monotonic()
        self._engine.handle_response(
            sent.request_id, answer.status, answer.headers, answer.body, now
        )
        self._wake()

    def _lost(self, failure: Failure, sent: ExtractionSend) -> None:
        if self._requests.pop(sent.request_id, None) is None or self._over:
            return  # given up by the engine, which knows
        _log.debug("no answer to an extraction request: %r", failure.value)
        self._engine.handle_failure(sent.request_id, failure_of(failure.value), monotonic())
        self._wake()
