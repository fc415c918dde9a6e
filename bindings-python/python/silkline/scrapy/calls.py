"""Requests of the add-on's own: straight to Scrapy's download handlers.

They pass neither scheduler nor middlewares nor slots, and work until the engine has stopped: also
while a spider is closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy.http import Request, Response
from scrapy.utils.defer import deferred_from_coro
from twisted.internet.defer import Deferred

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from silkline import Request as Call

__all__ = ["fetch"]


def fetch(crawler: Crawler, call: Call, timeout: float) -> Deferred[Response]:
    """Sends a request of the core and gives its answer, whatever the status."""
    request = Request(
        call.url,
        method=call.method,
        headers=dict(call.headers),
        body=call.body,
        meta={"download_timeout": timeout, "proxy": None},
        dont_filter=True,
    )
    engine: Any = crawler.engine
    handlers = engine.downloader.handlers
    by_coroutine = getattr(handlers, "download_request_async", None)  # from 2.14 on
    deferred: Deferred[Response] = (
        handlers.download_request(request, crawler.spider)
        if by_coroutine is None
        else deferred_from_coro(by_coroutine(request))
    )
    return deferred
