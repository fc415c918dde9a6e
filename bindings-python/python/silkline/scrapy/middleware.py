"""The two ends of the chain of downloader middlewares.

`FrontMiddleware` stands next to Scrapy's engine and sees what comes of each request, also of those
that something between answers; `ProxyMiddleware` stands next to the downloader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy.utils.defer import maybe_deferred_to_future

from silkline import proxy_leaks

from .failures import tunnel_status
from .pool import Pool

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from scrapy import Spider
    from scrapy.crawler import Crawler
    from scrapy.http import Request, Response
    from typing_extensions import Self

    from .routing import Route

__all__ = ["FrontMiddleware", "ProxyMiddleware"]

_DONT_RETRY = "dont_retry"
_DONT_RETRY_OURS = "_silkline_dont_retry"


class _Middleware:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy."""
        return cls(Pool.of(crawler))


class FrontMiddleware(_Middleware):
    """Keeps proxies of the environment away, and gives turns back that were not needed."""

    def process_request(self, request: Request, spider: Spider | None = None) -> None:  # noqa: ARG002
        """Sees a request first."""
        error = self._pool.error_of(request)
        if error is not None:
            raise error
        if self._pool.lease_of(request) is None and self._pool.route(request) is not None:
            request.meta["proxy"] = None

    def process_response(
        self,
        request: Request,
        response: Response,
        spider: Spider | None = None,  # noqa: ARG002
    ) -> Response:
        """Sees an answer last, from wherever it is."""
        self._give_back(request)
        return response

    def process_exception(
        self,
        request: Request,
        exception: Exception,  # noqa: ARG002
        spider: Spider | None = None,  # noqa: ARG002
    ) -> None:
        """Sees a failure last."""
        self._give_back(request)

    def _give_back(self, request: Request) -> None:
        lease = self._pool.lease_of(request)
        if lease is not None:
            self._pool.give_back(lease)
        elif request.meta.get("proxy", "") is None:
            del request.meta["proxy"]
        if request.meta.pop(_DONT_RETRY_OURS, None):
            request.meta.pop(_DONT_RETRY, None)


class ProxyMiddleware(_Middleware):
    """Sends requests through the proxy when it is their turn, and keeps its headers from others."""

    def process_request(
        self,
        request: Request,
        spider: Spider | None = None,  # noqa: ARG002
    ) -> Coroutine[Any, Any, None] | Request | None:
        """Sees a request last."""
        lease = self._pool.lease_of(request)
        if lease is not None:
            self._pool.send(lease)
            return None
        route = self._pool.route(request)
        if route is not None:
            return self._pool.queue(request, route) or self._wait(request, route)
        self._strip(request)
        return None

    def process_response(
        self,
        request: Request,
        response: Response,
        spider: Spider | None = None,  # noqa: ARG002
    ) -> Response | Request:
        """Sees an answer first."""
        lease = self._pool.lease_of(request)
        if lease is None or not lease.sent:
            return response
        lease.undo()
        return self._pool.answered(lease, response)

    def process_exception(
        self,
        request: Request,
        exception: Exception,
        spider: Spider | None = None,  # noqa: ARG002
    ) -> Request | None:
        """Sees a failure first."""
        lease = self._pool.lease_of(request)
        if lease is None or not lease.sent:
            return None
        lease.undo()
        again = self._pool.failed(lease, exception, tunnel_status(exception))
        if again is None and _DONT_RETRY not in request.meta:
            # The engine has tried often enough.
            request.meta.update({_DONT_RETRY: True, _DONT_RETRY_OURS: True})
        return again

    async def _wait(self, request: Request, route: Route) -> None:
        """Lets a request wait that has come past the scheduler."""
        lease = await maybe_deferred_to_future(self._pool.wait(request, route))
        self._pool.send(lease)

    def _strip(self, request: Request) -> None:
        """Takes off what only the service may see."""
        proxy = request.meta.get("proxy")
        if proxy and self._pool.is_service(proxy):
            return
        for name, _ in proxy_leaks(dict(request.headers.items())):
            if not (proxy and name.lower() == "proxy-authorization"):
                request.headers.pop(name, None)
