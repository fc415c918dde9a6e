"""Downloading pages."""

from __future__ import annotations

import asyncio
import errno
import logging
from dataclasses import dataclass

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError
from yarl import URL

from silkline import __version__

from .hosts import AllowedHosts, GuardedResolver, HostRefused

_log = logging.getLogger(__name__)

_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.5",
    "User-Agent": f"Mozilla/5.0 (compatible; silkline-sandbox/{__version__})",
}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Download:
    """A page as it came."""

    url: str
    """Where it was found, after all redirects."""
    content_type: str
    """What it was said to be; empty if nothing was said."""
    body: bytes
    """The page, with any content coding undone."""


@dataclass(frozen=True)
class Page:
    """A target's answer, whatever its status."""

    url: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    """With any content coding undone."""


@dataclass(frozen=True)
class FetchLimits:
    """How much a page may cost."""

    connect_timeout: float = 30.0
    fetch_timeout: float | None = None
    max_page_bytes: int = 16 * 1024 * 1024
    max_redirects: int = 10
    concurrency: int = 100


class _Failed(Exception):
    """There is no page, and why in the service's own word."""

    def __init__(self, failure: str) -> None:
        super().__init__(failure)
        self.failure = failure


class Fetcher:
    """Downloads pages from the hosts that are allowed, over HTTP and nothing else.

    Every hop is checked before it is asked, redirects included: the scheme, the host, and every
    address that its name has. Proxies from the environment are not used, nor credentials of any
    kind, and no cookie outlives the page it was set for.
    """

    def __init__(self, allowed: AllowedHosts, limits: FetchLimits) -> None:
        self._allowed = allowed
        self._limits = limits
        self._connector = aiohttp.TCPConnector(
            resolver=GuardedResolver(allowed), use_dns_cache=False, limit=limits.concurrency
        )
        # Without a limit of its own a page has the time that its query has.
        self._fetch_timeout = limits.fetch_timeout
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=limits.connect_timeout)

    async def close(self) -> None:
        """Closes all connections."""
        await self._connector.close()

    async def fetch(self, url: str) -> Download | int | str:
        """The page, the status that came instead of it, or the failure's name."""
        try:
            return await asyncio.wait_for(self._fetch(URL(url, encoded=True)), self._fetch_timeout)
        except _Failed as error:
            return error.failure
        except (aiohttp.ClientError, OSError, ValueError, asyncio.TimeoutError) as error:
            _log.info("%s: %s: %s", url, type(error).__name__, error)
            return _failure(error)

    async def page(
        self, url: str, method: str, headers: list[tuple[str, str]], body: bytes, *, follow: bool
    ) -> Page | str:
        """What a target answers to any request, or the failure's name."""
        try:
            fetching = self._page(URL(url, encoded=True), method, headers, body, follow=follow)
            return await asyncio.wait_for(fetching, self._fetch_timeout)
        except _Failed as error:
            return error.failure
        except (aiohttp.ClientError, OSError, ValueError, asyncio.TimeoutError) as error:
            _log.info("%s: %s: %s", url, type(error).__name__, error)
            return _failure(error)

    async def _page(
        self, url: URL, method: str, headers: list[tuple[str, str]], body: bytes, *, follow: bool
    ) -> Page:
        async with self._session() as session:
            for _ in range(self._limits.max_redirects + 1):
                self._check(url)
                async with session.request(
                    method,
                    url.with_user(None),
                    headers=headers,
                    data=body or None,
                    allow_redirects=False,
                ) as response:
                    location = response.headers.get("Location")
                    if follow and response.status in _REDIRECTS and location is not None:
                        url = _target(response.url, location)
                        if response.status < 307 and method != "HEAD":
                            method, body = "GET", b""
                        continue
                    return Page(
                        url=str(response.url),
                        status=response.status,
                        headers=[
                            (name.decode("latin-1"), value.decode("latin-1"))
                            for name, value in response.raw_headers
                        ],
                        body=await self._read(response),
                    )
        raise _Failed("redirects")

    async def _fetch(self, url: URL) -> Download | int:
        async with self._session() as session:
            return await self._follow(session, url)

    def _session(self) -> aiohttp.ClientSession:
        # One of its own for each page: what one page sets is nothing to another.
        return aiohttp.ClientSession(
            connector=self._connector,
            connector_owner=False,
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            headers=_HEADERS,
            timeout=self._timeout,
            trust_env=False,
        )

    async def _follow(self, session: aiohttp.ClientSession, url: URL) -> Download | int:
        for _ in range(self._limits.max_redirects + 1):
            self._check(url)
            url = url.with_user(None)
            async with session.get(url, allow_redirects=False) as response:
                location = response.headers.get("Location")
                if response.status in _REDIRECTS and location is not None:
                    # An error in the Location is not one in the URL that was asked for.
                    url = _target(response.url, location)
                    continue
                if not 200 <= response.status < 300:
                    return response.status
                return Download(
                    url=str(response.url),
                    content_type=response.headers.get("Content-Type", ""),
                    body=await self._read(response),
                )
        raise _Failed("redirects")

    def _check(self, url: URL) -> None:
        if url.scheme not in {"http", "https"} or not url.raw_host:
            raise _Failed("forbidden")
        if not self._allowed.allows_host(url.raw_host):
            _log.info("%s: not an allowed host", url.raw_host)
            raise _Failed("forbidden")

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > self._limits.max_page_bytes:
                raise _Failed("unusable")
        return bytes(body)


def _target(base: URL, location: str) -> URL:
    try:
        return base.join(URL(location.strip()))
    except ValueError:
        raise _Failed("redirects") from None


def _failure(error: Exception) -> str:
    """The service's word for what an HTTP client raised."""
    reason = getattr(error, "os_error", None)
    if isinstance(error, HostRefused) or isinstance(reason, HostRefused):
        return "forbidden"
    for kinds, failure in _FAILURES:
        if isinstance(error, kinds):
            return failure
    if isinstance(error, aiohttp.ClientPayloadError):
        coding = isinstance(error.__cause__, ContentEncodingError)
        return "unusable" if coding else "short_answer"
    if isinstance(error, aiohttp.ClientConnectorError):
        unreachable = {errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH}
        return "connect_timeout" if error.os_error.errno in unreachable else "refused"
    return "unusable"


_FAILURES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (aiohttp.ConnectionTimeoutError, "connect_timeout"),
    (asyncio.TimeoutError, "timeout"),
    (aiohttp.ClientConnectorDNSError, "name_not_found"),
    ((aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch), "tls"),
    (aiohttp.ServerDisconnectedError, "short_answer"),
    (ConnectionResetError, "connection_reset"),
)
