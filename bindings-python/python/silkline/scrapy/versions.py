"""What differs between the versions of Scrapy that are supported, 2.11 to 2.19."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from scrapy.core.downloader.handlers import DownloadHandlers
from twisted.internet.defer import Deferred, maybeDeferred

if TYPE_CHECKING:
    import scrapy
    from scrapy.crawler import Crawler

__all__ = [
    "ASYNC_HANDLERS",
    "awaitable",
    "build",
    "close_spider",
    "closing",
    "deferred",
    "download",
    "downloader_of",
]

ASYNC_HANDLERS = hasattr(DownloadHandlers, "download_request_async")
"""Whether download handlers are coroutine functions, without a spider: from 2.14 on."""


def build(cls: Any, crawler: Crawler) -> Any:
    """An object of a component's class."""
    try:
        from scrapy.utils.misc import build_from_crawler  # from 2.12 on
    except ImportError:
        from scrapy.utils import misc

        old: Any = misc
        return old.create_instance(cls, crawler.settings, crawler)
    return build_from_crawler(cls, crawler)


def deferred(call: Callable[..., Any], *args: Any) -> Deferred[Any]:
    """What a function gives, be it a coroutine, a deferred, or a value, as a deferred."""
    from scrapy.utils.defer import deferred_from_coro

    def made() -> Any:
        result = call(*args)
        if inspect.isawaitable(result) and not isinstance(result, Deferred):
            return deferred_from_coro(result)
        return result

    return maybeDeferred(made)


def awaitable(waited: Deferred[Any]) -> Awaitable[Any]:
    """A deferred, for coroutines of Scrapy's."""
    from scrapy.utils.defer import maybe_deferred_to_future

    return maybe_deferred_to_future(waited)


def download(handler: Any, request: scrapy.Request, crawler: Crawler) -> Deferred[Any]:
    """What a download handler, or all of them together, make of a request."""
    if isinstance(handler, DownloadHandlers) and ASYNC_HANDLERS:
        return deferred(handler.download_request_async, request)
    if "spider" in inspect.signature(handler.download_request).parameters:
        return deferred(handler.download_request, request, crawler.spider)
    return deferred(handler.download_request, request)


def close_spider(crawler: Crawler, reason: str, spider: scrapy.Spider | None = None) -> None:
    """Ends the crawl; requests that are under way may finish."""
    engine: Any = crawler.engine
    if hasattr(engine, "close_spider_async"):
        closed = deferred(lambda: engine.close_spider_async(reason=reason))
    else:
        closed = deferred(engine.close_spider, spider or crawler.spider, reason)
    closed.addErrback(lambda _: None)  # it is closed already


def closing(crawler: Crawler) -> bool:
    """Whether the crawl is about to end and waits for the requests that are under way."""
    engine: Any = crawler.engine
    slot = getattr(engine, "_slot", None) or getattr(engine, "slot", None)  # `slot` before 2.13
    return bool(getattr(slot, "closing", None))


def downloader_of(crawler: Crawler) -> Any:
    """The downloader; nothing before the crawl has begun."""
    try:
        return getattr(crawler.engine, "downloader", None)
    except RuntimeError:  # from 2.19 on, before there is an engine
        return None
