"""The scheduler: requests wait in it until their session may be used, and cost nothing meanwhile.

What goes through the proxy waits in the `Pool`; what does not in Scrapy's own scheduler, of which
the filter of duplicates is used for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy.core.scheduler import BaseScheduler
from scrapy.core.scheduler import Scheduler as StockScheduler

from .journal import Journal
from .pool import Pool

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler
    from scrapy.http import Request
    from twisted.internet.defer import Deferred
    from typing_extensions import Self

__all__ = ["Scheduler"]


class Scheduler(BaseScheduler):
    """Gives requests when the engine says so, and wakes Scrapy for it."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._pool = Pool.of(crawler)
        memory: Any = _WithoutJobdir(crawler)
        self._plain: Any = StockScheduler.from_crawler(memory)
        self._journal = Journal.of(crawler)
        self._spider: Spider | None = None
        self._plain_first = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy."""
        return cls(crawler)

    def open(self, spider: Spider) -> Deferred[None] | None:
        """Called when the spider is opened."""
        self._spider = spider
        opened: Deferred[None] | None = self._plain.open(spider)
        if self._journal is not None:
            for request, fresh in self._journal.open(spider):
                if not request.dont_filter:
                    self._plain.df.request_seen(request)
                if fresh:
                    self._queue(request)
        return opened

    def close(self, reason: str) -> Deferred[None]:
        """Called when the spider is closed; the sessions are deleted."""
        self._plain.close(reason)
        if self._journal is not None:
            self._journal.close()
        return self._pool.close()

    def has_pending_requests(self) -> bool:
        """Whether there are requests that Scrapy does not have."""
        return self._pool.pending or bool(self._plain.has_pending_requests())

    def enqueue_request(self, request: Request) -> bool:
        """Takes a request in; false if it is a duplicate."""
        if self._pool.take_back(request):
            if self._journal is not None:
                self._journal.goes_on(request)
            return True
        if self._journal is not None and self._journal.has_started(request):
            return False
        if not request.dont_filter and self._plain.df.request_seen(request):
            self._plain.df.log(request, self._spider)
            return False
        if self._journal is not None:
            self._journal.queued(request)
        self._queue(request)
        return True

    def keep(self, request: Request) -> None:
        """Leaves a request that Scrapy has for the next run, whatever becomes of it in this one."""
        if self._journal is not None:
            self._journal.goes_on(request)

    def _queue(self, request: Request) -> None:
        stats = self._crawler.stats
        way = self._pool.route(request)
        if way is not None and self._pool.submit(request, way):
            if stats is not None:
                stats.inc_value("scheduler/enqueued")
        elif request.dont_filter:
            self._plain.enqueue_request(request)
        else:  # the filter has seen it
            request.dont_filter = True
            self._plain.enqueue_request(request)
            request.dont_filter = False

    def next_request(self) -> Request | None:
        """A request that may be sent; ``None`` while there is none."""
        self._plain_first = not self._plain_first
        request = self._next_plain() if self._plain_first else self._next_paced()
        if request is None:
            request = self._next_paced() if self._plain_first else self._next_plain()
        if request is not None and self._journal is not None:
            self._journal.started(request)
        return request

    def _next_plain(self) -> Request | None:
        request: Request | None = self._plain.next_request()
        return request

    def _next_paced(self) -> Request | None:
        request = self._pool.next_request()
        if request is not None and self._crawler.stats is not None:
            self._crawler.stats.inc_value("scheduler/dequeued")
        return request


class _WithoutJobdir:
    """A crawler whose scheduler and filter of duplicates keep nothing on disk: the journal does."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self.settings = crawler.settings.copy()
        self.settings.frozen = False
        self.settings.set("JOBDIR", None, "cmdline")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._crawler, name)
