"""Smart Proxy Manager inside of the process."""

from __future__ import annotations

import asyncio
import inspect
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from urllib.parse import urldefrag, urlsplit

from silkline import Headers
from silkline.aio import ConnectRefused, ProxiedAnswer
from silkline.service import (
    ProxyFetch,
    ProxyRelay,
    ProxyService,
    ProxyTunnel,
    ProxyWait,
    ServiceAnswer,
)

from .faults import Failure, FaultScript, script

if TYPE_CHECKING:
    from silkline.engine import ProxySend

__all__ = ["FakeProxy", "TargetAnswer", "TargetPage", "TargetRequest"]

# What ban rules of the service get to see of a body.
_INSPECTED = 64 * 1024
_NOT_FOUND = 404


class TargetRequest(NamedTuple):
    """A request as a target sees it."""

    method: str
    """The method."""
    url: str
    """The absolute URL."""
    headers: Headers
    """The headers that the service passes on."""
    body: bytes
    """The body."""
    outgoing: str
    """The address that it comes from."""


class TargetPage(NamedTuple):
    """What a target answers."""

    body: bytes | str = b""
    """The body."""
    status: int = 200
    """The status."""
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()
    """The headers."""


TargetAnswer: TypeAlias = "TargetPage | str | bytes | int | Failure"
"""What a target answers: a page, its body or its status alone, or the `Failure` of reaching it."""

_Pages: TypeAlias = (
    "Mapping[str, TargetAnswer] | Callable[[TargetRequest], TargetAnswer | Awaitable[TargetAnswer]]"
)


class FakeProxy:
    """Smart Proxy Manager without sockets: sessions, pace, errors, faults and counts are its own.

    >>> from silkline.blocking import SessionProxy
    >>> from silkline.testing import FakeProxy
    >>> service = FakeProxy(pages=lambda request: f"you are {request.outgoing}")
    >>> with SessionProxy("KEY", transport=service, session_delay=0) as proxy:
    ...     with proxy.session() as session:
    ...         [session.get("https://shop.example/").text() for _ in range(2)]
    ['you are 127.0.0.2', 'you are 127.0.0.2']

    ``pages`` says what targets answer: a mapping by URL, of which any other page is a 404, or a
    function of the request, which may be a coroutine function. Left out, each page names its URL. All
    else is for `silkline.service.ProxyService`, but sessions need no rest unless ``delay`` is given,
    ``outgoing`` are some 5,000 addresses from 127.0.0.2 on, and fault scripts may be lists too. Time
    is the real one.
    """

    def __init__(
        self, pages: _Pages | None = None, *, faults: FaultScript | None = None, **service: Any
    ) -> None:
        self.pages: _Pages | None = pages
        """What targets answer; may be replaced."""
        given = {"delay": 0.0, "outgoing": _addresses(), **service, "faults": script(faults)}
        self._service = ProxyService(**given)
        self._zero = time.monotonic()
        self._released: dict[int, ProxyFetch] = {}

    def stats(self) -> dict[str, Any]:
        """What the service counted."""
        counts: dict[str, Any] = json.loads(self._service.stats_json())
        return counts

    # --- the transport ------------------------------------------------------------------------

    async def start(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do."""

    async def send(
        self, send: ProxySend, sent: Callable[[], None], max_body: int | None
    ) -> ProxiedAnswer:
        """Answers a request, as a transport of `silkline.aio.SessionProxy`."""
        await asyncio.sleep(0)  # as if there were a way
        request = send.request
        headers = request.headers.items()
        if send.proxy is None:
            path = urlsplit(request.url).path
            return _own(self._service.handle_api(request.method, path, headers, self._now()))
        tunnel: ProxyTunnel | None = None
        if send.connect is not None:
            opened = self._service.handle_connect(
                send.connect.url, send.connect.headers.items(), self._now()
            )
            if isinstance(opened, ServiceAnswer):
                refused = _own(opened)
                raise ConnectRefused(refused.status, refused.headers)
            tunnel = opened
        sent()
        step = self._service.handle_request(
            request.method, request.url, headers, self._now(), tunnel
        )
        if isinstance(step, ServiceAnswer):
            return _own(step)
        ticket, page = step.ticket, TargetPage()
        try:
            while True:
                if isinstance(step, ServiceAnswer):
                    return _own(step)
                if isinstance(step, ProxyRelay):
                    return self._relay(step, page, max_body)
                if isinstance(step, ProxyWait):
                    step = await self._release(ticket)
                else:
                    step, page = await self._fetch(step, request.body)
        finally:
            self._released.pop(ticket, None)
            self._service.handle_closed(ticket, self._now())

    def _now(self) -> float:
        return time.monotonic() - self._zero

    async def _release(self, ticket: int) -> ProxyFetch:
        """Waits until the service lets a request through."""
        while ticket not in self._released:
            output = self._service.poll(self._now())
            if isinstance(output, ProxyFetch):
                self._released[output.ticket] = output
            else:
                await asyncio.sleep(0.01 if output is None else max(output - self._now(), 0.001))
        return self._released.pop(ticket)

    async def _fetch(
        self, fetch: ProxyFetch, body: bytes
    ) -> tuple[ServiceAnswer | ProxyFetch | ProxyRelay | ProxyWait, TargetPage]:
        ticket = fetch.ticket
        found = await self._page(
            TargetRequest(fetch.method, fetch.url, fetch.headers, body, fetch.outgoing)
        )
        if isinstance(found, Failure):
            return self._service.handle_failed(ticket, found.name, self._now()), TargetPage()
        headers = Headers(found.headers).items()
        start = _bytes(found.body)[:_INSPECTED]
        step = self._service.handle_responded(ticket, found.status, headers, start, self._now())
        return step, found

    async def _page(self, request: TargetRequest) -> TargetPage | Failure:
        found: Any
        if self.pages is None:
            found = f"<h1>{request.url}</h1>"
        elif callable(self.pages):
            found = self.pages(request)
            if inspect.isawaitable(found):
                found = await found
        else:
            found = self.pages.get(urldefrag(request.url).url, _NOT_FOUND)
        if isinstance(found, (str, bytes)):
            return TargetPage(found, headers={"Content-Type": "text/html; charset=utf-8"})
        if isinstance(found, int):
            return TargetPage(status=found)
        answer: TargetPage | Failure = found
        return answer

    def _relay(self, relay: ProxyRelay, page: TargetPage, most: int | None) -> ProxiedAnswer:
        body = _bytes(page.body)
        limit = min(relay.max_body_bytes, len(body) if relay.truncated is None else relay.truncated)
        self._service.handle_finished(relay.ticket, min(limit, len(body)), self._now())
        if limit < len(body):
            raise ConnectionResetError("the connection is closed before the end of the body")
        headers = [(name.encode(), value.encode("utf-8")) for name, value in relay.headers]
        cut = most is not None and len(body) > most
        return ProxiedAnswer(relay.status, headers, body[:most] if cut else body, cut)


def _addresses() -> list[str]:
    """As many as an account may have sessions, and some that rest."""
    return [f"127.0.{part}.{last}" for part in range(21) for last in range(1, 255)][1:]


def _bytes(body: bytes | str) -> bytes:
    return body.encode() if isinstance(body, str) else body


def _own(answer: ServiceAnswer) -> ProxiedAnswer:
    """An answer of the service itself."""
    if answer.dropped or answer.truncated is not None:
        raise ConnectionResetError("the connection is closed, as the script asks")
    headers = [(name.encode(), value.encode("utf-8")) for name, value in answer.headers]
    return ProxiedAnswer(answer.status, headers, answer.body)
