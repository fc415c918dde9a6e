"""How requests travel: aiohttp or httpx.

A transport sends one request and gives its whole answer. It sets no time limit, follows no redirect
and tries nothing again: when a request is given up, its task is cancelled.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import aiohttp
    import httpx

    from silkline import Request

__all__ = ["AiohttpTransport", "Answer", "HttpxTransport", "NotSent", "Transport", "named"]


class Answer(NamedTuple):
    """An answer with its whole body, any content coding undone."""

    status: int
    headers: Iterable[tuple[bytes, bytes]]
    body: bytes


class NotSent(Exception):
    """There was no connection, so the request never left. Costs nothing."""


class Transport(Protocol):
    """What an `Extractor` sends with.

    `OSError` (as `ConnectionError`) means that a request got no answer, `NotSent` that it never left.
    """

    async def start(self) -> None:
        """Gets ready, on the event loop that it will be used on."""

    async def send(self, request: Request) -> Answer:
        """Sends a request and gives its answer."""
        ...

    async def close(self) -> None:
        """Closes all connections."""


class AiohttpTransport:
    """Sends with aiohttp: with a session of yours, which stays open, or with one of its own.

    The session's time limits are not used: an answer may take longer than aiohttp's 300 seconds.
    The connection limit of a session of yours (100 if you left it out) does hold, and a request
    that waits for a connection is under way already.
    """

    def __init__(self, session: aiohttp.ClientSession | None = None) -> None:
        self._session = session
        self._own: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Opens the session."""
        import aiohttp

        self._timeout = aiohttp.ClientTimeout(
            total=None, connect=None, sock_connect=None, sock_read=None
        )
        if self._session is None:
            self._session = self._own = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=True,
            )

    async def send(self, request: Request) -> Answer:
        """Sends a request and gives its answer."""
        import aiohttp

        if self._session is None:
            raise RuntimeError("the transport was not started")
        try:
            async with self._session.request(
                request.method,
                request.url,
                headers=list(request.headers),
                data=request.body,
                timeout=self._timeout,
                allow_redirects=False,
                raise_for_status=False,
            ) as response:
                body = await response.read()
                return Answer(response.status, response.raw_headers, body)
        except aiohttp.ClientConnectorError as error:
            raise NotSent(str(error)) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ConnectionError(str(error)) from error

    async def close(self) -> None:
        """Closes the session, unless it is yours."""
        if self._own is not None:
            await self._own.close()
            self._session = self._own = None


class HttpxTransport:
    """Sends with httpx: with a client of yours, which stays open, or with one of its own.

    The client's time limits are not used; the connection limit of a client of yours (100 if you
    left it out) does hold, and a request that waits for a connection is under way already.
    """

    def __init__(self, client: httpx.AsyncClient | None = None) -> None:
        self._client = client
        self._own: httpx.AsyncClient | None = None

    async def start(self) -> None:
        """Opens the client."""
        import httpx

        if self._client is None:
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
            self._client = self._own = httpx.AsyncClient(limits=limits, timeout=None)  # noqa: S113 -- the engine's deadline

    async def send(self, request: Request) -> Answer:
        """Sends a request and gives its answer."""
        import httpx

        if self._client is None:
            raise RuntimeError("the transport was not started")
        try:
            response = await self._client.request(
                request.method,
                request.url,
                headers=list(request.headers),
                content=request.body,
                timeout=None,
                follow_redirects=False,
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotSent(str(error)) from error
        except httpx.RequestError as error:
            raise ConnectionError(str(error)) from error
        return Answer(response.status_code, response.headers.raw, response.content)

    async def close(self) -> None:
        """Closes the client, unless it is yours."""
        if self._own is not None:
            await self._own.aclose()
            self._client = self._own = None


def named(name: str) -> Transport:
    """The transport of that name."""
    match name:
        case "aiohttp":
            return AiohttpTransport()
        case "httpx":
            return HttpxTransport()
        case _:
            raise ValueError(f"transport {name!r} is neither 'aiohttp' nor 'httpx'")
