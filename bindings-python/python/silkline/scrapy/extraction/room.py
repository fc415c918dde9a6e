"""Requests that the engine holds are not counted by Scrapy: others go on while they wait.

A query takes seconds to minutes, and waits for the rate, or for a domain that is occupied. Counted
as downloads, a few of them would fill ``CONCURRENT_REQUESTS`` and stop the crawl. How many queries
are under way is the engine's to decide; for as long as it holds a request, the limits of Scrapy's
downloader, and of the request's slot, are one higher.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from silkline.scrapy.wake import call_later, wake

if TYPE_CHECKING:
    import scrapy
    from scrapy.crawler import Crawler

__all__ = ["Room"]


class Room:
    """Makes room for so many requests at most: further ones do count."""

    def __init__(self, crawler: Crawler, most: int) -> None:
        self._crawler = crawler
        self._most = most
        self._made = 0
        self._told = False

    def make(self, request: scrapy.Request) -> Callable[[], None]:
        """Takes a request out of Scrapy's counts, until the function that it gives is called."""
        engine: Any = self._crawler.engine
        downloader = engine.downloader
        if self._made >= self._most or not hasattr(downloader, "total_concurrency"):
            return _nothing
        slot = downloader.slots.get(request.meta.get("download_slot"))
        self._made += 1
        unlimited = downloader.total_concurrency <= 0
        if not unlimited:
            downloader.total_concurrency += 1
        if slot is not None:
            slot.concurrency += 1
        self._tell()

        def unmake() -> None:
            self._made -= 1
            if not unlimited:
                downloader.total_concurrency -= 1
            if slot is not None:
                slot.concurrency -= 1

        return unmake

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            call_later(0, self._look)

    def _look(self) -> None:
        """Lets Scrapy see that there is room."""
        self._told = False
        engine: Any = self._crawler.engine
        if engine is None or engine.spider is None:
            return
        downloader = engine.downloader
        process = getattr(downloader, "_process_queue", None)
        if process is not None:
            with_spider = "spider" in inspect.signature(process).parameters
            for slot in list(downloader.slots.values()):
                if slot.queue and slot.free_transfer_slots() > 0:
                    process(engine.spider, slot) if with_spider else process(slot)
        wake(self._crawler)


def _nothing() -> None:
    pass
