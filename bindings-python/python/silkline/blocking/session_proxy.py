"""The client for requests through sessions."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from types import EllipsisType, TracebackType
from typing import TYPE_CHECKING, Literal

from silkline import aio

from .loop import Iteration, LoopThread

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from silkline import ProxyOptions
    from silkline.engine import ProxySessionLost, ProxyStats
    from silkline.schedule import RetryPolicy

__all__ = ["NamedSession", "SessionProxy"]


class SessionProxy:
    """Fetches through sessions, for as long as the block lasts: `silkline.aio.SessionProxy` on a thread.

    It takes the same arguments; ``banned`` and ``on_session_lost`` are called on that thread, and
    must not call back. Threads may share it.

    >>> from silkline.blocking import SessionProxy
    >>> def main(key, endpoint, ca):
    ...     with SessionProxy(key, endpoint=endpoint, ca=ca, sessions=20) as proxy:
    ...         print(proxy.get("https://example.com/").text())
    """

    def __init__(
        self,
        api_key: str,
        *,
        endpoint: str | None = None,
        dialect: Literal["smart_proxy_manager", "zyte_api"] = "smart_proxy_manager",
        ca: aio.CertificateAuthority | None = None,
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
        banned: aio.Verdict | None = None,
        on_session_lost: Callable[[ProxySessionLost], object] | None = None,
        follow_redirects: bool = True,
        max_redirects: int = 20,
        max_body: int | None = 100_000_000,
        queue_size: int = 1_000,
        transport: str | aio.ProxyTransport = "aiohttp",
        grace: float = 0.0,
        delete_timeout: float = 30.0,
        keep_sessions: bool = False,
        seed: int | None = None,
    ) -> None:
        self._queue_size = queue_size
        self._grace = grace
        self._proxy = aio.SessionProxy(
            api_key,
            endpoint=endpoint,
            dialect=dialect,
            ca=ca,
            sessions=sessions,
            session_delay=session_delay,
            domain_delays=domain_delays,
            session_margin=session_margin,
            session_idle=session_idle,
            max_bans=max_bans,
            max_timeouts=max_timeouts,
            anonymous_percent=anonymous_percent,
            creation=creation,
            warm_up=warm_up,
            concurrency=concurrency,
            deadline=deadline,
            policy=policy,
            options=options,
            banned=banned,
            on_session_lost=on_session_lost,
            follow_redirects=follow_redirects,
            max_redirects=max_redirects,
            max_body=max_body,
            queue_size=queue_size,
            transport=transport,
            grace=grace,
            delete_timeout=delete_timeout,
            keep_sessions=keep_sessions,
            seed=seed,
        )
        self._thread = LoopThread(self._proxy)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._thread.stop(0.0 if error is not None else self._grace)

    def close(self, grace: float = 0.0) -> None:
        """Takes and sends nothing more, gives up what is under way after so many seconds."""
        self._thread.run(lambda: self._proxy.close(grace))

    def stats(self) -> ProxyStats:
        """The engine's numbers."""
        return self._proxy.stats()

    def resume(self) -> None:
        """Goes on after `silkline.aio.ProxyAccountRefused`, as if the account were well again."""
        self._thread.call(self._proxy.resume)

    def request(self, method: str, url: str, **options: Unpack[aio.RequestOptions]) -> aio.Response:
        """Sends a request and gives the answer; see `silkline.aio.SessionProxy.request`."""
        return self._thread.run(lambda: self._proxy.request(method, url, **options))

    def get(self, url: str, **options: Unpack[aio.RequestOptions]) -> aio.Response:
        """Gets a URL; for the options see `silkline.aio.SessionProxy.request`."""
        return self.request("GET", url, **options)

    def head(self, url: str, **options: Unpack[aio.RequestOptions]) -> aio.Response:
        """Asks for the head of a URL; for the options see `silkline.aio.SessionProxy.request`."""
        return self.request("HEAD", url, **options)

    def post(self, url: str, **options: Unpack[aio.RequestOptions]) -> aio.Response:
        """Posts to a URL; for the options see `silkline.aio.SessionProxy.request`."""
        return self.request("POST", url, **options)

    def put(self, url: str, **options: Unpack[aio.RequestOptions]) -> aio.Response:
        """Puts to a URL; for the options see `silkline.aio.SessionProxy.request`."""
        return self.request("PUT", url, **options)

    def patch(self, url: str, **options: Unpack[aio.RequestOptions]) -> aio.Response:
        """Patches a URL; for the options see `silkline.aio.SessionProxy.request`."""
        return self.request("PATCH", url, **options)

    def delete(self, url: str, **options: Unpack[aio.RequestOptions]) -> aio.Response:
        """Deletes a URL; for the options see `silkline.aio.SessionProxy.request`."""
        return self.request("DELETE", url, **options)

    def results(
        self, requests: Iterable[aio.AnyTarget], *, queue_size: int | None = None
    ) -> Generator[aio.Outcome, None, None]:
        """Gives the outcome of each request as soon as it is there, in any order.

        The source is read in the calling thread, when there is room for its requests and no outcome
        to give. For the rest see `silkline.aio.SessionProxy.results`.
        """
        iteration: Iteration[aio.AnyTarget, aio.Outcome] = Iteration(
            self._thread,
            lambda source, size: self._proxy.results(source, queue_size=size),
            queue_size or self._queue_size,
        )
        return iteration.outcomes(requests)

    def session(self, name: str | None = None, *, replace: bool = False) -> NamedSession:
        """A sequence of requests through one session, which ends with its block.

        See `silkline.aio.SessionProxy.session`.
        """
        return NamedSession(self, self._proxy.session(name, replace=replace).name, replace=replace)

    def end_session(self, name: str) -> bool:
        """Ends a named session after the requests that it has so far; false if there is none."""
        return self._thread.call(lambda: self._proxy.end_session(name))


class NamedSession:
    """A sequence of requests, one after the other through one session; see `SessionProxy.session`."""

    def __init__(self, proxy: SessionProxy, name: str, *, replace: bool) -> None:
        self._proxy = proxy
        self._replace = replace
        self.name: str = name

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> bool:
        """Ends the session after the requests that it has so far; false if there is none."""
        return self._proxy.end_session(self.name)

    def get(self, url: str, **options: Unpack[aio.RequestOptions]) -> aio.Response:
        """Gets a URL; for the options see `silkline.aio.SessionProxy.request`."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Unpack[aio.RequestOptions]) -> aio.Response:
        """Posts to a URL; for the options see `silkline.aio.SessionProxy.request`."""
        return self.request("POST", url, **options)

    def request(self, method: str, url: str, **options: Unpack[aio.RequestOptions]) -> aio.Response:
        """Sends a request through the session."""
        named: aio.RequestOptions = {
            "replace_session": self._replace,
            **options,
            "session": self.name,
        }
        return self._proxy.request(method, url, **named)
