"""How proxied requests travel: through aiohttp or httpx.

A transport sends one request the way that the engine says, to the service itself or through it, and
gives its answer. It sets no time limit, follows no redirect, keeps no cookie and tries nothing
again: when a request is given up, its task is cancelled.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from silkline import connect_status

from .errors import UntrustedCertificate
from .transports import NotSent

if TYPE_CHECKING:
    import aiohttp
    import httpx

    from silkline import Request
    from silkline.engine import ProxySend

__all__ = [
    "AiohttpProxyTransport",
    "CertificateAuthority",
    "ConnectRefused",
    "HttpxProxyTransport",
    "ProxiedAnswer",
    "ProxyTransport",
    "named_proxy_transport",
]

CertificateAuthority: TypeAlias = "str | os.PathLike[str] | ssl.SSLContext"
"""Whom to trust besides the system's authorities: a PEM file, or a context that says all."""

# Targets set larger headers than the clients take by themselves.
_MAX_HEAD = 1 << 18
_PART = 1 << 16


class ProxiedAnswer(NamedTuple):
    """An answer with its body, any content coding undone."""

    status: int
    headers: Iterable[tuple[bytes, bytes]]
    body: bytes
    cut: bool = False
    """Whether the body is larger than was allowed, so that the rest of it was not read."""


class ConnectRefused(Exception):
    """The service refused to open a tunnel, in an answer with this head.

    aiohttp gives status and headers, httpx by itself only the status, in its message.
    """

    def __init__(self, status: int, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers


class ProxyTransport(Protocol):
    """What a `SessionProxy` sends with.

    `OSError` (as `ConnectionError`) means that a request got no answer, `NotSent` that it never left,
    `ConnectRefused` that there was no tunnel for it, `UntrustedCertificate` that its certificate was
    refused here.
    """

    async def start(self) -> None:
        """Gets ready, on the event loop that it will be used on."""

    async def send(
        self, send: ProxySend, sent: Callable[[], None], max_body: int | None
    ) -> ProxiedAnswer:
        """Sends a request and gives its answer; calls ``sent`` when it has left, if it can tell."""
        ...

    async def close(self) -> None:
        """Closes all connections."""


def trusting(ca: CertificateAuthority | None) -> ssl.SSLContext:
    """What trusts the system's authorities and the one given."""
    if isinstance(ca, ssl.SSLContext):
        return ca
    context = ssl.create_default_context()
    if ca is not None:
        context.load_verify_locations(cafile=os.fspath(ca))
    return context


async def _read(parts: AsyncIterator[bytes], most: int | None) -> tuple[bytes, bool]:
    """The body, and whether it is only the beginning."""
    found: list[bytes] = []
    size = 0
    async for part in parts:
        size += len(part)
        if most is not None and size > most:
            found.append(part[: len(part) - (size - most)])
            return b"".join(found), True
        found.append(part)
    return b"".join(found), False


def _untrusted(error: BaseException, url: str) -> UntrustedCertificate | None:
    """The refusal of a certificate behind an error of a client, if there is one."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, ssl.SSLCertVerificationError):
            told = getattr(found, "certificate_error", found)  # aiohttp wraps it
            why = getattr(told, "verify_message", "") or str(told)
            text = f"the certificate shown for `{url}` is not trusted ({why}): "
            text += "give the authority of the service as `ca`"
            return UntrustedCertificate(text, url=url)
        found = found.__cause__ or found.__context__
    return None


class AiohttpProxyTransport:
    """Sends with aiohttp: with a session of yours, which stays open, or with one of its own.

    The session's time limits are not used. Of a session of yours, its connection limit (100 if you
    left it out) and its cookies do hold; and nobody tells the engine when exactly a request left, so
    that it goes by its margin.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession | None = None,
        *,
        ca: CertificateAuthority | None = None,
    ) -> None:
        self._session = session
        self._own: aiohttp.ClientSession | None = None
        self._context = trusting(ca)

    async def start(self) -> None:
        """Opens the session."""
        import aiohttp

        self._timeout = aiohttp.ClientTimeout(
            total=None, connect=None, sock_connect=None, sock_read=None
        )
        if self._session is None:
            trace = aiohttp.TraceConfig()
            trace.on_request_headers_sent.append(_tell_sent)
            self._session = self._own = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                trace_configs=[trace],
                max_line_size=_MAX_HEAD,
                max_field_size=_MAX_HEAD,
            )

    async def send(
        self, send: ProxySend, sent: Callable[[], None], max_body: int | None
    ) -> ProxiedAnswer:
        """Sends a request and gives its answer."""
        import aiohttp
        import yarl

        if self._session is None:
            raise RuntimeError("the transport was not started")
        request = send.request
        try:
            async with self._session.request(
                request.method,
                yarl.URL(request.url, encoded=True),
                headers=list(request.headers),
                data=request.body or None,
                skip_auto_headers=("Content-Type",),
                proxy=send.proxy.url if send.proxy else None,
                proxy_headers=dict(send.connect.headers) if send.connect else None,
                ssl=self._context,
                timeout=self._timeout,
                allow_redirects=False,
                raise_for_status=False,
                trace_request_ctx=sent,
            ) as response:
                body, cut = await _read(response.content.iter_chunked(_PART), max_body)
                if cut:
                    response.close()
                return ProxiedAnswer(response.status, response.raw_headers, body, cut)
        except aiohttp.ClientHttpProxyError as error:
            headers = error.headers.items() if error.headers else ()
            head = [(name.encode(), _bytes(value)) for name, value in headers]
            raise ConnectRefused(error.status, head) from error
        except aiohttp.ClientConnectorError as error:
            untrusted = _untrusted(error, request.url)
            raise untrusted or NotSent(str(error)) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ConnectionError(str(error)) from error

    async def close(self) -> None:
        """Closes the session, unless it is yours."""
        if self._own is not None:
            await self._own.close()
            self._session = self._own = None


def _bytes(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")


async def _tell_sent(
    _session: aiohttp.ClientSession,
    context: Any,
    _what: aiohttp.TraceRequestHeadersSentParams,
) -> None:
    context.trace_request_ctx()


class HttpxProxyTransport:
    """Sends with httpx, by clients of its own: httpx binds each to one proxy."""

    def __init__(self, *, ca: CertificateAuthority | None = None) -> None:
        self._context = trusting(ca)
        self._direct: httpx.AsyncClient | None = None
        self._proxied: dict[str, httpx.AsyncClient] = {}

    async def start(self) -> None:
        """Opens the client for calls of the service itself."""
        self._direct = self._client(None)

    def _client(self, send: ProxySend | None) -> httpx.AsyncClient:
        import httpx

        proxy = None
        if send is not None and send.proxy is not None:
            authorization = {"Proxy-Authorization": send.proxy.authorization}
            is_tls = send.proxy.url.startswith("https:")
            proxy = httpx.Proxy(
                send.proxy.url,
                headers=authorization,
                ssl_context=self._context if is_tls else None,
            )
        return httpx.AsyncClient(
            proxy=proxy,
            verify=self._context,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
            timeout=None,  # noqa: S113 -- the engine's deadline
            trust_env=False,
        )

    def _client_for(self, send: ProxySend) -> httpx.AsyncClient:
        if self._direct is None:
            raise RuntimeError("the transport was not started")
        if send.proxy is None:
            return self._direct
        client = self._proxied.get(send.proxy.url)
        if client is None:
            client = self._proxied[send.proxy.url] = self._client(send)
        return client

    async def send(
        self, send: ProxySend, sent: Callable[[], None], max_body: int | None
    ) -> ProxiedAnswer:
        """Sends a request and gives its answer."""
        import httpx

        request: Request = send.request
        watch = _Watch(sent)
        try:
            async with self._client_for(send).stream(
                request.method,
                request.url,
                headers=list(request.headers),
                content=request.body or None,
                follow_redirects=False,
                extensions={"trace": watch.trace},
            ) as response:
                body, cut = await _read(response.aiter_bytes(), max_body)
                return ProxiedAnswer(response.status_code, response.headers.raw, body, cut)
        except httpx.ProxyError as error:
            status = watch.status or connect_status(str(error))
            if status is None:
                raise ConnectionError(str(error)) from error
            raise ConnectRefused(status, watch.headers) from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            untrusted = _untrusted(error, request.url)
            raise untrusted or NotSent(str(error)) from error
        except httpx.RequestError as error:
            raise ConnectionError(str(error)) from error

    async def close(self) -> None:
        """Closes the clients."""
        clients = [client for client in (self._direct, *self._proxied.values()) if client]
        self._direct = None
        self._proxied.clear()
        for client in clients:
            await client.aclose()


class _Watch:
    """Sees what httpx does not tell: when a request left, and the answer to its CONNECT."""

    def __init__(self, sent: Callable[[], None]) -> None:
        self._sent = sent
        self._is_connect = False
        self.status: int | None = None
        self.headers: list[tuple[bytes, bytes]] = []

    async def trace(self, event: str, what: dict[str, Any]) -> None:
        """Takes note of what httpcore does."""
        if event.endswith(".send_request_headers.started"):
            self._is_connect = what["request"].method == b"CONNECT"
        elif event.endswith(".send_request_headers.complete"):
            if not self._is_connect:
                self._sent()
        elif event.endswith(".receive_response_headers.complete") and self._is_connect:
            _, self.status, _, headers, *_ = what["return_value"]
            self.headers = list(headers)


def named_proxy_transport(name: str, ca: CertificateAuthority | None) -> ProxyTransport:
    """The transport of that name."""
    match name:
        case "aiohttp":
            return AiohttpProxyTransport(ca=ca)
        case "httpx":
            return HttpxProxyTransport(ca=ca)
        case _:
            raise ValueError(f"transport {name!r} is neither 'aiohttp' nor 'httpx'")
