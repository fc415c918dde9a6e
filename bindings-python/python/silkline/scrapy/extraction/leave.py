"""Requests that the end of a crawl overtakes are left for the next run, where there is a ``JOBDIR``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from silkline.scrapy.versions import closing

if TYPE_CHECKING:
    import scrapy
    from scrapy.crawler import Crawler

__all__ = ["leave"]


def leave(crawler: Crawler, request: scrapy.Request) -> None:
    """Leaves a request that was not sent in the queue; its errback hears of the end nevertheless."""
    engine: Any = crawler.engine
    slot = getattr(engine, "_slot", None) or getattr(engine, "slot", None)  # `slot` before 2.13
    scheduler: Any = getattr(slot, "scheduler", None)
    if hasattr(scheduler, "keep"):  # the add-on's, which has it already
        scheduler.keep(request)
    elif scheduler is not None and crawler.settings.get("JOBDIR") and closing(crawler):
        scheduler.enqueue_request(request.replace(dont_filter=True))
