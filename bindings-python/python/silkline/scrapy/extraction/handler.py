"""The download handler: extraction requests go to the service, others where they went before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy.utils.httpobj import urlparse_cached
from scrapy.utils.misc import load_object
from twisted.internet.defer import Deferred, DeferredList

from silkline.scrapy.versions import ASYNC_HANDLERS, awaitable, build, deferred, download

from .extraction import Extraction
from .requests import is_extraction

if TYPE_CHECKING:
    import scrapy
    from scrapy.crawler import Crawler
    from scrapy.http import Response

__all__ = ["FALLBACKS", "ExtractionDownloadHandler"]

FALLBACKS = "_SILKLINE_FALLBACK_HANDLERS"
"""Where the add-on notes whose place this one took; Scrapy's own if nothing is there."""


class _Handler:
    """What the handlers of old and new versions of Scrapy have in common."""

    lazy = True

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._extraction = Extraction.of(crawler)
        self._others: dict[str, Any] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Any:
        """Called by Scrapy."""
        return cls(crawler)

    def _download(self, request: scrapy.Request) -> Deferred[Response]:
        if is_extraction(request):
            return self._extraction.response(request)
        return download(self._other(urlparse_cached(request).scheme), request, self._crawler)

    def _other(self, scheme: str) -> Any:
        if scheme not in self._others:
            settings = self._crawler.settings
            path = settings.getdict(FALLBACKS).get(scheme) or settings[
                "DOWNLOAD_HANDLERS_BASE"
            ].get(scheme)
            self._others[scheme] = build(load_object(path), self._crawler)
        return self._others[scheme]

    def _close(self) -> Deferred[Any]:
        closable = [other for other in self._others.values() if hasattr(other, "close")]
        return DeferredList([deferred(other.close) for other in closable], consumeErrors=True)


if ASYNC_HANDLERS:

    class ExtractionDownloadHandler(_Handler):
        """For ``DOWNLOAD_HANDLERS``, under ``http`` and ``https``; the add-on does that."""

        async def download_request(self, request: scrapy.Request) -> Response:
            """Gives the response to a request."""
            response: Response = await awaitable(self._download(request))
            return response

        async def close(self) -> None:
            """Closes the handlers of other requests."""
            await awaitable(self._close())

else:

    class ExtractionDownloadHandler(_Handler):  # type: ignore[no-redef]
        """For ``DOWNLOAD_HANDLERS``, under ``http`` and ``https``; the add-on does that."""

        def download_request(
            self,
            request: scrapy.Request,
            spider: scrapy.Spider,  # noqa: ARG002 -- there is but one
        ) -> Deferred[Response]:
            """Gives the response to a request."""
            return self._download(request)

        def close(self) -> Deferred[Any]:
            """Closes the handlers of other requests."""
            return self._close()
