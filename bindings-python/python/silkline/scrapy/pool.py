"""The driver of `silkline.ProxyEngine` in a crawl: Scrapy's requests in, their turns out.

It holds no rule: which request goes through which session when is the engine's decision. A request
waits here without taking up any of Scrapy's limits; when its turn comes, it is handed to Scrapy with
a `Lease`, which its answer ends.
"""

from __future__ import annotations

import logging
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from scrapy.exceptions import IgnoreRequest
from twisted.internet.defer import Deferred, succeed

from silkline import Request as Call
from silkline.engine import (
    Abort,
    Idle,
    ProxyFinished,
    ProxySend,
    ProxySessionLost,
    ProxyStopped,
    WaitUntil,
)
from silkline.exceptions import SilklineError

from .apis import proxy_api
from .calls import fetch
from .engines import proxy_engine
from .failures import failure_of
from .jobs import Backlog, Job
from .lease import SWALLOWED, TOKEN, Lease
from .numbers import Numbers
from .routing import (
    CAME_THROUGH,
    END_SESSION,
    Route,
    asks_for_session,
    route,
)
from .settings import Options
from .state import State
from .wake import Call as TimedCall
from .wake import call_later, close_spider, wake

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.crawler import Crawler
    from scrapy.http import Request, Response
    from twisted.python.failure import Failure

    from silkline import ProxyApi

__all__ = ["Pool"]

_logger = logging.getLogger(__name__)

_AHEAD = 1_000
"""How many requests for any session the engine is shown at a time."""
_FIRST = 1 << 20
"""Priority of requests that wait in the middleware: they take up Scrapy's limits there."""
_BODY = 4_096
"""How much of an error's body the engine gets to see."""
_POOLS: WeakKeyDictionary[Crawler, Pool] = WeakKeyDictionary()


class Pool:
    """The requests of one crawl that go through the proxy."""

    def __init__(self, crawler: Crawler, options: Options) -> None:
        self.options: Options = options
        self.api: ProxyApi = proxy_api(options)
        self._crawler = crawler
        self._state = State(crawler)
        self._concurrency, self._engine = proxy_engine(
            options, crawler.settings, self.api, self._state, monotonic()
        )
        self.numbers: Numbers = Numbers(crawler)
        self._jobs: dict[int, Job] = {}
        self._leases: dict[int, Lease] = {}
        self._ready: deque[Lease] = deque()
        self._lost: deque[tuple[Request, Job]] = deque()
        self._held: set[Job] = set()
        self._backlog = Backlog()
        self._errors: WeakKeyDictionary[Request, Job] = WeakKeyDictionary()
        self._out = 0
        self._ahead = 0
        self._waiting = 0
        self._names_made = 0
        self._asked_names: set[str] = set()
        settings = crawler.settings
        self._stock_timeout: float | None = (
            None
            if settings.getpriority("DOWNLOAD_TIMEOUT")
            else settings.getfloat("DOWNLOAD_TIMEOUT")
        )
        self._timer: TimedCall | None = None
        self._pumping = False
        self._over = False
        self._warned = False
        self._closed: Deferred[None] | None = None
        self.before: Callable[[Request], bool] | None = None
        """What another component does to a request first; false: it is not for the proxy."""

    @classmethod
    def of(cls, crawler: Crawler) -> Pool:
        """The pool of a crawl; made on first use."""
        pool = _POOLS.get(crawler)
        if pool is None:
            pool = _POOLS[crawler] = cls(crawler, Options.read(crawler.settings))
        return pool

    # What comes in.

    def route(self, request: Request) -> Route | None:
        """The way of a request that Scrapy hands over; ``None``: not through the proxy."""
        way = route(request, self._state.names)
        if way is not None and self.before is not None:
            way = route(request, self._state.names) if self.before(request) else None
        if way is not None and not self.options.uses_sessions:
            way = way.bypassing()
        return way

    def submit(self, request: Request, way: Route) -> None:
        """Takes a request in from the scheduler."""
        if way.is_any:
            self._backlog.push(request, way)
            self._fill()
        else:
            self._begin(request, way, request.priority)

    def wait(self, request: Request, way: Route) -> Deferred[Lease]:
        """Takes in a request that waits in the middleware; gives its turn when it comes."""
        waiter: Deferred[Lease] = Deferred()
        job = self._own(request)
        if job is None:
            self._begin(request, way.bypassing(), _FIRST, waiter)
        elif job.lease is not None:
            lease = job.lease
            job.request = None
            lease.mark()
            return succeed(lease)
        else:
            job.waiter = waiter
            self._waiting += 1
        self._soon()
        return waiter

    def take_back(self, request: Request) -> bool:
        """Whether a request is one of its own, on its way back into the queue."""
        if self.lease_of(request) is not None or self._own(request) is not None:
            self._soon()
            return True
        number: object = request.meta.pop(TOKEN, None)
        return number == SWALLOWED

    def _own(self, request: Request) -> Job | None:
        """The job that waits for a request to come back."""
        number = request.meta.get(TOKEN)
        job = self._jobs.get(-number) if isinstance(number, int) else None
        return job if job is not None and job.request is request else None

    def _begin(
        self, request: Request, way: Route, priority: int, waiter: Deferred[Lease] | None = None
    ) -> None:
        request.meta.pop(TOKEN, None)
        request.meta.pop(CAME_THROUGH, None)
        if way.own_session and asks_for_session(request) and self._may_name():
            self._names_made += 1
            name = f"asked for {self._state.run}.{self._names_made}"
            self._asked_names.add(name)
            way = Route(name, options=way.options)
        if way.session is not None:
            request.meta.setdefault("cookiejar", way.session)
        try:
            number = self._engine.submit(
                Call(request.method, request.url),
                monotonic(),
                options=way.options,
                session=way.session,
                replace_session=way.replace,
                stay_in=way.stay_in,
                outside_sessions=way.outside,
                priority=max(-_FIRST, min(_FIRST, priority)),
            )
        except SilklineError as error:
            if waiter is None:
                self._refuse(request, error)
            else:
                waiter.errback(error)
            return
        if way.session is not None:
            self._warn_of_names()
        job = Job(number, way, request, waiter, waiter is not None)
        self._ahead += job.is_any
        self._jobs[number] = job
        if waiter is None:
            self._held.add(job)
        else:
            self._waiting += 1

    def _may_name(self) -> bool:
        """Whether one more spider's own session finds a place; else the service alone keeps it."""
        return 2 * len(self._asked_names) < self._engine.stats().pool.limit

    def _warn_of_names(self) -> None:
        stats = self._engine.stats()
        anonymous = self.options.anonymous_percent
        share = 50 if anonymous is None else 100 - anonymous
        if 100 * stats.names > share * stats.pool.limit and not self._warned:
            self._warned = True
            _logger.warning(
                "There are %d names of sessions, and a pool of %d of which %d percent may have one: "
                "some wait until others end (silkline_end_session)",
                stats.names,
                stats.pool.limit,
                share,
            )

    def _refuse(self, request: Request, error: SilklineError) -> None:
        """A request that cannot be sent goes to its errback with the reason."""
        self._lost.append((request, Job(0, Route(), None, error=error)))

    def _fill(self) -> None:
        while self._backlog and self._ahead < _AHEAD:
            request, way = self._backlog.pop()
            self._begin(request, way, request.priority)

    def is_service(self, proxy: str) -> bool:
        """Whether a request that names a proxy of its own names the service."""
        named, service = urlsplit(proxy).netloc, urlsplit(self.api.endpoint).netloc
        return named.rpartition("@")[2] == service

    # What goes out.

    @property
    def pending(self) -> bool:
        """Whether there are requests that Scrapy does not have."""
        return bool(self._backlog or self._held or self._lost)

    def next_request(self) -> Request | None:
        """A request whose turn has come, with its lease."""
        self.pump()
        if self._lost:
            request, job = self._lost.popleft()
            self._errors[request] = job
            return request
        if not self._ready:
            return None
        lease = self._ready.popleft()
        lease.job.request = None
        self._held.discard(lease.job)
        lease.mark()
        return lease.request

    def error_of(self, request: Request) -> Exception | None:
        """What a request ended with before it could be sent."""
        job = self._errors.pop(request, None)
        return None if job is None else job.error

    def lease_of(self, request: Request) -> Lease | None:
        """The lease that a request carries, if it is its own and not copied with its meta."""
        number = request.meta.get(TOKEN)
        lease = self._leases.get(number) if isinstance(number, int) else None
        return lease if lease is not None and lease.request is request else None

    def send(self, lease: Lease) -> None:
        """A request goes to the downloader."""
        now = monotonic()
        timeout = lease.send.deadline - now
        own = lease.request.meta.get("download_timeout")
        if own is not None and own != self._stock_timeout:
            timeout = min(timeout, own)
        lease.apply(timeout, own_slot=not self.options.keep_download_delay)
        if not lease.given_up:
            self._engine.handle_sent(lease.send.request_id, now)

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
            if self._out >= self._concurrency and not self._waiting:
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
                    self._state.forget(session)
                    self._asked_names.discard(name)
                    _logger.info("Session %r is lost: %s", name, cause)
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

    def _set_timer(self, seconds: float) -> None:
        if not self._over:
            self._timer = call_later(seconds, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self.pump()
        if self._ready:
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
        else:
            lease = Lease(send, job, job.request)
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

        def failed(failure: Failure) -> None:
            exception = failure.value or ConnectionError()
            self._engine.handle_failure(number, failure_of(exception), monotonic())

        deferred = fetch(self._crawler, send.request, max(0.1, send.deadline - monotonic()))
        deferred.addCallbacks(answered, failed)
        deferred.addErrback(lambda failure: _logger.error("%s", failure.getTraceback()))
        deferred.addBoth(lambda _: self._soon())

    # What comes back.

    def answered(self, lease: Lease, response: Response) -> Response | Request:
        """Takes an answer; gives it, or the request that is to go into the queue again."""
        headers = dict(response.headers.items())
        body = response.body[:_BODY] if response.status >= 400 else b""
        answer = self.api.read(response.status, headers, body)
        error, session = answer.error, answer.session or lease.send.session
        name = lease.job.route.session
        if session is not None:
            if name is not None:
                self._state.name(session, name)
            redirects = lease.request.meta.get("redirect_times", 0)
            lease.request.meta[CAME_THROUGH] = [redirects, name, session]
        self.numbers.answer(error, lease.send.session)
        self._engine.handle_response(
            lease.send.request_id,
            response.status,
            headers,
            body,
            monotonic(),
            banned=error is None and self._is_ban(lease.request, response),
        )
        again = self._settle(lease)
        if again is not None:
            return again
        if name is not None and END_SESSION in lease.request.meta and response.status // 100 != 3:
            self._engine.end_session(name, monotonic())
        wrong = lease.job.error
        if wrong is None or lease.given_up or self._is_wanted(lease.request, response.status):
            return response
        raise wrong

    def failed(
        self, lease: Lease, exception: Exception, status: int | None = None
    ) -> Request | None:
        """Takes a failure, or the status that answered a CONNECT.

        Gives the request that is to go into the queue again; ``None`` if the failure stands.
        """
        if status is None:
            self.numbers.failure(exception)
            self._engine.handle_failure(lease.send.request_id, failure_of(exception), monotonic())
        else:
            error = self.api.read_connect(status, {})
            self.numbers.answer(error, lease.send.session)
            self._engine.handle_response(
                lease.send.request_id, status, {}, b"", monotonic(), connect=True
            )
        again = self._settle(lease)
        if again is not None:
            return again
        if status is None or lease.job.error is None:
            return None
        raise lease.job.error from exception

    def give_back(self, lease: Lease) -> None:
        """Something else answered the request: it does not need its turn."""
        if not lease.sent and lease.send.request_id in self._leases:
            self._drop(lease)
            self.numbers.given_back()
            lease.undo()
            now = monotonic()
            if not lease.given_up:
                self._engine.handle_failure(lease.send.request_id, "not_sent", now)
            self._engine.cancel(lease.job.number, now)
            self._soon()

    def _settle(self, lease: Lease) -> Request | None:
        """Ends a lease; gives what Scrapy is to put into the queue, if its job goes on."""
        job = lease.job
        self._drop(lease)
        if not lease.given_up:
            job.lease, job.request = None, lease.request
        self.pump()
        if lease.given_up:
            # Its job may have gone on with another request.
            if not job.bypass and (job.ended is None or job.told):
                again = lease.request.copy()
                again.meta[TOKEN] = SWALLOWED
                return again
        elif job.ended is None:
            again = lease.request.copy()
            job.request = again
            if job.lease is None:
                again.meta[TOKEN] = -job.number
            else:  # its turn has come already
                job.lease.request = again
                again.meta[TOKEN] = job.lease.send.request_id
            if not job.bypass:
                self._held.add(job)
            elif job.lease is not None:
                job.request = None
            return again
        job.told = True
        return None

    def _drop(self, lease: Lease) -> None:
        if self._leases.pop(lease.send.request_id, None) is not None:
            self._out -= not lease.job.bypass

    def _is_wanted(self, request: Request, status: int) -> bool:
        """Whether a spider wants to see answers of that status, whoever they are from."""
        meta, settings = request.meta, self._crawler.settings
        if meta.get("handle_httpstatus_all") or settings.getbool("HTTPERROR_ALLOW_ALL"):
            return True
        wanted = meta.get("handle_httpstatus_list")
        if wanted is None:
            wanted = getattr(self._crawler.spider, "handle_httpstatus_list", None)
        if wanted is None:
            wanted = settings.getlist("HTTPERROR_ALLOWED_CODES")
        return status in {int(one) for one in wanted}

    def _is_ban(self, request: Request, response: Response) -> bool:
        if response.status in self.options.ban_statuses:
            return True
        judge = getattr(self._crawler.spider, "response_is_ban", None)
        if judge is None:
            return False
        try:
            return bool(judge(request, response))
        except Exception:
            _logger.exception("response_is_ban failed on %s", response)
            return False

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

    def _stop(self, message: str, code: str) -> None:
        _logger.error("The proxy refuses the account: %s", message)
        for job in [job for job in self._jobs.values() if job.waiter is not None]:
            self._engine.cancel(job.number, monotonic())
        close_spider(self._crawler, f"silkline_{code}")

    # The end.

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
            _POOLS.pop(self._crawler, None)

        done.addCallback(finish)
        self.pump()
        return done

    def _out_of_time(self, done: Deferred[None]) -> None:
        if not done.called:
            _logger.warning("Sessions are left for the service to expire: there is no more time")
            done.callback(None)
