"""The client for requests through sessions."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import replace
from types import EllipsisType, TracebackType
from typing import TYPE_CHECKING, Any, Literal

from silkline import ProxyApi, ProxyEngine, ProxyOptions, Request
from silkline.engine import ProxySessionLost, ProxyStats

from .errors import TooManyRedirects
from .proxy_driver import Call, ProxyDriver, Verdict
from .proxy_requests import AnyTarget, RequestOptions, TargetSource, built, taken_apart
from .proxy_results import Outcome, Window
from .proxy_transports import CertificateAuthority, ProxyTransport, named_proxy_transport
from .redirects import followed
from .response import Response

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from silkline.engine import ProxyFinished
    from silkline.schedule import RetryPolicy

__all__ = ["NamedSession", "SessionProxy"]

_log = logging.getLogger("silkline.aio")


class SessionProxy:
    """Fetches through sessions of the proxy service, for as long as the block lasts.

    >>> import asyncio
    >>> from silkline.aio import SessionProxy
    >>> async def main(key, endpoint, ca):
    ...     async with SessionProxy(key, endpoint=endpoint, ca=ca, sessions=20) as proxy:
    ...         response = await proxy.get("https://example.com/")
    ...         print(response.status, response.session, response.text())

    A pool of sessions fills and paces itself: each request waits for a session that is ready, and
    what can be tried again is. What is left out is as `silkline.ProxyEngine` has it: ``sessions`` is
    how many there may be, ``session_delay`` how many seconds apart their requests are,
    ``domain_delays`` the same for domains, ``session_margin`` what jitter of the way may cost
    (`None`: any), ``session_idle`` when the service forgets a session.

    With ``dialect="zyte_api"`` the same requests go through the successor's proxy mode, in sessions
    whose ids are made here. ``ca`` is the service's certificate authority, for https targets: a PEM file, or a whole
    `ssl.SSLContext`. ``transport`` is ``"aiohttp"``, ``"httpx"``, or any `ProxyTransport` (which then
    brings its own trust). ``banned`` says of an answer whether it is a ban in disguise: then the
    request is tried again through another session. ``on_session_lost`` is called when a named
    session is lost; left out, it is logged. Unless ``follow_redirects`` is false, up to
    ``max_redirects`` redirects are followed, each through the session of the request before it. A body may have up to ``max_body`` bytes.
    ``queue_size`` is how many requests each `results` takes from its source ahead of what its reader
    took out. When the block is left, requests under way have ``grace`` seconds, and the deletion of
    the sessions ``delete_timeout`` more; with ``keep_sessions`` they are left to expire.
    """

    def __init__(
        self,
        api_key: str,
        *,
        endpoint: str | None = None,
        dialect: Literal["smart_proxy_manager", "zyte_api"] = "smart_proxy_manager",
        ca: CertificateAuthority | None = None,
        sessions: int | None = None,
        session_delay: float | None = None,
        domain_delays: Mapping[str, float] | None = None,
        session_margin: float | EllipsisType | None = ...,
        session_idle: float | None = None,
        max_bans: int | None = None,
        max_timeouts: int | None = None,
        anonymous_percent: int | None = None,
        creation: Literal["call", "header"] | None = None,
        warm_up: int | None = None,
        concurrency: int | None = None,
        deadline: float | None = None,
        policy: RetryPolicy | None = None,
        options: ProxyOptions | None = None,
        banned: Verdict | None = None,
        on_session_lost: Callable[[ProxySessionLost], object] | None = None,
        follow_redirects: bool = True,
        max_redirects: int = 20,
        max_body: int | None = 100_000_000,
        queue_size: int = 1_000,
        transport: str | ProxyTransport = "aiohttp",
        grace: float = 0.0,
        delete_timeout: float = 30.0,
        keep_sessions: bool = False,
        seed: int | None = None,
    ) -> None:
        if queue_size < 1:
            raise ValueError(f"queue_size is {queue_size}, it must be at least 1")
        margin: dict[str, Any] = {}
        if session_margin is not ...:
            margin["margin"] = session_margin
        self._api = ProxyApi(api_key, endpoint, dialect)
        self._engine = ProxyEngine(
            self._api,
            size=sessions,
            delay=session_delay,
            domain_delays=dict(domain_delays) if domain_delays else None,
            idle=session_idle,
            max_bans=max_bans,
            max_timeouts=max_timeouts,
            anonymous_percent=anonymous_percent,
            creation=creation,
            warm_up=warm_up,
            concurrency=concurrency,
            deadline=deadline,
            policy=policy,
            options=options,
            delete_on_close=not keep_sessions,
            seed=seed,
            **margin,
        )
        self._banned = banned
        self._on_session_lost = on_session_lost or _warn
        self._follow_redirects = follow_redirects
        self._max_redirects = max_redirects
        self._max_body = max_body
        self._queue_size = queue_size
        self._transport = (
            named_proxy_transport(transport, ca) if isinstance(transport, str) else transport
        )
        self._grace = grace
        self._delete_timeout = delete_timeout
        self._names = itertools.count(1)
        self._driver: ProxyDriver | None = None
        self._windows: set[Window] = set()
        self._closing: asyncio.Task[None] | None = None

    # --- the block ----------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        if self._driver is not None:
            raise RuntimeError("a session proxy is entered once")
        await self._transport.start()
        self._driver = ProxyDriver(
            self._api,
            self._engine,
            self._transport,
            self._max_body,
            self._delete_timeout,
            self._on_session_lost,
        )
        self._driver.wake()  # sessions that are made ahead
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close(0.0 if error is not None else self._grace)

    async def close(self, grace: float = 0.0) -> None:
        """Takes and sends nothing more, gives up what is under way after so many seconds.

        Then the sessions are deleted. Requests that are waited for end with the error
        ``job_closed``, iterations with what they took in. A second call can shorten the grace of the
        first.
        """
        if self._driver is None:
            return
        for window in self._windows:
            window.stop_feeding()
        self._driver.close(grace)
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._close(self._driver))
        try:
            await asyncio.shield(self._closing)
        except asyncio.CancelledError:
            self._driver.close(0.0)
            await self._closing
            raise

    async def _close(self, driver: ProxyDriver) -> None:
        try:
            await driver.closed()
        finally:
            await self._transport.close()

    def stats(self) -> ProxyStats:
        """The engine's numbers."""
        return self._engine.stats()

    def resume(self) -> None:
        """Goes on after `ProxyAccountRefused`, as if the account were well again."""
        self._entered().resume()

    def _entered(self) -> ProxyDriver:
        if self._driver is None:
            raise RuntimeError("a session proxy works inside of its `async with` block")
        if self._closing is not None:
            raise RuntimeError("the session proxy is closed")
        return self._driver

    # --- requests -----------------------------------------------------------------------------

    async def get(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Gets a URL; for the options see `request`."""
        return await self.request("GET", url, **options)

    async def head(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Asks for the head of a URL; for the options see `request`."""
        return await self.request("HEAD", url, **options)

    async def post(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Posts to a URL; for the options see `request`."""
        return await self.request("POST", url, **options)

    async def put(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Puts to a URL; for the options see `request`."""
        return await self.request("PUT", url, **options)

    async def patch(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Patches a URL; for the options see `request`."""
        return await self.request("PATCH", url, **options)

    async def delete(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Deletes a URL; for the options see `request`."""
        return await self.request("DELETE", url, **options)

    async def request(self, method: str, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Sends a request and gives the answer of the target, whatever its status.

        ``headers``, ``params`` (for the URL's query), and ``data`` (bytes, a text, or the fields of a
        form) or ``json`` make the request. It goes through any session of the pool; with a
        ``session`` name after those of that name before it, all through one session, until
        `end_session`; or ``outside_sessions``. If the named session is lost it fails with
        ``session_lost``, unless ``replace_session``. Requests of a higher ``priority`` go first.
        ``options`` (`silkline.ProxyOptions`) win over those of the whole proxy, so do ``banned``,
        ``follow_redirects`` and ``max_redirects``.

        Raises what ended it otherwise: `silkline.ProxyServiceError`, `silkline.ProxyJobError`,
        `ProxyAccountRefused`, `UntrustedCertificate`, `BodyTooLarge`, `TooManyRedirects`; and for
        what cannot be sent, before anything is, `silkline.InvalidProxiedRequest`,
        `silkline.InvalidProxyOptions` and `silkline.InvalidHeader`. Cancelling gives it up.
        """
        return await self._fetch(built(method, url, options), options)

    async def _fetch(self, request: Request, options: RequestOptions) -> Response:
        """Sends a request and those that its redirects lead to."""
        most = options.get("max_redirects", self._max_redirects)
        follows = options.get("follow_redirects", self._follow_redirects)
        driver = self._entered()
        response = await self._send(driver, request, options)
        while follows and (target := followed(response)) is not None:
            if len(response.history) >= most:
                text = f"`{response.url}` redirects for the {len(response.history) + 1}th time"
                raise TooManyRedirects(text, response=response)
            response = _after(response, await self._send(driver, target, options, response.session))
        return response

    async def _send(
        self,
        driver: ProxyDriver,
        request: Request,
        options: RequestOptions,
        stay_in: str | None = None,
    ) -> Response:
        call = Call(driver, request, options.get("banned", self._banned))
        name = options.get("session")
        finished = await call.outcome(
            options=options.get("options"),
            session=name,
            replace_session=options.get("replace_session", False),
            stay_in=None if name else stay_in,
            outside_sessions=options.get("outside_sessions", False),
            priority=options.get("priority", 0),
        )
        return _response(finished, name)

    def results(
        self, requests: TargetSource, *, queue_size: int | None = None
    ) -> AsyncGenerator[Outcome, None]:
        """Gives the outcome of each request as soon as it is there, in any order.

        The source is any iterable or async iterable of URLs, `silkline.Request` objects, or mappings
        of the arguments of `request` (``{"url": ..., "session": "a"}``). They are taken from it when
        there is room; a plain iterable must not block. What cannot be had is an outcome with an
        ``error``. When the account is refused, `ProxyAccountRefused` is raised after the outcomes
        that are there; so is an exception of the source. Leaving the iteration cancels what it waits
        for: best with `contextlib.aclosing`.
        """
        if isinstance(requests, (str, bytes, Request, Mapping)):
            raise TypeError("results() takes an iterable of requests, not a single one")
        self._entered()
        return self._results(requests, queue_size or self._queue_size)

    async def _results(self, requests: TargetSource, size: int) -> AsyncGenerator[Outcome, None]:
        window = Window(self._fetch_target, size)
        self._windows.add(window)
        try:
            window.start(requests)
            while (outcome := await window.next()) is not None:
                yield outcome
        finally:
            self._windows.discard(window)
            await window.close()

    async def _fetch_target(self, target: AnyTarget) -> Response:
        request, options = taken_apart(target)
        return await self._fetch(request, options)

    # --- named sessions -----------------------------------------------------------------------

    def session(self, name: str | None = None, *, replace: bool = False) -> NamedSession:
        """A sequence of requests through one session, which ends with its block.

        >>> async def main(proxy):
        ...     async with proxy.session() as session:
        ...         await session.post("https://shop.example/login", data={"user": "me"})
        ...         print((await session.get("https://shop.example/orders")).text())

        Left out, the ``name`` is one that nobody has. With ``replace`` the session may be replaced
        by another one if it is lost.
        """
        return NamedSession(self, name or f"session-{next(self._names)}", replace=replace)

    def end_session(self, name: str) -> bool:
        """Ends a named session after the requests that it has so far; false if there is none."""
        return self._entered().end_session(name)


class NamedSession:
    """A sequence of requests, one after the other through one session; see `SessionProxy.session`."""

    def __init__(self, proxy: SessionProxy, name: str, *, replace: bool) -> None:
        self._proxy = proxy
        self._replace = replace
        self.name: str = name

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> bool:
        """Ends the session after the requests that it has so far; false if there is none."""
        return self._proxy.end_session(self.name)

    async def get(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Gets a URL; for the options see `SessionProxy.request`."""
        return await self.request("GET", url, **options)

    async def post(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Posts to a URL; for the options see `SessionProxy.request`."""
        return await self.request("POST", url, **options)

    async def request(self, method: str, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Sends a request through the session; for the options see `SessionProxy.request`."""
        named: RequestOptions = {"replace_session": self._replace, **options, "session": self.name}
        return await self._proxy.request(method, url, **named)


def _warn(lost: ProxySessionLost) -> None:
    _log.warning("session %s (%s) was lost: %s", lost.name, lost.session, lost.cause)


def _response(finished: ProxyFinished, name: str | None) -> Response:
    fetched = finished.response
    if finished.error is not None:
        raise finished.error
    if fetched is None:
        raise RuntimeError("a job ended with neither answer nor error")
    return Response(
        fetched.status,
        fetched.headers,
        fetched.body,
        finished.request,
        session=fetched.session,
        session_name=name,
        outgoing=fetched.outgoing,
        attempts=finished.attempts,
        billed=finished.billed,
        possibly_billed=finished.possibly_billed,
        elapsed=finished.elapsed,
    )


def _after(before: Response, response: Response) -> Response:
    """An answer with what the redirects before it cost."""
    return replace(
        response,
        attempts=before.attempts + response.attempts,
        billed=before.billed + response.billed,
        possibly_billed=before.possibly_billed + response.possibly_billed,
        elapsed=before.elapsed + response.elapsed,
        history=(*before.history, replace(before, history=())),
    )
