"""The loop around `silkline.ProxyEngine`: what it says is done, when it says so.

Of Scrapy's requests this knows that they have turns; what they are and what comes of them is the
`Pool`'s.
"""

from __future__ import annotations

import logging
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING

from scrapy.exceptions import IgnoreRequest
from twisted.internet.defer import Deferred

from silkline.engine import (
    Abort,
    Idle,
    ProxyFinished,
    ProxyIncomplete,
    ProxySend,
    ProxySessionLost,
    ProxyStopped,
    WaitUntil,
)

from .apis import proxy_api
from .calls import fetch
from .engines import proxy_engine
from .failures import failure_of
from .jobs import Job
from .lease import Lease
from .numbers import Numbers
from .settings import Options
from .state import State
from .wake import Call as TimedCall
from .wake import call_later, close_spider, wake

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Request, Response
    from twisted.python.failure import Failure

    from silkline import ProxyApi
    from silkline.exceptions import ProxyServiceError

__all__ = ["EngineLoop"]

_logger = logging.getLogger(__name__)


class EngineLoop:
    """The engine of a crawl, with the jobs it has, and one timer."""

    def __init__(self, crawler: Crawler, options: Options) -> None:
        self.options: Options = options
        self.api: ProxyApi = proxy_api(options)
        self.numbers: Numbers = Numbers(crawler)
        self._crawler = crawler
        self._state = State(crawler)
        self._concurrency, self._engine = proxy_engine(
            options, crawler.settings, self.api, self._state, monotonic()
        )
        self._jobs: dict[int, Job] = {}
        self._leases: dict[int, Lease] = {}
        self._ready: deque[Lease] = deque()
        """Turns that Scrapy is to take."""
        self._held: set[Job] = set()
        """Jobs whose request Scrapy does not have."""
        self._lost: deque[tuple[Request, Job]] = deque()
        """Those of them that ended, and Scrapy is to be told."""
        self._out = 0
        """Turns of the scheduler's requests that are not over."""
        self._ahead = 0
        """Jobs for any session."""
        self._waiting = 0
        """Jobs that wait in the middleware."""
        self._patience = min(60.0, (options.deadline or 60.0) / 2)
        self._warnings: set[str] = set()
        self._doubted = False
        self._timer: TimedCall | None = None
        self._pumping = False
        self._over = False
        self._closed: Deferred[None] | None = None

    def _fill(self) -> None:
        """Shows the engine further requests, if there is room."""

    def pump(self) -> None:
        """Does what the engine says, until it says to wait."""
        if self._pumping:
            return
        self._pumping = True
        try:
            self._pump()
        finally:
            self._pumping = False
        self._fill()
        self._state.save(self._engine, self._jobs)
        self.numbers.put(self._engine.stats())

    def _pump(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while True:
            now = monotonic()
            self._renew(now)
            if self._out >= self._concurrency and not self._waiting and self._closed is None:
                # There is no use in more of them; those that wait in the middleware go on.
                self._set_timer(1.0)
                return
            output = self._engine.poll(now)
            match output:
                case ProxySend():
                    self._hand_out(output)
                case Abort(request_id):
                    self._give_up(request_id)
                case ProxyFinished():
                    self._end(output)
                case ProxySessionLost(name, session, cause):
                    self._state.forget(session, name)
                    _logger.info("Session %r is lost: %s", name, cause)
                case ProxyIncomplete():
                    pass  # a job of an earlier run, all of which are cancelled
                case ProxyStopped(error):
                    self._stop(str(error), error.code)
                case WaitUntil(at, reason):
                    self.numbers.wait(reason, now)
                    self._set_timer(max(0.0, at - now))
                    return
                case Idle(reason):
                    self.numbers.wait(None, now)
                    if reason == "closed" and self._closed is not None:
                        closed, self._closed = self._closed, None
                        closed.callback(None)
                    return

    def _renew(self, now: float) -> None:
        """Gives back the turns that Scrapy has not taken for long: they would run into deadlines."""
        while self._ready and now - self._ready[0].since > self._patience:
            lease = self._ready.popleft()
            lease.job.lease = None
            self._drop(lease)
            self._engine.handle_failure(lease.send.request_id, "not_sent", now)

    def _set_timer(self, seconds: float) -> None:
        if not self._over:
            self._timer = call_later(seconds, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self.pump()
        if self._ready or self._lost:
            wake(self._crawler)

    def _soon(self) -> None:
        """Looks at the engine soon, but not within whatever goes on."""
        if self._timer is not None:
            self._timer.cancel()
        self._set_timer(0.0)

    def _hand_out(self, send: ProxySend) -> None:
        job = self._jobs.get(send.job) if send.job is not None else None
        if send.kind != "fetch":
            self._call(send)
        elif job is None or job.request is None:
            self._engine.handle_failure(send.request_id, "not_sent", monotonic())
            self._engine.cancel(send.job or 0, monotonic())
            self.numbers.not_sent()
        else:
            for code in set(send.warnings) - self._warnings:
                self._warnings.add(code)
                _logger.warning("Request %s: %s", job.request, code)
            lease = Lease(send, job, job.request, since=monotonic())
            job.lease = self._leases[send.request_id] = lease
            self._out += not job.bypass
            if not job.bypass:
                self._ready.append(lease)
            elif job.waiter is not None:
                waiter, job.waiter, job.request = job.waiter, None, None
                self._waiting -= 1
                lease.mark()
                waiter.callback(lease)

    def _call(self, send: ProxySend) -> None:
        """A call of the sessions API."""
        number = send.request_id

        def answered(response: Response) -> None:
            headers = dict(response.headers.items())
            self._engine.handle_response(
                number, response.status, headers, response.body, monotonic()
            )
            self._doubt(self.api.read(response.status, headers).error)

        def failed(failure: Failure) -> None:
            exception = failure.value or ConnectionError()
            self._engine.handle_failure(number, failure_of(exception), monotonic())

        deferred = fetch(self._crawler, send.request, max(0.1, send.deadline - monotonic()))
        deferred.addCallbacks(answered, failed)
        deferred.addErrback(lambda failure: _logger.error("%s", failure.getTraceback()))
        deferred.addBoth(lambda _: self._soon())

    def _give_up(self, request_id: int) -> None:
        """The engine waits no longer: its request may go out again before Scrapy gives it back."""
        lease = self._leases.get(request_id)
        if lease is None:
            return
        job = lease.job
        lease.given_up = True
        job.lease = None
        if lease in self._ready:
            self._ready.remove(lease)
            self._drop(lease)
        elif job.bypass:
            self._engine.cancel(job.number, monotonic())
        elif job.request is None:
            job.request = lease.request.copy()
            self._held.add(job)

    def _end(self, finished: ProxyFinished) -> None:
        job = self._jobs.pop(finished.job, None)
        if job is None:
            return
        job.ended, job.error = finished, finished.error
        self._ahead -= job.is_any
        queued = job in self._held
        self._held.discard(job)
        if job.waiter is not None:
            waiter, job.waiter = job.waiter, None
            self._waiting -= 1
            waiter.errback(finished.error or IgnoreRequest(finished.request.url))
        elif queued and job.request is not None and self._closed is None:
            self._lost.append((job.request, job))

    def _doubt(self, error: ProxyServiceError | None) -> None:
        """Tells at once of a refused key where the engine does not stop for it yet."""
        if error is None or error.action != "stop_all_after_retries" or self._doubted:
            return
        if not self._engine.stats().stopped:
            self._doubted = True
            _logger.warning(
                "%s: the key may be wrong. It is tried a few times more, since a restart of the "
                "service looks the same",
                error,
            )

    def _stop(self, message: str, code: str) -> None:
        _logger.error("The proxy refuses the account: %s", message)
        for job in [job for job in self._jobs.values() if job.waiter is not None]:
            self._engine.cancel(job.number, monotonic())
        close_spider(self._crawler, f"silkline_{code}")

    def _drop(self, lease: Lease) -> None:
        if self._leases.pop(lease.send.request_id, None) is not None:
            self._out -= not lease.job.bypass
            if not lease.sent:
                self.numbers.not_sent()

    def close(self) -> Deferred[None]:
        """Deletes the sessions that were made, as far as there is time."""
        done: Deferred[None] = Deferred()
        self._closed = done
        self._engine.close(monotonic(), 0.0)
        limit = call_later(self.options.close_timeout, lambda: self._out_of_time(done))

        def finish(_: object) -> None:
            if self._closed is None:
                limit.cancel()
            self._closed, self._over = None, True
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._state.end()
            self.numbers.put(self._engine.stats(), at_once=True)

        done.addCallback(finish)
        self.pump()
        return done

    def _out_of_time(self, done: Deferred[None]) -> None:
        if not done.called:
            _logger.warning("Sessions are left for the service to expire: there is no more time")
            done.callback(None)
