"""What Scrapy has no public API for, above all: to be asked for a request at a given moment.

The scheduler answers `None` while nothing may be sent. Scrapy asks again when something comes back,
and every 5 seconds. For all else its loop has to be called, which is private; should its names
change, the 5 seconds remain.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from scrapy.http import Request
from scrapy.utils.defer import deferred_from_coro

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

__all__ = ["Call", "call_later", "close_spider", "wake", "watch_ends"]


class Call(Protocol):
    """A call that was asked for."""

    def cancel(self) -> object:
        """Takes it back."""


def call_later(seconds: float, function: Callable[[], object]) -> Call:
    """Calls a function later, by the reactor or, without one, by the event loop."""
    try:
        from scrapy.utils.asyncio import call_later as by_scrapy  # from 2.14 on
    except ImportError:
        from twisted.internet import reactor

        timed: Any = reactor
        call: Call = timed.callLater(seconds, function)
        return call
    return by_scrapy(seconds, function)


def wake(crawler: Crawler) -> bool:
    """Makes Scrapy ask its scheduler soon; false if it will not before its next heartbeat."""
    slot = _slot(crawler)
    schedule = getattr(getattr(slot, "nextcall", None), "schedule", None)
    if schedule is None:
        return False
    schedule()
    return True


def close_spider(crawler: Crawler, reason: str) -> None:
    """Closes the spider of a crawl."""
    engine: Any = crawler.engine
    by_coroutine = getattr(engine, "close_spider_async", None)  # from 2.14 on
    if by_coroutine is None:
        engine.close_spider(crawler.spider, reason)
    else:
        deferred_from_coro(by_coroutine(reason=reason))


def watch_ends(crawler: Crawler, function: Callable[[Request], object]) -> bool:
    """Calls a function when Scrapy is through with a request: its items have passed the pipelines.

    False if Scrapy has no such place any more.
    """
    slot = _slot(crawler)
    if not isinstance(getattr(slot, "inprogress", None), set):
        return False
    slot.inprogress = _Watched(slot.inprogress, function)
    return True


class _Watched(set[Request]):
    """The requests that Scrapy is not through with, which tells of those that leave it."""

    def __init__(self, requests: set[Request], function: Callable[[Request], object]) -> None:
        super().__init__(requests)
        self._function = function

    def remove(self, request: Request) -> None:
        super().remove(request)
        self._function(request)


def _slot(crawler: Crawler) -> Any:
    engine: Any = crawler.engine
    return getattr(engine, "_slot", None) or getattr(engine, "slot", None)  # `slot` before 2.13
