"""What the stats collector is told of the proxied requests of a crawl."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from .failures import failure_of
from .stats import Stats

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from silkline.engine import ProxyStats
    from silkline.exceptions import ProxyServiceError

__all__ = ["Numbers"]

_PERIOD = 1.0
_BANS = {"banned", "slavebanned"}


class Numbers:
    """Counts what the engine does not, and passes on what it does."""

    def __init__(self, crawler: Crawler) -> None:
        self._stats = Stats(crawler, "proxy")
        self._put = 0.0
        self._reason: str | None = None
        self._since = 0.0
        self._banned: set[str] = set()
        self._unsent = 0

    def answer(self, error: ProxyServiceError | None, session: str | None) -> None:
        """An answer, with the service's error if it is one."""
        if error is None:
            return
        self._stats.count("errors", error.code)
        if error.code in _BANS and session is not None:
            self._banned.add(session)

    def failure(self, exception: BaseException) -> None:
        """No answer."""
        self._stats.count("errors", failure_of(exception))

    def not_sent(self) -> None:
        """A turn that ended before its request was sent."""
        self._unsent += 1

    def given_back(self) -> None:
        """A turn that was not needed."""
        self._stats.count("given_back")

    def wait(self, reason: str | None, now: float) -> None:
        """Nothing may be sent from here on, for that reason; or nothing is to be sent."""
        if self._reason is not None:
            self._stats.add("waited", self._reason, now - self._since)
        self._reason, self._since = reason, now

    def put(self, stats: ProxyStats, *, at_once: bool = False) -> None:
        """Passes the engine's numbers on, once in a while."""
        now = monotonic()
        if now - self._put < _PERIOD and not at_once:
            return
        self._put = now
        self._stats.put(
            {
                "requests": stats.requests - self._unsent,
                "retries": stats.retries,
                "succeeded": stats.succeeded,
                "failed": stats.failed,
                "bans": stats.bans,
                "billed": stats.billed,
                "unbilled": stats.unbilled,
                "possibly_billed": stats.possibly_billed,
                "throttled": stats.throttled,
                "slowed": stats.slowed,
                "timed_out": stats.timed_out,
                "late": stats.late,
                "sessions/created": stats.sessions_created,
                "sessions/adopted": stats.sessions_adopted,
                "sessions/expired": stats.sessions_expired,
                "sessions/gone": stats.sessions_gone,
                "sessions/banned": len(self._banned),
                "sessions/retired": stats.sessions_retired,
                "sessions/deleted": stats.sessions_deleted,
            }
        )
