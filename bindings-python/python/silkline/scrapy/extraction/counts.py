"""What Scrapy's stats collector is told of extraction."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from silkline.scrapy.stats import Stats

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from silkline import ExtractionEngine, ServiceError
    from silkline.engine import ExtractionFinished, ExtractionSend, ExtractionUnmatched

__all__ = ["Counts"]

_log = logging.getLogger("silkline.scrapy")


class Counts:
    """Counts below ``silkline/extraction/``."""

    def __init__(self, crawler: Crawler) -> None:
        self._stats = Stats(crawler, "extraction")
        self._waits: tuple[str, float] | None = None

    def sent(self, sent: ExtractionSend) -> None:
        """A request leaves."""
        self._stats.count("requests")
        self._stats.count("queries", by=sent.queries)

    def finished(self, finished: ExtractionFinished, engine: ExtractionEngine) -> None:
        """A job ended."""
        if finished.ok:
            self._stats.count("items", finished.query.page_type)
        elif finished.error is not None:
            self._stats.count("errors", finished.error.code)
        self.sum(engine)

    def sum(self, engine: ExtractionEngine) -> None:
        """What the engine counts."""
        stats = engine.stats()
        usage = stats.usage
        self._stats.put(
            {
                "billed": usage.billed,
                "unbilled": usage.unbilled,
                "possibly_billed": usage.unknown,
                "retries": stats.retries,
                "throttled": stats.throttled,
                "occupied": stats.occupied,
                "timed_out": stats.timed_out,
                "late": stats.late,
            }
        )

    def unmatched(self, unmatched: ExtractionUnmatched) -> None:
        """A result belongs to no query."""
        error = unmatched.result.error
        code = error.code if error is not None else "no error"
        _log.warning("a result belongs to no query: %s, %s", code, unmatched.result.url)
        self._stats.count("unmatched")

    def refused(self, refusal: ServiceError) -> None:
        """The account is refused."""
        self._stats.count("account_refused", refusal.code)

    def waits(self, reason: str, now: float) -> None:
        """Nothing may be sent, for a reason."""
        self._waits = (reason, now)

    def waited(self, now: float) -> None:
        """The wait is over, or looked at."""
        if self._waits is not None:
            reason, since = self._waits
            self._waits = None
            if reason != "answers":
                self._stats.add("waited", reason, now - since)
