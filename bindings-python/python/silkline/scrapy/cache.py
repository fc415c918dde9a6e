"""What Scrapy's HTTP cache will answer: that needs no session, and does not wait for one."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakSet

from scrapy import signals
from scrapy.downloadermiddlewares.httpcache import HttpCacheMiddleware

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler
    from scrapy.http import Request

__all__ = ["Cache"]


class Cache:
    """Looks requests up in the cache of a crawl, if it has one, once that is open."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._caches: list[HttpCacheMiddleware] = []
        self._spider: Spider | None = None
        self._answered: WeakSet[Request] = WeakSet()
        if crawler.settings.getbool("HTTPCACHE_ENABLED"):
            crawler.signals.connect(self._opened, signal=signals.spider_opened)

    def _opened(self, spider: Spider) -> None:
        engine = self._crawler.engine
        middlewares = () if engine is None else engine.downloader.middleware.middlewares
        self._caches = [one for one in middlewares if isinstance(one, HttpCacheMiddleware)]
        self._spider = spider

    def has_answer(self, request: Request) -> bool:
        """Whether the cache will answer a request; it is remembered if so."""
        if any(self._has(cache, request) for cache in self._caches):
            self._answered.add(request)
            return True
        return False

    def had_answer(self, request: Request) -> bool:
        """Whether it seemed so."""
        return request in self._answered

    def _has(self, cache: HttpCacheMiddleware, request: Request) -> bool:
        if self._spider is None or request.meta.get("dont_cache", False):
            return False
        copy = request.copy()  # for policies leave their marks
        try:
            if not cache.policy.should_cache_request(copy):
                return False
            found = cache.storage.retrieve_response(self._spider, copy)
            if found is None:
                return bool(cache.ignore_missing)
            return bool(cache.policy.is_cached_response_fresh(found, copy))
        except Exception:  # noqa: BLE001 -- the cache itself will tell of it
            return False
