"""What Scrapy has no public API for: to be asked for the next request at a given moment.

The scheduler answers `None` while nothing may be sent. Scrapy asks again when something comes back,
and every 5 seconds. For all else its loop has to be called, which is private; should its names
change, the 5 seconds remain.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

__all__ = ["Call", "call_later", "wake"]


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
    engine: Any = crawler.engine
    slot = getattr(engine, "_slot", None) or getattr(engine, "slot", None)  # `slot` before 2.13
    schedule = getattr(getattr(slot, "nextcall", None), "schedule", None)
    if schedule is None:
        return False
    schedule()
    return True
