"""Numbers for Scrapy's stats collector, under ``silkline/``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

__all__ = ["Stats"]


class Stats:
    """Writes into the collector of a crawl, below ``silkline/`` and a part's name.

    ``Stats(crawler, "proxy").count("errors", "banned")`` counts ``silkline/proxy/errors`` and
    ``silkline/proxy/errors/banned``.
    """

    def __init__(self, crawler: Crawler, part: str) -> None:
        self._crawler = crawler
        self._part = f"silkline/{part}/"

    def count(self, name: str, kind: str | None = None, by: float = 1) -> None:
        """Counts something, and its kind if there are several."""
        collector: Any = self._crawler.stats
        if collector is not None and by:
            collector.inc_value(f"{self._part}{name}", by)
            if kind is not None:
                collector.inc_value(f"{self._part}{name}/{kind}", by)

    def add(self, name: str, kind: str, by: float) -> None:
        """Adds to one kind, of which there is no total."""
        collector: Any = self._crawler.stats
        if collector is not None and by:
            collector.inc_value(f"{self._part}{name}/{kind}", by)

    def put(self, values: Mapping[str, float]) -> None:
        """Sets the values that somebody else counts; those that are 0 are left out."""
        collector: Any = self._crawler.stats
        for name, value in values.items():
            if collector is not None and value:
                collector.set_value(f"{self._part}{name}", value)
