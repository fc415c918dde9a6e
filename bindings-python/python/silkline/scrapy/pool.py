"""The driver of `silkline.ProxyEngine` in a crawl: Scrapy's requests in, their turns out.

It holds no rule: which request goes through which session when is the engine's decision. A request
waits here without taking up any of Scrapy's limits; when its turn comes, it is handed to Scrapy with
a `Lease`, which its answer ends.
"""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from twisted.internet.defer import Deferred, succeed

from silkline import Request as Call
from silkline.exceptions import SilklineError

from .cache import Cache
from .failures import failure_of
from .jobs import Backlog, Job
from .lease import SWALLOWED, TOKEN, Lease
from .loop import EngineLoop
from .routing import CAME_THROUGH, END_SESSION, SESSION_HEADER, Route, asks_for_session, route
from .settings import Options

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.crawler import Crawler
    from scrapy.http import Request, Response

__all__ = ["Pool"]

_logger = logging.getLogger(__name__)

_AHEAD = 1_000
"""How many requests for any session the engine is shown at a time."""
_FIRST = 1 << 20
"""Priority of requests that wait in the middleware: they take up Scrapy's limits there."""
_BODY = 4_096
"""How much of an error's body the engine gets to see."""
_POOLS: WeakKeyDictionary[Crawler, Pool] = WeakKeyDictionary()


class Pool(EngineLoop):
    """The requests of one crawl that go through the proxy."""

    def __init__(self, crawler: Crawler, options: Options) -> None:
        super().__init__(crawler, options)
        self._backlog = Backlog()
        self._errors: WeakKeyDictionary[Request, Job] = WeakKeyDictionary()
        settings = crawler.settings
        self._stock_timeout: float | None = (
            None
            if settings.getpriority("DOWNLOAD_TIMEOUT")
            else settings.getfloat("DOWNLOAD_TIMEOUT")
        )
        self._warned = False
        self._cache = Cache(crawler)
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

    def submit(self, request: Request, way: Route) -> bool:
        """Takes a request in from the scheduler; false if it will need no turn."""
        if not way.is_any:
            self._begin(request, way, request.priority)
        elif self._cache.has_answer(request):
            return False
        else:
            self._backlog.push(request, way)
            self._fill()
        return True

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

    def queue(self, request: Request, way: Route) -> Request | None:
        """Gives a request that the cache had an answer for, and has no more, its place after all.

        What Scrapy is to put into the queue in its stead; ``None`` if it is no such request.
        """
        if not self._cache.had_answer(request):
            return None
        self._backlog.push(_as_it_was(request), way)
        self._soon()
        swallowed = _as_it_was(request)
        swallowed.meta[TOKEN] = SWALLOWED
        return swallowed

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
            way = Route(self._state.new_name(), options=way.options)
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
        return 2 * len(self._state.asked) < self._engine.stats().pool.limit

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
        lease.apply(
            timeout,
            own_slot=not self.options.keep_download_delay,
            keep_own=self.options.dialect is None,
        )
        if not lease.given_up:
            self._engine.handle_sent(lease.send.request_id, now)

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
                if SESSION_HEADER in lease.request.headers:
                    # What the spider reads; the successor does not say it by itself.
                    response.headers.setdefault(SESSION_HEADER, session)
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
        self._doubt(error)
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
            self._doubt(error)
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


def _as_it_was(request: Request) -> Request:
    """A copy without what keeps proxies of the environment away."""
    copy = request.copy()
    if copy.meta.get("proxy", "") is None:
        del copy.meta["proxy"]
    return copy
