"""Sends the engine's requests by Scrapy's own download handlers, past middlewares and slots."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import scrapy
from scrapy import exceptions
from twisted.internet import error as net
from twisted.internet.defer import Deferred

from silkline.scrapy.versions import download

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from silkline import Request

__all__ = ["Answer", "failure_of", "send"]

# The engine gives a request up at its deadline; Scrapy's own limit is only to be beyond it.
_BEYOND = 30.0


def _named(*names: str) -> tuple[type[BaseException], ...]:
    """Those of the exceptions that this Scrapy has; from 2.15 on it has its own."""
    found: list[Any] = [getattr(exceptions, name, None) for name in names]
    return tuple(kind for kind in found if kind is not None)


_NOT_SENT: tuple[type[BaseException], ...] = (
    net.ConnectError,
    net.DNSLookupError,
    *_named("CannotResolveHostError", "DownloadConnectionRefusedError"),
)
_TIMEOUT: tuple[type[BaseException], ...] = (net.TimeoutError, *_named("DownloadTimeoutError"))


class Answer(NamedTuple):
    """What came back, any content coding undone."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def send(
    crawler: Crawler, request: Request, seconds: float, more: Mapping[str, str] | None = None
) -> Deferred[Answer]:
    """Sends a request that has so many seconds; cancelling the deferred gives it up."""
    engine: Any = crawler.engine
    post = scrapy.Request(
        request.url,
        method=request.method,
        headers={**dict(request.headers), **(more or {})},
        body=request.body,
        meta={"download_timeout": seconds + _BEYOND, "download_fail_on_dataloss": True},
        dont_filter=True,
    )
    return download(engine.downloader.handlers, post, crawler).addCallback(_answer)


def _answer(response: Response) -> Answer:
    headers = [(name, value) for name in response.headers for value in _values(response, name)]
    body = response.body
    if body.startswith(b"\x1f\x8b") and response.headers.get("Content-Encoding") == b"gzip":
        try:
            body = gzip.decompress(body)
        except (OSError, EOFError) as error:
            raise ConnectionError(f"the answer is cut off: {error}") from error
    return Answer(response.status, headers, body)


def _values(response: Response, name: Any) -> list[bytes]:
    return list(response.headers.getlist(name))


def failure_of(error: BaseException | None) -> Literal["network", "not_sent", "timeout"]:
    """What an exception of a download handler is to the engine."""
    if isinstance(error, _NOT_SENT):
        return "not_sent"
    return "timeout" if isinstance(error, _TIMEOUT) else "network"
